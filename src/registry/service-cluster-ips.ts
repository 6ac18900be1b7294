import { formatAddress } from '#apimachinery/ip-address.ts';
import { parseAddress } from '#apimachinery/ip-validation.ts';
import type { Rng } from '#base/rng.ts';
import { AllocationRange, lowerBand } from './service-allocation-range.ts';

const numberOf = (bytes: readonly number[]): number => bytes.reduce((sum, byte) => sum * 256 + byte, 0);

/**
 * The addresses of Services: an IPv4 range less its first and last address. Messages are those of
 * pkg/registry/core/service/ipallocator, v1.33, with its two allocators at work.
 */
export class ClusterIPs {
  readonly #cidr: string;
  readonly #network: number;
  readonly #size: number;
  readonly #range: AllocationRange;

  /** `cidr` such as `10.96.0.0/12`. */
  constructor(cidr: string, rng: Rng) {
    const [address = '', prefix] = cidr.split('/');
    this.#cidr = cidr;
    this.#network = numberOf(parseAddress(address)?.bytes ?? []);
    const addresses = 2 ** (32 - Number(prefix));
    this.#size = Math.max(0, addresses - 2);
    this.#range = new AllocationRange(this.#size, lowerBand(addresses, { min: 16, max: 256, step: 16 }), rng);
  }

  /** Takes this address. Returns why it cannot be had, if so. */
  allocate(address: string, dryRun: boolean): string | undefined {
    const offset = this.#offset(address);
    if (offset === undefined) {
      return dryRun
        ? `the provided IP (${parseAddress(address)?.text}) is not in the valid range. The range of valid IPs is ${this.#cidr}`
        : 'the provided network does not match the current range';
    }
    return dryRun || this.#range.take(offset) ? undefined : 'provided IP is already allocated';
  }

  /** Takes any address; undefined when none is left. A dry run gets the address of the network. */
  allocateNext(dryRun: boolean): string | undefined {
    if (dryRun) return this.#text(-1);
    const offset = this.#range.takeNext();
    return offset === undefined ? undefined : this.#text(offset);
  }

  release(address: string): void {
    const offset = this.#offset(address);
    if (offset !== undefined) this.#range.release(offset);
  }

  /** From the first address that can be had. */
  #offset(address: string): number | undefined {
    const { bytes = [] } = parseAddress(address) ?? {};
    if (bytes.length !== 4) return undefined;
    const offset = numberOf(bytes) - this.#network - 1;
    return offset >= 0 && offset < this.#size ? offset : undefined;
  }

  #text(offset: number): string {
    const address = this.#network + 1 + offset;
    return formatAddress([24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256));
  }
}
