import type { TraceSpan } from '#hosts/control.ts';

/** What the scheduler noted about one Node. */
export interface NodeScore {
  readonly node: string;
  readonly chosen: boolean;
  /** The sum; absent where a plugin turned the Node down. */
  readonly total?: number;
  /** What each plugin gave, or which one turned it down and why. */
  readonly why: string;
}

const lines = (span: TraceSpan, name: string) => {
  const value = span.attributes[name];
  return Array.isArray(value) ? (value as readonly string[]) : [];
};

/**
 * The Nodes of a decision: those that got a score, best first, then those that were turned down. Reads the attributes
 * `scores` (`node-2 495 = TaintToleration 300 + NodeResourcesFit 195`) and `filtered` (`node-1: NodeAffinity: why`).
 */
export function scoresOf(span: TraceSpan): readonly NodeScore[] {
  const chosen = span.attributes['node'];
  const scored = lines(span, 'scores').flatMap((line): NodeScore[] => {
    const [, node, total, why] = /^(\S+) (-?\d+)(?: = (.*))?$/s.exec(line) ?? [];
    return node === undefined
      ? []
      : [{ node, chosen: node === chosen, total: Number(total), why: (why ?? '').replaceAll(' + ', ' · ') }];
  });
  const filtered = lines(span, 'filtered').flatMap((line): NodeScore[] => {
    const [, node, why] = /^([^:]+): (.*)$/s.exec(line) ?? [];
    return node === undefined ? [] : [{ node, chosen: false, why: why ?? '' }];
  });
  return [...scored, ...filtered];
}
