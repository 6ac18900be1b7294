import { expect, test } from 'vitest';
import { semanticEqual } from './semantic-equal.ts';

test('an absent list or map equals an empty one, an absent scalar equals none', () => {
  const check = (a: unknown, b: unknown, equal: boolean) => {
    expect(semanticEqual(a, b), JSON.stringify([a, b])).toBe(equal);
    expect(semanticEqual(b, a), JSON.stringify([b, a])).toBe(equal);
  };
  check({ a: 1, b: [1, { c: 'x' }] }, { b: [1, { c: 'x' }], a: 1 }, true);
  check({ a: [] }, {}, true);
  check({ a: {}, b: null }, {}, true);
  check([{}], [], false);
  check({ a: false }, {}, false);
  check({ a: '' }, {}, false);
  check({ a: 0 }, { a: undefined }, false);
  check({ a: [1] }, { a: [1, 2] }, false);
  check({ a: [1] }, { a: { 0: 1 } }, false);
  check({ a: '1' }, { a: 1 }, false);
  check(JSON.parse('{"__proto__": {"x": 1}}'), {}, false);
  check({ toString: undefined }, {}, true);
});
