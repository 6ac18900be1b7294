import type { TraceSpan } from '#hosts/control.ts';

/** What the scheduler noted about each Node, as a table. */
export interface Scores {
  /** The attributes that the table stands for. */
  readonly attributes: ReadonlySet<string>;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/**
 * The table of a decision: from attributes that hold one line for each Node, such as `node-1: Insufficient cpu` under
 * `filtered` and `node-2: NodeResourcesFit=98 TaintToleration=300` under `scores`. Undefined where there is none.
 */
export function scoresOf(span: TraceSpan): Scores | undefined {
  if (span.kind !== 'decision') return undefined;
  const attributes = new Set<string>();
  const rows = new Map<string, Map<string, string>>();
  for (const [name, value] of Object.entries(span.attributes)) {
    if (!Array.isArray(value) || value.length === 0) continue;
    const parts = (value as readonly string[]).map((line) => /^([^\s:=]+)\s*[:=]\s*(.*)$/s.exec(line));
    if (!parts.every((part) => part !== null)) continue;
    attributes.add(name);
    for (const [, node = '', text = ''] of parts) {
      const row = rows.get(node) ?? new Map<string, string>();
      row.set(name, text);
      rows.set(node, row);
    }
  }
  if (attributes.size === 0) return undefined;
  const names = [...attributes];
  return {
    attributes,
    columns: ['Node', ...names],
    rows: [...rows].map(([node, texts]) => [node, ...names.map((name) => texts.get(name) ?? '')]),
  };
}
