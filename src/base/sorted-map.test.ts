import { expect, test } from 'vitest';
import { Rng } from './rng.ts';
import { prefixEnd, SortedMap } from './sorted-map.ts';

test('agrees with the sorted entries of a Map', () => {
  const rng = new Rng(7);
  const map = new SortedMap<number>();
  const model = new Map<string, number>();
  for (let step = 0; step < 20_000; step++) {
    const key = `k/${rng.int(3000)}`;
    // Grows, then shrinks.
    if (rng.int(20_000) > step / 2 + 4000) {
      map.set(key, step);
      model.set(key, step);
    } else if (map.delete(key) !== model.delete(key)) throw new Error(`deleting ${key} at ${step}`);
    if (step % 1000 > 0) continue;
    const [from, to] = [`k/${rng.int(3000)}`, `k/${rng.int(3000)}`];
    const wanted = [...model].filter(([name]) => name >= from && name < to).sort(([a], [b]) => (a < b ? -1 : 1));
    const seen: [string, number][] = [];
    map.walk(from, to, (value, name) => void seen.push([name, value]));
    expect(seen).toEqual(wanted);
    expect(map.count(from, to)).toBe(wanted.length);
    expect(map.size).toBe(model.size);
    expect(map.get(key)).toBe(model.get(key));
  }
});

test('the end of a prefix is after all that begin with it', () => {
  expect(prefixEnd('/pods/')).toBe('/pods0');
  expect('/pods/\uffff' < prefixEnd('/pods/')).toBe(true);
});
