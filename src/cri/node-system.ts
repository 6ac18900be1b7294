import type { Process } from '#base/pump.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import type { NetworkNamespace } from '#network/network.ts';
import { Container } from './container.ts';
import type { ExecOptions, Session, SessionOutput } from './contract.ts';
import { newFile } from './os/file-node.ts';
import type { Mount } from './os/file-system.ts';
import type { Registry } from './registry.ts';

export interface NodeSystemOptions {
  /** Ends with the machine's power. */
  readonly process: Process;
  readonly registry: Registry;
  readonly network: NetworkNamespace;
  readonly hostname: string;
  /** The content of /etc/hosts. */
  readonly hosts: string;
}

/**
 * The node itself as somebody who logs in sees it, in the node's own network. It shows nothing of the containers' files,
 * and forgets its own when the power goes.
 */
export class NodeSystem {
  readonly #container: Container;

  constructor({ process, registry, network, hostname, hosts }: NodeSystemOptions) {
    const now = process.clock.now();
    const file = (path: string, text: string): Mount => ({
      path,
      node: () => newFile({}, encodeUtf8(text), now),
      readOnly: false,
    });
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
        mounts: [file('/etc/hosts', hosts), file('/etc/hostname', `${hostname}\n`)],
        readOnlyRoot: false,
        stdin: false,
        stdinOnce: false,
        tty: false,
        ports: [],
        annotations: {},
      },
      image: registry.nodeImage(),
      hostname,
      network,
      process,
      fault: () => undefined,
      onExit: () => {},
    });
    this.#container.start();
  }

  /** Runs a command, which ends with its session. Throws CriError. */
  exec(options: ExecOptions, output: SessionOutput): Session {
    const { session, process } = this.#container.exec(options, output);
    return {
      ...session,
      hangUp() {
        session.hangUp();
        process.signal('HUP');
      },
    };
  }
}
