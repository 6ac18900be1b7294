import { expect, test } from 'vitest';
import { nearest } from './graph-focus.ts';

const at = (id: string, x: number, y: number) => ({ id, x, y });

test('arrows go to the nearest element ahead', () => {
  const all = [at('a', 0, 0), at('b', 100, 0), at('c', 50, 60), at('d', 0, 100), at('e', 300, 5)];
  const from = all[0] as (typeof all)[number];
  expect(nearest(from, all, 'right')).toBe('b');
  expect(nearest(from, all, 'down')).toBe('d');
  expect(nearest(from, all, 'left')).toBeUndefined();
  expect(nearest(all[1] as typeof from, all, 'right')).toBe('e');
  expect(nearest(all[3] as typeof from, all, 'up')).toBe('a');
});
