import { expect, test } from 'vitest';
import { addQuantities, canonicalQuantity, compareQuantities, quantityMilliValue, quantityValue } from './quantity.ts';

test.each([
  ['0', '0'],
  ['1000m', '1'],
  ['100m', '100m'],
  ['0.5', '500m'],
  ['1.5', '1500m'],
  ['1024', '1024'],
  ['1024Ki', '1Mi'],
  ['1.5Gi', '1536Mi'],
  ['0.5Ki', '512'],
  ['1e3', '1e3'],
  ['1E3', '1E3'],
  ['1.500', '1.500'],
  ['12000', '12k'],
  ['1000k', '1M'],
  ['.5', '500m'],
  ['5.', '5.'],
  ['-1', '-1'],
  ['+2', '+2'],
  ['1n', '1n'],
  ['0.1n', '1n'],
  ['0.3Ki', '307200m'],
  ['9223372036854775807', '9223372036854775807'],
])('%s is canonically %s', (text, canonical) => {
  expect(canonicalQuantity(text)).toBe(canonical);
});

test.each(['', 'abc', '1.2.3', '1Kib', '1 Gi', '--1', '.', '1ki'])('%j is no quantity', (text) => {
  expect(() => canonicalQuantity(text)).toThrow(/quantit/);
});

test('values round up', () => {
  expect([quantityValue('1500m'), quantityMilliValue('1.5'), quantityMilliValue('1u'), quantityValue('8Gi')]).toEqual([
    2, 1500, 1, 8589934592,
  ]);
  expect(compareQuantities('1000m', '1')).toBe(0);
  expect(addQuantities('100m', '1')).toBe('1100m');
});
