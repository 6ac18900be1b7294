import { serveHttp } from '../os/serve.ts';
import { NetworkError } from '#network/network-error.ts';
import type { Program } from '../os/unix-process.ts';
import { busyboxFiles } from './common-files.ts';
import { DEFAULT_PATH, type ImageConfig } from './image.ts';

/**
 * What stands in for the program of an image that is not emulated: it runs until it is told to end, answers HTTP on
 * the ports that its container declares, and says in its log what it is.
 */
export const plainProcess: Program = async (self) => {
  const { system } = self;
  for (const signal of ['INT', 'TERM', 'QUIT'] as const) self.onSignal(signal, () => self.exit({ code: 0 }));
  const ports: number[] = [];
  for (const port of system.ports) {
    try {
      serveHttp(self, port, ({ path }) => ({
        status: 200,
        headers: { 'Content-Type': 'text/plain; charset=utf-8' },
        body: `${system.hostname}: the image ${system.image} is not emulated; a plain process answers GET ${path} with this text.\n`,
      }));
      ports.push(port);
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      await self.complain(`listen tcp :${port}: bind: ${error.message.toLowerCase()}\n`);
      return 1;
    }
  }
  const answers =
    ports.length > 0 ? ` and answers HTTP on ${ports.length === 1 ? 'port' : 'ports'} ${ports.join(', ')}` : '';
  await self.print(
    `The image ${system.image} is not emulated: this is a plain process that runs until it is stopped${answers}.\n`,
  );
  await self.process.park<void>(() => {});
  return 0;
};

/** Images that are not emulated: any command runs as {@link plainProcess}, except those of busybox, which are there. */
export const plainImage = {
  sizeBytes: 25_000_000,
  config: { cmd: ['/app'], env: [DEFAULT_PATH] } satisfies ImageConfig,
  files: () => busyboxFiles(),
  fallback: plainProcess,
};
