import { encodeUtf8, decodeUtf8 } from '#base/utf8.ts';
import type { Faults } from '#cluster/faults.ts';
import type { HttpResponse, HttpServer } from '#transport/http.ts';
import { pathNotFound } from '#apiserver/http-server.ts';

/** Where faults are read (GET) and set (PUT of `{"target", "state"}`). */
export const FAULTS_PATH = '/tabernetes/faults';

/**
 * The control port of a served cluster, which answers whatever is stopped. `settled` is awaited before it is said that a
 * fault has been set.
 */
export function faultServer(faults: Faults, settled: () => Promise<void>): HttpServer {
  return {
    async handle({ method, path, headers, body }) {
      // A page of somebody else's, open in a browser of this machine, must not reach in here.
      if (headers.origin !== undefined) return json(403, { message: 'not for browsers' });
      if (path !== FAULTS_PATH) return pathNotFound();
      if (method === 'GET') return json(200, faults.list());
      if (method !== 'PUT') return json(405, { message: `${method} is not allowed here` });
      try {
        const { target, state } = JSON.parse(decodeUtf8(body ?? new Uint8Array())) as Record<string, unknown>;
        await faults.set(String(target), String(state));
      } catch (error) {
        return json(409, { message: error instanceof Error ? error.message : String(error) });
      }
      await settled();
      return json(200, faults.list());
    },
    upgrade: async () => pathNotFound(),
  };
}

function json(status: number, value: unknown): HttpResponse {
  return { status, headers: { 'content-type': 'application/json' }, body: encodeUtf8(`${JSON.stringify(value)}\n`) };
}
