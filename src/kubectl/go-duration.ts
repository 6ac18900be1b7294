import { goQuote } from '#apimachinery/validation.ts';

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds of a duration such as `1h30m`. Throws with the words of Go's time.ParseDuration. */
export function parseDuration(text: string): number {
  const invalid = () => new Error(`time: invalid duration ${goQuote(text)}`);
  let rest = text;
  const sign = rest.startsWith('-') ? -1 : 1;
  if (/^[+-]/.test(rest)) rest = rest.slice(1);
  if (rest === '0') return 0;
  if (rest === '') throw invalid();
  let total = 0;
  while (rest !== '') {
    const number = /^(\d+\.?\d*|\.\d+)/.exec(rest)?.[0];
    if (number === undefined) throw invalid();
    rest = rest.slice(number.length);
    const unit = /^[^\d.]+/.exec(rest)?.[0];
    if (unit === undefined) throw new Error(`time: missing unit in duration ${goQuote(text)}`);
    const scale = UNITS[unit];
    if (scale === undefined) throw new Error(`time: unknown unit ${goQuote(unit)} in duration ${goQuote(text)}`);
    rest = rest.slice(unit.length);
    total += Number(number) * scale;
  }
  return sign * total;
}

/** Go's Duration.String of milliseconds: `0s`, `1.5s`, `1m0s`, `2h45m0s`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  const sign = ms < 0 ? '-' : '';
  const nanos = Math.round(Math.abs(ms) * 1e6);
  if (nanos < 1000) return `${sign}${nanos}ns`;
  if (nanos < 1e6) return `${sign}${trimmed(nanos / 1e3, 3)}µs`;
  if (nanos < 1e9) return `${sign}${trimmed(nanos / 1e6, 6)}ms`;
  const seconds = Math.floor(nanos / 1e9);
  const fraction = nanos - seconds * 1e9;
  const secondText = fraction ? trimmed((seconds % 60) + fraction / 1e9, 9) : String(seconds % 60);
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) return `${sign}${secondText}s`;
  if (minutes < 60) return `${sign}${minutes}m${secondText}s`;
  return `${sign}${Math.floor(minutes / 60)}h${minutes % 60}m${secondText}s`;
}

function trimmed(value: number, digits: number): string {
  return value.toFixed(digits).replace(/\.?0+$/, '');
}
