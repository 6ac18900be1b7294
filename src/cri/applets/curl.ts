import { encodeBase64 } from '#base/base64.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import { HttpError, httpRequest, type ReceivedAnswer } from '#network/http.ts';
import type { Connection } from '#network/network.ts';
import { NetworkError } from '#network/network-error.ts';
import { lookUpHost } from '../os/resolve.ts';
import { parseIPv4 } from '#network/address.ts';
import { type Applet, attempt, type Invocation } from './applet.ts';
import { type HttpUrl, parseUrl, resolveLocation } from './url.ts';

const VERSION = '8.14.1';
const MAX_REDIRECTS = 50;
const MAX_RETRY_DELAY_MS = 600_000;
const HELP = "curl: try 'curl --help' or 'curl --manual' for more information\n";
/** What `--retry` takes for a passing trouble. */
const TRANSIENT = [408, 429, 500, 502, 503, 504];

/** curl, as far as people use it against a Service. */
export const curl: Applet = {
  name: 'curl',
  usage: '[options...] <url>',
  options: 'sSvfLIiko:OX:H:d:m:w:A:u:x:NG4g#T:b:c:r:t:zV1:2:3568:',
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
    'no-progress-meter': '6',
    'progress-bar': '#',
    ipv4: '4',
    globoff: 'g',
    version: 'V',
    retry: '1',
    'retry-delay': '2',
    'retry-connrefused': '3',
    'fail-with-body': '5',
    'http1.1': '4',
    url: '8',
  },
  async misused(self, problem) {
    const unknown = /^(?:unrecognized|invalid) option(?: --)? '(.*)'/.exec(problem)?.[1];
    const needy = /^option (?:'(.*)' requires|requires an argument -- '(.*)')/.exec(problem);
    const name = unknown ?? needy?.[1] ?? needy?.[2] ?? '';
    await self.complain(
      `curl: option ${name.length === 1 ? `-${name}` : name}: ${unknown === undefined ? 'requires parameter' : 'is unknown'}\n${HELP}`,
    );
    return 2;
  },
  async run(call) {
    const { self } = call;
    if (call.has('V')) {
      await self.print(`curl ${VERSION} (x86_64-pc-linux-gnu) libcurl/${VERSION}\nProtocols: http\nFeatures: IPv4\n`);
      return 0;
    }
    const urls = [...call.values('8'), ...call.operands];
    if (urls.length === 0) {
      await self.complain(HELP);
      return 2;
    }
    let status = 0;
    for (const option of ['x', 'T', 'b', 'c', 'r', 'z'])
      if (call.has(option)) return failed(call, 2, `option -${option} is not emulated here`);
    for (const url of urls) status = await withRetries(call, url);
    return status;
  },
};

async function failed(call: Invocation, code: number, text: string): Promise<number> {
  if (!call.has('s') || call.has('S')) await call.self.complain(`curl: (${code}) ${text}\n`);
  return code;
}

/** How one transfer went. */
interface Outcome {
  readonly code: number;
  /** What curl says of a code that is not 0. */
  readonly text?: string;
  readonly refused?: boolean;
  readonly status?: number;
}

async function withRetries(call: Invocation, target: string): Promise<number> {
  let left = Number(call.value('1') ?? 0);
  let delayMs = 1000;
  for (;;) {
    const outcome = await transfer(call, target);
    const { code, text, refused, status = 0 } = outcome;
    const trouble =
      code === 28
        ? 'timeout'
        : refused && call.has('3')
          ? 'connection refused'
          : TRANSIENT.includes(status)
            ? 'HTTP error'
            : undefined;
    if (trouble === undefined || left === 0) return text === undefined ? code : failed(call, code, text);
    if (text !== undefined) await failed(call, code, text);
    const fixed = Number(call.value('2') ?? 0) * 1000;
    const waitMs = fixed > 0 ? fixed : delayMs;
    if (!call.has('s'))
      await call.self.complain(
        `Warning: Problem: ${trouble}. Will retry in ${waitMs / 1000} second${waitMs === 1000 ? '' : 's'}. ${left} retr${left === 1 ? 'y' : 'ies'} left.\n`,
      );
    left--;
    await call.self.sleep(waitMs);
    delayMs = Math.min(delayMs * 2, MAX_RETRY_DELAY_MS);
  }
}

/** When things were done, ms from the start. */
interface Times {
  readonly lookUp: number;
  readonly connect: number;
}

interface Exchange {
  readonly answer: ReceivedAnswer;
  readonly address: string;
  readonly times: Times;
}

/** One URL, with the redirections that are followed. */
async function transfer(call: Invocation, operand: string): Promise<Outcome> {
  const { self } = call;
  const start = self.process.clock.now();
  let target = operand;
  let shownHeads = '';
  for (let redirects = 0; ; redirects++) {
    const url = parseUrl(target);
    if (!url) return { code: 3, text: 'URL rejected: Bad hostname' };
    if (url.scheme === 'https') return { code: 35, text: 'TLS is not emulated here: use http' };
    if (url.scheme !== 'http') return { code: 1, text: `Protocol "${url.scheme}" not supported` };
    const exchange = await ask(call, url, start);
    if ('code' in exchange) {
      await writeOut(call, { code: 0, url: target, redirects, start });
      return exchange;
    }
    const { answer } = exchange;
    const head = `HTTP/1.1 ${answer.status} ${answer.reason}\r\n${Object.entries(answer.headers)
      .map(([name, value]) => `${titled(name)}: ${value}\r\n`)
      .join('')}\r\n`;
    if (call.has('v')) await showAnswer(call, url, head, answer);
    if (call.has('I') || call.has('i')) shownHeads += head;
    const { location } = answer.headers;
    if (call.has('L') && answer.status >= 300 && answer.status < 400 && location !== undefined) {
      if (redirects === MAX_REDIRECTS) return { code: 47, text: `Maximum (${MAX_REDIRECTS}) redirects followed` };
      target = resolveLocation(url, location);
      continue;
    }
    const refused = answer.status >= 400 && (call.has('f') || call.has('5'));
    const body = refused && !call.has('5') ? new Uint8Array(0) : answer.body;
    if (!(await deliver(call, url, encodeUtf8(shownHeads), body))) return { code: 23 };
    await progress(call, body.length, self.process.clock.now() - start);
    await writeOut(call, { code: answer.status, url: target, redirects, start, exchange });
    return refused
      ? { code: 22, text: `The requested URL returned error: ${answer.status}`, status: answer.status }
      : { code: 0, status: answer.status };
  }
}

async function ask(call: Invocation, url: HttpUrl, start: number): Promise<Exchange | Outcome> {
  const { self } = call;
  const { clock } = self.process;
  const since = () => Math.round(clock.now() - start);
  const verbose = async (text: string) => {
    if (call.has('v')) await self.complain(text);
  };
  const limit = (option: string) =>
    call.has(option) ? start + Number(call.value(option)) * 1000 : Number.POSITIVE_INFINITY;
  const until = limit('m');
  const connectUntil = Math.min(until, limit('t'));
  const found = await lookUpHost(self, url.host);
  const lookUp = since();
  if (clock.now() >= connectUntil) return { code: 28, text: `Resolving timed out after ${lookUp} milliseconds` };
  if ('failure' in found) {
    await verbose(`* Could not resolve host: ${url.host}\n* shutting down connection #0\n`);
    return { code: 6, text: `Could not resolve host: ${url.host}` };
  }
  if (parseIPv4(url.host) === undefined)
    await verbose(
      `* Host ${url.host}:${url.port} was resolved.\n* IPv6: (none)\n* IPv4: ${found.addresses.join(', ')}\n`,
    );
  let connection: Connection | undefined;
  let address = '';
  let error: NetworkError | undefined;
  const { headers, method, path, body } = requestOf(call, url);
  for (address of found.addresses) {
    await verbose(`*   Trying ${address}:${url.port}...\n`);
    try {
      connection = await self.system.network.connect(
        self.process,
        { address, port: url.port },
        Number.isFinite(connectUntil) ? connectUntil - clock.now() : undefined,
        { method, path },
      );
      break;
    } catch (thrown) {
      if (!(thrown instanceof NetworkError)) throw thrown;
      error = thrown;
      await verbose(`* connect to ${address} port ${url.port} failed: ${thrown.message}\n`);
    }
  }
  if (!connection) {
    if (clock.now() >= connectUntil) return { code: 28, text: `Connection timed out after ${since()} milliseconds` };
    const why = error?.code === 'ETIMEDOUT' ? 'Connection timed out' : 'Could not connect to server';
    return {
      code: error?.code === 'ETIMEDOUT' ? 28 : 7,
      text: `Failed to connect to ${url.host} port ${url.port} after ${since()} ms: ${why}`,
      refused: error?.code === 'ECONNREFUSED',
    };
  }
  const times = { lookUp, connect: since() };
  await verbose(
    `* Connected to ${url.host} (${address}) port ${url.port}\n* using HTTP/1.x\n> ${method} ${path} HTTP/1.1\n${Object.entries(
      headers,
    )
      .map(([name, value]) => `> ${name}: ${value}\n`)
      .join(
        '',
      )}> \n${body ? `* upload completely sent off: ${body.length} bytes\n` : '* Request completely sent off\n'}`,
  );
  try {
    if (Number.isFinite(until)) connection.setDeadline(until - clock.now());
    const answer = await httpRequest(
      connection,
      { address, port: url.port },
      { method, path, headers, ...(body ? { body } : {}) },
    );
    return { answer, address, times };
  } catch (thrown) {
    if (thrown instanceof HttpError)
      return thrown.message === 'EOF'
        ? { code: 52, text: 'Empty reply from server' }
        : { code: 56, text: `Recv failure: ${thrown.message}` };
    if (!(thrown instanceof NetworkError)) throw thrown;
    return thrown.code === 'ETIMEDOUT'
      ? { code: 28, text: `Operation timed out after ${since()} milliseconds with 0 bytes received` }
      : { code: 56, text: `Recv failure: ${thrown.message}` };
  } finally {
    connection.close();
  }
}

function requestOf(call: Invocation, url: HttpUrl) {
  const data = call.has('d') ? call.values('d').join('&') : undefined;
  const posted = data !== undefined && !call.has('G');
  const headers = new Map([
    ['Host', url.port === 80 ? url.host : `${url.host}:${url.port}`],
    ['User-Agent', call.value('A') ?? `curl/${VERSION}`],
    ['Accept', '*/*'],
  ]);
  const user = call.value('u') ?? url.user;
  if (user !== undefined) headers.set('Authorization', `Basic ${encodeBase64(encodeUtf8(user))}`);
  if (posted) headers.set('Content-Type', 'application/x-www-form-urlencoded');
  for (const header of call.values('H')) {
    const colon = header.indexOf(':');
    const name = header.slice(0, colon).trim();
    for (const known of [...headers.keys()]) if (known.toLowerCase() === name.toLowerCase()) headers.delete(known);
    const value = header.slice(colon + 1).trim();
    if (value !== '') headers.set(name, value);
  }
  return {
    method: call.value('X') ?? (call.has('I') ? 'HEAD' : posted ? 'POST' : 'GET'),
    path:
      data !== undefined && !posted && data !== ''
        ? `${url.path}${url.path.includes('?') ? '&' : '?'}${data}`
        : url.path,
    headers: Object.fromEntries(headers),
    body: posted ? encodeUtf8(data) : undefined,
  };
}

async function showAnswer(call: Invocation, { host }: HttpUrl, head: string, answer: ReceivedAnswer): Promise<void> {
  const lines = head.split('\r\n').slice(0, -1);
  const data = answer.body.length > 0 && !call.self.file(1)?.tty ? `{ [${answer.body.length} bytes data]\n` : '';
  const end =
    answer.headers.connection?.toLowerCase() === 'close'
      ? '* shutting down connection #0\n'
      : `* Connection #0 to host ${host} left intact\n`;
  await call.self.complain(`${lines.map((line) => `< ${line}\n`).join('')}${data}${end}`);
}

/** Writes what came to where it is wanted. False after the complaint. */
async function deliver(call: Invocation, url: HttpUrl, head: Uint8Array, body: Uint8Array): Promise<boolean> {
  const { self } = call;
  const output = call.has('O') ? url.path.split('/').at(-1) : call.value('o');
  if (output === undefined || output === '-') {
    if (head.length > 0) await self.write(1, head);
    if (body.length > 0) await self.write(1, body);
    return true;
  }
  const all = new Uint8Array(head.length + body.length);
  all.set(head);
  all.set(body, head.length);
  return attempt(call, output, () => self.system.files.writeFile(output, all, self.cwd, self.user));
}

/** The meter that curl shows unless it is silent or writes to a terminal. */
async function progress(call: Invocation, bytes: number, ms: number): Promise<void> {
  const { self } = call;
  const toTerminal = self.file(1)?.tty && !call.has('o') && !call.has('O');
  if (call.has('s') || call.has('6') || call.has('#') || toTerminal) return;
  const speed = Math.round((bytes * 1000) / Math.max(1, ms));
  const row = (percent: number, size: number, rate: number) =>
    `\r${String(percent).padStart(3)} ${String(size).padStart(5)}  ${String(percent).padStart(3)} ${String(size).padStart(5)}    0     0  ${short(rate).padStart(5)}      0 --:--:-- --:--:-- --:--:-- ${short(rate).padStart(5)}`;
  await self.complain(
    `  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n                                 Dload  Upload   Total   Spent    Left  Speed\n${row(0, 0, 0)}${bytes > 0 ? row(100, bytes, speed) : ''}\n`,
  );
}

function short(amount: number): string {
  if (amount < 100_000) return String(amount);
  return amount < 10_240_000 ? `${Math.floor(amount / 1024)}k` : `${(amount / 1_048_576).toFixed(1)}M`;
}

interface Report {
  readonly code: number;
  readonly url: string;
  readonly redirects: number;
  readonly start: number;
  readonly exchange?: Exchange;
}

/** What `-w` asks for. */
async function writeOut(call: Invocation, { code, url, redirects, start, exchange }: Report): Promise<void> {
  const format = call.value('w');
  if (format === undefined) return;
  const { self } = call;
  const seconds = (ms: number) => (ms / 1000).toFixed(6);
  const total = self.process.clock.now() - start;
  const status = String(code).padStart(3, '0');
  const values: Readonly<Record<string, string>> = {
    http_code: status,
    response_code: status,
    size_download: String(exchange?.answer.body.length ?? 0),
    time_namelookup: seconds(exchange?.times.lookUp ?? 0),
    time_connect: seconds(exchange?.times.connect ?? 0),
    time_pretransfer: seconds(exchange?.times.connect ?? 0),
    time_starttransfer: seconds(exchange ? total : 0),
    time_total: seconds(total),
    remote_ip: exchange?.address ?? '',
    remote_port: String(parseUrl(url)?.port ?? 0),
    url_effective: /^[a-z]+:\/\//i.test(url) ? url : `http://${url}/`,
    content_type: exchange?.answer.headers['content-type'] ?? '',
    num_redirects: String(redirects),
    errormsg: '',
  };
  await self.print(
    format
      .replace(/%\{(\w+)\}/g, (whole, name: string) => (Object.hasOwn(values, name) ? (values[name] as string) : whole))
      .replace(/\\([nrt])/g, (_, letter: string) => ({ n: '\n', r: '\r', t: '\t' })[letter] as string),
  );
}

const SPELLED: Readonly<Record<string, string>> = { etag: 'ETag', 'www-authenticate': 'WWW-Authenticate' };

function titled(name: string): string {
  return SPELLED[name] ?? name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}
