import { expect, test } from 'vitest';
import { Tracer } from './tracer.ts';

/** A chain of causes, oldest first; the rest of the spans are nobody's. */
function chain(tracer: Tracer, length: number): number[] {
  const ids: number[] = [];
  for (let i = 0; i < length; i++) ids.push(tracer.start('work', 'test', `step ${i}`, ids.at(-1) ?? 0));
  return ids;
}

test('what explains a living object is kept when the buffer is full, the nearest first', () => {
  const tracer = new Tracer(() => 0, 40);
  const causes = chain(tracer, 5);
  tracer.retain(() => [causes[4] as number]);
  for (let i = 0; i < 100; i++) tracer.start('work', 'test', 'noise', 0);
  expect(tracer.size).toBeLessThanOrEqual(40);
  expect(tracer.ancestry(causes[4] as number).map(({ id }) => id)).toEqual(causes.toReversed());
});

test('more ancestry than there is room for loses its far end, not the trace', () => {
  const tracer = new Tracer(() => 0, 40);
  const causes = chain(tracer, 30);
  tracer.retain(() => [causes[29] as number]);
  for (let i = 0; i < 100; i++) tracer.start('work', 'test', 'noise', 0);
  expect(tracer.size).toBeLessThanOrEqual(40);
  const kept = tracer.ancestry(causes[29] as number).map(({ id }) => id);
  expect(kept).toEqual(causes.toReversed().slice(0, kept.length));
  expect(kept.length).toBeGreaterThanOrEqual(20);
});
