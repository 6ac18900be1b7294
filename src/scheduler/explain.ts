import type { SpanAttributes } from '#base/tracer.ts';
import type { FilterStatuses } from './framework/filter-statuses.ts';
import type { Scores } from './framework/framework.ts';
import type { ReadyNodeInfo } from './node-info.ts';

/** A small cluster's decision names all Nodes; a large one's only the first of them, so that the trace stays small. */
const SMALL = 8;
const NAMED_OF_MANY = 3;

/**
 * A decision for people who ask why: which plugin turned which Node down, and what each plugin gave to the others.
 * `filtered`: `node: plugin: reason; reason`. `scores`: `node total = plugin weighted + …`, best first.
 */
export function explainDecision(
  statuses: FilterStatuses,
  nodes: readonly ReadyNodeInfo[],
  scores: Scores | undefined,
): SpanAttributes {
  const filtered: string[] = [];
  const named = statuses.size <= SMALL ? SMALL : NAMED_OF_MANY;
  for (const [node, { plugin = '', reasons }] of statuses.entries()) {
    if (filtered.length === named) break;
    filtered.push(`${node}: ${plugin}: ${reasons.join('; ')}`);
  }
  return {
    feasible: nodes.length,
    evaluated: nodes.length + statuses.size,
    ...(filtered.length > 0 ? { filtered } : {}),
    ...(scores ? { scores: scoreLines(nodes, scores) } : {}),
  };
}

function scoreLines(nodes: readonly ReadyNodeInfo[], { plugins, weighted, totals }: Scores): string[] {
  return best(totals).map((i) => {
    const parts = plugins.map((plugin, p) => `${plugin} ${(weighted[p] as readonly number[])[i]}`);
    return [(nodes[i] as ReadyNodeInfo).name, totals[i], '=', parts.join(' + ')].join(' ');
  });
}

/** Where the highest totals are, best first. */
function best(totals: readonly number[]): number[] {
  const descending = (a: number, b: number) => (totals[b] as number) - (totals[a] as number) || a - b;
  if (totals.length <= SMALL) return totals.map((_, i) => i).sort(descending);
  const found: number[] = [];
  for (let i = 0; i < totals.length; i++) {
    if (found.length === NAMED_OF_MANY && descending(i, found[found.length - 1] as number) > 0) continue;
    found.push(i);
    found.sort(descending).splice(NAMED_OF_MANY);
  }
  return found;
}
