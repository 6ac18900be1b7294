import { type HttpAnswer, type HttpMessage, serveHttp as serveOnNetwork } from '#network/http.ts';
import type { Connection, Listener } from '#network/network.ts';
import type { UnixProcess } from './unix-process.ts';

/** How late the answers of a slow Pod come. */
const SLOW_MS = 5000;

/**
 * Serves HTTP on a port of the Pod. `handle` runs in a task of the connection and may park. What is wrong with the Pod
 * shows here: slow ones answer late, unready ones 503. Throws NetworkError EADDRINUSE.
 */
export function serveHttp(
  self: UnixProcess,
  port: number,
  handle: (request: HttpMessage, connection: Connection) => HttpAnswer | Promise<HttpAnswer>,
): Listener {
  return serveOnNetwork(self.system.network, self.process, port, async (request, connection) => {
    const answer =
      self.system.fault === 'unready'
        ? { status: 503, headers: { 'Content-Type': 'text/plain' }, body: 'Service Unavailable\n' }
        : await handle(request, connection);
    await answerLate(self);
    return answer;
  });
}

/** To be awaited by a server before it answers: in a slow Pod it parks the task for so long. */
export async function answerLate(self: UnixProcess): Promise<void> {
  if (self.system.fault === 'slow') await self.sleep(SLOW_MS);
}
