import type { Verb } from '#apimachinery/api-request.ts';

/** What a path and a method say about a request. Follows apiserver/pkg/endpoints/request/requestinfo.go, v1.33. */
export interface ResourcePath {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
  /** What follows the subresource (proxy paths). */
  readonly rest?: string;
  /** The deprecated `/watch/` prefix was used. */
  readonly watchPrefix?: boolean;
}

/** The parts of a path below `/api/v1` or `/apis/<group>/<version>`; undefined if it names no resource. `path` has no query. */
export function parseResourcePath(path: string): ResourcePath | undefined {
  const parts = path
    .split('/')
    .slice(1)
    .map((part) => {
      try {
        return decodeURIComponent(part);
      } catch {
        return part;
      }
    });
  if (parts.at(-1) === '') parts.pop();
  const prefix = parts.shift();
  let group = '';
  if (prefix === 'apis') group = parts.shift() ?? '';
  else if (prefix !== 'api') return undefined;
  const version = parts.shift();
  if (version === undefined || (prefix === 'apis' && group === '')) return undefined;
  const watchPrefix = parts[0] === 'watch';
  if (watchPrefix) parts.shift();
  let namespace: string | undefined;
  if (parts[0] === 'namespaces' && parts.length > 2 && parts[2] !== 'status' && parts[2] !== 'finalize') {
    namespace = parts[1] as string;
    parts.splice(0, 2);
  }
  const [resource, name, subresource, ...rest] = parts;
  if (!resource) return undefined;
  return {
    group,
    version,
    resource,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
    ...(rest.length ? { rest: rest.join('/') } : {}),
    ...(watchPrefix ? { watchPrefix } : {}),
  };
}

/** The verb of a resource request; undefined for a method that no resource has. */
export function verbOf(method: string, path: ResourcePath, watch: boolean): Verb | undefined {
  switch (method) {
    case 'GET':
      if (path.name !== undefined && !path.watchPrefix) return 'get';
      return watch || path.watchPrefix ? 'watch' : 'list';
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return path.name === undefined ? 'deletecollection' : 'delete';
    default:
      return undefined;
  }
}
