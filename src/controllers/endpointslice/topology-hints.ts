import { quantityMilliValue } from '#apimachinery/quantity.ts';
import { endpointsOf } from '#api/discovery/v1/endpoint-slice.ts';
import type { Endpoint, EndpointSlice, Node, Service } from '#api/generated/types.ts';
import { isNodeReady } from '#api/core/v1/node.ts';
import { type AssignHints, type ChangedSlices, hintEach } from './slice-hints.ts';

const ZONE = 'topology.kubernetes.io/zone';
const OVERLOAD_THRESHOLD = 0.2;

/** What an Event about hints says. */
export interface HintsEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

interface Allocation {
  readonly minimum: number;
  maximum: number;
  readonly desired: number;
}

/** Whether a Service asks for its traffic to be kept in zones by their share of the cluster's CPU. */
export function wantsTopologyHints({ metadata: { annotations = {} } }: Service): boolean {
  const mode =
    annotations['service.kubernetes.io/topology-aware-hints'] ?? annotations['service.kubernetes.io/topology-mode'];
  return mode === 'Auto' || mode === 'auto';
}

/**
 * Hints that give each zone endpoints by its share of the cluster's CPU. Follows
 * staging/src/k8s.io/endpointslice/topologycache, v1.33.
 */
export class TopologyHints {
  readonly #nodes: () => readonly Node[];
  /** Undefined: not known since Nodes changed. */
  #ratios: ReadonlyMap<string, number> | undefined;
  /** Endpoints with a hint for each zone, of the Services that have them. */
  readonly #allocated = new Map<string, ReadonlyMap<string, number>>();

  constructor(nodes: () => readonly Node[]) {
    this.#nodes = nodes;
  }

  /** A Node came, went, or changed in what counts here. Returns the Services that need other hints now. */
  nodesChanged(): string[] {
    this.#ratios = undefined;
    if (this.#allocated.size === 0) return [];
    return [...this.#allocated].filter(([, zones]) => this.#isOverloaded(zones)).map(([key]) => key);
  }

  /** The Service's hints are gone. Returns whether it had any. */
  forget(serviceKey: string): boolean {
    return this.#allocated.delete(serviceKey);
  }

  /** How a Service's slices get their hints; `say` is told of what changed, and why there are none. */
  assign(serviceKey: string, say: (event: HintsEvent) => void): AssignHints {
    return (slices) => {
      const found = this.#allocate(slices);
      if (typeof found === 'string') {
        say({ type: 'Warning', reason: 'TopologyAwareHintsDisabled', message: `${found}, addressType: IPv4` });
        this.#allocated.delete(serviceKey);
        return hintEach(() => undefined)(slices);
      }
      if (!this.#allocated.has(serviceKey)) {
        const message = 'Topology Aware Hints has been enabled, addressType: IPv4';
        say({ type: 'Normal', reason: 'TopologyAwareHintsEnabled', message });
      }
      this.#allocated.set(serviceKey, found.zones);
      return found;
    };
  }

  /** Hints for the slices that are written anyway, and for others whose hints are not good any more; or why there are none. */
  #allocate(
    slices: ChangedSlices,
  ): (Pick<ChangedSlices, 'create' | 'update'> & { zones: Map<string, number> }) | string {
    const total = [...slices.create, ...slices.update, ...slices.unchanged]
      .flatMap(({ endpoints }) => endpoints)
      .filter(isReady).length;
    const allocations = this.#allocations(total);
    if (typeof allocations === 'string') return allocations;
    const zones = new Map<string, number>();
    const update = [...slices.update];
    for (const slice of slices.unchanged) {
      const hinted = hintsByZone(slice, zones, allocations);
      if (!hinted) update.push(slice);
      for (const [zone, count] of hinted ?? []) add(zones, zone, count);
    }
    const written = [...slices.create, ...update];
    for (const endpoint of written.flatMap(({ endpoints }) => endpoints)) {
      if (!isReady(endpoint)) continue;
      if (!endpoint.zone) return 'One or more endpoints do not have a zone specified';
      add(zones, endpoint.zone, 1);
    }
    const { giving, receiving } = exchange(allocations, zones);
    const hinted = (slice: EndpointSlice): EndpointSlice => ({
      ...slice,
      endpoints: endpointsOf(slice).map((endpoint) => {
        const { hints: _, ...plain } = endpoint;
        if (!isReady(endpoint)) return plain;
        const own = endpoint.zone ?? '';
        const receiver = giving.has(own) ? receiving.keys().next().value : undefined;
        if (receiver !== undefined) {
          take(giving, own);
          take(receiving, receiver);
          add(zones, receiver, 1);
          add(zones, own, -1);
        }
        return { ...plain, hints: { forZones: [{ name: receiver ?? own }] } };
      }),
    });
    const result = { create: slices.create.map(hinted), update: update.map(hinted), zones };
    return zones.size === 0 ? 'No hints allocated for zones' : result;
  }

  #allocations(endpoints: number): Map<string, Allocation> | string {
    const ratios = this.#cpuRatios();
    if (ratios.size === 0) {
      return 'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes';
    }
    const numbers = `(${endpoints} endpoints, ${ratios.size} zones)`;
    if (ratios.size > endpoints) return `Insufficient number of endpoints ${numbers}`;
    const allocations = new Map<string, Allocation>();
    let least = 0;
    for (const [zone, ratio] of ratios) {
      const desired = ratio * endpoints;
      const minimum = minimumOf(desired);
      allocations.set(zone, { minimum, maximum: 0, desired: Math.max(desired, minimum) });
      least += minimum;
    }
    if (least > endpoints) {
      return `Unable to allocate minimum required endpoints to each zone without exceeding overload threshold ${numbers}`;
    }
    for (const allocation of allocations.values()) allocation.maximum = allocation.minimum + endpoints - least;
    return allocations;
  }

  #isOverloaded(zones: ReadonlyMap<string, number>): boolean {
    const ratios = this.#cpuRatios();
    if (zones.size === 0) return false;
    let total = 0;
    for (const count of zones.values()) total += count;
    for (const [zone, ratio] of ratios) if ((zones.get(zone) ?? 0) < minimumOf(total * ratio)) return true;
    return ratios.size === 0;
  }

  /** The zones' shares of the CPU of all Nodes that are ready; empty: not all are known, or there is one zone only. */
  #cpuRatios(): ReadonlyMap<string, number> {
    if (this.#ratios) return this.#ratios;
    const cpu = new Map<string, number>();
    let total = 0;
    let sufficient = true;
    for (const node of this.#nodes()) {
      const { labels = {} } = node.metadata;
      if (Object.hasOwn(labels, 'node-role.kubernetes.io/control-plane')) continue;
      if (Object.hasOwn(labels, 'node-role.kubernetes.io/master') || !isNodeReady(node)) continue;
      const milli = quantityMilliValue(node.status?.allocatable?.cpu ?? 0);
      const zone = labels[ZONE];
      if (!zone || milli === 0) sufficient = false;
      else add(cpu, zone, milli);
      total += milli;
    }
    this.#ratios =
      sufficient && cpu.size > 1 ? new Map([...cpu].map(([zone, milli]) => [zone, milli / total])) : new Map();
    return this.#ratios;
  }
}

/** Whether a change of a Node changes what zones may get. */
export function isZoneChanged(previous: Node, node: Node): boolean {
  return (
    isNodeReady(previous) !== isNodeReady(node) || previous.metadata.labels?.[ZONE] !== node.metadata.labels?.[ZONE]
  );
}

const minimumOf = (desired: number) => Math.ceil(desired * (1 / (1 + OVERLOAD_THRESHOLD)));
const isReady = ({ conditions }: Endpoint) => conditions?.ready === true;

/** The hints of a slice; undefined if it needs others. */
function hintsByZone(
  { endpoints }: EndpointSlice,
  allocated: ReadonlyMap<string, number>,
  allocations: ReadonlyMap<string, Allocation>,
): Map<string, number> | undefined {
  const zones = new Map<string, number>();
  for (const { hints } of endpoints.filter(isReady)) {
    if (!hints?.forZones?.length) return undefined;
    for (const { name } of hints.forZones) {
      if (!allocations.has(name)) return undefined;
      add(zones, name, 1);
    }
  }
  for (const [zone, count] of zones) {
    if (count + (allocated.get(zone) ?? 0) > (allocations.get(zone) as Allocation).maximum) return undefined;
  }
  return zones;
}

/** How many endpoints zones give to others, and how many they get. */
function exchange(allocations: ReadonlyMap<string, Allocation>, zones: ReadonlyMap<string, number>) {
  const tooMany = new Map<string, number>();
  const tooFew = new Map<string, number>();
  for (const [zone, { desired }] of allocations) {
    const surplus = (zones.get(zone) ?? 0) - desired;
    if (surplus > 0) tooMany.set(zone, surplus);
    else if (surplus < 0) tooFew.set(zone, -surplus);
  }
  const giving = new Map<string, number>();
  const receiving = new Map<string, number>();
  for (;;) {
    const [giver, toGive] = most(tooMany);
    const [receiver, toReceive] = most(tooFew);
    if ((toGive < 1 && toReceive < 1) || toGive < 0.5 || toReceive < 0.5) return { giving, receiving };
    add(giving, giver, 1);
    add(tooMany, giver, -1);
    add(receiving, receiver, 1);
    add(tooFew, receiver, -1);
  }
}

function most(zones: ReadonlyMap<string, number>): readonly [string, number] {
  let found: readonly [string, number] = ['', 0];
  for (const entry of zones) if (entry[1] > found[1]) found = entry;
  return found;
}

function add(zones: Map<string, number>, zone: string, count: number): void {
  zones.set(zone, (zones.get(zone) ?? 0) + count);
}

function take(zones: Map<string, number>, zone: string): void {
  const left = (zones.get(zone) ?? 0) - 1;
  if (left > 0) zones.set(zone, left);
  else zones.delete(zone);
}
