import { encodeUtf8 } from '#base/utf8.ts';
import { HttpError, httpExchange, type ReceivedAnswer } from '#network/http.ts';
import type { Connection, Endpoint } from '#network/network.ts';
import { NetworkError } from '#network/network-error.ts';
import { resolveHost } from '../os/resolve.ts';
import { answerLate } from '../os/serve.ts';
import { ExitRequest, type UnixProcess } from '../os/unix-process.ts';
import { type Applet, attempt, type Invocation, usageError } from './applet.ts';
import { parseUrl, resolveLocation } from './url.ts';

const MAX_REDIRECTS = 10;
const FOREVER_MS = 86_400_000;

const wget: Applet = {
  name: 'wget',
  usage:
    '[-cqS] [--spider] [-O FILE] [-o LOGFILE] [--header STR]\n\t[--post-data STR | --post-file FILE] [-Y on/off]\n\t[-P DIR] [-U AGENT] [-T SEC] URL...',
  options: 'cqSO:o:P:U:T:Y:t:h:p:s',
  long: {
    spider: 's',
    header: 'h',
    'post-data': 'p',
    timeout: 'T',
    quiet: 'q',
    'output-document': 'O',
    'no-check-certificate': 'c',
    'server-response': 'S',
    tries: 't',
    'user-agent': 'U',
  },
  async run(call) {
    const { self } = call;
    if (call.operands.length === 0) return usageError(call, wget);
    const say = async (text: string) => {
      if (!call.has('q')) await self.complain(text);
    };
    for (const operand of call.operands) {
      let target = operand;
      for (let redirects = 0; ; redirects++) {
        const url = parseUrl(target);
        if (!url || !['http', 'https'].includes(url.scheme)) {
          await call.fail(`not an http or ftp url: ${target}`);
          return 1;
        }
        if (url.scheme === 'https') {
          await call.fail('TLS is not emulated here: use http');
          return 1;
        }
        const address = await resolveHost(self, url.host);
        if (address === undefined) {
          await call.fail(`bad address '${url.host}'`);
          return 1;
        }
        await say(`Connecting to ${url.host}${url.port === 80 ? '' : `:${url.port}`} (${address}:${url.port})\n`);
        const headers: [string, string][] = [
          ['Host', url.port === 80 ? url.host : `${url.host}:${url.port}`],
          ['User-Agent', call.value('U') ?? 'Wget'],
        ];
        for (const header of call.values('h'))
          headers.push([header.slice(0, header.indexOf(':')).trim(), header.slice(header.indexOf(':') + 1).trim()]);
        const post = call.value('p');
        if (post !== undefined) headers.push(['Content-Type', 'application/x-www-form-urlencoded']);
        let answer: ReceivedAnswer;
        try {
          const timeoutMs = call.has('T') ? Number(call.value('T')) * 1000 : undefined;
          answer = await httpExchange(
            self.process,
            self.system.network,
            { address, port: url.port },
            {
              method: call.has('s') ? 'HEAD' : post === undefined ? 'GET' : 'POST',
              path: url.path,
              headers: Object.fromEntries(headers),
              ...(post === undefined ? {} : { body: encodeUtf8(post) }),
            },
            timeoutMs,
          );
        } catch (error) {
          if (error instanceof NetworkError)
            await call.fail(
              error.code === 'ETIMEDOUT' && call.has('T')
                ? 'download timed out'
                : error.code === 'ECONNRESET'
                  ? 'error getting response'
                  : `can't connect to remote host (${address}): ${error.message}`,
            );
          else if (error instanceof HttpError) await call.fail('error getting response');
          else throw error;
          return 1;
        }
        if (call.has('S'))
          await self.complain(
            `  HTTP/1.1 ${answer.status} ${answer.reason}\n${Object.entries(answer.headers)
              .map(([name, value]) => `  ${name}: ${value}\n`)
              .join('')}`,
          );
        const { location } = answer.headers;
        if (answer.status >= 300 && answer.status < 400 && location !== undefined && redirects < MAX_REDIRECTS) {
          target = resolveLocation(url, location);
          continue;
        }
        if (answer.status < 200 || answer.status >= 300) {
          await call.fail(`server returned error: HTTP/1.1 ${answer.status} ${answer.reason}`);
          return 1;
        }
        if (call.has('s')) {
          await say('remote file exists\n');
          break;
        }
        const output = call.value('O') ?? (url.path.split('?')[0]?.split('/').at(-1) || 'index.html');
        if (output === '-') {
          await say('writing to stdout\n');
          await self.write(1, answer.body);
          await say(
            `-                    100% |********************************| ${String(answer.body.length).padStart(5)}  0:00:00 ETA\nwritten to stdout\n`,
          );
          break;
        }
        const path = call.value('P') === undefined ? output : `${call.value('P')}/${output}`;
        if (call.value('O') === undefined && self.system.files.exists(path, self.cwd, self.user)) {
          await call.fail(`can't open '${path}': File exists`);
          return 1;
        }
        await say(`saving to '${path}'\n`);
        if (
          !(await attempt(call, `can't open '${path}'`, () =>
            self.system.files.writeFile(path, answer.body, self.cwd, self.user),
          ))
        )
          return 1;
        await say(
          `${path.padEnd(20).slice(0, 20)} 100% |********************************| ${String(answer.body.length).padStart(5)}  0:00:00 ETA\n'${path}' saved\n`,
        );
        break;
      }
    }
    return 0;
  },
};

const nc: Applet = {
  name: 'nc',
  usage: '[OPTIONS] HOST PORT  - connect\nnc [OPTIONS] -l -p PORT  - listen',
  options: 'lp:w:znvuki:e:',
  async run(call) {
    const { self } = call;
    if (call.has('e') || (call.has('u') && call.has('l'))) {
      await call.fail(`option -${call.has('e') ? 'e' : 'u with -l'} is not emulated here`);
      return 1;
    }
    if (call.has('l')) {
      const port = Number(call.value('p') ?? call.operands.at(-1));
      let first: Connection | undefined;
      let wake: (() => void) | undefined;
      let release: (() => void) | undefined;
      const listener = self.system.network.listen(self.process, port, async (connection) => {
        if (first) return;
        first = connection;
        wake?.();
        await self.process.park<void>((done) => {
          release = done;
        });
      });
      do {
        first = undefined;
        while (!first) {
          await self.process.park<void>((ready) => {
            wake = ready;
          });
        }
        await relay(self, first, true);
        (release as (() => void) | undefined)?.();
      } while (call.has('k'));
      listener.close();
      return 0;
    }
    const [host, port] = call.operands;
    if (host === undefined || port === undefined) return usageError(call, nc);
    const address = await resolveHost(self, host);
    if (address === undefined) {
      await call.fail(`bad address '${host}'`);
      return 1;
    }
    const timeoutMs = call.has('w') ? Number(call.value('w')) * 1000 : undefined;
    if (call.has('u')) return exchangeDatagrams(call, { address, port: Number(port) }, timeoutMs);
    let connection: Connection;
    try {
      connection = await self.system.network.connect(self.process, { address, port: Number(port) }, timeoutMs);
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      const text = error.code === 'ETIMEDOUT' && timeoutMs !== undefined ? 'timed out' : error.message;
      if (call.has('v') || !call.has('z')) await call.fail(`${host} (${address}:${port}): ${text}`);
      return 1;
    }
    if (call.has('v')) await self.complain(`${host} (${address}:${port}) open\n`);
    if (!call.has('z')) await relay(self, connection);
    connection.close();
    return 0;
  },
};

/** Each piece of standard input is a datagram; what answers it is printed. Without -w it waits for ever, as nc does. */
async function exchangeDatagrams(call: Invocation, to: Endpoint, timeoutMs = FOREVER_MS): Promise<number> {
  const { self } = call;
  try {
    for (let bytes = await self.read(0); bytes; bytes = await self.read(0)) {
      const answer = await self.system.network.askDatagram(self.process, to, bytes, timeoutMs);
      if (answer) await self.write(1, answer);
    }
    return 0;
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    await call.fail(error.message);
    return 1;
  }
}

/** Standard input to the connection and back, until the other side ends. */
async function relay(self: UnixProcess, connection: Connection, serving = false): Promise<void> {
  self.process.spawn('nc reads standard input', async () => {
    try {
      for (let bytes = await self.read(0); bytes; bytes = await self.read(0)) {
        if (serving) await answerLate(self);
        await connection.write(bytes);
      }
      connection.end();
    } catch (error) {
      if (!(error instanceof ExitRequest)) throw error;
    }
  });
  // What can be read already is sent before the other side's end can end this one.
  await self.sleep(0);
  try {
    for (let bytes = await connection.read(); bytes; bytes = await connection.read()) await self.write(1, bytes);
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
  }
}

const ping: Applet = {
  name: 'ping',
  usage: '[OPTIONS] HOST',
  options: 'c:i:w:W:qs:t:4nA',
  async run(call) {
    const { self } = call;
    const [host] = call.operands;
    if (host === undefined) return usageError(call, ping);
    const address = await resolveHost(self, host);
    if (address === undefined) {
      await call.fail(`bad address '${host}'`);
      return 1;
    }
    const count = Number(call.value('c') ?? Number.POSITIVE_INFINITY);
    const everyMs = Number(call.value('i') ?? 1) * 1000;
    const trips: number[] = [];
    let sent = 0;
    const summary = () => {
      const loss = sent === 0 ? 0 : Math.round(((sent - trips.length) / sent) * 100);
      const stats =
        trips.length === 0
          ? ''
          : `round-trip min/avg/max = ${Math.min(...trips).toFixed(3)}/${(trips.reduce((a, b) => a + b, 0) / trips.length).toFixed(3)}/${Math.max(...trips).toFixed(3)} ms\n`;
      return `\n--- ${host} ping statistics ---\n${sent} packets transmitted, ${trips.length} packets received, ${loss}% packet loss\n${stats}`;
    };
    self.onSignal('INT', () => {
      self.process.spawn('ping ends', async () => {
        await self.print(summary());
        self.exit({ code: trips.length > 0 ? 0 : 1 });
      });
    });
    await self.print(`PING ${host} (${address}): 56 data bytes\n`);
    const deadline = call.has('w')
      ? self.process.clock.now() + Number(call.value('w')) * 1000
      : Number.POSITIVE_INFINITY;
    while (sent < count && self.process.clock.now() < deadline) {
      const began = self.process.clock.now();
      const trip = await self.system.network.network.echo(
        self.process,
        self.system.network,
        address,
        Number(call.value('W') ?? 10) * 1000,
      );
      if (trip !== undefined) {
        trips.push(trip);
        if (!call.has('q'))
          await self.print(
            `64 bytes from ${address}: seq=${sent} ttl=${self.system.network.owns(address) ? 64 : 63} time=${trip.toFixed(3)} ms\n`,
          );
      }
      sent++;
      const left = everyMs - (self.process.clock.now() - began);
      if (sent < count && left > 0) await self.sleep(left);
    }
    await self.print(summary());
    return trips.length > 0 ? 0 : 1;
  },
};

const ip: Applet = {
  name: 'ip',
  usage: '{ address | route } [show]',
  raw: true,
  async run(call) {
    const [object = ''] = call.operands.filter((word) => !word.startsWith('-'));
    const { interfaces } = call.self.system.network;
    if ('route'.startsWith(object) && object !== '') {
      const [, second] = interfaces;
      if (second) {
        const gateway = second.address.replace(/\d+$/, '1');
        await call.self.print(
          `default via ${gateway} dev ${second.name} \n${second.address.replace(/\d+$/, '0')}/${second.prefix} dev ${second.name} scope link  src ${second.address} \n`,
        );
      }
      return 0;
    }
    if (!'address'.startsWith(object) || object === '') {
      await call.fail(`'${object}' is not emulated here: address and route are`);
      return 1;
    }
    for (const [i, { name, address, prefix }] of interfaces.entries()) {
      const flags = name === 'lo' ? 'LOOPBACK,UP,LOWER_UP' : 'BROADCAST,MULTICAST,UP,LOWER_UP';
      await call.self.print(
        `${i + 1}: ${name}: <${flags}> mtu ${name === 'lo' ? 65536 : 1500} qdisc noqueue qlen 1000\n    inet ${address}/${prefix} scope ${name === 'lo' ? 'host lo' : `global ${name}`}\n       valid_lft forever preferred_lft forever\n`,
      );
    }
    return 0;
  },
};

const netstat: Applet = {
  name: 'netstat',
  usage: '[-ral] [-tuwx] [-en]',
  options: 'raltuwxenp',
  async run(call) {
    await call.self.print(
      'Active Internet connections (only servers)\nProto Recv-Q Send-Q Local Address           Foreign Address         State       \n',
    );
    const { network } = call.self.system;
    const both = call.has('t') === call.has('u');
    const row = (protocol: string, { address, port }: Endpoint, state: string) =>
      call.self.print(
        `${protocol}        0      0 ${`${address}:${port}`.padEnd(23)} ${'0.0.0.0:*'.padEnd(23)} ${state.padEnd(11)} \n`,
      );
    if (both || call.has('t')) for (const listener of network.listening) await row('tcp', listener, 'LISTEN');
    if (both || call.has('u')) for (const listener of network.listeningDatagrams) await row('udp', listener, '');
    return 0;
  },
};

/** Applets that use the network. */
export const netApplets: readonly Applet[] = [ip, nc, netstat, ping, wget];
