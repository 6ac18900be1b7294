import type { ApiRequest } from '#apimachinery/api-request.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import { notFound } from '#apimachinery/status-error.ts';
import type { ObjectStore } from './contract.ts';
import { remove } from './delete.ts';
import { RequestScope, type ServerCore } from './request-scope.ts';
import { store } from './update.ts';

/** The server's own access to objects for subresource endpoints; each call says on behalf of which request. */
export function objectStore(core: ServerCore): ObjectStore {
  const scopeOn = <T extends ApiObject>(
    context: unknown,
    resource: ResourceDefinition<T>,
    changes: Partial<ApiRequest>,
  ): RequestScope<T> => {
    if (!(context instanceof RequestScope)) throw new TypeError('a request context of this server is wanted');
    const { request, span } = context as RequestScope;
    return new RequestScope(core, { ...request, subresource: undefined, ...changes }, resource, span, false);
  };
  return {
    get(resource, namespace, name) {
      const storage = core.storage(resource);
      const stored = storage.find(namespace, name);
      if (!stored) throw notFound(resource, name);
      return storage.decode(stored);
    },
    update(context, resource, namespace, name, change, { subresource, unchecked = false } = {}) {
      return store(scopeOn(context, resource, { namespace, name, subresource }), name, {
        skipAdmission: true,
        unchecked,
        propose: (existing) => {
          if (!existing) throw notFound(resource, name);
          return { object: change(existing), ownership: core.fields.of(existing) };
        },
      });
    },
    delete(context, resource, namespace, name, options) {
      const changes = { namespace, name, ...(options ? { options } : {}) };
      return remove(scopeOn(context, resource, changes), namespace, name);
    },
  };
}
