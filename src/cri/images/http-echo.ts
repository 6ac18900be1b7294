import { strftime } from '../os/strftime.ts';
import type { Program } from '../os/unix-process.ts';
import { bareFiles } from './common-files.ts';
import { goAnswer, goFlags, listenAndServe, log } from './go-server.ts';
import { DEFAULT_PATH, type ImageDefinition, releases } from './image.ts';

const VERSION = '1.0.0';

/** Follows hashicorp/http-echo 1.0: one text for every path, and /health. */
const httpEcho: Program = async (self) => {
  const parsed = goFlags(self.args.slice(1), ['listen', 'text', 'status-code'], ['version']);
  if (typeof parsed === 'string') {
    await self.complain(`${parsed}\nUsage of /http-echo:\n`);
    return 2;
  }
  const flag = (name: string) => parsed.flags.get(name)?.at(-1) ?? '';
  if (flag('version')) {
    await self.print(`http-echo v${VERSION}\n`);
    return 0;
  }
  const text = flag('text') || (self.env.get('ECHO_TEXT') ?? '');
  if (text === '' || parsed.rest.length > 0) {
    await self.complain(text === '' ? 'Missing -text option or ECHO_TEXT env var!\n' : 'Too many arguments!\n');
    return 127;
  }
  const listen = flag('listen') || ':5678';
  const port = Number(listen.split(':').at(-1));
  const status = Number(flag('status-code') || 200);
  for (const signal of ['INT', 'TERM'] as const)
    self.onSignal(signal, () => {
      self.process.spawn('http-echo ends', async () => {
        await log(self, '[INFO] received interrupt, shutting down...');
        self.exit({ code: 2 });
      });
    });
  await log(self, `[INFO] server is listening on ${listen}`);
  const serving = await listenAndServe(
    self,
    port,
    async ({ method, path, headers }, { remote }) => {
      const options = { headers: { 'X-App-Name': 'http-echo', 'X-App-Version': VERSION } };
      if (path === '/health') return goAnswer(self, '{"status":"ok"}\n', options);
      const time = strftime('%Y/%m/%d %H:%M:%S', self.process.clock.now());
      const agent = headers['user-agent'] ?? '';
      await self.print(
        `${time} ${headers.host ?? ''} ${remote.address}:${remote.port} "${method} ${path.split('?')[0]} HTTP/1.1" ${status} ${text.length + 1} "${agent}" 10.2µs\n`,
      );
      return goAnswer(self, `${text}\n`, { ...options, status });
    },
    (why) => log(self, `[ERR] server exited with: ${why}`),
  );
  if (!serving) return 1;
  await self.process.park<void>(() => {});
  return 0;
};

/** An echo server: one fixed text. */
export const httpEchoImage: ImageDefinition = {
  repository: 'docker.io/hashicorp/http-echo',
  hasTag: releases(['latest', 'alpine'], { '0.1': 0, '0.2': 3, '1.0': 0 }, /^$/),
  sizeBytes: 3_800_000,
  config: {
    entrypoint: ['/http-echo'],
    env: [
      DEFAULT_PATH,
      'SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt',
      'PRODUCT_NAME=http-echo',
      'ECHO_TEXT=hello-world',
    ],
    user: '65532',
    workingDir: '/home/nonroot',
  },
  files: () =>
    bareFiles(
      { 'http-echo': httpEcho },
      { passwd: 'nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n', group: 'nonroot:x:65532:\n' },
    ),
};
