import type { SpanAttributes } from '#base/tracer.ts';
import type { FilterStatuses } from './framework/filter-statuses.ts';
import type { Scores } from './framework/framework.ts';
import type { ReadyNodeInfo } from './node-info.ts';

/** Of a large cluster, a decision names so many Nodes each way; the rest is counted. */
const NAMED_NODES = 12;

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
  for (const [node, { plugin = '', reasons }] of statuses.entries()) {
    if (filtered.length === NAMED_NODES) break;
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
  let order = totals.map((_, i) => i);
  if (order.length > NAMED_NODES) {
    // Of many, the best; a threshold is found faster than an order.
    const sorted = Float64Array.from(totals).sort();
    const threshold = sorted[sorted.length - NAMED_NODES] as number;
    order = order.filter((i) => (totals[i] as number) >= threshold);
  }
  order.sort((a, b) => (totals[b] as number) - (totals[a] as number) || a - b);
  return order.slice(0, NAMED_NODES).map((i) => {
    let line = `${(nodes[i] as ReadyNodeInfo).name} ${totals[i]}`;
    for (let p = 0; p < plugins.length; p++)
      line += `${p === 0 ? ' = ' : ' + '}${plugins[p]} ${(weighted[p] as readonly number[])[i]}`;
    return line;
  });
}
