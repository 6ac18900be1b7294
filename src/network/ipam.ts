import { type Cidr, formatIPv4, parseCidr, parseIPv4 } from './address.ts';

/**
 * Addresses of one node's Pod CIDR: the next one after the last that was given out, and from the beginning again after
 * the end. The network's, the gateway's (the first) and the broadcast address are never given out. Follows the
 * host-local plugin of containernetworking/plugins.
 */
export class PodAddresses {
  readonly cidr: string;
  readonly gateway: string;
  readonly #block: Cidr;
  readonly #taken = new Set<number>();
  #last: number;

  /** Throws if the text is not a CIDR, or too small to hold a Pod. */
  constructor(cidr: string) {
    const block = parseCidr(cidr);
    if (!block || block.size < 4) throw new Error(`invalid Pod CIDR ${cidr}`);
    this.cidr = cidr;
    this.#block = block;
    this.gateway = formatIPv4(block.first + 1);
    this.#last = block.first + 1;
  }

  /** As the plugin's errors name it. */
  get range(): string {
    const { first, size } = this.#block;
    return `${formatIPv4(first + 1)}-${formatIPv4(first + size - 2)}`;
  }

  /** The next free address; undefined when all are taken. */
  allocate(): string | undefined {
    const { first, size } = this.#block;
    for (let tries = size - 3; tries > 0; tries--) {
      this.#last = this.#last >= first + size - 2 ? first + 2 : this.#last + 1;
      if (this.#taken.has(this.#last)) continue;
      this.#taken.add(this.#last);
      return formatIPv4(this.#last);
    }
    return undefined;
  }

  /** Gives an address back; doing so twice does nothing. */
  release(address: string): void {
    this.#taken.delete(parseIPv4(address) ?? -1);
  }
}
