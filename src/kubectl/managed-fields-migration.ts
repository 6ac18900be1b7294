import { jsonEqual } from '#apimachinery/equal.ts';
import { encodeJson } from '#apimachinery/go-encode.ts';
import type { JsonObject, JsonValue } from '#apimachinery/json.ts';
import { isStatus } from '#apimachinery/status-error.ts';
import { asError } from './errors.ts';
import { isObject, objects, strings, text } from './fields.ts';
import { LAST_APPLIED } from './last-applied.ts';
import type { ResourceClient, WriteOptions } from './resource-client.ts';

/** Owns the annotation of client-side apply while the server keeps it up to date. */
const ANNOTATION_MANAGER = 'kubectl-last-applied';
const DEFAULT_MANAGER = 'kubectl';
const ANNOTATION_PATH = ['f:metadata', 'f:annotations', `f:${LAST_APPLIED}`];
const RETRIES = 5;

/**
 * After a server-side apply: what client-side apply owned becomes the applier's, so that fields that are gone from the
 * file go from the object too. `reapply` sends the configuration once more. Resolves with the object as it is then; what
 * goes wrong is only told to `complain`. Follows kubectl/pkg/cmd/apply and client-go/util/csaupgrade, v1.33.
 */
export async function migrateToServerSide(
  client: ResourceClient,
  name: string,
  applied: JsonObject,
  options: WriteOptions,
  reapply: () => Promise<JsonObject>,
  complain: (text: string) => void,
): Promise<JsonObject> {
  let object = applied;
  try {
    object = await keepAnnotation(client, name, object, options);
  } catch (error) {
    complain(
      `Warning: failed to migrate ${LAST_APPLIED} for Server-Side Apply. This is non-fatal and will be retried next time you apply. Error: ${asError(error).message}`,
    );
    return object;
  }
  let migrated: JsonObject | undefined;
  try {
    migrated = await upgrade(client, name, object, options);
  } catch (error) {
    complain(
      `Warning: server rejected managed fields migration to Server-Side Apply. This is non-fatal and will be retried next time you apply. Error: ${asError(error).message}`,
    );
    return object;
  }
  if (!migrated) return object;
  try {
    return await reapply();
  } catch (error) {
    complain(
      `Warning: failed to re-apply configuration after performing Server-Side Apply migration. This is non-fatal and will be retried next time you apply. Error: ${asError(error).message}`,
    );
    return migrated;
  }
}

/** Gives the annotation an owner of its own, so that it outlives the migration. */
async function keepAnnotation(
  client: ResourceClient,
  name: string,
  object: JsonObject,
  options: WriteOptions,
): Promise<JsonObject> {
  const annotation = strings(object, 'metadata', 'annotations').get(LAST_APPLIED);
  if (options.fieldManager !== DEFAULT_MANAGER || annotation === undefined) return object;
  if (ownersOfAnnotation(object, 'Apply').length > 0) return object;
  const namespace = text(object, 'metadata', 'namespace');
  const only: JsonObject = {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: {
      annotations: { [LAST_APPLIED]: annotation },
      name: text(object, 'metadata', 'name'),
      ...(namespace ? { namespace } : {}),
    },
  };
  return client.patch(name, 'apply', `${encodeJson(only)}\n`, {
    ...options,
    force: undefined,
    fieldManager: ANNOTATION_MANAGER,
  });
}

/** Undefined: there is nothing to migrate. */
async function upgrade(
  client: ResourceClient,
  name: string,
  applied: JsonObject,
  options: WriteOptions,
): Promise<JsonObject | undefined> {
  const managers = new Set(ownersOfAnnotation(applied, 'Update').map((entry) => text(entry, 'manager')));
  let object = applied;
  for (let attempt = 1; ; attempt++) {
    const before = objects(object, 'metadata', 'managedFields');
    let after = before;
    for (const manager of managers) after = upgraded(after, manager, options.fieldManager ?? '');
    if (jsonEqual(before, after)) return undefined;
    const patch = [
      { op: 'replace', path: '/metadata/managedFields', value: after },
      // Not a test, so that losing a race is a conflict.
      { op: 'replace', path: '/metadata/resourceVersion', value: text(object, 'metadata', 'resourceVersion') },
    ];
    try {
      return await client.patch(name, 'json', encodeJson(patch), { ...options, force: undefined });
    } catch (error) {
      if (!isStatus(error, 'Conflict') || attempt === RETRIES) throw error;
    }
    object = await client.get(name);
  }
}

function ownersOfAnnotation(object: JsonObject, operation: 'Apply' | 'Update'): readonly JsonObject[] {
  return objects(object, 'metadata', 'managedFields').filter((entry) => {
    let at: JsonValue | undefined = entry.fieldsV1;
    for (const element of ANNOTATION_PATH) at = isObject(at) && Object.hasOwn(at, element) ? at[element] : undefined;
    return text(entry, 'operation') === operation && isObject(at) && (isEmpty(at) || at['.'] !== undefined);
  });
}

/** Managed fields with those of a client-side manager given to a server-side one. */
export function upgraded(
  entries: readonly JsonObject[],
  clientSide: string,
  serverSide: string,
): readonly JsonObject[] {
  const is = (entry: JsonObject, manager: string, operation: string) =>
    text(entry, 'manager') === manager && text(entry, 'operation') === operation && text(entry, 'subresource') === '';
  const result = [...entries];
  let index = result.findIndex((entry) => is(entry, serverSide, 'Apply'));
  if (index < 0) {
    index = result.findIndex((entry) => is(entry, clientSide, 'Update'));
    if (index < 0) return entries;
    result[index] = { ...(result[index] as JsonObject), operation: 'Apply', manager: serverSide };
  }
  const target = result[index] as JsonObject;
  const source = result.find(
    (entry) => is(entry, clientSide, 'Update') && text(entry, 'apiVersion') === text(target, 'apiVersion'),
  );
  if (source) result[index] = { ...target, fieldsV1: union(target.fieldsV1 ?? {}, source.fieldsV1 ?? {}, true) };
  return result.filter((entry) => !is(entry, clientSide, 'Update'));
}

const isEmpty = (value: JsonObject): boolean => Object.keys(value).length === 0;

/** Two FieldsV1 in one; nothing below a path means the path itself. */
function union(a: JsonValue, b: JsonValue, root = false): JsonObject {
  const [left, right] = [isObject(a) ? a : {}, isObject(b) ? b : {}];
  if (isEmpty(left) && isEmpty(right)) return {};
  const member = !root && [left, right].some((set) => isEmpty(set) || set['.'] !== undefined);
  const keys = new Set([...Object.keys(left), ...Object.keys(right)].filter((key) => key !== '.'));
  const children = [...keys].map((key): [string, JsonValue] => {
    const [own, other] = [left[key], right[key]];
    return [key, own === undefined || other === undefined ? (own ?? other ?? {}) : union(own, other)];
  });
  return Object.fromEntries([
    ...(member && children.length > 0 ? [['.', {}] as [string, JsonValue]] : []),
    ...children,
  ]);
}
