import type { Status, StatusCode } from './status.ts';

/** Why each Node was turned down; those that were not looked at share one status. */
export class FilterStatuses {
  readonly #statuses = new Map<string, Status>();
  absent: Status = { code: 'UnschedulableAndUnresolvable', reasons: [] };

  get size(): number {
    return this.#statuses.size;
  }

  set(node: string, status: Status): void {
    this.#statuses.set(node, status);
  }

  get(node: string): Status {
    return this.#statuses.get(node) ?? this.absent;
  }

  entries(): Iterable<[string, Status]> {
    return this.#statuses;
  }

  /** Of these Nodes, those with the code. */
  withCode<T extends { readonly name: string }>(nodes: readonly T[], code: StatusCode): T[] {
    return nodes.filter(({ name }) => this.get(name).code === code);
  }
}

/**
 * `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) …. preemption: ….` — what the Pod's condition and Event say.
 * Follows FitError of scheduler/framework/types.go, v1.33.
 */
export function fitMessage(
  allNodes: number,
  statuses: FilterStatuses,
  preFilterMessage = '',
  postFilterMessage = '',
): string {
  let message = `0/${allNodes} nodes are available:`;
  if (preFilterMessage) message += ` ${preFilterMessage}.`;
  else {
    const counts = new Map<string, number>();
    const add = (status: Status, times: number) => {
      for (const reason of status.reasons) counts.set(reason, (counts.get(reason) ?? 0) + times);
    };
    for (const [, status] of statuses.entries()) add(status, 1);
    if (statuses.size < allNodes) add(statuses.absent, allNodes - statuses.size);
    const reasons = [...counts].map(([reason, count]) => `${count} ${reason}`).sort();
    if (reasons.length > 0) message += ` ${reasons.join(', ')}.`;
  }
  return postFilterMessage ? `${message} ${postFilterMessage}` : message;
}
