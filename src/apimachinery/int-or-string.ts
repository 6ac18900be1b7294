import { regexError } from './validation.ts';

// Follows apimachinery/pkg/util/intstr, v1.33.

/** A number, or a text that mostly is a percentage. */
export type IntOrString = number | string;

const PERCENT = '[0-9]+%';

/** Messages for a text that is no percentage. */
export const isValidPercent = (text: string): string[] =>
  /^[0-9]+%$/.test(text)
    ? []
    : [regexError("a valid percent string must be a numeric string followed by an ending '%'", PERCENT, '1%', '93%')];

/** The number before the percent sign; undefined for what is no percentage. */
export const percentValue = (value: IntOrString): number | undefined =>
  typeof value === 'string' && /^[0-9]+%$/.test(value) ? Number(value.slice(0, -1)) : undefined;

/** The number, or the number before the percent sign; 0 for other texts that are no number. */
export function intOrPercentValue(value: IntOrString): number {
  if (typeof value === 'number') return value;
  return percentValue(value) ?? (/^[+-]?[0-9]+$/.test(value) ? Number(value) : 0);
}

/** The number, or that share of `total`, rounded. A text that is no percentage counts as none: validation refuses it. */
export function scaledValue(value: IntOrString | undefined, total: number, round: 'up' | 'down'): number {
  if (value === undefined) return 0;
  const percent = percentValue(value);
  if (percent === undefined) return typeof value === 'number' ? value : 0;
  const share = (percent * total) / 100;
  return round === 'up' ? Math.ceil(share) : Math.floor(share);
}
