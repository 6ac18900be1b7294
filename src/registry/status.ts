import type { ApiObject } from '#apimachinery/resource.ts';
import type { Status } from '#apimachinery/status-error.ts';

/** What a subresource answers that made something happen instead of an object. */
export function created(): ApiObject {
  const status: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
  return status;
}
