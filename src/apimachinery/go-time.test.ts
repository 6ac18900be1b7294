import { expect, test } from 'vitest';
import { canonicalTime, TimeError } from './go-time.ts';

test.each([
  ['2025-01-02T03:04:05Z', '2025-01-02T03:04:05Z'],
  ['2025-01-02T03:04:05.678Z', '2025-01-02T03:04:05Z'],
  ['2025-01-02T03:04:05+02:30', '2025-01-02T00:34:05Z'],
  ['2024-02-29T3:04:05-00:00', '2024-02-29T03:04:05Z'],
  ['0001-01-01T00:00:00Z', null],
])('%s becomes %s', (text, canonical) => {
  expect(canonicalTime(text, 'time')).toBe(canonical);
});

test('micro times have six digits', () => {
  expect(canonicalTime('2025-01-02T03:04:05.123456+01:00', 'micro-time')).toBe('2025-01-02T02:04:05.123456Z');
  expect(() => canonicalTime('2025-01-02T03:04:05Z', 'micro-time')).toThrow(
    'parsing time "2025-01-02T03:04:05Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"',
  );
});

test.each([
  ['', 'parsing time "" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "2006"'],
  ['tomorrow', 'parsing time "tomorrow" as "2006-01-02T15:04:05Z07:00": cannot parse "tomorrow" as "2006"'],
  ['2025-01-02', 'parsing time "2025-01-02" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T"'],
  ['2025-13-02T00:00:00Z', 'parsing time "2025-13-02T00:00:00Z": month out of range'],
  ['2025-02-30T00:00:00Z', 'parsing time "2025-02-30T00:00:00Z": day out of range'],
  [
    '2025-02-03T00:00:00',
    'parsing time "2025-02-03T00:00:00" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "Z07:00"',
  ],
  ['2025-02-03T00:00:00Zx', 'parsing time "2025-02-03T00:00:00Zx": extra text: "x"'],
])('%j is no time', (text, message) => {
  expect(() => canonicalTime(text, 'time')).toThrow(new TimeError(message));
});
