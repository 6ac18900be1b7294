import { assert } from '#base/assert.ts';

/**
 * The parts of one size of an IPv4 range, handed out one after the other, round and round. Follows
 * pkg/controller/nodeipam/ipam/cidrset, v1.33 (IPv4 only).
 */
export class CidrSet {
  readonly #base: number;
  readonly #maskSize: number;
  readonly #partBits: number;
  readonly #count: number;
  readonly #used = new Set<number>();
  #next = 0;

  /** `range` such as `10.244.0.0/16`; `partMaskSize` such as 24. */
  constructor(range: string, partMaskSize: number) {
    const parsed = parseCidr(range);
    assert(parsed && parsed.maskSize <= partMaskSize, `${range} cannot be divided into /${partMaskSize}`);
    this.#base = parsed.address;
    this.#maskSize = parsed.maskSize;
    this.#partBits = 32 - partMaskSize;
    this.#count = 2 ** (partMaskSize - parsed.maskSize);
  }

  /** The next free part, which is taken by this; undefined when there is none. */
  allocate(): string | undefined {
    if (this.#used.size === this.#count) return undefined;
    while (this.#used.has(this.#next)) this.#next = (this.#next + 1) % this.#count;
    const index = this.#next;
    this.#next = (index + 1) % this.#count;
    this.#used.add(index);
    return `${formatAddress(this.#base + index * 2 ** this.#partBits)}/${32 - this.#partBits}`;
  }

  /** Takes all parts that the range touches; false when it lies outside. Taking a part twice does nothing. */
  occupy(cidr: string): boolean {
    return this.#each(cidr, (index) => this.#used.add(index));
  }

  /** Gives back all parts that the range touches. */
  release(cidr: string): boolean {
    return this.#each(cidr, (index) => this.#used.delete(index));
  }

  #each(cidr: string, visit: (index: number) => void): boolean {
    const parsed = parseCidr(cidr);
    if (!parsed) return false;
    const part = 2 ** this.#partBits;
    const end = this.#base + 2 ** (32 - this.#maskSize);
    const first = Math.max(parsed.address, this.#base);
    const last = Math.min(parsed.address + 2 ** (32 - parsed.maskSize), end) - 1;
    if (first > last) return false;
    for (let index = Math.floor((first - this.#base) / part); index <= Math.floor((last - this.#base) / part); index++)
      visit(index);
    return true;
  }
}

function parseCidr(cidr: string): { readonly address: number; readonly maskSize: number } | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(cidr);
  if (!match) return undefined;
  const [a = 0, b = 0, c = 0, d = 0, maskSize = 0] = match.slice(1).map(Number);
  if (maskSize > 32 || Math.max(a, b, c, d) > 255) return undefined;
  const size = 2 ** (32 - maskSize);
  const address = ((a * 256 + b) * 256 + c) * 256 + d;
  return { address: address - (address % size), maskSize };
}

function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}
