import { decodeUtf8 } from '#base/utf8.ts';
import type { HttpMessage } from '#network/http.ts';
import type { Connection } from '#network/network.ts';
import type { Program, UnixProcess } from '../os/unix-process.ts';
import { bareFiles } from './common-files.ts';
import {
  canonicalHeader,
  diesOfSignals,
  goAnswer,
  goDurationMs,
  goFlags,
  listenAndServe,
  log,
  splitPath,
} from './go-server.ts';
import { DEFAULT_PATH, type ImageDefinition, releases } from './image.ts';

/** Follows traefik/whoami 1.11: says who answers and what was asked. */
const whoami: Program = async (self) => {
  const parsed = goFlags(self.args.slice(1), ['cert', 'key', 'cacert', 'port', 'name'], ['verbose']);
  if (typeof parsed === 'string') {
    await self.complain(`${parsed}\nUsage of /whoami:\n`);
    return 2;
  }
  const flag = (name: string) => parsed.flags.get(name)?.at(-1);
  if (flag('cert') !== undefined || flag('key') !== undefined) {
    await log(self, 'TLS is not emulated here: use http');
    return 1;
  }
  diesOfSignals(self);
  const port = Number(flag('port') ?? (self.env.get('WHOAMI_PORT_NUMBER') || '80'));
  const name = flag('name') ?? self.env.get('WHOAMI_NAME') ?? '';
  let health = 200;
  await log(self, `Starting up on port ${port}`);
  const serving = await listenAndServe(self, port, async (request, connection) => {
    const { path, query } = splitPath(request.path);
    if (path === '/bench') return goAnswer(self, '1', { headers: { 'Content-Type': 'text/plain' } });
    if (path === '/health') {
      if (request.method !== 'POST') return goAnswer(self, '', { status: health });
      const wanted = Number(decodeUtf8(request.body));
      if (!Number.isInteger(wanted) || wanted < 100 || wanted > 999)
        return goAnswer(self, 'invalid status code\n', { status: 400 });
      health = wanted;
      await self.print(`Update health check status code [${health}]\n`);
      return goAnswer(self, '');
    }
    if (path === '/api')
      return goAnswer(self, `${JSON.stringify(data(self, name, request, connection))}\n`, {
        headers: { 'Content-Type': 'application/json' },
      });
    if (['/data', '/echo', '/openapi.yaml'].includes(path))
      return goAnswer(self, `${path} is not emulated in this cluster\n`, { status: 501 });
    const waitMs = goDurationMs(query('wait'));
    if (waitMs) await self.sleep(waitMs);
    const environment = ['1', 't', 'true'].includes(query('env').toLowerCase())
      ? [...self.env].map(([key, value]) => `${key}=${value}\n`).join('')
      : '';
    return goAnswer(self, lines(self, name, request, connection) + environment);
  });
  if (!serving) return 1;
  await self.process.park<void>(() => {});
  return 0;
};

const addressesOf = (self: UnixProcess) => self.system.network.interfaces.map(({ address }) => address);

function lines(self: UnixProcess, name: string, request: HttpMessage, { remote }: Connection): string {
  const { host = '', 'user-agent': agent, ...headers } = request.headers;
  const others = Object.entries(headers)
    .map(([key, value]) => `${canonicalHeader(key)}: ${value}\r\n`)
    .sort((a, b) => (a < b ? -1 : 1));
  return [
    name === '' ? '' : `Name: ${name}\n`,
    `Hostname: ${self.system.hostname}\n`,
    ...addressesOf(self).map((address) => `IP: ${address}\n`),
    `RemoteAddr: ${remote.address}:${remote.port}\n`,
    `${request.method} ${request.path} HTTP/1.1\r\nHost: ${host}\r\n`,
    agent === undefined ? '' : `User-Agent: ${agent}\r\n`,
    ...others,
    '\r\n',
  ].join('');
}

function data(self: UnixProcess, name: string, { method, path, headers }: HttpMessage, { remote }: Connection) {
  const { host, ...others } = headers;
  const entries = Object.entries(others).map(([key, value]): [string, string[]] => [canonicalHeader(key), [value]]);
  return {
    hostname: self.system.hostname,
    ip: addressesOf(self),
    headers: Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))),
    url: path,
    host,
    method,
    ...(name === '' ? {} : { name }),
    remoteAddr: `${remote.address}:${remote.port}`,
  };
}

/** A server that says who it is. */
export const whoamiImage: ImageDefinition = {
  repository: 'docker.io/traefik/whoami',
  hasTag: (tag) =>
    releases(
      ['latest'],
      {
        '1.0': 1,
        '1.1': 0,
        '1.2': 0,
        '1.3': 0,
        '1.4': 0,
        '1.5': 0,
        '1.6': 1,
        '1.7': 1,
        '1.8': 7,
        '1.9': 0,
        '1.10': 4,
        '1.11': 0,
      },
      /^$/,
    )(tag.replace(/^v(?=\d)/, '')),
  sizeBytes: 2_900_000,
  config: { entrypoint: ['/whoami'], env: [DEFAULT_PATH] },
  files: () => bareFiles({ whoami }),
};
