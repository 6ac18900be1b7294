import type { Process } from '#base/pump.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import type { NetworkNamespace } from '#network/network.ts';
import { Container } from './container.ts';
import type { ExecOptions, Session, SessionOutput } from './contract.ts';
import { appletFiles } from './applets/applets.ts';
import { debianFiles } from './images/common-files.ts';
import { DEFAULT_PATH } from './images/image.ts';
import { imageFile, imageProgram } from './os/file-node.ts';
import type { Program } from './os/unix-process.ts';
import type { Image } from './registry.ts';

export interface NodeSystemOptions {
  /** Ends with the machine's power. */
  readonly process: Process;
  readonly network: NetworkNamespace;
  readonly hostname: string;
  /** Lines of /etc/hosts: which nodes there are. */
  readonly hosts: string;
}

/** What runs first on a node; it has nothing to do here. */
const init: Program = async (self) => {
  await self.process.park<void>(() => {});
  return 0;
};

/**
 * The node itself as somebody who logs in sees it: a plain Debian with busybox's tools, in the node's own network. It
 * shows nothing of the containers' files, and forgets its own when the power goes.
 */
export class NodeSystem {
  readonly #container: Container;

  constructor({ process, network, hostname, hosts }: NodeSystemOptions) {
    const root = debianFiles({
      usrBin: appletFiles(),
      usrSbin: { init: imageProgram(init) },
      etc: { hosts: imageFile(encodeUtf8(hosts)), hostname: imageFile(encodeUtf8(`${hostname}\n`)) },
    });
    const image: Image = {
      id: '',
      name: 'node',
      repoDigest: '',
      sizeBytes: 0,
      config: { cmd: ['/sbin/init'], env: [DEFAULT_PATH, 'PS1=\\u@\\h:\\w\\$ ', 'USER=root'], workingDir: '/root' },
      root,
      emulated: true,
    };
    this.#container = new Container({
      id: '',
      sandboxId: '',
      config: {
        name: 'node',
        attempt: 0,
        image: 'node',
        command: [],
        args: [],
        env: [],
        mounts: [],
        readOnlyRoot: false,
        stdin: false,
        stdinOnce: false,
        tty: false,
        ports: [],
        annotations: {},
      },
      image,
      hostname,
      network,
      process,
      fault: () => undefined,
      onExit: () => {},
    });
    this.#container.start();
  }

  /** Runs a command. Throws CriError. */
  exec(options: ExecOptions, output: SessionOutput): Session {
    return this.#container.exec(options, output).session;
  }
}
