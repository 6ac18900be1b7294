import { parseAddress } from './ip-validation.ts';

/** A range of addresses: the bytes of its first one, and how many bits all have in common. */
export interface IPPrefix {
  readonly bytes: readonly number[];
  readonly bits: number;
}

/** Reads such as `10.96.0.0/12`; undefined if the text is none. */
export function parsePrefix(cidr: string): IPPrefix | undefined {
  const [address = '', bits = ''] = cidr.split('/');
  const parsed = parseAddress(address);
  return parsed && /^\d+$/.test(bits) ? { bytes: parsed.bytes, bits: Number(bits) } : undefined;
}

/** Whether the first `bits` bits are alike; never for addresses of two families. */
function agree(a: readonly number[], b: readonly number[], bits: number): boolean {
  return (
    a.length === b.length &&
    a.every((byte, i) => {
      const shift = 8 - Math.min(8, Math.max(0, bits - 8 * i));
      return byte >> shift === (b[i] as number) >> shift;
    })
  );
}

/** Whether all of the second range is in the first. */
export const prefixContains = (outer: IPPrefix, inner: IPPrefix): boolean =>
  outer.bits <= inner.bits && agree(outer.bytes, inner.bytes, outer.bits);

/** Whether ranges have addresses in common. */
export const prefixesOverlap = (a: IPPrefix, b: IPPrefix): boolean => prefixContains(a, b) || prefixContains(b, a);

/**
 * Whether a Service may have this address of the range: any but the network's own, and an IPv4 network's last one. Follows
 * PrefixContainsIP of pkg/api/servicecidr, v1.33.
 */
export function prefixOffers({ bytes, bits }: IPPrefix, address: readonly number[]): boolean {
  if (!agree(bytes, address, bits)) return false;
  const hostBits = (i: number) => 255 >> Math.min(8, Math.max(0, bits - 8 * i));
  const isAll = (ones: boolean) => address.every((byte, i) => (byte & hostBits(i)) === (ones ? hostBits(i) : 0));
  return !isAll(false) && !(bytes.length === 4 && isAll(true));
}
