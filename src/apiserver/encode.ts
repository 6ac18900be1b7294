import { encodeUtf8 } from '#base/utf8.ts';
import type { ApiList, WatchEvent } from '#apimachinery/api-request.ts';
import { type ApiObject, apiVersionOf, type ResourceDefinition } from '#apimachinery/resource.ts';
import type { StatusError } from '#apimachinery/status-error.ts';
import type { JsonValue } from '#apimachinery/json.ts';
import { encodeYaml } from '#apimachinery/yaml-writer.ts';
import { BoundedCache } from './bounded-cache.ts';
import type { Accepted } from './negotiation.ts';
import { type IncludeObject, partialObjectMetadata, tableHead, tableRow } from './table.ts';

export interface Encoded {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** Stored objects are frozen: what one was encoded to stays true. */
const texts = new BoundedCache<ApiObject, string>(20_000);

/** The JSON text of an object, apiVersion and kind included. Encoded once for each stored object. */
export function encodeText(definition: ResourceDefinition | undefined, object: ApiObject): string {
  let text = texts.get(object);
  if (text === undefined) {
    const { apiVersion: _apiVersion, kind: _kind, ...rest } = object;
    text = jsonText(definition ? { kind: definition.kind, apiVersion: apiVersionOf(definition), ...rest } : object);
    if (Object.isFrozen(object)) texts.set(object, text);
  }
  return text;
}

/** JSON text; 64-bit integers that a double cannot hold are BigInts in memory and plain digits on the wire. */
function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const text = JSON.stringify(value, (_key, member: unknown) =>
      typeof member === 'bigint' ? `\ue000${member}\ue000` : member,
    );
    return text.replace(/"\ue000(-?\d+)\ue000"/g, '$1');
  }
}

function encoded(text: string, { mediaType, pretty }: Pick<Accepted, 'mediaType' | 'pretty'>): Encoded {
  const yaml = mediaType === 'application/yaml';
  const shown = yaml ? encodeYaml(JSON.parse(text) as JsonValue) : pretty ? indented(text) : `${text}\n`;
  return { mediaType, bytes: encodeUtf8(shown) };
}

const indented = (text: string): string => JSON.stringify(JSON.parse(text), undefined, 2);

/** The text of an item of a typed list, whose kind the list tells. */
function itemText(definition: ResourceDefinition, item: ApiObject): string {
  const typed = JSON.stringify({ kind: definition.kind, apiVersion: apiVersionOf(definition) }).slice(0, -1);
  const text = encodeText(definition, item);
  return text.startsWith(`${typed},`) ? `{${text.slice(typed.length + 1)}` : text;
}

/** One object in the shape that the client wants. Without a definition (a Status) it is encoded as it stands. */
export function encodeObject(
  definition: ResourceDefinition | undefined,
  object: ApiObject,
  accepted: Accepted,
  now: number,
  include: IncludeObject,
): Encoded {
  if (definition && accepted.shape === 'table') {
    const head = tableHead(
      definition,
      { resourceVersion: object.metadata.resourceVersion ?? '' },
      true,
      accepted.metaVersion,
    );
    const rows = [tableRow(definition, object, now, include, accepted.metaVersion)];
    return encoded(JSON.stringify({ ...head, rows }), accepted);
  }
  if (definition && accepted.shape === 'metadata')
    return encoded(JSON.stringify(partialObjectMetadata(object, accepted.metaVersion)), accepted);
  return encoded(encodeText(definition, object), accepted);
}

/** A list in the shape that the client wants. */
export function encodeList(
  definition: ResourceDefinition,
  list: ApiList,
  accepted: Accepted,
  now: number,
  include: IncludeObject,
): Encoded {
  const { items, resourceVersion, continue: token, remainingItemCount } = list;
  const metadata = {
    resourceVersion,
    ...(token ? { continue: token } : {}),
    ...(remainingItemCount === undefined ? {} : { remainingItemCount }),
  };
  if (accepted.shape === 'table') {
    const head = tableHead(definition, metadata, true, accepted.metaVersion);
    const { compareRows } = definition;
    const sorted = compareRows ? items.toSorted(compareRows) : items;
    return encoded(
      JSON.stringify({
        ...head,
        rows: sorted.map((item) => tableRow(definition, item, now, include, accepted.metaVersion)),
      }),
      accepted,
    );
  }
  if (accepted.shape === 'metadata') {
    return encoded(
      JSON.stringify({
        kind: 'PartialObjectMetadataList',
        apiVersion: `meta.k8s.io/${accepted.metaVersion ?? 'v1'}`,
        metadata,
        items: items.map((item) => partialObjectMetadata(item, accepted.metaVersion)),
      }),
      accepted,
    );
  }
  const head = JSON.stringify({
    kind: definition.custom?.listKind ?? `${definition.kind}List`,
    apiVersion: apiVersionOf(definition),
    metadata,
  });
  return encoded(
    `${head.slice(0, -1)},"items":[${items.map((item) => itemText(definition, item)).join(',')}]}`,
    accepted,
  );
}

export function encodeStatus(error: StatusError, pretty = false): Encoded {
  return encoded(JSON.stringify(error.status), { mediaType: 'application/json', pretty });
}

/** One line of a watch. */
export const eventLine = (type: string, text: string): Uint8Array =>
  encodeUtf8(`{"type":"${type}","object":${text}}\n`);

let last: { readonly type: string; readonly object: ApiObject; readonly bytes: Uint8Array } | undefined;

/** The line of an event, encoded once for all who watch: they get it one after the other. */
export function encodeEvent(definition: ResourceDefinition, { type, object }: WatchEvent): Uint8Array {
  if (last?.object !== object || last.type !== type) {
    last = { type, object, bytes: eventLine(type, encodeText(definition, object)) };
  }
  return last.bytes;
}
