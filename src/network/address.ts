/** IPv4 addresses as numbers, and blocks of them. */

/** The number of a dotted IPv4 address; undefined if it is not one. */
export function parseIPv4(text: string): number | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (!parts) return undefined;
  let address = 0;
  for (let i = 1; i <= 4; i++) {
    const part = parts[i] as string;
    if (Number(part) > 255 || (part.length > 1 && part.startsWith('0'))) return undefined;
    address = address * 256 + Number(part);
  }
  return address;
}

/** The dotted form of a number. */
export function formatIPv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) & 255).join('.');
}

/** A block of addresses such as 10.244.1.0/24. */
export interface Cidr {
  readonly first: number;
  readonly size: number;
  readonly prefix: number;
}

/** Undefined if the text is not an IPv4 CIDR. The address is cut to the prefix. */
export function parseCidr(text: string): Cidr | undefined {
  const [address = '', prefix = ''] = text.split('/');
  const number = parseIPv4(address);
  if (number === undefined || !/^\d{1,2}$/.test(prefix) || Number(prefix) > 32) return undefined;
  const size = 2 ** (32 - Number(prefix));
  return { first: number - (number % size), size, prefix: Number(prefix) };
}

/** Whether an address (a number) is in the block. */
export function cidrContains(cidr: Cidr, address: number): boolean {
  return address >= cidr.first && address < cidr.first + cidr.size;
}
