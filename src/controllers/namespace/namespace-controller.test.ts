import { expect, test } from 'vitest';
import type { Pod } from '#api/generated/types.ts';
import { podsGraceSeconds } from './namespace-controller.ts';

const pod = (phase: string): Pod => ({
  metadata: {},
  spec: { containers: [], terminationGracePeriodSeconds: 30 },
  status: { phase },
});

test('the longest grace period of those that run', () => {
  expect([podsGraceSeconds([pod('Running')]), podsGraceSeconds([pod('Failed')])]).toEqual([30, 0]);
});
