import { imageDirectory, imageProgram } from '../os/file-node.ts';
import type { Program } from '../os/unix-process.ts';
import { DEFAULT_PATH, type ImageDefinition } from './image.ts';

/** Runs until it is told to end; says where the component really is. */
const standIn =
  (name: string): Program =>
  async (self) => {
    for (const signal of ['INT', 'TERM'] as const) self.onSignal(signal, () => self.exit({ code: 0 }));
    await self.print(`${name} is part of the simulator and runs outside of this container, which stands for it.\n`);
    await self.process.park<void>(() => {});
    return 0;
  };

function component(name: string, sizeBytes: number): ImageDefinition {
  return {
    repository: `registry.k8s.io/${name}`,
    hasTag: (tag) => /^v?\d+\.\d+\.\d+/.test(tag),
    sizeBytes,
    config: { entrypoint: [`/usr/local/bin/${name}`], env: [DEFAULT_PATH] },
    files: () =>
      imageDirectory({
        usr: imageDirectory({
          local: imageDirectory({ bin: imageDirectory({ [name]: imageProgram(standIn(name)) }) }),
        }),
      }),
  };
}

/** The components of the control plane as static Pods show them. */
export const controlPlane: readonly ImageDefinition[] = [
  component('etcd', 58_938_593),
  component('kube-apiserver', 30_075_899),
  component('kube-controller-manager', 27_646_507),
  component('kube-scheduler', 21_782_634),
];
