import type { Node } from '#api/generated/types.ts';
import type { Clock } from '#base/clock.ts';
import { TokenBucket } from '#client/rate-limiter.ts';
import type { ControllerConfig } from '../define-controller.ts';

export type ZoneState = 'Initial' | 'Normal' | 'FullDisruption' | 'PartialDisruption';

/** The zone of a Node, by its labels. Follows component-helpers' node/topology.GetZoneKey, v1.33. */
export function zoneOf({ metadata: { labels = {} } }: Node): string {
  const zone = labels['failure-domain.beta.kubernetes.io/zone'] ?? labels['topology.kubernetes.io/zone'] ?? '';
  const region = labels['failure-domain.beta.kubernetes.io/region'] ?? labels['topology.kubernetes.io/region'] ?? '';
  return region === '' && zone === '' ? '' : `${region}:\0:${zone}`;
}

/** How a zone with so many Nodes that are ready and not is doing. Follows ComputeZoneState, v1.33. */
export function zoneStateOf(ready: number, notReady: number, unhealthyThreshold: number): ZoneState {
  if (ready === 0 && notReady > 0) return 'FullDisruption';
  if (notReady > 2 && notReady / (notReady + ready) >= unhealthyThreshold) return 'PartialDisruption';
  return 'Normal';
}

export interface ZoneNodes {
  readonly ready: number;
  readonly notReady: number;
}

export interface DisruptionPlan {
  readonly states: ReadonlyMap<string, ZoneState>;
  /** Zone → Nodes per second that may be tainted; zones that are not named keep theirs. */
  readonly rates: ReadonlyMap<string, number>;
  /** `enter`: all Nodes are not ready, so it is rather the master that is cut off, and nothing is evicted. */
  readonly masterDisruption: 'enter' | 'leave' | 'none';
}

/**
 * How fast the Nodes of each zone may be tainted, from how the zones were and how they are. Follows handleDisruption of
 * pkg/controller/nodelifecycle, v1.33.
 */
export function planDisruption(
  before: ReadonlyMap<string, ZoneState>,
  zones: ReadonlyMap<string, ZoneNodes>,
  config: ControllerConfig,
): DisruptionPlan {
  const now = new Map<string, ZoneState>();
  for (const [zone, { ready, notReady }] of zones) {
    now.set(zone, zoneStateOf(ready, notReady, config.unhealthyZoneThreshold));
  }
  const allAre = [...now.values()].every((state) => state === 'FullDisruption');
  const allWere = [...now.keys()].every((zone) => before.get(zone) === 'FullDisruption');
  const rateOf = (zone: string): number => {
    if (now.get(zone) !== 'PartialDisruption') return config.nodeEvictionRate;
    const { ready, notReady } = zones.get(zone) as ZoneNodes;
    return ready + notReady > config.largeClusterSizeThreshold ? config.secondaryNodeEvictionRate : 0;
  };
  if (allAre && allWere) return { states: now, rates: new Map(), masterDisruption: 'none' };
  if (allAre)
    return { states: now, rates: new Map([...now.keys()].map((zone) => [zone, 0])), masterDisruption: 'enter' };
  const changed = [...now].filter(([zone, state]) => allWere || before.get(zone) !== state);
  const rates = new Map(changed.map(([zone]) => [zone, rateOf(zone)]));
  return { states: now, rates, masterDisruption: allWere ? 'leave' : 'none' };
}

/** The Nodes of one zone that wait to be tainted NoExecute, at the zone's rate, one at a time. */
export class ZoneTainter {
  readonly #clock: Clock;
  readonly #waiting = new Set<string>();
  #rate: number;
  #bucket: TokenBucket;

  constructor(clock: Clock, rate: number) {
    this.#clock = clock;
    this.#rate = rate;
    this.#bucket = new TokenBucket(clock, rate, 1);
  }

  add(node: string): void {
    this.#waiting.add(node);
  }

  remove(node: string): void {
    this.#waiting.delete(node);
  }

  /** Nodes per second; 0 stops. */
  setRate(rate: number): void {
    if (rate === this.#rate) return;
    const couldGo = this.#rate > 0 && this.#bucket.tryTake();
    this.#rate = rate;
    this.#bucket = new TokenBucket(this.#clock, rate, 1);
    if (!couldGo) this.#bucket.tryTake();
  }

  /** The Nodes whose turn it is now. */
  take(): string[] {
    const taken: string[] = [];
    for (const node of this.#waiting) {
      if (this.#rate === 0 || !this.#bucket.tryTake()) break;
      this.#waiting.delete(node);
      taken.push(node);
    }
    return taken;
  }

  /** Milliseconds until the next Node's turn; undefined: none waits, or none may go. */
  untilNext(): number | undefined {
    return this.#waiting.size === 0 || this.#rate === 0 ? undefined : this.#bucket.untilNext();
  }
}
