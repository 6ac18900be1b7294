import type { FieldError } from './field-error.ts';
import { formatAddress, parseIPv6 } from './ip-address.ts';
import { goQuote, invalidField } from './validation.ts';

// Addresses in fields that were accepted long before strict rules existed. Follows apimachinery's util/validation/ip.go,
// v1.33, with StrictIPCIDRValidation off, which is the default.

/** An address as lenient parsing understands it: 4 or 16 bytes; an IPv4 address in an IPv6 one has 4. */
export interface ParsedAddress {
  readonly bytes: readonly number[];
  /** As Go's `net.IP` prints it. */
  readonly text: string;
  /** Leading zeros, or an IPv4 address dressed as an IPv6 one. */
  readonly nonStandard: boolean;
}

/** Reads an address leniently; undefined if the text is none. Follows ParseIPSloppy of k8s.io/utils/net. */
export function parseAddress(value: string): ParsedAddress | undefined {
  if (!value.includes(':')) {
    const parts = value.split('.');
    if (parts.length !== 4 || !parts.every((part) => /^\d+$/.test(part) && Number(part) <= 255)) return undefined;
    const text = parts.map(Number).join('.');
    return { bytes: parts.map(Number), text, nonStandard: text !== value };
  }
  const bytes = parseIPv6(value);
  if (!bytes) return undefined;
  if (bytes.every((byte, i) => byte === (i < 10 ? 0 : i < 12 ? 255 : byte))) {
    const inner = bytes.slice(12);
    return { bytes: inner, text: formatAddress(inner), nonStandard: true };
  }
  return { bytes, text: formatAddress(bytes), nonStandard: false };
}

/** Whether addresses are of both families. They must be valid. */
export function isDualStack(addresses: readonly string[]): boolean {
  const families = new Set(addresses.map((address) => address.includes(':')));
  return families.size === 2;
}

/** `known` are values of the old object, which stay valid. */
export function validateLegacyIP(
  value: string,
  path: string,
  errors: FieldError[],
  known: readonly string[] = [],
): void {
  if (!known.includes(value) && !parseAddress(value)) {
    errors.push(invalidField(path, value, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'));
  }
}

/** Warnings for an address that passed {@link validateLegacyIP}. */
export function warningsForIP(value: string, path: string): string[] {
  const address = parseAddress(value);
  if (!address) return [];
  if (address.nonStandard) {
    return [
      `${path}: non-standard IP address ${goQuote(value)} will be considered invalid in a future Kubernetes release: use ${goQuote(address.text)}`,
    ];
  }
  if (address.text === value) return [];
  return [`${path}: IPv6 address ${goQuote(value)} should be in RFC 5952 canonical format (${goQuote(address.text)})`];
}

function parseCIDR(value: string): { address: ParsedAddress; network: string; bits: number } | undefined {
  const [ip = '', prefix, ...rest] = value.split('/');
  const address = parseAddress(ip);
  if (!address || prefix === undefined || rest.length || !/^\d+$/.test(prefix)) return undefined;
  const bits = Number(prefix);
  if (bits > address.bytes.length * 8) return undefined;
  return { address, network: networkOf(address.bytes, bits), bits };
}

/** The first address of the range of so many bits in which an address lies. */
function networkOf(bytes: readonly number[], bits: number): string {
  return formatAddress(bytes.map((byte, i) => byte & (0xff00 >> Math.max(0, Math.min(8, bits - i * 8))) & 0xff));
}

/** A range of addresses such as `10.244.0.0/24`. */
export function validateLegacyCIDR(value: string, path: string, errors: FieldError[]): void {
  if (!parseCIDR(value)) {
    errors.push(invalidField(path, value, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'));
  }
}

/** Warnings for a range that passed {@link validateLegacyCIDR}. */
export function warningsForCIDR(value: string, path: string): string[] {
  const parsed = parseCIDR(value);
  if (!parsed) return [];
  const { address, network, bits } = parsed;
  const canonical = `${network}/${bits}`;
  const warnings: string[] = [];
  if (network !== address.text) {
    const single = `${address.text}/${address.bytes.length * 8}`;
    warnings.push(
      `${path}: CIDR value ${goQuote(value)} is ambiguous in this context (should be ${goQuote(canonical)} or ${goQuote(single)}?)`,
    );
  }
  if (address.nonStandard || /\/0\d/.test(value)) {
    warnings.push(
      `${path}: non-standard CIDR value ${goQuote(value)} will be considered invalid in a future Kubernetes release: use ${goQuote(canonical)}`,
    );
  }
  if (warnings.length === 0 && canonical !== value) {
    warnings.push(
      `${path}: IPv6 CIDR value ${goQuote(value)} should be in RFC 5952 canonical format (${goQuote(canonical)})`,
    );
  }
  return warnings;
}

/** Whether a range lies within another one and is smaller. Both must be valid. */
export function isSubnet(inner: string, outer: string): boolean {
  const a = parseCIDR(inner);
  const b = parseCIDR(outer);
  if (!a || !b || a.address.bytes.length !== b.address.bytes.length || a.bits <= b.bits) return false;
  return networkOf(a.address.bytes, b.bits) === b.network;
}

/** Whether an address lies in a range. Both must be valid. */
export function isInRange(address: string, cidr: string): boolean {
  const parsed = parseAddress(address);
  const range = parseCIDR(cidr);
  if (!parsed || !range || parsed.bytes.length !== range.address.bytes.length) return false;
  return networkOf(parsed.bytes, range.bits) === range.network;
}

/** An address in a new field, where only the canonical form will do. Follows IsValidIP. */
export function isValidIP(value: string): string[] {
  const address = parseAddress(value);
  if (!address) return ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'];
  if (address.nonStandard) {
    return [value.includes(':') ? 'must not be an IPv4-mapped IPv6 address' : 'must not have leading 0s'];
  }
  return address.text === value ? [] : [`must be in canonical form (${goQuote(address.text)})`];
}

/** A range of addresses in a new field, where only the canonical form will do. Follows IsValidCIDR. */
export function isValidCIDR(value: string): string[] {
  const parsed = parseCIDR(value);
  if (!parsed) return ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'];
  const { address, network, bits } = parsed;
  if (/\/0\d/.test(value) || (address.nonStandard && !value.includes(':'))) {
    return ['must not have leading 0s in IP or prefix length'];
  }
  if (address.nonStandard) return ['must not have an IPv4-mapped IPv6 address'];
  if (address.text !== network) return ['must not have bits set beyond the prefix length'];
  return value === `${network}/${bits}` ? [] : [`must be in canonical form (${goQuote(`${network}/${bits}`)})`];
}
