import { expect, test } from 'vitest';
import { humanDuration, timestampSince } from './human-duration.ts';

test('durations keep two or three figures', () => {
  const check = (seconds: number, text: string) => expect(humanDuration(seconds * 1000), text).toBe(text);
  check(-2, '<invalid>');
  check(-1, '0s');
  check(0.9, '0s');
  check(119, '119s');
  check(120, '2m');
  check(599, '9m59s');
  check(600, '10m');
  check(179 * 60, '179m');
  check(180 * 60, '3h');
  check(181 * 60, '3h1m');
  check(8 * 3600, '8h');
  check(48 * 3600, '2d');
  check(49 * 3600, '2d1h');
  check(192 * 3600, '8d');
  check(729 * 86400, '729d');
  check(730 * 86400, '2y');
  check(731 * 86400, '2y1d');
  check(2920 * 86400, '8y');
  expect(timestampSince(undefined, 0)).toBe('<unknown>');
  expect(timestampSince('1970-01-01T00:00:00Z', 61_000)).toBe('61s');
});
