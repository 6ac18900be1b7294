import type { CreationStep, SpanTone } from '../../cluster-store/span-view.ts';
import type { PlainKey } from '../../i18n/translate.ts';

/** The five steps in which a Pod is created, in words. */
export const STEP_NAMES = {
  1: 'flow.step1',
  2: 'flow.step2',
  3: 'flow.step3',
  4: 'flow.step4',
  5: 'flow.step5',
} as const satisfies Record<CreationStep, PlainKey>;

export const STEP_TONES: Readonly<Record<CreationStep, SpanTone>> = {
  1: 'request',
  2: 'write',
  3: 'decision',
  4: 'work',
  5: 'request',
};
