import { humanDuration } from '#apimachinery/human-duration.ts';
import type { JsonValue } from '#apimachinery/json.ts';
import { type ApiObject, apiVersionOf, type ResourceDefinition } from '#apimachinery/resource.ts';
import { parseTime } from '#base/clock.ts';

/** `includeObject` of a table request; upstream's default is Metadata. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

export interface TableRow {
  readonly cells: readonly JsonValue[];
  readonly object?: JsonValue;
}

const NAME_DESCRIPTION =
  'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names';

/** The version of meta.k8s.io that tables and metadata are shown in. */
export type MetaVersion = 'v1' | 'v1beta1';

/** A Table without rows. */
export function tableHead(
  definition: ResourceDefinition,
  listMeta: { readonly resourceVersion: string },
  headers: boolean,
  version: MetaVersion = 'v1',
) {
  const column = (name: string, type: string, format = '', description = '', priority = 0) => ({
    name,
    type,
    format,
    description,
    priority,
  });
  const own = (definition.columns ?? []).map(({ name, type, format, description, priority }) =>
    column(name, type, format, description, priority),
  );
  const columns = definition.ownColumns
    ? own
    : [column('Name', 'string', 'name', NAME_DESCRIPTION), ...own, column('Age', 'string')];
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${version}`,
    metadata: listMeta,
    columnDefinitions: headers ? columns : [],
    rows: [] as TableRow[],
  };
}

/** One row. */
export function tableRow(
  definition: ResourceDefinition,
  object: ApiObject,
  now: number,
  include: IncludeObject,
  version: MetaVersion = 'v1',
): TableRow {
  const own = (definition.columns ?? []).map((column) => column.cell(object, now));
  const cells = definition.ownColumns ? own : [object.metadata.name ?? '', ...own, objectAge(object, now)];
  if (include === 'None') return { cells };
  if (include === 'Metadata') return { cells, object: partialObjectMetadata(object, version) };
  return {
    cells,
    object: { ...object, apiVersion: apiVersionOf(definition), kind: definition.kind } as unknown as JsonValue,
  };
}

function objectAge({ metadata: { creationTimestamp } }: ApiObject, now: number): string {
  return creationTimestamp === undefined ? '<unknown>' : humanDuration(now - parseTime(creationTimestamp));
}

/** The object as PartialObjectMetadata. */
export const partialObjectMetadata = (object: ApiObject, version: MetaVersion = 'v1'): JsonValue => ({
  kind: 'PartialObjectMetadata',
  apiVersion: `meta.k8s.io/${version}`,
  metadata: object.metadata as unknown as JsonValue,
});
