import type { Rng } from '#base/rng.ts';
import { AllocationRange, lowerBand } from './service-allocation-range.ts';

export interface PortRange {
  readonly first: number;
  /** Inclusive. */
  readonly last: number;
}

const ALLOCATED = 'provided port is already allocated';

/** The ports of all nodes that Services may have. Follows pkg/registry/core/service/portallocator, v1.33. */
export class NodePorts {
  readonly #ports: PortRange;
  readonly #range: AllocationRange;

  constructor(ports: PortRange, rng: Rng) {
    this.#ports = ports;
    const size = ports.last - ports.first + 1;
    this.#range = new AllocationRange(size, lowerBand(size, { min: 16, max: 128, step: 32 }), rng);
  }

  /** Takes this port. Returns why it cannot be had, if so. */
  allocate(port: number): string | undefined {
    const { first, last } = this.#ports;
    if (!this.#contains(port))
      return `provided port is not in the valid range. The range of valid ports is ${first}-${last}`;
    return this.#range.take(port - first) ? undefined : ALLOCATED;
  }

  /** Takes any port; undefined when none is left. */
  allocateNext(): number | undefined {
    const offset = this.#range.takeNext();
    return offset === undefined ? undefined : this.#ports.first + offset;
  }

  has(port: number): boolean {
    return this.#contains(port) && this.#range.has(port - this.#ports.first);
  }

  release(port: number): void {
    if (this.#contains(port)) this.#range.release(port - this.#ports.first);
  }

  #contains(port: number): boolean {
    return port >= this.#ports.first && port <= this.#ports.last;
  }
}

/** From where a dry run counts ports that nobody will get: upstream's choice, above the usual range. */
const DRY_RUN_PORT = 32_768;

/**
 * What one write takes and gives back: taken at once, given back when the write has happened; all undone when it has not.
 * A dry run takes nothing. Follows PortAllocationOperation of portallocator/operation.go, v1.33.
 */
export class NodePortOperation {
  readonly #ports: NodePorts;
  readonly #dryRun: boolean;
  readonly #allocated: number[] = [];
  readonly #released: number[] = [];

  constructor(ports: NodePorts, dryRun: boolean) {
    this.#ports = ports;
    this.#dryRun = dryRun;
  }

  /** Takes this port. Returns why it cannot be had, if so. */
  allocate(port: number): string | undefined {
    const why = this.#dryRun
      ? this.#ports.has(port) || this.#allocated.includes(port)
        ? ALLOCATED
        : undefined
      : this.#ports.allocate(port);
    if (why === undefined) this.#allocated.push(port);
    return why;
  }

  /** Takes any port; undefined when none is left. */
  allocateNext(): number | undefined {
    const port = this.#dryRun
      ? (this.#allocated.length ? Math.max(...this.#allocated) : DRY_RUN_PORT) + 1
      : this.#ports.allocateNext();
    if (port !== undefined) this.#allocated.push(port);
    return port;
  }

  /** Gives the port back if the write happens. */
  release(port: number): void {
    this.#released.push(port);
  }

  commit(): void {
    if (!this.#dryRun) for (const port of this.#released) this.#ports.release(port);
  }

  revert(): void {
    if (!this.#dryRun) for (const port of this.#allocated) this.#ports.release(port);
  }
}
