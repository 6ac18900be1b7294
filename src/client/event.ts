import type { ApiObject } from '#apimachinery/resource.ts';
import type { Process } from '#base/pump.ts';
import type { ObjectReference } from './object-reference.ts';

export type EventType = 'Normal' | 'Warning';

/** What recorders write of a core/v1 Event. */
export interface EventObject extends ApiObject {
  readonly involvedObject: ObjectReference;
  readonly reason?: string;
  readonly message?: string;
  readonly source?: { readonly component?: string; readonly host?: string };
  readonly firstTimestamp?: string | null;
  readonly lastTimestamp?: string | null;
  readonly count?: number;
  readonly type?: string;
  readonly eventTime?: string | null;
  readonly series?: { readonly count?: number; readonly lastObservedTime?: string | null };
  readonly action?: string;
  readonly related?: ObjectReference;
  readonly reportingComponent?: string;
  readonly reportingInstance?: string;
}

/**
 * Names events `<object>.<nanoseconds in hex>`, never the same twice. The digits below a millisecond are drawn by
 * chance: on a virtual clock much happens at one instant. Follows client-go's record/util.GenerateEventName, v1.33.
 */
export class EventNames {
  readonly #process: Process;
  #last = 0n;

  constructor(process: Process) {
    this.#process = process;
  }

  next(object: string): string {
    const nano = BigInt(Math.floor(this.#process.clock.now())) * 1_000_000n + BigInt(this.#process.rng.int(1_000_000));
    this.#last = nano > this.#last ? nano : this.#last + 1n;
    const name = `${object}.${this.#last.toString(16)}`;
    return name.length <= 253 && SUBDOMAIN.test(name) ? name : this.#process.rng.uuid();
  }
}

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
