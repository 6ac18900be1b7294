import { podRequests } from '#api/core/v1/pod-resources.ts';
import { allContainers } from '#api/core/v1/pod-status.ts';
import type { Pod } from '#api/generated/types.ts';
import { parseQuantity } from '#apimachinery/quantity.ts';

/** Amounts by resource: CPU in thousandths, all else in whole units, rounded up. */
export type Amounts = ReadonlyMap<string, number>;

/** What the Pods of a node take together; kept up to date Pod by Pod, so that nobody adds them all up. */
export class NodeUsage {
  readonly #pods = new Map<string, { readonly amounts: Amounts; readonly hostPorts: readonly string[] }>();
  readonly #totals = new Map<string, number>();
  readonly #hostPorts = new Map<string, number>();

  get pods(): number {
    return this.#pods.size;
  }

  amount(resource: string): number {
    return this.#totals.get(resource) ?? 0;
  }

  hasHostPort(port: string): boolean {
    return (this.#hostPorts.get(port) ?? 0) > 0;
  }

  add(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    if (this.#pods.has(uid)) return;
    const entry = { amounts: amountsOf(podRequests(pod)), hostPorts: hostPorts(pod) };
    this.#pods.set(uid, entry);
    this.#count(entry, 1);
  }

  remove(uid: string): void {
    const entry = this.#pods.get(uid);
    if (!entry) return;
    this.#pods.delete(uid);
    this.#count(entry, -1);
  }

  #count(
    { amounts, hostPorts: ports }: { readonly amounts: Amounts; readonly hostPorts: readonly string[] },
    sign: 1 | -1,
  ): void {
    for (const [resource, amount] of amounts) this.#totals.set(resource, this.amount(resource) + sign * amount);
    for (const port of ports) this.#hostPorts.set(port, (this.#hostPorts.get(port) ?? 0) + sign);
  }
}

const known = new Map<string, number>();
const KNOWN_LIMIT = 1000;

/** The amount of a quantity of a resource. The same few texts come again and again. */
export function amountOf(resource: string, quantity: string): number {
  const key = resource === 'cpu' ? `cpu ${quantity}` : quantity;
  let amount = known.get(key);
  if (amount === undefined) {
    const unit = resource === 'cpu' ? 1_000_000n : 1_000_000_000n;
    amount = Number((parseQuantity(quantity).nanos + unit - 1n) / unit);
    if (known.size < KNOWN_LIMIT) known.set(key, amount);
  }
  return amount;
}

/** The amounts of a list of resources. */
export function amountsOf(list: Readonly<Record<string, string>>): Amounts {
  return new Map(Object.entries(list).map(([resource, quantity]) => [resource, amountOf(resource, quantity)]));
}

/** The ports of the node that a Pod wants. */
export function hostPorts(pod: Pod): readonly string[] {
  return allContainers(pod).flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort, protocol = 'TCP', hostIP = '' }) =>
      hostPort ? [`${hostIP} ${protocol} ${hostPort}`] : [],
    ),
  );
}
