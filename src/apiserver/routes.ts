import type { Verb } from '#apimachinery/api-request.ts';
import type { ResourceDefinition } from '#apimachinery/resource.ts';
import { StatusError } from '#apimachinery/status-error.ts';
import type { ResourcePath } from './request-info.ts';

/** What the server says of a path below a known version that names nothing. */
export const resourceNotFound = (): StatusError =>
  new StatusError(404, 'NotFound', 'the server could not find the requested resource', {});

/** What the server says when a path is known, but not with this method. */
export const methodNotAllowed = (): StatusError =>
  new StatusError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});

/**
 * Throws 404 for a path in the wrong scope, 405 for a verb that the path does not have. `verbs` are those of the resource
 * or subresource. Follows the routes of apiserver/pkg/endpoints/installer.go, v1.33.
 */
export function checkRoute(
  definition: ResourceDefinition,
  at: ResourcePath,
  verb: Verb | undefined,
  verbs: readonly string[],
): asserts verb is Verb {
  const everywhere = definition.scope === 'Namespaced' && at.namespace === undefined;
  if (definition.scope === 'Cluster' && at.namespace !== undefined) throw resourceNotFound();
  if (everywhere && at.name !== undefined) throw resourceNotFound();
  if (verb === undefined || !verbs.includes(verb)) throw methodNotAllowed();
  const ofCollection =
    verb === 'list' || verb === 'deletecollection' || (verb === 'create' && at.subresource === undefined);
  if (verb !== 'watch' && ofCollection !== (at.name === undefined)) throw methodNotAllowed();
  if (everywhere && verb !== 'list' && verb !== 'watch') throw methodNotAllowed();
}
