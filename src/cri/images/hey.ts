import { encodeUtf8 } from '#base/utf8.ts';
import { HttpError, httpExchange } from '#network/http.ts';
import { NetworkError } from '#network/network-error.ts';
import { parseUrl } from '../applets/url.ts';
import { FileError } from '../os/file-error.ts';
import { lookUpHost, resolverConfig } from '../os/resolve.ts';
import type { Program, UnixProcess } from '../os/unix-process.ts';
import { bareFiles } from './common-files.ts';
import { goDurationMs, goFlags } from './go-server.ts';
import { DEFAULT_PATH, type ImageDefinition } from './image.ts';

const USAGE = `Usage: hey [options...] <url>

  -n requests (200)   -c workers (50)   -q requests per second and worker   -z duration, as 10s
  -m method   -H header   -d body   -D file of the body   -T content type   -A accept   -U user agent
  -t seconds to wait for an answer (20)   -host Host header   -o csv
`;
const BAR = '■';

interface Result {
  readonly status: number;
  readonly bytes: number;
  /** Seconds. */
  readonly total: number;
  readonly lookUp: number;
  readonly offset: number;
}

/** Follows rakyll/hey 0.1.4; each request is a connection of its own. */
const hey: Program = async (self) => {
  const known = ['n', 'c', 'q', 'z', 'o', 'm', 'H', 't', 'A', 'd', 'D', 'T', 'U', 'host', 'cpus'];
  const switches = ['h2', 'disable-compression', 'disable-keepalive', 'disable-redirects'];
  const parsed = goFlags(self.args.slice(1), known, switches);
  const usage = async (problem: string) => {
    await self.complain(`${problem === '' ? '' : `${problem}\n\n`}${USAGE}\n`);
    return 1;
  };
  if (typeof parsed === 'string') {
    await usage(parsed);
    return 2;
  }
  const flag = (name: string, otherwise = '') => parsed.flags.get(name)?.at(-1) ?? otherwise;
  const [target] = parsed.rest;
  if (target === undefined) return usage('');
  const durationMs = flag('z') === '' ? undefined : goDurationMs(flag('z'));
  const workers = Number(flag('c', '50'));
  const requests = durationMs === undefined ? Number(flag('n', '200')) : Number.POSITIVE_INFINITY;
  if (flag('z') !== '' && durationMs === undefined)
    return usage(`invalid value "${flag('z')}" for flag -z: parse error`);
  if (!(workers >= 1)) return usage('-c cannot be smaller than 1.');
  if (!(requests >= 1)) return usage('-n and -c cannot be smaller than 1.');
  if (requests < workers) return usage('-n cannot be less than -c.');
  const url = parseUrl(target);
  if (url?.scheme !== 'http' || flag('h2') !== '') {
    await self.complain('TLS and HTTP/2 are not emulated here: use http\n');
    return 1;
  }
  let body = encodeUtf8(flag('d')) as Uint8Array;
  if (flag('D') !== '') {
    try {
      body = self.system.files.readFile(flag('D'), self.cwd, self.user);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await self.complain(`open ${flag('D')}: ${error.message.toLowerCase()}\n`);
      return 1;
    }
  }
  const headers = new Map([
    ['Host', flag('host') || (url.port === 80 ? url.host : `${url.host}:${url.port}`)],
    ['User-Agent', `${flag('U') === '' ? '' : `${flag('U')} `}hey/0.0.1`],
    ['Content-Type', flag('T', 'text/html')],
  ]);
  if (flag('A') !== '') headers.set('Accept', flag('A'));
  for (const header of parsed.flags.get('H') ?? []) {
    const match = /^([\w-]+):\s*(.+)/.exec(header);
    if (!match) return usage(`could not parse the provided input; input = ${header}`);
    headers.set(match[1] as string, match[2] as string);
  }
  const load = new Load(self, {
    url,
    method: flag('m', 'GET').toUpperCase(),
    headers: Object.fromEntries(headers),
    body,
    timeoutMs: Number(flag('t', '20')) * 1000 || undefined,
    intervalMs: flag('q') === '' ? 0 : 1000 / Number(flag('q')),
  });
  self.onSignal('INT', () => load.stop());
  await load.run(workers, Math.floor(requests / workers), durationMs);
  await self.print(flag('o') === 'csv' ? load.csv() : load.summary());
  return 0;
};

interface Work {
  readonly url: { readonly host: string; readonly port: number; readonly path: string };
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly timeoutMs: number | undefined;
  readonly intervalMs: number;
}

class Load {
  readonly #self: UnixProcess;
  readonly #work: Work;
  readonly #results: Result[] = [];
  readonly #errors = new Map<string, number>();
  #start = 0;
  #seconds = 0;
  #stopped = false;

  constructor(self: UnixProcess, work: Work) {
    this.#self = self;
    this.#work = work;
  }

  /** Lets the workers end after the requests that they are at. */
  stop(): void {
    this.#stopped = true;
  }

  async run(workers: number, each: number, durationMs: number | undefined): Promise<void> {
    const { process } = this.#self;
    this.#start = process.clock.now();
    if (durationMs !== undefined) process.clock.afterFunc(durationMs, 'hey stops', () => this.stop());
    const handles = Array.from({ length: workers }, (_, i) =>
      process.spawn(`hey ${i + 1}`, async () => {
        let tick = 1;
        for (let n = 0; n < each && !this.#stopped; n++) {
          // A ticker that keeps one tick for a worker who is late.
          const { intervalMs } = this.#work;
          if (intervalMs > 0) {
            const wait = this.#start + Math.max(tick, Math.floor(this.#elapsed / intervalMs)) * intervalMs;
            tick = Math.max(tick, Math.floor(this.#elapsed / intervalMs)) + 1;
            if (wait > process.clock.now()) await this.#self.sleep(wait - process.clock.now());
          }
          const pause = this.#self.system.work();
          if (pause) await pause;
          await this.#request();
        }
      }),
    );
    for (const handle of handles) await handle.join();
    this.#seconds = (process.clock.now() - this.#start) / 1000;
  }

  get #elapsed(): number {
    return this.#self.process.clock.now() - this.#start;
  }

  async #request(): Promise<void> {
    const self = this.#self;
    const { url, method, headers, body, timeoutMs } = this.#work;
    const { clock } = self.process;
    const began = clock.now();
    const where = `${method[0]}${method.slice(1).toLowerCase()} "http://${headers.Host}${url.path}"`;
    const fail = (why: string) => {
      const text = `${where}: ${why}`;
      this.#errors.set(text, (this.#errors.get(text) ?? 0) + 1);
    };
    const found = await lookUpHost(self, url.host);
    const lookUp = (clock.now() - began) / 1000;
    if ('failure' in found) {
      const [server = ''] = resolverConfig(self).servers;
      const why = found.failure === 'unknown' ? 'no such host' : 'i/o timeout';
      fail(`dial tcp: lookup ${url.host} on ${server}:53: ${why}`);
      return;
    }
    const [address] = found.addresses;
    try {
      const { status, body: received } = await httpExchange(
        self.process,
        self.system.network,
        { address, port: url.port },
        { method, path: url.path, headers, body },
        timeoutMs,
      );
      const total = (clock.now() - began) / 1000;
      const offset = (began - this.#start) / 1000;
      this.#results.push({ status, bytes: received.length, total, lookUp, offset });
    } catch (error) {
      if (error instanceof HttpError) fail(error.message);
      else if (!(error instanceof NetworkError)) throw error;
      else if (error.code === 'ETIMEDOUT')
        fail('context deadline exceeded (Client.Timeout exceeded while awaiting headers)');
      else if (error.code === 'ECONNRESET') fail('read: connection reset by peer');
      else fail(`dial tcp ${address}:${url.port}: connect: ${error.message.toLowerCase()}`);
    }
  }

  csv(): string {
    const rows = this.#results.map(({ total, lookUp, status, offset }) => {
      const columns = [total, lookUp, lookUp, 0, total - lookUp, 0].map((value) => value.toFixed(4));
      return `\n${columns.join(',')},${status},${offset.toFixed(4)}`;
    });
    return `response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read,status-code,offset${rows.join('')}\n`;
  }

  summary(): string {
    const failed = [...this.#errors.values()].reduce((sum, count) => sum + count, 0);
    const count = this.#results.length;
    const times = this.#results.map(({ total }) => total).sort((a, b) => a - b);
    const lookUps = this.#results.map(({ lookUp }) => lookUp).sort((a, b) => a - b);
    const waits = this.#results.map(({ total, lookUp }) => total - lookUp).sort((a, b) => a - b);
    const bytes = this.#results.reduce((sum, result) => sum + result.bytes, 0);
    const row = (name: string, values: readonly number[]) =>
      `  ${name}:\t${[mean(values), values[0] ?? 0, values.at(-1) ?? 0].map((value) => `${number(value)} secs`).join(', ')}\n`;
    const statuses = new Map<number, number>();
    for (const { status } of this.#results) statuses.set(status, (statuses.get(status) ?? 0) + 1);
    const zero = times.map(() => 0);
    return [
      '\nSummary:\n',
      `  Total:\t${number(this.#seconds)} secs\n`,
      `  Slowest:\t${number(times.at(-1) ?? 0)} secs\n`,
      `  Fastest:\t${number(times[0] ?? 0)} secs\n`,
      `  Average:\t${number(mean(times))} secs\n`,
      `  Requests/sec:\t${number((count + failed) / this.#seconds)}\n`,
      `  ${bytes > 0 ? `\n  Total data:\t${bytes} bytes\n  Size/request:\t${Math.floor(bytes / count)} bytes` : ''}\n`,
      `\nResponse time histogram:\n${histogram(times)}\n`,
      `\nLatency distribution:${distribution(times)}\n`,
      '\nDetails (average, fastest, slowest):\n',
      row('DNS+dialup', lookUps),
      row('DNS-lookup', lookUps),
      row('req write', zero),
      row('resp wait', waits),
      row('resp read', zero),
      `\nStatus code distribution:${[...statuses]
        .sort(([a], [b]) => a - b)
        .map(([status, times]) => `\n  [${status}]\t${times} responses`)
        .join('')}\n\n`,
      failed > 0
        ? `Error distribution:${[...this.#errors]
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([text, times]) => `\n  [${times}]\t${text}`)
            .join('')}`
        : '',
      '\n\n',
    ].join('');
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** As Go's %4.4f. */
function number(value: number): string {
  if (Number.isNaN(value)) return ' NaN';
  return Number.isFinite(value) ? value.toFixed(4) : '+Inf';
}

function histogram(times: readonly number[]): string {
  const fastest = times[0];
  if (fastest === undefined) return '';
  const slowest = times.at(-1) as number;
  const marks = Array.from({ length: 11 }, (_, i) => (i === 10 ? slowest : fastest + ((slowest - fastest) / 10) * i));
  const counts = marks.map(() => 0);
  let bucket = 0;
  for (const time of times) {
    while (bucket < 10 && time > (marks[bucket] as number)) bucket++;
    counts[bucket] = (counts[bucket] as number) + 1;
  }
  const most = Math.max(...counts);
  return marks
    .map((mark, i) => {
      const count = counts[i] as number;
      return `  ${mark.toFixed(3)} [${count}]\t|${BAR.repeat(Math.floor((count * 40 + most / 2) / most))}\n`;
    })
    .join('');
}

function distribution(times: readonly number[]): string {
  const percentages = [10, 25, 50, 75, 90, 95, 99];
  const found = percentages.map(() => 0);
  let next = 0;
  for (let i = 0; i < times.length && next < percentages.length; i++) {
    if (Math.floor((i * 100) / times.length) >= (percentages[next] as number)) found[next++] = times[i] as number;
  }
  return percentages
    .map((percentage, i) => `\n  ${(found[i] as number) > 0 ? percentage : 0}% in ${number(found[i] as number)} secs`)
    .join('');
}

const image = (repository: string): ImageDefinition => ({
  repository: `docker.io/${repository}`,
  hasTag: (tag) => tag === 'latest',
  sizeBytes: 3_600_000,
  config: { entrypoint: ['/hey'], env: [DEFAULT_PATH] },
  files: () => bareFiles({ hey }),
});

/** A generator of load, under the names by which people know it. */
export const heyImages: readonly ImageDefinition[] = [image('rakyll/hey'), image('williamyeh/hey')];
