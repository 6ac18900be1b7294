import { ipAddresses } from '#api/networking/v1/ip-address.ts';
import { serviceCIDRs } from '#api/networking/v1/service-cidr.ts';
import type { ServiceCIDR } from '#api/generated/types.ts';
import { formatAddress } from '#apimachinery/ip-address.ts';
import { parseAddress } from '#apimachinery/ip-validation.ts';
import type { AllocatorSource } from '#apiserver/contract.ts';
import { lowerBand } from './service-allocation-range.ts';

const ALLOCATED = 'provided IP is already allocated';
const MISMATCH = 'the provided network does not match the current range';
const FULL = 'range is full';

const numberOf = (bytes: readonly number[]): number => bytes.reduce((sum, byte) => sum * 256 + byte, 0);
const textOf = (address: number): string =>
  formatAddress([24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256));

function addressNumber(address: string): number | undefined {
  const { bytes = [] } = parseAddress(address) ?? {};
  return bytes.length === 4 ? numberOf(bytes) : undefined;
}

/** What an IPv4 range has to give: all but its first and last address. */
interface Range {
  readonly cidr: string;
  readonly first: number;
  readonly size: number;
  /** How many, from the first one on, are for those who ask for them. */
  readonly lowerBand: number;
}

/** Undefined for a range of another family. */
function rangeOf(cidr: string): Range | undefined {
  const [address = '', prefix] = cidr.split('/');
  const network = addressNumber(address);
  if (network === undefined) return undefined;
  const addresses = 2 ** (32 - Number(prefix));
  const band = lowerBand(addresses, { min: 16, max: 256, step: 16 });
  return { cidr, first: network + 1, size: Math.max(0, addresses - 2), lowerBand: band };
}

const contains = ({ first, size }: Range, address: number): boolean => address >= first && address < first + size;

/** Whether addresses may be taken of it; nobody need have looked at it yet. */
function isReady({ metadata, status }: ServiceCIDR): boolean {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return !metadata.deletionTimestamp && (!ready || ready.status === 'True');
}

/**
 * The addresses of Services. The range that the API server was started with comes first, then those of other ServiceCIDRs;
 * none is given of a range that no ServiceCIDR has any more. What has an IPAddress is taken, whoever made that. Follows
 * pkg/registry/core/service/ipallocator, v1.33, with its two allocators at work.
 *
 * Differs from upstream: before there is any ServiceCIDR the range of the API server counts as ready.
 */
export class ClusterIPs {
  readonly #own: Range;
  readonly #source: AllocatorSource;
  readonly #ranges = new Map<string, Range | undefined>();
  /** Those of Services, and what is set aside for writes under way. */
  readonly #taken = new Set<number>();

  /** `cidr` such as `10.96.0.0/12`. */
  constructor(cidr: string, source: AllocatorSource) {
    this.#own = rangeOf(cidr) as Range;
    this.#source = source;
  }

  /** Notes what a stored Service has. */
  note(address: string): void {
    const number = addressNumber(address);
    if (number !== undefined) this.#taken.add(number);
  }

  /** Takes this address. Returns why it cannot be had, if so. */
  allocate(address: string, dryRun: boolean): string | undefined {
    const number = addressNumber(address);
    if (number === undefined || !this.#ready().some((range) => contains(range, number))) {
      return dryRun
        ? `the provided IP (${parseAddress(address)?.text}) is not in the valid range. The range of valid IPs is ${this.#own.cidr}`
        : MISMATCH;
    }
    if (dryRun) return undefined;
    if (!this.#isFree(number)) return ALLOCATED;
    this.#taken.add(number);
    return undefined;
  }

  /** Takes any address, or says why there is none. A dry run gets the address of the network. */
  allocateNext(dryRun: boolean): { readonly address: string } | { readonly why: string } {
    if (dryRun) return { address: textOf(this.#own.first - 1) };
    const ready = this.#ready();
    const own = this.#takeOf(this.#own);
    if (own !== undefined) {
      if (ready.some((range) => contains(range, own))) return { address: textOf(own) };
      this.#taken.delete(own);
      return { why: MISMATCH };
    }
    for (const range of ready) {
      const number = this.#takeOf(range);
      if (number !== undefined) return { address: textOf(number) };
    }
    return { why: FULL };
  }

  release(address: string): void {
    const number = addressNumber(address);
    if (number !== undefined) this.#taken.delete(number);
  }

  /** The ranges that addresses are given of. */
  #ready(): readonly Range[] {
    const stored = this.#source.readAll(serviceCIDRs);
    if (stored.length === 0) return [this.#own];
    return stored.filter(isReady).flatMap(({ spec }) => (spec.cidrs ?? []).flatMap((cidr) => this.#range(cidr) ?? []));
  }

  #range(cidr: string): Range | undefined {
    if (!this.#ranges.has(cidr)) this.#ranges.set(cidr, rangeOf(cidr));
    return this.#ranges.get(cidr);
  }

  #isFree(number: number): boolean {
    return !this.#taken.has(number) && !this.#source.read(ipAddresses, undefined, textOf(number));
  }

  /** Somewhere in the upper band; in the lower one when that is full. */
  #takeOf({ first, size, lowerBand: band }: Range): number | undefined {
    const number = this.#scan(first + band, size - band) ?? this.#scan(first, band);
    if (number !== undefined) this.#taken.add(number);
    return number;
  }

  #scan(from: number, size: number): number | undefined {
    if (size <= 0) return undefined;
    const start = this.#source.rng.int(size);
    for (let i = 0; i < size; i++) {
      const number = from + ((start + i) % size);
      if (this.#isFree(number)) return number;
    }
    return undefined;
  }
}
