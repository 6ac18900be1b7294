import { NetworkError } from '#network/network-error.ts';
import { appletProgram } from '../applets/applet.ts';
import { curl } from '../applets/curl.ts';
import { strftime } from '../os/strftime.ts';
import { imageProgram } from '../os/file-node.ts';
import { lookUpHost } from '../os/resolve.ts';
import { answerLate } from '../os/serve.ts';
import type { Program, UnixProcess } from '../os/unix-process.ts';
import { alpineFiles } from './alpine.ts';
import { canonicalHeader, goAnswer, goDurationMs, goFlags, listenAndServe, log, splitPath } from './go-server.ts';
import { DEFAULT_PATH, type ImageDefinition } from './image.ts';

const VERSION = '2.53';
const UNKNOWN_FLAG = (why: string) => why.replace('flag provided but not defined: -', 'unknown flag: --');

/** Follows test/images/agnhost, v1.33: its subcommands netexec, serve-hostname, connect and pause. */
const agnhost: Program = async (self) => {
  const [, name = '', ...words] = self.args;
  const command = COMMANDS[name];
  if (name === '--version') {
    await self.print(`agnhost version ${VERSION}\n`);
    return 0;
  }
  if (command) return command(self, words);
  await self.complain(
    `agnhost: the subcommand "${name}" is not emulated: ${Object.keys(COMMANDS).sort().join(', ')} are\n`,
  );
  return 1;
};

type Command = (self: UnixProcess, words: readonly string[]) => Promise<number>;

/** Flags by name with their defaults, or undefined after the complaint. */
async function flagsOf<Name extends string>(
  self: UnixProcess,
  words: readonly string[],
  defaults: Readonly<Record<Name, string>>,
  booleans: readonly string[] = [],
): Promise<{ readonly values: Readonly<Record<Name, string>>; readonly rest: readonly string[] } | undefined> {
  const parsed = goFlags(words, Object.keys(defaults), booleans);
  if (typeof parsed === 'string') {
    await self.complain(`Error: ${UNKNOWN_FLAG(parsed)}\n`);
    return undefined;
  }
  const values = Object.fromEntries([...parsed.flags].map(([key, all]) => [key, all.at(-1) as string]));
  return { values: { ...defaults, ...values }, rest: parsed.rest };
}

const netexec: Command = async (self, words) => {
  const flags = await flagsOf(self, words, {
    'http-port': '8080',
    'udp-port': '8081',
    'sctp-port': '-1',
    'http-override': '',
    'udp-listen-addresses': '',
    'delay-shutdown': '0',
  });
  if (!flags) return 1;
  const { values } = flags;
  const { clock } = self.process;
  let ending = false;
  self.onSignal('TERM', () => {
    if (ending) return;
    ending = true;
    self.process.spawn('netexec ends', async () => {
      const seconds = Number(values['delay-shutdown']);
      if (seconds > 0) {
        await log(self, `Sleeping ${seconds} seconds before terminating...`);
        await self.sleep(seconds * 1000);
      }
      self.exit({ code: 0 });
    });
  });
  self.onSignal('INT', () => self.exit({ code: 2 }));
  const udpPort = Number(values['udp-port']);
  if (udpPort !== -1) {
    try {
      self.system.network.listenDatagram(self.process, udpPort, async (payload, from) => {
        const text = String.fromCharCode(...payload).trim();
        await log(self, `Got command: ${text}`);
        await answerLate(self);
        const answer = udpAnswer(self, text, `${from.address}:${from.port}`);
        return Uint8Array.from(answer, (letter) => letter.charCodeAt(0));
      });
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      await log(self, `listen udp :${udpPort}: bind: ${error.message.toLowerCase()}`);
      return 1;
    }
    await log(self, `Started UDP server on port ${udpPort}`);
  }
  const port = Number(values['http-port']);
  await log(self, `Started HTTP server on port ${port}`);
  const serving = await listenAndServe(self, port, async ({ path: target, headers }, { remote }) => {
    const { path, query } = splitPath(values['http-override'] || target);
    switch (path) {
      case '/clientip':
        await log(self, 'GET /clientip');
        return goAnswer(self, `${remote.address}:${remote.port}`);
      case '/echo': {
        await log(self, `GET /echo?msg=${query('msg')}&code=${query('code')}`);
        const code = query('code') === '' ? 200 : Number(query('code'));
        return Number.isInteger(code)
          ? goAnswer(self, query('msg'), { status: code })
          : goAnswer(self, `argument 'code' must be an integer or empty, got "${query('code')}"\n`);
      }
      case '/exit': {
        await log(self, `GET /exit?code=${query('code')}&timeout=${query('timeout')}&wait=${query('wait')}`);
        const waitMs = goDurationMs(query('wait') || '0');
        if (waitMs === undefined)
          return goAnswer(self, `argument 'wait' must be a valid golang duration or empty, got "${query('wait')}"\n`);
        await self.sleep(waitMs);
        self.exit({ code: Number(query('code') || 0) & 255 });
        break;
      }
      case '/header': {
        const key = query('key');
        await log(self, key === '' ? 'GET /header' : `GET /header?key=${key}`);
        const { host: _, ...others } = headers;
        const all = Object.entries(others).map(([name, value]): [string, string[]] => [canonicalHeader(name), [value]]);
        return goAnswer(
          self,
          key === ''
            ? JSON.stringify(Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1))))
            : (headers[key.toLowerCase()] ?? ''),
        );
      }
      case '/healthz':
        await log(self, 'GET /healthz');
        return goAnswer(self, '', { status: udpPort === -1 ? 412 : 200 });
      case '/readyz':
        await log(self, 'GET /readyz');
        if (ending) return goAnswer(self, 'shutting down', { status: 503 });
        return udpPort === -1 ? goAnswer(self, '', { status: 412 }) : goAnswer(self, 'ok');
      case '/hostname':
      case '/hostName':
        await log(self, 'GET /hostname');
        return goAnswer(self, self.system.hostname);
      case '/redirect':
        await log(self, `GET /redirect?location=${query('location')}&code=${query('code')}`);
        return goAnswer(self, '', { status: Number(query('code') || 302), headers: { Location: query('location') } });
      case '/shutdown':
        await log(self, 'GET /shutdown');
        self.exit({ code: 0 });
        break;
      case '/dial':
      case '/shell':
      case '/upload':
        return goAnswer(self, `${path} is not emulated in this cluster\n`, { status: 501 });
    }
    await log(self, 'GET /');
    const now = clock.now();
    return goAnswer(
      self,
      `NOW: ${strftime('%Y-%m-%d %H:%M:%S', now)} +0000 UTC m=+${((now - self.startedAt) / 1000).toFixed(9)}`,
    );
  });
  if (!serving) return 1;
  await self.process.park<void>(() => {});
  return 0;
};

function udpAnswer(self: UnixProcess, text: string, from: string): string {
  const [command = '', ...rest] = text.split(' ');
  if (command.toLowerCase() === 'hostname') return self.system.hostname;
  if (command === 'echo') return rest.join(' ');
  return command === 'clientip' ? from : '';
}

const serveHostname: Command = async (self, words) => {
  const flags = await flagsOf(self, words, { port: '9376' }, ['tcp', 'udp', 'http', 'close']);
  if (!flags) return 1;
  if (words.some((word) => /^--?(tcp|udp)(=true)?$/.test(word))) {
    await log(self, 'serve-hostname is emulated with --http only');
    return 1;
  }
  const port = Number(flags.values.port);
  self.onSignal('TERM', () => {
    self.process.spawn('serve-hostname ends', async () => {
      await log(self, 'Shutting down after receiving signal: terminated.');
      await log(self, 'Awaiting pod deletion.');
      await self.sleep(60_000);
      self.exit({ code: 0 });
    });
  });
  const serving = await listenAndServe(self, port, async (_, { remote }) => {
    await log(self, `HTTP request from ${remote.address}:${remote.port}`);
    return goAnswer(self, self.system.hostname);
  });
  if (!serving) return 1;
  await log(self, `Serving on port ${port}.`);
  await self.process.park<void>(() => {});
  return 0;
};

const connect: Command = async (self, words) => {
  const line = words.join(' ');
  const timeoutMs = goDurationMs(/--timeout[= ](\S+)/.exec(line)?.[1] ?? '') || undefined;
  const [host = '', port = ''] = line
    .replace(/--\w+=\S+|--\w+ \S+/g, '')
    .trim()
    .split(':');
  const found = await lookUpHost(self, host);
  if ('failure' in found) {
    await self.complain('DNS: address not found\n');
    return 1;
  }
  try {
    const { network } = self.system;
    (await network.connect(self.process, { address: found.addresses[0], port: Number(port) }, timeoutMs)).close();
    return 0;
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    const known: Readonly<Record<string, string>> = { ETIMEDOUT: 'TIMEOUT', ECONNREFUSED: 'REFUSED' };
    await self.complain(`${known[error.code] ?? `OTHER: ${error.message.toLowerCase()}`}\n`);
    return 1;
  }
};

const pause: Command = async (self) => {
  await self.print('Paused\n');
  self.onSignal('INT', () => self.exit({ code: 1 }));
  self.onSignal('TERM', () => self.exit({ code: 2 }));
  await self.process.park<void>(() => {});
  return 0;
};

const COMMANDS: Readonly<Record<string, Command>> = Object.assign(Object.create(null), {
  connect,
  netexec,
  pause,
  'serve-hostname': serveHostname,
});

/** Kubernetes' own image for tests. */
export const agnhostImage: ImageDefinition = {
  repository: 'registry.k8s.io/e2e-test-images/agnhost',
  hasTag: (tag) => /^2\.\d{1,2}(\.\d)?$/.test(tag) && Number(tag.split('.')[1]) <= 59,
  sizeBytes: 51_800_000,
  config: { entrypoint: ['/agnhost'], cmd: ['pause'], env: [DEFAULT_PATH] },
  files: () =>
    alpineFiles({
      usrBin: { curl: imageProgram(appletProgram(curl)) },
      root: { agnhost: imageProgram(agnhost) },
    }),
};
