import { expect, test } from 'vitest';
import { duration, timeOfDay, times } from './clock-format.ts';

test.each([
  [0, '0 ms'],
  [0.42, '0.4 ms'],
  [9.96, '10 ms'],
  [412.4, '412 ms'],
  [999.7, '1.00 s'],
  [9996, '10.0 s'],
  [59_960, '1 m 0 s'],
  [250_400, '4 m 10 s'],
  [7_500_000, '2 h 5 m'],
  [-3, '−3 ms'],
])('%d ms reads %s', (ms, text) => expect(duration(ms)).toBe(text));

test('times are UTC, speeds are short', () => {
  expect([timeOfDay(44_120), timeOfDay(44_120, 1), timeOfDay(44_120, 0)]).toEqual([
    '00:00:44.120',
    '00:00:44.1',
    '00:00:44',
  ]);
  expect([times(1), times(0.25), times(99.96)]).toEqual(['1×', '0.25×', '100×']);
});
