import { encodeUtf8 } from '#base/utf8.ts';
import { type HttpAnswer, HttpError, type HttpMessage, httpRequest, REASONS } from '#network/http.ts';
import type { Endpoint } from '#network/network.ts';
import { NetworkError } from '#network/network-error.ts';
import { appletProgram } from '../applets/applet.ts';
import { strftime } from '../os/strftime.ts';
import { curl } from '../applets/curl.ts';
import { ExecError } from '../os/container-system.ts';
import { imageDirectory, imageFile, imageProgram, imageSymlink } from '../os/file-node.ts';
import { KERNEL_VERSION } from '../os/kernel.ts';
import { serveHttp } from '../os/serve.ts';
import type { Program, UnixProcess } from '../os/unix-process.ts';
import { debianFiles } from './common-files.ts';
import { type ImageDefinition, releases } from './image.ts';
import {
  loadNginxConfig,
  locationFor,
  type NginxConfig,
  NginxConfigError,
  type Proxy,
  type Scope,
  serverFor,
} from './nginx-config.ts';
import { staticFile } from './static-files.ts';

const VERSION = '1.29.3';
const ROOT = '/usr/share/nginx/html';
const CONFIG = '/etc/nginx/conf.d/default.conf';
const WORKER_LINES = [29, 30, 31, 32].map((pid) => `start worker process ${pid}`);

const WELCOME = `<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
<style>
html { color-scheme: light dark; }
body { width: 35em; margin: 0 auto;
font-family: Tahoma, Verdana, Arial, sans-serif; }
</style>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>If you see this page, the nginx web server is successfully installed and
working. Further configuration is required.</p>

<p>For online documentation and support please refer to
<a href="http://nginx.org/">nginx.org</a>.<br/>
Commercial support is available at
<a href="http://nginx.com/">nginx.com</a>.</p>

<p><em>Thank you for using nginx.</em></p>
</body>
</html>
`;

const PAGE_50X = `<!DOCTYPE html>
<html>
<head>
<title>Error</title>
</head>
<body>
<h1>An error occurred.</h1>
</body>
</html>
`;

const DEFAULT_CONF = encodeUtf8(`server {
    listen       80;
    listen  [::]:80;
    server_name  localhost;

    location / {
        root   /usr/share/nginx/html;
        index  index.html index.htm;
    }

    error_page   500 502 503 504  /50x.html;
    location = /50x.html {
        root   /usr/share/nginx/html;
    }
}
`);

const MAIN_CONF = encodeUtf8(
  'user  nginx;\nworker_processes  auto;\n\nerror_log  /var/log/nginx/error.log notice;\npid        /run/nginx.pid;\n\nevents {\n    worker_connections  1024;\n}\n\nhttp {\n    include       /etc/nginx/mime.types;\n    default_type  application/octet-stream;\n    access_log  /var/log/nginx/access.log  main;\n    sendfile        on;\n    keepalive_timeout  65;\n    include /etc/nginx/conf.d/*.conf;\n}\n',
);

const ENTRYPOINT_LOG = `/docker-entrypoint.sh: /docker-entrypoint.d/ is not empty, will attempt to perform configuration
/docker-entrypoint.sh: Looking for shell scripts in /docker-entrypoint.d/
/docker-entrypoint.sh: Launching /docker-entrypoint.d/10-listen-on-ipv6-by-default.sh
10-listen-on-ipv6-by-default.sh: info: Getting the checksum of ${CONFIG}
10-listen-on-ipv6-by-default.sh: info: Enabled listen on IPv6 in ${CONFIG}
/docker-entrypoint.sh: Sourcing /docker-entrypoint.d/15-local-resolvers.envsh
/docker-entrypoint.sh: Launching /docker-entrypoint.d/20-envsubst-on-templates.sh
/docker-entrypoint.sh: Launching /docker-entrypoint.d/30-tune-worker-processes.sh
/docker-entrypoint.sh: Configuration complete; ready for start up
`;

/** The image's entry point: prepares nginx and becomes what its arguments say. */
const entrypoint: Program = async (self) => {
  const args = self.args.slice(1);
  const [name = ''] = args;
  if (name === 'nginx' || name === 'nginx-debug') await self.print(ENTRYPOINT_LOG);
  try {
    const found = self.executable(args);
    self.args = found.args;
    return await found.program(self);
  } catch (error) {
    if (!(error instanceof ExecError)) throw error;
    await self.complain(`/docker-entrypoint.sh: ${self.args.length > 1 ? 'line 47: ' : ''}${name}: not found\n`);
    return 127;
  }
};

const server: Program = async (self) => {
  const { process } = self;
  const args = self.args.slice(1);
  if (args[0] === '-v' || args[0] === '-V') {
    await self.complain(`nginx version: nginx/${VERSION}\n`);
    return 0;
  }
  const emergency = async (text: string) => {
    const time = strftime('%Y/%m/%d %H:%M:%S', process.clock.now());
    await self.complain(`${time} [emerg] ${self.pid}#${self.pid}: ${text}\nnginx: [emerg] ${text}\n`);
    return 1;
  };
  let config: NginxConfig;
  try {
    config = await readConfig(self);
  } catch (error) {
    if (!(error instanceof NginxConfigError)) throw error;
    return emergency(error.message);
  }
  if (args[0] === '-t') {
    await self.complain(
      'nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\nnginx: configuration file /etc/nginx/nginx.conf test is successful\n',
    );
    return 0;
  }
  const { unread } = config;
  const notices = (lines: readonly string[]) => {
    const head = `${strftime('%Y/%m/%d %H:%M:%S', process.clock.now())} [notice] ${self.pid}#${self.pid}: `;
    return lines.map((line) => `${head}${line}\n`).join('');
  };
  const turns = new Map<Proxy, number>();
  for (const port of new Set(config.servers.flatMap(({ ports }) => ports))) {
    try {
      serveHttp(self, port, (request, { remote }) =>
        answer({ self, config, port, request, remote, turns, time: process.clock.now() }),
      );
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      return emergency(`bind() to 0.0.0.0:${port} failed (98: Address already in use)`);
    }
  }
  self.args = ['nginx: master process', ...self.args];
  const log = notices([
    'using the "epoll" event method',
    `nginx/${VERSION}`,
    'built by gcc 12.2.0 (Debian 12.2.0-14+deb12u1)',
    `OS: Linux ${KERNEL_VERSION}`,
    'getrlimit(RLIMIT_NOFILE): 1048576:1048576',
    'start worker processes',
    ...WORKER_LINES,
    ...(unread === undefined ? [] : [`not emulated: ${unread} has no effect here`]),
  ]);
  const stop = (signal: 'QUIT' | 'TERM' | 'INT') => {
    process.spawn('nginx ends', async () => {
      const number = { QUIT: 3, TERM: 15, INT: 2 }[signal];
      await self.complain(
        notices([
          `signal ${number} (SIG${signal}) received, ${signal === 'QUIT' ? 'shutting down' : 'exiting'}`,
          'exit',
        ]),
      );
      self.exit({ code: 0 });
    });
  };
  for (const signal of ['QUIT', 'TERM', 'INT'] as const) self.onSignal(signal, () => stop(signal));
  self.onSignal('HUP', () => {});
  await self.complain(log);
  await process.park<void>(() => {});
  return 0;
};

const DEFAULT_CONFIG: NginxConfig = {
  servers: [
    {
      ports: [80],
      names: ['localhost'],
      root: ROOT,
      defaultType: 'application/octet-stream',
      addedHeaders: [],
      locations: [],
    },
  ],
};

/** What the image comes with is known without reading it: most containers change nothing. */
function readConfig(self: UnixProcess): NginxConfig | Promise<NginxConfig> {
  const { files } = self.system;
  const untouched = (path: string, bytes: Uint8Array) => files.exists(path) && files.readFile(path) === bytes;
  const pristine =
    untouched(CONFIG, DEFAULT_CONF) &&
    untouched('/etc/nginx/nginx.conf', MAIN_CONF) &&
    files.list('/etc/nginx/conf.d').length === 1;
  return pristine ? DEFAULT_CONFIG : loadNginxConfig(self);
}

/** A request and all that its answer may depend on. */
interface Visit {
  readonly self: UnixProcess;
  readonly config: NginxConfig;
  readonly port: number;
  readonly request: HttpMessage;
  readonly remote: Endpoint;
  /** How many requests each upstream has had: they take turns. */
  readonly turns: Map<Proxy, number>;
  readonly time: number;
}

async function answer(visit: Visit): Promise<HttpAnswer> {
  const { self, request, remote, time: now } = visit;
  const result = await respond(visit);
  const length = typeof result.body === 'string' ? encodeUtf8(result.body).length : (result.body?.length ?? 0);
  const { headers } = request;
  const quoted = (value: string | undefined) => `"${value ?? '-'}"`;
  const line = `${remote.address} - - [${strftime('%d/%b/%Y:%H:%M:%S %z', now)}] "${request.method} ${request.path} HTTP/1.1" ${result.status} ${request.method === 'HEAD' ? 0 : length} ${quoted(headers.referer)} ${quoted(headers['user-agent'])} ${quoted(headers['x-forwarded-for'])}\n`;
  await self.print(line);
  return {
    ...result,
    headers: { Server: `nginx/${VERSION}`, Date: strftime('%a, %d %b %Y %H:%M:%S GMT', now), ...result.headers },
  };
}

/** A line of the error log. */
async function complainOf({ self, request, remote, time }: Visit, what: string, upstream?: string): Promise<void> {
  const by = upstream === undefined ? '' : `, upstream: "${upstream}"`;
  await self.complain(
    `${strftime('%Y/%m/%d %H:%M:%S', time)} [error] 29#29: *1 ${what}, client: ${remote.address}, server: localhost, request: "${request.method} ${request.path} HTTP/1.1"${by}, host: "${request.headers.host ?? ''}"\n`,
  );
}

async function respond(visit: Visit): Promise<HttpAnswer> {
  const { config, port, request } = visit;
  let path: string;
  try {
    path = decodeURIComponent(request.path.split('?')[0] ?? '/');
  } catch {
    return errorPage(400);
  }
  const server = serverFor(config, port, request.headers.host ?? '');
  if (!server) return errorPage(404);
  const location = server.fixed ? undefined : locationFor(server, path);
  const scope = location ?? server;
  const result = await respondIn(visit, scope, location?.path ?? '', path);
  if (scope.addedHeaders.length === 0 || result.status >= 400) return result;
  const added = scope.addedHeaders.map(([name, value]): [string, string] => [name, expand(visit, value)]);
  return { ...result, headers: { ...result.headers, ...Object.fromEntries(added) } };
}

async function respondIn(visit: Visit, scope: Scope, matched: string, path: string): Promise<HttpAnswer> {
  const { self, request } = visit;
  if (scope.fixed) {
    const { status } = scope.fixed;
    const text = expand(visit, scope.fixed.text);
    if (status >= 300 && status < 400) {
      const page = errorPage(status);
      return { ...page, headers: { ...page.headers, Location: text } };
    }
    return text === '' && status !== 200
      ? errorPage(status)
      : { status, headers: { 'Content-Type': scope.defaultType }, body: text };
  }
  if (scope.proxy) return pass(visit, scope.proxy, matched);
  if (request.method !== 'GET' && request.method !== 'HEAD') return errorPage(405);
  const root = scope.alias === undefined ? scope.root : scope.alias.replace(/\/$/, '');
  let wanted = scope.alias === undefined ? request.path : `/${path.slice(matched.length).replace(/^\//, '')}`;
  if (scope.tryFiles) {
    const last = scope.tryFiles.at(-1) ?? '';
    const tried = scope.tryFiles
      .slice(0, -1)
      .map((file) => expand(visit, file))
      .find((file) => staticFile(self, root, file).kind === 'file');
    if (tried === undefined && last.startsWith('=')) return errorPage(Number(last.slice(1)));
    wanted = tried ?? expand(visit, last);
  }
  const found = staticFile(self, root, wanted);
  switch (found.kind) {
    case 'redirect':
      return {
        ...errorPage(301),
        headers: { Location: `http://${request.headers.host ?? 'localhost'}${found.location}` },
      };
    case 'listing':
      await complainOf(visit, `directory index of "${root}${wanted.split('?')[0]}" is forbidden`);
      return errorPage(403);
    case 'error':
      if (found.status === 404)
        await complainOf(visit, `open() "${root}${wanted.split('?')[0]}" failed (2: No such file or directory)`);
      return errorPage(found.status);
    default:
      return {
        status: 200,
        headers: {
          'Content-Type': found.type ?? scope.defaultType,
          'Last-Modified': strftime('%a, %d %b %Y %H:%M:%S GMT', found.mtime),
          ETag: `"${Math.floor(found.mtime / 1000).toString(16)}-${found.body.length.toString(16)}"`,
          'Accept-Ranges': 'bytes',
        },
        body: found.body,
      };
  }
}

/** Headers that belong to one connection. */
const OWN_HEADERS = ['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'host'];

/** Passes a request on; the upstream's addresses take turns, and one that cannot be reached leaves it to the next. */
async function pass(visit: Visit, proxy: Proxy, matched: string): Promise<HttpAnswer> {
  const { self, request, turns } = visit;
  const { clock } = self.process;
  const path = proxy.uri === undefined ? request.path : proxy.uri + request.path.slice(matched.length);
  const turn = turns.get(proxy) ?? 0;
  turns.set(proxy, turn + 1);
  const headers = new Map([['Host', proxy.host]]);
  for (const [name, value] of Object.entries(request.headers))
    if (!OWN_HEADERS.includes(name)) headers.set(name, value);
  for (const [name, value] of proxy.headers) {
    for (const known of [...headers.keys()]) if (known.toLowerCase() === name.toLowerCase()) headers.delete(known);
    if (value !== '' && name.toLowerCase() !== 'connection') headers.set(name, expand(visit, value));
  }
  let status = 502;
  for (let i = 0; i < proxy.peers.length; i++) {
    const peer = proxy.peers[(turn + i) % proxy.peers.length] as Endpoint;
    const upstream = `http://${peer.address}:${peer.port}${path}`;
    let doing = 'connecting to upstream';
    try {
      const { method, body } = request;
      const connection = await self.system.network.connect(self.process, peer, proxy.connectTimeoutMs, {
        method,
        path,
      });
      doing = 'reading response header from upstream';
      try {
        connection.setDeadline(proxy.readTimeoutMs);
        const got = await httpRequest(connection, peer, { method, path, headers: Object.fromEntries(headers), body });
        const passed = Object.entries(got.headers).filter(
          ([name]) => !OWN_HEADERS.includes(name) && name !== 'date' && name !== 'server',
        );
        return { status: got.status, reason: got.reason, headers: Object.fromEntries(passed), body: got.body };
      } finally {
        connection.close();
      }
    } catch (error) {
      if (error instanceof HttpError) {
        await complainOf(visit, `upstream prematurely closed connection while ${doing}`, upstream);
        return errorPage(502);
      }
      if (!(error instanceof NetworkError)) throw error;
      const numbers: Readonly<Record<string, number>> = { ECONNREFUSED: 111, ECONNRESET: 104, EHOSTUNREACH: 113 };
      status = error.code === 'ETIMEDOUT' ? 504 : 502;
      await complainOf(
        { ...visit, time: clock.now() },
        error.code === 'ETIMEDOUT'
          ? `upstream timed out (110: Connection timed out) while ${doing}`
          : `${doing.startsWith('conn') ? 'connect' : 'recv'}() failed (${numbers[error.code] ?? 101}: ${error.message}) while ${doing}`,
        upstream,
      );
    }
  }
  return errorPage(status);
}

/** Puts in the values of variables; those that are not emulated are empty. */
function expand({ self, request, remote, port }: Visit, text: string): string {
  if (!text.includes('$')) return text;
  const { host = '', ...headers } = request.headers;
  const uri = request.path.split('?')[0] ?? '/';
  const forwarded = headers['x-forwarded-for'];
  const values: Readonly<Record<string, string>> = {
    args: request.path.split('?')[1] ?? '',
    host: host.replace(/:\d+$/, ''),
    hostname: self.system.hostname,
    http_host: host,
    is_args: request.path.includes('?') ? '?' : '',
    proxy_add_x_forwarded_for: forwarded === undefined ? remote.address : `${forwarded}, ${remote.address}`,
    remote_addr: remote.address,
    remote_port: String(remote.port),
    request_method: request.method,
    request_uri: request.path,
    scheme: 'http',
    server_addr: self.system.network.address,
    server_port: String(port),
    uri,
  };
  return text.replace(/\$\{?(\w+)\}?/g, (_, name: string) =>
    name.startsWith('http_') && name !== 'http_host'
      ? (headers[name.slice(5).replaceAll('_', '-')] ?? '')
      : ((Object.hasOwn(values, name) ? values[name] : '') as string),
  );
}

function errorPage(status: number): HttpAnswer {
  const title = `${status} ${status === 405 ? 'Not Allowed' : (REASONS[status] ?? '')}`;
  return {
    status,
    headers: { 'Content-Type': 'text/html' },
    body: `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n<hr><center>nginx/${VERSION}</center>\r\n</body>\r\n</html>\r\n`,
  };
}

/** nginx: a web server that serves /usr/share/nginx/html. */
export const nginx: ImageDefinition = {
  repository: 'docker.io/library/nginx',
  hasTag: releases(
    ['latest', 'mainline', 'stable'],
    {
      '1.7': 12,
      '1.8': 1,
      '1.9': 15,
      '1.10': 3,
      '1.11': 13,
      '1.12': 2,
      '1.13': 12,
      '1.14': 2,
      '1.15': 12,
      '1.16': 1,
      '1.17': 10,
      '1.18': 0,
      '1.19': 10,
      '1.20': 2,
      '1.21': 6,
      '1.22': 1,
      '1.23': 4,
      '1.24': 0,
      '1.25': 5,
      '1.26': 3,
      '1.27': 5,
      '1.28': 0,
      '1.29': 3,
    },
    /^(-(alpine|perl|otel|slim|bookworm|bullseye|trixie|alpine3\.\d\d))+$/,
  ),
  sizeBytes: 72_404_038,
  config: {
    entrypoint: ['/docker-entrypoint.sh'],
    cmd: ['nginx', '-g', 'daemon off;'],
    env: [
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      `NGINX_VERSION=${VERSION}`,
      'NJS_VERSION=0.9.4',
      'NJS_RELEASE=1~bookworm',
      'PKG_RELEASE=1~bookworm',
      'DYNPKG_RELEASE=1~bookworm',
    ],
    stopSignal: 'QUIT',
  },
  files: () =>
    debianFiles({
      usrBin: { curl: imageProgram(appletProgram(curl)) },
      usrSbin: { nginx: imageProgram(server) },
      usrShare: {
        nginx: imageDirectory({
          html: imageDirectory({
            '50x.html': imageFile(encodeUtf8(PAGE_50X)),
            'index.html': imageFile(encodeUtf8(WELCOME)),
          }),
        }),
      },
      etc: {
        nginx: imageDirectory({
          'conf.d': imageDirectory({ 'default.conf': imageFile(DEFAULT_CONF) }),
          'nginx.conf': imageFile(MAIN_CONF),
        }),
      },
      varLog: {
        nginx: imageDirectory({ 'access.log': imageSymlink('/dev/stdout'), 'error.log': imageSymlink('/dev/stderr') }),
      },
      root: { 'docker-entrypoint.d': imageDirectory({}), 'docker-entrypoint.sh': imageProgram(entrypoint) },
      passwd: 'nginx:x:101:101:nginx user:/nonexistent:/bin/false\n',
      group: 'nginx:x:101:\n',
    }),
};
