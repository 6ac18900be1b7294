import type { JsonValue } from '#apimachinery/json.ts';
import { objectKey, type KubeObject, type ObjectKey } from './kube-object.ts';

/** Asks for the server's own table (kubectl's columns), falling back to the plain list. */
export const TABLE_TYPE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

export interface Column {
  readonly name: string;
  readonly type: string;
  readonly priority: number;
}

/** meta.k8s.io/v1 Table, as far as the page reads it. */
export interface Table {
  readonly kind: string;
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly columnDefinitions?: readonly Column[] | null;
  readonly rows?: readonly { readonly cells: readonly JsonValue[]; readonly object: KubeObject }[] | null;
}

/** An object with its row of the table. */
export interface Row {
  readonly key: ObjectKey;
  readonly object: KubeObject;
  /** Texts, as kubectl prints them. */
  readonly cells: readonly string[];
  /** The text under STATUS, where the kind has that column. */
  readonly status?: string;
}

const cellText = (cell: JsonValue | undefined): string =>
  typeof cell === 'object' && cell !== null ? JSON.stringify(cell) : String(cell ?? '');

export function rowsOf(plural: string, table: Table, columns: readonly Column[]): Row[] {
  const statusAt = columns.findIndex((column) => column.name === 'Status');
  return (table.rows ?? []).map((row) => {
    const { namespace, name = '' } = row.object.metadata;
    const cells = row.cells.map(cellText);
    const status = cells[statusAt];
    return {
      key: objectKey(plural, namespace, name),
      object: row.object,
      cells,
      ...(status === undefined ? {} : { status }),
    };
  });
}
