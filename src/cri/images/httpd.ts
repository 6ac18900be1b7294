import { decodeUtf8, encodeUtf8 } from '#base/utf8.ts';
import type { HttpAnswer, HttpMessage } from '#network/http.ts';
import type { Connection } from '#network/network.ts';
import { NetworkError } from '#network/network-error.ts';
import { strftime } from '../os/strftime.ts';
import { FileError } from '../os/file-error.ts';
import { imageDirectory, imageFile, imageProgram } from '../os/file-node.ts';
import { serveHttp } from '../os/serve.ts';
import type { Program, UnixProcess } from '../os/unix-process.ts';
import { debianFiles } from './common-files.ts';
import { execute } from './entrypoint.ts';
import { type ImageDefinition, releases } from './image.ts';
import { staticFile } from './static-files.ts';

const VERSION = '2.4.62';
const PREFIX = '/usr/local/apache2';
const ALLOW = 'GET,POST,OPTIONS,HEAD,TRACE';
const SIGNATURE = `Apache/${VERSION} (Unix)`;

const CONF = `ServerRoot "${PREFIX}"
Listen 80
User www-data
Group www-data
ServerAdmin you@example.com
DocumentRoot "${PREFIX}/htdocs"
<Directory "${PREFIX}/htdocs">
    Options Indexes FollowSymLinks
    AllowOverride None
    Require all granted
</Directory>
DirectoryIndex index.html
ErrorLog /proc/self/fd/2
LogLevel warn
CustomLog /proc/self/fd/1 common
`;
/** Directives that need no effect here, or have theirs. */
const KNOWN =
  /^(ServerRoot|Listen|User|Group|ServerAdmin|ServerName|DocumentRoot|Options|AllowOverride|Require|DirectoryIndex|ErrorLog|LogLevel|CustomLog|LogFormat|LoadModule|TypesConfig|AddType|EnableMMAP|EnableSendfile)\b/i;

/** What each error page says below its title. */
const ERRORS: Readonly<Record<number, readonly [string, string]>> = {
  301: ['Moved Permanently', ''],
  400: ['Bad Request', 'Your browser sent a request that this server could not understand.<br />'],
  403: ['Forbidden', "You don't have permission to access this resource."],
  404: ['Not Found', 'The requested URL was not found on this server.'],
  405: ['Method Not Allowed', ''],
};

/** The script that the image starts. */
const foreground: Program = (self) => execute(self, ['httpd', '-DFOREGROUND', ...self.args.slice(1)]);

const server: Program = async (self) => {
  const words = self.args.slice(1);
  if (words[0] === '-v' || words[0] === '-V') {
    await self.print(`Server version: ${SIGNATURE}\nServer built:   Jul 17 2024 18:38:09\n`);
    return 0;
  }
  const { port, root, name, unread } = readConfig(self);
  const noName = `AH00558: httpd: Could not reliably determine the server's fully qualified domain name, using ${self.system.network.address}. Set the 'ServerName' directive globally to suppress this message\n`;
  if (name === undefined) await self.complain(noName);
  if (words[0] === '-t') {
    await self.complain('Syntax OK\n');
    return 0;
  }
  try {
    serveHttp(self, port, (request, connection) => answer(self, root, request, connection));
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    await self.complain(
      `(98)Address already in use: AH00072: make_sock: could not bind to address 0.0.0.0:${port}\nno listening sockets available, shutting down\nAH00015: Unable to open logs\n`,
    );
    return 1;
  }
  const notice = (module: string, text: string) => {
    const now = self.process.clock.now();
    const micro = String(Math.floor(now % 1000)).padStart(3, '0');
    const time = strftime('%a %b %d %H:%M:%S', now);
    return `[${time}.${micro}000 ${strftime('%Y', now)}] [${module}:notice] [pid ${self.pid}:tid ${self.pid}] ${text}\n`;
  };
  const end = (text: string) => () => {
    self.process.spawn('httpd ends', async () => {
      await self.complain(notice('mpm_event', text));
      self.exit({ code: 0 });
    });
  };
  self.onSignal('WINCH', end('AH00492: caught SIGWINCH, shutting down gracefully'));
  for (const signal of ['TERM', 'INT'] as const) self.onSignal(signal, end('AH00491: caught SIGTERM, shutting down'));
  self.onSignal('USR1', () => {});
  self.onSignal('HUP', () => {});
  await self.complain(
    (name === undefined ? noName : '') +
      notice('mpm_event', `AH00489: ${SIGNATURE} configured -- resuming normal operations`) +
      notice('core', "AH00094: Command line: 'httpd -D FOREGROUND'") +
      (unread === undefined ? '' : notice('core', `not emulated: ${unread} has no effect here`)),
  );
  await self.process.park<void>(() => {});
  return 0;
};

function readConfig(self: UnixProcess) {
  let lines: readonly string[] = [];
  try {
    lines = decodeUtf8(self.system.files.readFile(`${PREFIX}/conf/httpd.conf`))
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('#') && !line.startsWith('<'));
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
  }
  const value = (directive: string) => {
    const line = lines.find((one) => one.toLowerCase().startsWith(`${directive.toLowerCase()} `));
    return line
      ?.slice(directive.length)
      .trim()
      .replace(/^"(.*)"$/, '$1');
  };
  return {
    port: Number(value('Listen')?.split(':').at(-1) ?? 80),
    root: value('DocumentRoot') ?? `${PREFIX}/htdocs`,
    name: value('ServerName'),
    unread: lines.find((line) => !KNOWN.test(line))?.split(/\s/)[0],
  };
}

/** Answers, and logs in the common format. */
async function answer(
  self: UnixProcess,
  root: string,
  request: HttpMessage,
  { remote }: Connection,
): Promise<HttpAnswer> {
  const now = self.process.clock.now();
  const { status, headers, body } = respond(self, root, request);
  const size = request.method === 'HEAD' || body.length === 0 ? '-' : body.length;
  await self.print(
    `${remote.address} - - [${strftime('%d/%b/%Y:%H:%M:%S %z', now)}] "${request.method} ${request.path} HTTP/1.1" ${status} ${size}\n`,
  );
  return {
    status,
    headers: { Date: strftime('%a, %d %b %Y %H:%M:%S GMT', now), Server: SIGNATURE, ...headers },
    body,
  };
}

interface Page {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

function respond(self: UnixProcess, root: string, { method, path, headers }: HttpMessage): Page {
  if (method === 'OPTIONS') return { status: 200, headers: { Allow: ALLOW }, body: encodeUtf8('') };
  if (!['GET', 'HEAD', 'POST'].includes(method))
    return errorPage(405, `The requested method ${method} is not allowed for this URL.`, { Allow: ALLOW });
  const found = staticFile(self, root, path);
  switch (found.kind) {
    case 'redirect': {
      const location = `http://${headers.host ?? 'localhost'}${found.location}`;
      return errorPage(301, `The document has moved <a href="${location}">here</a>.`, { Location: location });
    }
    case 'error':
      return errorPage(found.status);
    case 'listing': {
      const title = `Index of ${path.split('?')[0]?.replace(/(.)\/$/, '$1')}`;
      const items = found.names.map((name) => `<li><a href="${name}"> ${name}</a></li>\n`).join('');
      return {
        status: 200,
        headers: { 'Content-Type': 'text/html;charset=ISO-8859-1' },
        body: encodeUtf8(
          `<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n<html>\n <head>\n  <title>${title}</title>\n </head>\n <body>\n<h1>${title}</h1>\n<ul>${items}</ul>\n</body></html>\n`,
        ),
      };
    }
    default:
      return {
        status: 200,
        headers: {
          'Last-Modified': strftime('%a, %d %b %Y %H:%M:%S GMT', found.mtime),
          ETag: `"${found.body.length.toString(16)}-${Math.floor(found.mtime / 1000).toString(16)}"`,
          'Accept-Ranges': 'bytes',
          ...(found.type === undefined ? {} : { 'Content-Type': found.type }),
        },
        body: found.body,
      };
  }
}

function errorPage(status: number, text?: string, headers: Readonly<Record<string, string>> = {}): Page {
  const [title, reason] = ERRORS[status] as readonly [string, string];
  return {
    status,
    headers: { ...headers, 'Content-Type': 'text/html; charset=iso-8859-1' },
    body: encodeUtf8(
      `<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>${status} ${title}</title>\n</head><body>\n<h1>${title}</h1>\n<p>${text ?? reason}</p>\n</body></html>\n`,
    ),
  };
}

/** Apache: a web server that serves /usr/local/apache2/htdocs. */
export const httpd: ImageDefinition = {
  repository: 'docker.io/library/httpd',
  hasTag: releases(['latest'], { '2.2': 34, '2.4': 65 }, /^(-(alpine|alpine3\.\d\d|bookworm|bullseye|trixie))+$/),
  sizeBytes: 45_188_000,
  config: {
    cmd: ['httpd-foreground'],
    env: [
      `PATH=${PREFIX}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
      `HTTPD_PREFIX=${PREFIX}`,
      `HTTPD_VERSION=${VERSION}`,
      'HTTPD_PATCHES=',
    ],
    workingDir: PREFIX,
    stopSignal: 'WINCH',
  },
  files: () =>
    debianFiles({
      usrLocalBin: { 'httpd-foreground': imageProgram(foreground) },
      usrLocal: {
        apache2: imageDirectory({
          bin: imageDirectory({ httpd: imageProgram(server) }),
          conf: imageDirectory({ 'httpd.conf': imageFile(encodeUtf8(CONF)) }),
          htdocs: imageDirectory({
            'index.html': imageFile(encodeUtf8('<html><body><h1>It works!</h1></body></html>\n')),
          }),
          logs: imageDirectory({}),
        }),
      },
    }),
};
