import { imageDirectory, imageProgram } from '../os/file-node.ts';
import type { Program } from '../os/unix-process.ts';
import { DEFAULT_PATH, type ImageDefinition, releases } from './image.ts';

/** Does nothing until it is told to end. */
const pauseProgram: Program = async (self) => {
  for (const signal of ['INT', 'TERM'] as const) {
    self.onSignal(signal, () => {
      self.process.spawn('pause ends', async () => {
        await self.print(`Shutting down, got signal: ${signal === 'INT' ? 'Interrupt' : 'Terminated'}\n`);
        self.exit({ code: 0 });
      });
    });
  }
  await self.process.park<void>(() => {});
  return 0;
};

/** The image of Pod sandboxes. */
export const pause: ImageDefinition = {
  repository: 'registry.k8s.io/pause',
  hasTag: releases(
    ['latest', 'go', 'test'],
    {
      '0.8': 0,
      '1.0': 0,
      '2.0': 0,
      '3.0': 0,
      '3.1': 0,
      '3.2': 0,
      '3.3': 0,
      '3.4': 1,
      '3.5': 0,
      '3.6': 0,
      '3.7': 0,
      '3.8': 0,
      '3.9': 0,
      '3.10': 1,
    },
    /^$/,
  ),
  sizeBytes: 320_448,
  config: { entrypoint: ['/pause'], env: [DEFAULT_PATH], user: '65535:65535', workingDir: '/' },
  files: () => imageDirectory({ pause: imageProgram(pauseProgram) }),
};
