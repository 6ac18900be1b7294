import { decodeUtf8, encodeUtf8 } from '#base/utf8.ts';
import { type HttpAnswer, type HttpMessage, REASONS } from '#network/http.ts';
import type { Connection } from '#network/network.ts';
import { NetworkError } from '#network/network-error.ts';
import { appletProgram } from '../applets/applet.ts';
import { strftime } from '../os/strftime.ts';
import { curl } from '../applets/curl.ts';
import { ExecError } from '../os/container-system.ts';
import { FileError } from '../os/file-error.ts';
import { imageDirectory, imageFile, imageProgram, imageSymlink } from '../os/file-node.ts';
import { KERNEL_VERSION } from '../os/kernel.ts';
import { serveHttp } from '../os/serve.ts';
import type { Program, UnixProcess } from '../os/unix-process.ts';
import { debianFiles } from './common-files.ts';
import { type ImageDefinition, releases } from './image.ts';
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
  if (args[0] === '-t') {
    await self.complain(
      'nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\nnginx: configuration file /etc/nginx/nginx.conf test is successful\n',
    );
    return 0;
  }
  const { config, unread } = readConfig(self);
  const notices = (lines: readonly string[]) => {
    const head = `${strftime('%Y/%m/%d %H:%M:%S', process.clock.now())} [notice] ${self.pid}#${self.pid}: `;
    return lines.map((line) => `${head}${line}\n`).join('');
  };
  for (const port of config.ports) {
    try {
      serveHttp(self, port, (request, connection) => answer(self, config, request, connection));
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      const time = strftime('%Y/%m/%d %H:%M:%S', process.clock.now());
      const failure = `bind() to 0.0.0.0:${port} failed (98: Address already in use)`;
      await self.complain(`${time} [emerg] ${self.pid}#${self.pid}: ${failure}\nnginx: [emerg] ${failure}\n`);
      return 1;
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
    ...(unread === undefined ? [] : [`not emulated: ${unread} of ${CONFIG} has no effect here`]),
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

interface ServerConfig {
  readonly ports: readonly number[];
  readonly root: string;
  /** Fixed answers by exact path or prefix: `return 200 "text"`. */
  readonly returns: readonly {
    readonly path: string;
    readonly exact: boolean;
    readonly status: number;
    readonly text: string;
  }[];
}

/** The few directives that are emulated: listen, root, and return in locations. The rest is named, not obeyed. */
function readConfig(self: UnixProcess): { readonly config: ServerConfig; readonly unread?: string } {
  let text: string;
  try {
    const bytes = self.system.files.readFile(CONFIG);
    if (bytes === DEFAULT_CONF) return { config: { ports: [80], root: ROOT, returns: [] } };
    text = decodeUtf8(bytes);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    return { config: { ports: [], root: ROOT, returns: [] } };
  }
  const bare = text.replace(/#.*$/gm, '');
  const ports = [...bare.matchAll(/^\s*listen\s+(?:[\d.*]+:)?(\d+)[^;]*;/gm)].map((match) => Number(match[1]));
  const root = /^\s*root\s+(\S+?)\s*;/m.exec(bare)?.[1] ?? ROOT;
  const returns = [...bare.matchAll(/location\s+(=\s*)?(\/\S*)\s*\{([^}]*)\}/g)].flatMap(
    ([, exact, path = '', body = '']) => {
      const found = /return\s+(\d{3})(?:\s+(?:"((?:\\.|[^"\\])*)"|'([^']*)'|([^\s;]+)))?\s*;/.exec(body);
      const content = found?.[2] ?? found?.[3] ?? found?.[4] ?? '';
      return found
        ? [
            {
              path,
              exact: exact !== undefined,
              status: Number(found[1]),
              text: content.replace(/\\n/g, '\n').replace(/\\(.)/g, '$1'),
            },
          ]
        : [];
    },
  );
  const known =
    /^(listen|server_name|root|index|return|location|server|error_page|default_type|add_header|access_log|error_log|charset)\b/;
  const unread = bare
    .split(/[;{}\n]/)
    .map((line) => line.trim())
    .find((line) => line !== '' && !known.test(line));
  return {
    config: { ports: [...new Set(ports.length > 0 ? ports : [80])], root, returns },
    ...(unread ? { unread: unread.split(/\s/)[0] } : {}),
  };
}

async function answer(
  self: UnixProcess,
  config: ServerConfig,
  request: HttpMessage,
  connection: Connection,
): Promise<HttpAnswer> {
  const now = self.process.clock.now();
  const result = respond(self, config, request);
  const length = typeof result.body === 'string' ? encodeUtf8(result.body).length : (result.body?.length ?? 0);
  const { headers } = request;
  const quoted = (value: string | undefined) => `"${value ?? '-'}"`;
  const line = `${connection.remote.address} - - [${strftime('%d/%b/%Y:%H:%M:%S %z', now)}] "${request.method} ${request.path} HTTP/1.1" ${result.status} ${request.method === 'HEAD' ? 0 : length} ${quoted(headers.referer)} ${quoted(headers['user-agent'])} ${quoted(headers['x-forwarded-for'])}\n`;
  if (result.status === 404) {
    const path = request.path.split('?')[0];
    await self.complain(
      `${strftime('%Y/%m/%d %H:%M:%S', now)} [error] 29#29: *1 open() "${config.root}${path}" failed (2: No such file or directory), client: ${connection.remote.address}, server: localhost, request: "${request.method} ${request.path} HTTP/1.1", host: "${headers.host ?? ''}"\n`,
    );
  }
  await self.print(line);
  return {
    ...result,
    headers: { Server: `nginx/${VERSION}`, Date: strftime('%a, %d %b %Y %H:%M:%S GMT', now), ...result.headers },
  };
}

function respond(self: UnixProcess, config: ServerConfig, { method, path, headers }: HttpMessage): HttpAnswer {
  const [wanted = '/'] = path.split('?');
  let decoded: string;
  try {
    decoded = decodeURIComponent(wanted);
  } catch {
    return errorPage(400);
  }
  const fixed =
    config.returns.find((one) => one.exact && one.path === decoded) ??
    config.returns
      .filter((one) => !one.exact && decoded.startsWith(one.path))
      .sort((a, b) => b.path.length - a.path.length)[0];
  if (fixed) {
    if (fixed.status >= 300 && fixed.status < 400)
      return { ...errorPage(fixed.status), headers: { Location: fixed.text } };
    return fixed.text === '' && fixed.status !== 200
      ? errorPage(fixed.status)
      : { status: fixed.status, headers: { 'Content-Type': 'application/octet-stream' }, body: fixed.text };
  }
  if (method !== 'GET' && method !== 'HEAD') return errorPage(405);
  const found = staticFile(self, config.root, path);
  switch (found.kind) {
    case 'redirect':
      return { ...errorPage(301), headers: { Location: `http://${headers.host ?? 'localhost'}${found.location}` } };
    case 'listing':
      return errorPage(403);
    case 'error':
      return errorPage(found.status);
    default:
      return {
        status: 200,
        headers: {
          'Content-Type': found.type ?? 'application/octet-stream',
          'Last-Modified': strftime('%a, %d %b %Y %H:%M:%S GMT', found.mtime),
          ETag: `"${Math.floor(found.mtime / 1000).toString(16)}-${found.body.length.toString(16)}"`,
          'Accept-Ranges': 'bytes',
        },
        body: found.body,
      };
  }
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
          'nginx.conf': imageFile(
            encodeUtf8(
              'user  nginx;\nworker_processes  auto;\n\nerror_log  /var/log/nginx/error.log notice;\npid        /run/nginx.pid;\n\nevents {\n    worker_connections  1024;\n}\n\nhttp {\n    include       /etc/nginx/mime.types;\n    default_type  application/octet-stream;\n    access_log  /var/log/nginx/access.log  main;\n    sendfile        on;\n    keepalive_timeout  65;\n    include /etc/nginx/conf.d/*.conf;\n}\n',
            ),
          ),
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
