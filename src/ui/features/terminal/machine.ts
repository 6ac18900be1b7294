import { Driver } from '#hosts/driver.ts';
import { browserWall } from '#hosts/worker/browser-wall.ts';
import type { OutsideCall } from '#terminal/outside-program.ts';
import { HOME, Terminal } from '#terminal/terminal.ts';
import { kubectlContext, pageFiles } from '../../session/kubectl-session.ts';
import { useSessions } from '../../session/session.ts';
import { useEditor } from '../editor/editor-store.ts';

const KUBECONFIG = `${HOME}/.kube/config`;
const MANIFEST = /\.(?:ya?ml|json)$/;
/** After output the machine's files are compared with the editor's, ms. */
const SYNC_MS = 150;

/** The machine behind the page's terminal. It outlives the cluster; its kubectl talks to the one that runs now. */
export class TerminalMachine {
  readonly terminal: Terminal;
  /** Where output goes; what comes before is kept. */
  #screen: ((bytes: Uint8Array) => void) | undefined;
  readonly #kept: Uint8Array[] = [];
  /** What the editor's files were when both sides agreed, by name. */
  readonly #agreed = new Map<string, string>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    const kubectl = (call: OutsideCall) => this.#kubectl(call);
    this.terminal = new Terminal({
      programs: { kubectl, k: kubectl },
      epoch: useSessions.getState().running?.clock.getState().state?.now ?? Date.now(),
      environment: { KUBECONFIG, USER: 'root' },
      onOutput: (bytes) => {
        if (this.#screen) this.#screen(bytes);
        else this.#kept.push(bytes);
        this.#timer ??= setTimeout(() => void this.#fromMachine(), SYNC_MS);
      },
    });
    new Driver(this.terminal.pump, browserWall());
    this.#fromEditor();
    useEditor.subscribe((state, before) => {
      if (state.files !== before.files) this.#fromEditor();
    });
  }

  /** Shows the machine on a screen; returns what takes it off. */
  attach(screen: (bytes: Uint8Array) => void): () => void {
    this.#screen = screen;
    for (const bytes of this.#kept.splice(0)) screen(bytes);
    return () => {
      this.#screen = undefined;
    };
  }

  async #kubectl(call: OutsideCall): Promise<number> {
    const { running } = useSessions.getState();
    if (!running) {
      call.stderr.write('The connection to the server was refused - is the cluster running?\n');
      return 1;
    }
    const { kubectl } = await import('#kubectl/kubectl.ts');
    const { args, ...world } = call;
    try {
      return await kubectl(args, kubectlContext(running, { ...world, files: this.terminal.files }));
    } finally {
      // The editor's Apply goes by the same current namespace.
      if (await this.terminal.files.stat(KUBECONFIG)) {
        await pageFiles.makeDirectory(`${HOME}/.kube`);
        await pageFiles.writeFile(KUBECONFIG, await this.terminal.files.readFile(KUBECONFIG));
      }
    }
  }

  /** Files of the editor are files of the home directory. */
  #fromEditor(): void {
    const names = new Set<string>();
    for (const { name, text } of useEditor.getState().files) {
      names.add(name);
      if (this.#agreed.get(name) === text) continue;
      this.terminal.writeFile(`${HOME}/${name}`, text);
      this.#agreed.set(name, text);
    }
    for (const name of [...this.#agreed.keys()]) {
      if (names.has(name)) continue;
      this.#agreed.delete(name);
      this.terminal.removeFile(`${HOME}/${name}`);
    }
  }

  /** Manifests that a command wrote into the home directory are files of the editor. */
  async #fromMachine(): Promise<void> {
    this.#timer = undefined;
    const { files } = this.terminal;
    const names = (await files.list(HOME)).filter((name) => MANIFEST.test(name));
    for (const name of names) {
      const stat = await files.stat(`${HOME}/${name}`);
      if (stat?.kind !== 'file') continue;
      const text = new TextDecoder().decode(await files.readFile(`${HOME}/${name}`));
      if (this.#agreed.get(name) === text) continue;
      this.#agreed.set(name, text);
      const { active, add, open } = useEditor.getState();
      add(name, text);
      // A file that a command writes does not take the editor away from what is being looked at.
      open(active);
    }
    for (const name of [...this.#agreed.keys()]) {
      if (names.includes(name)) continue;
      this.#agreed.delete(name);
      const gone = useEditor.getState().files.find((file) => file.name === name);
      if (gone) useEditor.getState().close(gone.id);
    }
  }
}
