import { appletProgram } from '../applets/applet.ts';
import { appletFiles } from '../applets/applets.ts';
import { curl } from '../applets/curl.ts';
import { imageProgram } from '../os/file-node.ts';
import type { Program } from '../os/unix-process.ts';
import { debianFiles } from './common-files.ts';
import { DEFAULT_PATH, type ImageDefinition } from './image.ts';

/** What runs first on a node; it has nothing to do here. */
const init: Program = async (self) => {
  await self.process.park<void>(() => {});
  return 0;
};

/** The system of a node itself: a plain Debian with the tools of busybox, and curl. */
export const nodeImage: Pick<ImageDefinition, 'config' | 'files'> = {
  config: { cmd: ['/sbin/init'], env: [DEFAULT_PATH, 'PS1=\\u@\\h:\\w\\$ ', 'USER=root'], workingDir: '/root' },
  files: () =>
    debianFiles({
      usrBin: { ...appletFiles(), curl: imageProgram(appletProgram(curl)) },
      usrSbin: { init: imageProgram(init) },
    }),
};
