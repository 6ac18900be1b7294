import type { JsonObject, JsonValue } from '#apimachinery/json.ts';
import { timestampSince } from '#apimachinery/human-duration.ts';
import { isList, object, objects, strings, text } from '../fields.ts';
import { byCodeUnit, formatValue } from '#apimachinery/go-format.ts';
import { itemsOf } from '../resource-builder.ts';
import type { TabWriter } from './tab-writer.ts';

export interface TableOptions {
  /** The type shown in front of names when `withKind`. */
  readonly kind?: { readonly group: string; readonly kind: string };
  readonly withKind: boolean;
  readonly withNamespace: boolean;
  readonly noHeaders: boolean;
  readonly wide: boolean;
  readonly columnLabels: readonly string[];
  readonly showLabels: boolean;
}

interface Column {
  readonly name: string;
  readonly wide: boolean;
  readonly isName: boolean;
}

interface Row {
  readonly cells: readonly JsonValue[];
  readonly object: JsonObject;
}

const EVENT_TYPES: Readonly<Record<string, string>> = {
  ADDED: 'ADDED   ',
  MODIFIED: 'MODIFIED',
  DELETED: 'DELETED ',
  ERROR: 'ERROR   ',
};

/** Whether an answer of the server is a table. */
export function isTable(value: JsonObject): boolean {
  return text(value, 'kind') === 'Table' && text(value, 'apiVersion').startsWith('meta.k8s.io/');
}

/** `a=1,b=2`, or `<none>`. */
export function formatLabels(labels: ReadonlyMap<string, string>): string {
  if (labels.size === 0) return '<none>';
  return [...labels]
    .sort(([a], [b]) => byCodeUnit(a, b))
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

/** Control characters made visible, so that they cannot steer the terminal. */
export function escapeTerminal(value: string): string {
  return value.replaceAll('\u001b', '^[').replaceAll('\r', '\\r');
}

/**
 * Prints the server's tables for people; headings come again only when the columns change. Objects that are no tables
 * get a name and an age. Follows cli-runtime/pkg/printers/tableprinter.go, v1.33.
 */
export class TablePrinter {
  readonly #options: TableOptions;
  readonly #now: () => number;
  #columns: readonly Column[] = [];
  #printedHeaders = false;

  constructor(options: TableOptions, now: () => number) {
    this.#options = options;
    this.#now = now;
  }

  /** `rows`: false prints nothing, but remembers the columns. */
  print(value: JsonObject, writer: TabWriter, event?: string, rows = true): void {
    const options = this.#options;
    const table = isTable(value) ? decodeTable(value) : plainTable(value, this.#now());
    const same = table.columns.length === 0 || JSON.stringify(table.columns) === JSON.stringify(this.#columns);
    const noHeaders = options.noHeaders || (this.#printedHeaders && same);
    if (table.columns.length > 0 && !same) {
      this.#columns = table.columns;
      this.#printedHeaders = false;
    }
    const shown = rows ? table.rows : [];
    if (shown.length > 0) this.#printedHeaders = true;
    else return;

    const columns = this.#columns;
    const visible = columns.map((column, i) => ({ column, i })).filter(({ column }) => options.wide || !column.wide);
    const nameColumn = options.withKind && options.kind ? columns.findIndex((column) => column.isName) : -1;
    if (!noHeaders) {
      const headings = [
        ...(event === undefined ? [] : ['EVENT']),
        ...(options.withNamespace ? ['NAMESPACE'] : []),
        ...visible.map(({ column }) => column.name.toUpperCase()),
        ...options.columnLabels.map((label) => (label.split('/').at(-1) as string).toUpperCase()),
        ...(options.showLabels ? ['LABELS'] : []),
      ];
      writer.write(`${headings.join('\t')}\n`);
    }
    for (const row of shown) {
      const labels = strings(row.object, 'metadata', 'labels');
      const cells = [
        ...(event === undefined ? [] : [EVENT_TYPES[event] ?? event]),
        ...(options.withNamespace ? [text(row.object, 'metadata', 'namespace')] : []),
        ...visible.map(({ i }) =>
          i === nameColumn ? `${prefix(options)}${cellText(row.cells[i])}` : cellText(row.cells[i]),
        ),
        ...options.columnLabels.map((label) => labels.get(label) ?? ''),
        ...(options.showLabels ? [formatLabels(labels)] : []),
      ];
      writer.write(`${cells.join('\t')}\n`);
    }
  }
}

function prefix({ kind }: TableOptions): string {
  if (!kind) return '';
  return `${(kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`).toLowerCase()}/`;
}

/** A cell in one line. */
function cellText(cell: JsonValue | undefined): string {
  if (cell === null || cell === undefined) return '';
  if (typeof cell !== 'string') return escapeTerminal(formatValue(cell));
  const end = cell.search(/[\f\n\r]/);
  return escapeTerminal(end < 0 ? cell : `${cell.slice(0, end)}...`);
}

function decodeTable(value: JsonObject): { readonly columns: readonly Column[]; readonly rows: readonly Row[] } {
  return {
    columns: objects(value, 'columnDefinitions').map((column) => ({
      name: text(column, 'name'),
      wide: Number(column['priority'] ?? 0) !== 0,
      isName: text(column, 'format') === 'name' && text(column, 'type') === 'string',
    })),
    rows: objects(value, 'rows').map((row) => ({
      cells: (row['cells'] ?? []) as readonly JsonValue[],
      object: object(row, 'object'),
    })),
  };
}

function plainTable(
  value: JsonObject,
  now: number,
): { readonly columns: readonly Column[]; readonly rows: readonly Row[] } {
  if (text(value, 'kind') === 'Status') {
    return {
      columns: ['Status', 'Reason', 'Message'].map((name) => ({ name, wide: false, isName: false })),
      rows: [{ cells: [text(value, 'status'), text(value, 'reason'), text(value, 'message')], object: value }],
    };
  }
  const items = isList(value) ? itemsOf(value) : [value];
  return {
    columns: [
      { name: 'Name', wide: false, isName: true },
      { name: 'Age', wide: false, isName: false },
    ],
    rows: items.map((item) => ({
      cells: [
        text(item, 'metadata', 'name'),
        timestampSince(text(item, 'metadata', 'creationTimestamp') || undefined, now),
      ],
      object: item,
    })),
  };
}
