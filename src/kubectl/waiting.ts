import type { JsonObject } from '#apimachinery/json.ts';
import { isStatus } from '#apimachinery/status-error.ts';
import type { Invocation } from './command.ts';
import { text } from './fields.ts';
import type { ResourceClient } from './resource-client.ts';
import type { WatchStream } from './rest-client.ts';

/** The time is up. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

/** Settles as the promise does, or throws TimeoutError when `ms` have passed first. Infinity waits for ever. */
export function within<T>(invocation: Invocation, ms: number, promise: Promise<T>): Promise<T> {
  if (ms === Number.POSITIVE_INFINITY) return promise;
  return new Promise((resolve, reject) => {
    promise.then(resolve, reject);
    invocation.context.clock.sleep(Math.max(0, ms)).then(() => reject(new TimeoutError()), reject);
  });
}

/** What has become of an object; undefined once it is gone. */
export type ObjectVisitor = (object: JsonObject | undefined) => boolean;

/**
 * Shows the visitor an object as it is, and after every change, until the visitor has seen enough (true). Throws
 * TimeoutError after `timeoutMs`.
 */
export async function followObject(
  invocation: Invocation,
  client: ResourceClient,
  name: string,
  timeoutMs: number,
  visit: ObjectVisitor,
): Promise<void> {
  const deadline = invocation.now() + timeoutMs;
  const fieldSelector = `metadata.name=${name}`;
  const left = () => deadline - invocation.now();
  for (;;) {
    const list = await client.list({ fieldSelector });
    const items = (list['items'] ?? []) as readonly JsonObject[];
    if (visit(items[0])) return;
    const stream = await client.watch({ fieldSelector, resourceVersion: text(list, 'metadata', 'resourceVersion') });
    try {
      for (let event = await next(stream); event; event = await next(stream)) {
        if (event.type === 'ERROR') break;
        if (event.type === 'BOOKMARK') continue;
        if (visit(event.type === 'DELETED' ? undefined : event.object)) return;
      }
    } finally {
      stream.close();
    }
    // The server has ended the watch: look again, but not in a hurry.
    await within(invocation, left(), invocation.sleep(Math.min(1000, Math.max(0, left()))));
    if (left() <= 0) throw new TimeoutError();
  }
  function next(stream: WatchStream) {
    return within(invocation, left(), stream.next());
  }
}

/** Waits until an object is gone, or is another one of the same name. Throws TimeoutError. */
export async function untilDeleted(
  invocation: Invocation,
  client: ResourceClient,
  name: string,
  uid: string,
  timeoutMs: number,
): Promise<void> {
  try {
    const object = await client.get(name);
    if (uid !== '' && text(object, 'metadata', 'uid') !== uid) return;
  } catch (error) {
    if (isStatus(error, 'NotFound')) return;
    throw error;
  }
  await followObject(
    invocation,
    client,
    name,
    timeoutMs,
    (object) => object === undefined || (uid !== '' && text(object, 'metadata', 'uid') !== uid),
  );
}
