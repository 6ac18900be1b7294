import { encodeBase64 } from '#base/base64.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import { HttpError, httpExchange, type ReceivedAnswer } from '#network/http.ts';
import { NetworkError } from '#network/network-error.ts';
import { resolveHost } from '../os/resolve.ts';
import { type Applet, attempt, type Invocation } from './applet.ts';
import { parseUrl, resolveLocation } from './url.ts';

const MAX_REDIRECTS = 10;

/** curl, as far as people use it against a Service. */
export const curl: Applet = {
  name: 'curl',
  usage: '[options...] <url>',
  options: 'sSvfLIiko:OX:H:d:m:w:A:u:x:NG4g#T:b:c:r:t:z',
  long: {
    silent: 's',
    'show-error': 'S',
    verbose: 'v',
    fail: 'f',
    location: 'L',
    head: 'I',
    include: 'i',
    insecure: 'k',
    output: 'o',
    request: 'X',
    header: 'H',
    data: 'd',
    'data-raw': 'd',
    'max-time': 'm',
    'write-out': 'w',
    'user-agent': 'A',
    user: 'u',
    'connect-timeout': 't',
    'no-buffer': 'N',
    get: 'G',
    'remote-name': 'O',
    'no-progress-meter': 's',
  },
  async run(call) {
    const { self } = call;
    const complain = async (code: number, text: string): Promise<number> => {
      if (!call.has('s') || call.has('S')) await self.complain(`curl: (${code}) ${text}\n`);
      return code;
    };
    if (call.operands.length === 0) {
      await self.complain("curl: try 'curl --help' or 'curl --manual' for more information\n");
      return 2;
    }
    for (const option of ['x', 'T', 'b', 'c', 'r', 'z'])
      if (call.has(option)) return complain(2, `option -${option} is not emulated here`);
    let status = 0;
    for (const operand of call.operands) status = await transfer(call, operand, complain);
    return status;
  },
};

async function transfer(
  call: Invocation,
  operand: string,
  complain: (code: number, text: string) => Promise<number>,
): Promise<number> {
  const { self } = call;
  const start = self.process.clock.now();
  let target = operand;
  const data = call.values('d').join('&');
  for (let redirects = 0; ; redirects++) {
    const url = parseUrl(target);
    if (!url) return complain(3, 'URL rejected: Bad URL');
    if (url.scheme === 'https') return complain(35, 'TLS is not emulated here: use http');
    if (url.scheme !== 'http') return complain(1, `Protocol "${url.scheme}" not supported`);
    const address = await resolveHost(self, url.host);
    if (address === undefined) return complain(6, `Could not resolve host: ${url.host}`);
    const headers: [string, string][] = [
      ['Host', url.port === 80 ? url.host : `${url.host}:${url.port}`],
      ['User-Agent', call.value('A') ?? 'curl/8.14.1'],
      ['Accept', '*/*'],
    ];
    const user = call.value('u') ?? url.user;
    if (user !== undefined) headers.push(['Authorization', `Basic ${encodeBase64(encodeUtf8(user))}`]);
    if (call.has('d') && !call.has('G')) headers.push(['Content-Type', 'application/x-www-form-urlencoded']);
    for (const header of call.values('H')) {
      const colon = header.indexOf(':');
      const name = header.slice(0, colon).trim();
      const at = headers.findIndex(([known]) => known.toLowerCase() === name.toLowerCase());
      if (at >= 0) headers.splice(at, 1);
      headers.push([name, header.slice(colon + 1).trim()]);
    }
    const method = call.value('X') ?? (call.has('I') ? 'HEAD' : call.has('d') && !call.has('G') ? 'POST' : 'GET');
    const path = call.has('G') && data !== '' ? `${url.path}${url.path.includes('?') ? '&' : '?'}${data}` : url.path;
    if (call.has('v')) await self.complain(`*   Trying ${address}:${url.port}...\n`);
    let answer: ReceivedAnswer;
    const limit = call.value('m') ?? call.value('t');
    try {
      answer = await httpExchange(
        self.process,
        self.system.network,
        { address, port: url.port },
        {
          method,
          path,
          headers: Object.fromEntries(headers),
          ...(call.has('d') && !call.has('G') ? { body: encodeUtf8(data) } : {}),
        },
        limit === undefined ? undefined : Number(limit) * 1000,
      );
    } catch (error) {
      const ms = Math.round(self.process.clock.now() - start);
      if (error instanceof HttpError)
        return complain(
          error.message === 'EOF' ? 52 : 56,
          error.message === 'EOF' ? 'Empty reply from server' : `Recv failure: ${error.message}`,
        );
      if (!(error instanceof NetworkError)) throw error;
      if (error.code === 'ECONNRESET') return complain(56, 'Recv failure: Connection reset by peer');
      if (error.code === 'ETIMEDOUT' && limit !== undefined)
        return complain(
          28,
          call.has('m')
            ? `Operation timed out after ${ms} milliseconds with 0 bytes received`
            : `Connection timed out after ${ms} milliseconds`,
        );
      return complain(
        error.code === 'ETIMEDOUT' ? 28 : 7,
        `Failed to connect to ${url.host} port ${url.port} after ${ms} ms: ${error.code === 'ETIMEDOUT' ? 'Connection timed out' : 'Could not connect to server'}`,
      );
    }
    const shown = `HTTP/1.1 ${answer.status} ${answer.reason}\r\n${Object.entries(answer.headers)
      .map(([name, value]) => `${titled(name)}: ${value}\r\n`)
      .join('')}\r\n`;
    if (call.has('v')) {
      await self.complain(
        `* Connected to ${url.host} (${address}) port ${url.port}\n> ${method} ${path} HTTP/1.1\n${headers.map(([name, value]) => `> ${name}: ${value}\n`).join('')}> \n${shown
          .split('\r\n')
          .slice(0, -1)
          .map((line) => `< ${line}\n`)
          .join('')}`,
      );
    }
    const { location } = answer.headers;
    if (
      call.has('L') &&
      answer.status >= 300 &&
      answer.status < 400 &&
      location !== undefined &&
      redirects < MAX_REDIRECTS
    ) {
      target = resolveLocation(url, location);
      continue;
    }
    if (call.has('f') && answer.status >= 400)
      return complain(22, `The requested URL returned error: ${answer.status}`);
    const output = call.has('O') ? url.path.split('/').at(-1) : call.value('o');
    const head = call.has('I') || call.has('i') ? encodeUtf8(shown) : new Uint8Array(0);
    if (output === undefined || output === '-') {
      await self.write(1, head);
      await self.write(1, answer.body);
    } else {
      const all = new Uint8Array(head.length + answer.body.length);
      all.set(head);
      all.set(answer.body, head.length);
      if (!(await attempt(call, output, () => self.system.files.writeFile(output, all, self.cwd, self.user))))
        return 23;
    }
    const format = call.value('w');
    if (format !== undefined) {
      const values: Readonly<Record<string, string>> = {
        http_code: String(answer.status).padStart(3, '0'),
        response_code: String(answer.status).padStart(3, '0'),
        size_download: String(answer.body.length),
        time_total: ((self.process.clock.now() - start) / 1000).toFixed(6),
        remote_ip: address,
        remote_port: String(url.port),
        url_effective: target,
        content_type: answer.headers['content-type'] ?? '',
        num_redirects: String(redirects),
      };
      await self.print(
        format
          .replace(/%\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole)
          .replace(/\\([nrt])/g, (_, letter: string) => ({ n: '\n', r: '\r', t: '\t' })[letter] as string),
      );
    }
    return 0;
  }
}

function titled(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}
