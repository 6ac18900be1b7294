import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import { formatTime } from '#base/clock.ts';
import type { Seeder } from './api-server.ts';
import { changeMeta, withTypeMeta } from './metadata.ts';
import { RequestScope, type ServerCore } from './request-scope.ts';

/** Writes the objects that do not exist, each in a transaction of its own; returns those that do. */
export function seed<T extends ApiObject>(
  core: ServerCore,
  definition: ResourceDefinition<T>,
  objects: readonly T[],
  { user, userAgent, cause }: Seeder,
): readonly T[] {
  const { group, version, plural: resource } = definition;
  const request = { verb: 'create', group, version, resource, options: {}, user, userAgent, cause } as const;
  const scope = new RequestScope(core, request, definition, cause, false);
  const { storage } = scope;
  const creationTimestamp = formatTime(scope.now);
  const existing: T[] = [];
  for (const object of objects) {
    const { namespace, name = '' } = object.metadata;
    const stored = storage.find(namespace, name);
    if (stored) {
      existing.push(storage.decode(stored));
      continue;
    }
    const typed = withTypeMeta(definition, object);
    const next = changeMeta(typed, { uid: core.random.uids.uuid(), creationTimestamp });
    const ownership = core.fields.written(scope, undefined, next, typed);
    const put = storage.key(namespace, name);
    core.etcd.txn({
      compare: [],
      operations: [{ put, lease: 0, value: (revision) => storage.encode(next, revision, ownership) }],
      cause,
      span: undefined,
    });
  }
  return existing;
}
