import type { ApiList } from '#apimachinery/api-request.ts';
import type { ApiObject } from '#apimachinery/resource.ts';
import { isStatus } from '#apimachinery/status-error.ts';
import { remove } from './delete.ts';
import { list } from './list.ts';
import type { RequestScope } from './request-scope.ts';

/** Deletes what a list with these options has, one after the other; not at once, and not all or nothing. */
export async function deleteCollection<T extends ApiObject>(scope: RequestScope<T>): Promise<ApiList> {
  const found = list(scope);
  for (const { metadata } of found.items) {
    try {
      await remove(scope, metadata.namespace, metadata.name ?? '');
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
  }
  return found;
}
