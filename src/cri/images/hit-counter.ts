import type { HttpAnswer } from '#network/http.ts';
import { NetworkError } from '#network/network-error.ts';
import { imageProgram } from '../os/file-node.ts';
import { lookUpHost, resolutionError } from '../os/resolve.ts';
import { serveHttp } from '../os/serve.ts';
import { strftime } from '../os/strftime.ts';
import type { Program, UnixProcess } from '../os/unix-process.ts';
import { alpineFiles } from './alpine.ts';
import { DEFAULT_PATH, type ImageDefinition } from './image.ts';
import { encodeResp, RespError, RespReader, type RespValue } from './redis-protocol.ts';

/** How long it waits for redis, ms. */
const PATIENCE_MS = 2000;

/**
 * A web front end that counts its visitors in redis: each `GET /` is an `INCR hits` on a connection of its own. PORT (8080),
 * REDIS_HOST (redis) and REDIS_PORT (6379) configure it; 503 says why redis cannot be reached, /healthz is always well.
 */
const hitCounter: Program = async (self) => {
  for (const signal of ['INT', 'TERM'] as const) self.onSignal(signal, () => self.exit({ code: 0 }));
  const port = portOf(self, 'PORT', 8080);
  const host = self.env.get('REDIS_HOST') || 'redis';
  const redisPort = portOf(self, 'REDIS_PORT', 6379);
  const say = (text: string) => self.print(`${strftime('%F %T', self.process.clock.now())} ${text}\n`);
  try {
    serveHttp(self, port, async ({ method, path }, { remote }) => {
      const answer = await respond(self, path.split('?')[0] ?? '/', host, redisPort);
      await say(`${remote.address} ${method} ${path} ${answer.status}`);
      return answer;
    });
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    await say(`cannot listen on port ${port}: ${error.message}`);
    return 1;
  }
  await say(`listening on port ${port}, counting in redis at ${host}:${redisPort}`);
  await self.process.park<void>(() => {});
  return 0;
};

/** A port from the environment. Service links make `REDIS_PORT` a URL, `tcp://10.96.0.7:6379`: its port counts. */
function portOf(self: UnixProcess, name: string, otherwise: number): number {
  const digits = /(\d+)$/.exec(self.env.get(name) ?? '')?.[1];
  return digits === undefined ? otherwise : Number(digits);
}

async function respond(self: UnixProcess, path: string, host: string, port: number): Promise<HttpAnswer> {
  const text = (status: number, body: string): HttpAnswer => ({
    status,
    headers: { 'Content-Type': 'text/plain; charset=utf-8' },
    body: `${body}\n`,
  });
  if (path === '/healthz') return text(200, 'ok');
  if (path !== '/') return text(404, 'Not Found');
  const hits = await increment(self, host, port);
  if (typeof hits === 'string') return text(503, `Redis at ${host}:${port} cannot be reached: ${hits}`);
  return text(200, `Hello! I have been seen ${hits} times. I am ${self.system.hostname}.`);
}

/** The new count, or what is wrong. */
async function increment(self: UnixProcess, host: string, port: number): Promise<number | string> {
  const found = await lookUpHost(self, host);
  if ('failure' in found) return resolutionError(self, found.failure);
  try {
    const { network } = self.system;
    const connection = await network.connect(self.process, { address: found.addresses[0], port }, PATIENCE_MS);
    try {
      connection.setDeadline(PATIENCE_MS);
      await connection.write(encodeResp(['INCR', 'hits']));
      const answer: RespValue | undefined = await new RespReader(connection).value();
      if (typeof answer === 'number') return answer;
      return answer !== null && typeof answer === 'object' && 'error' in answer ? answer.error : 'Connection closed';
    } finally {
      connection.close();
    }
  } catch (error) {
    if (!(error instanceof NetworkError || error instanceof RespError)) throw error;
    return error.message;
  }
}

/** The web tier of the examples with two tiers; it exists here only. */
export const hitCounterImage: ImageDefinition = {
  repository: 'docker.io/tabernetes/hit-counter',
  hasTag: (tag) => ['latest', '1', '1.0'].includes(tag),
  sizeBytes: 5_200_000,
  config: { entrypoint: ['/usr/bin/hit-counter'], env: [DEFAULT_PATH], user: '65534:65534' },
  files: () => alpineFiles({ usrBin: { 'hit-counter': imageProgram(hitCounter) } }),
};
