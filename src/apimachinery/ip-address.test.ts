import { expect, test } from 'vitest';
import { formatAddress, parseIPv6 } from './ip-address.ts';

test.each([
  ['::', '::'],
  ['::1', '::1'],
  ['fe80::', 'fe80::'],
  ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
  ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ['::ffff:1.2.3.4', '::ffff:102:304'],
  ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
])('%s is %s', (text, canonical) => {
  expect(formatAddress(parseIPv6(text) ?? [])).toBe(canonical);
});

test.each([
  '',
  ':',
  ':::',
  '1::2::3',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '12345::',
  'g::',
  '::1.2.3',
  '::01.2.3.4',
  '1:2:3:4:5:6:7:8::',
  '1.2.3.4::',
])('%j is none', (text) => {
  expect(parseIPv6(text)).toBeUndefined();
});
