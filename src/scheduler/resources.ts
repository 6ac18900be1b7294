import { quantityMilliValue, quantityValue } from '#apimachinery/quantity.ts';
import type { Container, Node, Pod } from '#api/generated/types.ts';
import { isRestartableInitContainer } from '#api/core/v1/pod-status.ts';

/** Amounts in the units that scheduling counts in: CPU in thousandths, memory and storage in bytes. */
export interface Resources {
  milliCPU: number;
  memory: number;
  ephemeralStorage: number;
  /** All others by name. */
  scalars: Map<string, number> | undefined;
}

/** What a container that asks for nothing counts as where Pods are spread. Follows scheduler/util/pod_resources.go. */
export const DEFAULT_MILLI_CPU = 100;
export const DEFAULT_MEMORY = 200 * 1024 * 1024;

export function noResources(): Resources {
  return { milliCPU: 0, memory: 0, ephemeralStorage: 0, scalars: undefined };
}

/** Adds `times` × `amount` to `sum`. */
export function addResources(sum: Resources, amount: Resources, times: 1 | -1 = 1): void {
  sum.milliCPU += times * amount.milliCPU;
  sum.memory += times * amount.memory;
  sum.ephemeralStorage += times * amount.ephemeralStorage;
  if (!amount.scalars) return;
  sum.scalars ??= new Map();
  for (const [name, value] of amount.scalars) sum.scalars.set(name, (sum.scalars.get(name) ?? 0) + times * value);
}

function raiseResources(most: Resources, amount: Resources): void {
  most.milliCPU = Math.max(most.milliCPU, amount.milliCPU);
  most.memory = Math.max(most.memory, amount.memory);
  most.ephemeralStorage = Math.max(most.ephemeralStorage, amount.ephemeralStorage);
  if (!amount.scalars) return;
  most.scalars ??= new Map();
  for (const [name, value] of amount.scalars) most.scalars.set(name, Math.max(most.scalars.get(name) ?? 0, value));
}

/** The amounts of a list; what it does not name is zero, or what `defaults` says for CPU and memory. */
export function parseResources(
  list: Readonly<Record<string, string>> | undefined,
  defaults?: { readonly milliCPU: number; readonly memory: number },
): Resources {
  const parsed = noResources();
  if (defaults) {
    parsed.milliCPU = defaults.milliCPU;
    parsed.memory = defaults.memory;
  }
  for (const name in list) {
    const text = list[name] as string;
    if (name === 'cpu') parsed.milliCPU = amountOf(text, 'milli');
    else if (name === 'memory') parsed.memory = amountOf(text, 'whole');
    else if (name === 'ephemeral-storage') parsed.ephemeralStorage = amountOf(text, 'whole');
    else if (name !== 'pods') (parsed.scalars ??= new Map()).set(name, amountOf(text, 'whole'));
  }
  return parsed;
}

/**
 * What a Pod asks for: the sum of its containers and sidecars, or what starting takes where that is more, and its
 * overhead. Follows component-helpers/resource.PodRequests, v1.33; resizing in place is not counted.
 */
export function podResources(
  { spec }: Pod,
  defaults?: { readonly milliCPU: number; readonly memory: number },
): Resources {
  const of = ({ resources }: Container) => parseResources(resources?.requests, defaults);
  const sum = noResources();
  for (const container of spec.containers) addResources(sum, of(container));
  if (spec.initContainers) {
    const sidecars = noResources();
    const init = noResources();
    for (const container of spec.initContainers) {
      const own = of(container);
      if (isRestartableInitContainer(container)) {
        addResources(sum, own);
        addResources(sidecars, own);
        raiseResources(init, sidecars);
      } else {
        addResources(own, sidecars);
        raiseResources(init, own);
      }
    }
    raiseResources(sum, init);
  }
  if (spec.overhead) addResources(sum, parseResources(spec.overhead));
  return sum;
}

/** What a Node has to give, and to how many Pods. */
export function nodeAllocatable({ status }: Node): { readonly resources: Resources; readonly pods: number } {
  const list = status?.allocatable;
  return { resources: parseResources(list), pods: list?.['pods'] ? amountOf(list['pods'], 'whole') : 0 };
}

/** Few different texts occur in a cluster; parsing them exactly takes BigInts. */
const known = { milli: new Map<string, number>(), whole: new Map<string, number>() };

function amountOf(text: string, unit: 'milli' | 'whole'): number {
  const cache = known[unit];
  let amount = cache.get(text);
  if (amount === undefined) {
    amount = unit === 'milli' ? quantityMilliValue(text) : quantityValue(text);
    if (cache.size > 10_000) cache.clear();
    cache.set(text, amount);
  }
  return amount;
}
