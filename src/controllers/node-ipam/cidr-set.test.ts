import { expect, test } from 'vitest';
import { CidrSet } from './cidr-set.ts';

test('parts of a range go round', () => {
  const set = new CidrSet('10.0.0.0/22', 24);
  set.occupy('10.0.1.0/24');
  expect([set.allocate(), set.allocate()]).toEqual(['10.0.0.0/24', '10.0.2.0/24']);
  set.release('10.0.0.0/24');
  expect([set.allocate(), set.allocate(), set.allocate()]).toEqual(['10.0.3.0/24', '10.0.0.0/24', undefined]);
  expect([set.occupy('10.1.0.0/24'), set.occupy('nonsense')]).toEqual([false, false]);
  const large = new CidrSet('10.0.0.0/8', 24);
  large.occupy('10.0.0.0/12');
  expect(large.allocate()).toBe('10.16.0.0/24');
});
