import { expect, test } from 'vitest';
import type { FieldError } from './field-error.ts';
import { isDualStack, validateLegacyCIDR, validateLegacyIP, warningsForCIDR, warningsForIP } from './ip-validation.ts';

test('addresses: what is taken, and what is warned of', () => {
  const check = (value: string, outcome: 'bad' | readonly string[]) => {
    const errors: FieldError[] = [];
    validateLegacyIP(value, 'ip', errors);
    expect(errors.length ? 'bad' : warningsForIP(value, 'ip'), value).toEqual(outcome);
  };
  const nonStandard = (value: string, use: string) => [
    `ip: non-standard IP address "${value}" will be considered invalid in a future Kubernetes release: use "${use}"`,
  ];
  check('10.0.0.1', []);
  check('010.0.0.1', nonStandard('010.0.0.1', '10.0.0.1'));
  check('10.0.0.256', 'bad');
  check('10.0.1', 'bad');
  check('0x1.2.3.4', 'bad');
  check('', 'bad');
  check('fe80::1%eth0', 'bad');
  check('fe80::1', []);
  check('FE80:0:0:0::1', ['ip: IPv6 address "FE80:0:0:0::1" should be in RFC 5952 canonical format ("fe80::1")']);
  check('::ffff:1.2.3.4', nonStandard('::ffff:1.2.3.4', '1.2.3.4'));
});

test('ranges: what is taken, and what is warned of', () => {
  const check = (value: string, outcome: 'bad' | readonly string[]) => {
    const errors: FieldError[] = [];
    validateLegacyCIDR(value, 'cidr', errors);
    expect(errors.length ? 'bad' : warningsForCIDR(value, 'cidr'), value).toEqual(outcome);
  };
  check('10.244.0.0/24', []);
  check('10.244.0.0', 'bad');
  check('10.244.0.0/33', 'bad');
  check('10.244.0.0/2/4', 'bad');
  check('10.244.1.5/24', [
    'cidr: CIDR value "10.244.1.5/24" is ambiguous in this context (should be "10.244.1.0/24" or "10.244.1.5/32"?)',
  ]);
  check('2001:db8::/64', []);
  check('2001:DB8::/64', [
    'cidr: IPv6 CIDR value "2001:DB8::/64" should be in RFC 5952 canonical format ("2001:db8::/64")',
  ]);
  expect(isDualStack(['10.0.0.1', 'fe80::1'])).toBe(true);
  expect(isDualStack(['10.0.0.1', '10.0.0.2'])).toBe(false);
});
