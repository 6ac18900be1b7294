import { latencyOf } from '#base/latency.ts';
import { Process, Pump } from '#base/pump.ts';
import { Rng } from '#base/rng.ts';
import { Tracer } from '#base/tracer.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import { appletFiles, applets } from '#cri/applets/applets.ts';
import { netApplets } from '#cri/applets/net.ts';
import { ContainerSystem } from '#cri/os/container-system.ts';
import { FileError as CriFileError } from '#cri/os/file-error.ts';
import { imageDevice, imageDirectory, imageFile, imageProgram } from '#cri/os/file-node.ts';
import { FileSystem as MachineFiles } from '#cri/os/file-system.ts';
import { Tty } from '#cri/os/tty.ts';
import type { OutsideCompleter } from '#cri/shell/sh.ts';
import { shellProgram } from '#cri/shell/sh.ts';
import { Network } from '#network/network.ts';
import { FileError, type FileSystem } from '#shell/file-system.ts';
import { type OutsideProgram, outsideProgram } from './outside-program.ts';

/** Where a user of the terminal is at home. */
export const HOME = '/root';

export interface TerminalOptions {
  /** Commands beside the shell's own: kubectl and its alias. */
  readonly programs: Readonly<Record<string, OutsideProgram>>;
  /** Completes the arguments of commands that it knows; undefined leaves it to the shell. */
  readonly complete?: OutsideCompleter;
  /** Virtual time at the start, ms since the epoch. */
  readonly epoch: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** Bytes for the screen. */
  readonly onOutput: (bytes: Uint8Array) => void;
}

/** Runs a command again and again, as procps' does, less its options. */
const WATCH = `#!/bin/sh
n=2
if [ "$1" = -n ]; then n=$2; shift 2; fi
if [ $# -eq 0 ]; then echo "Usage: watch [-n SECONDS] COMMAND" >&2; exit 1; fi
while true; do
  out=$("$@" 2>&1)
  clear
  printf 'Every %s.0s: %s\\n\\n%s\\n' "$n" "$*" "$out"
  sleep "$n"
done
`;

/**
 * The machine behind a terminal: the shell and the tools that containers have, files of its own, and programs from
 * outside, on a pump that its host drives by the wall. Pipes stream, jobs run in the background, ^C ends what runs.
 */
export class Terminal {
  readonly pump: Pump;
  /** The machine's files, for programs and for the host. */
  readonly files: FileSystem;
  readonly #options: TerminalOptions;
  readonly #root: Process;
  readonly #machineFiles: MachineFiles;
  readonly #network: Network;
  #tty: Tty | undefined;
  #columns = 80;
  #rows = 24;

  constructor(options: TerminalOptions) {
    this.#options = options;
    this.pump = new Pump({ epoch: options.epoch });
    const now = () => this.pump.now;
    this.#root = new Process('terminal', { pump: this.pump, rng: new Rng(1), tracer: new Tracer(now, 10_000) });
    const latency = latencyOf('none');
    this.#network = new Network(this.#root.child('network'), latency);
    this.#machineFiles = new MachineFiles(tree(options), now);
    this.files = outsideFiles(this.#machineFiles);
    this.#login(this.#network.createHost('terminal', '127.0.0.2'));
  }

  /** Bytes from the keyboard. */
  type(bytes: Uint8Array): void {
    this.#root.post('keys', () => this.#tty?.type(bytes));
  }

  resize(columns: number, rows: number): void {
    this.#columns = columns;
    this.#rows = rows;
    this.#root.post('resize', () => this.#tty?.resize(columns, rows));
  }

  /** Puts a file there for the user, such as what the editor holds. */
  writeFile(path: string, text: string): void {
    this.#machineFiles.writeFile(path, encodeUtf8(text));
  }

  removeFile(path: string): void {
    if (this.#machineFiles.exists(path)) this.#machineFiles.unlink(path);
  }

  #login(network: ReturnType<Network['createHost']>): void {
    const system = new ContainerSystem({
      process: this.#root.child('machine'),
      files: this.#machineFiles,
      network,
      hostname: 'tabernetes',
      ports: [],
      image: '',
      // Who leaves the shell gets a new one.
      onEnd: () => this.#root.post('login', () => this.#login(network)),
    });
    const tty = new Tty(this.#options.onOutput, (signal, group) => group && system.killGroup(group, signal));
    tty.columns = this.#columns;
    tty.rows = this.#rows;
    this.#tty = tty;
    const open = tty.open();
    system.start(shellProgram('ash', this.#options.complete), {
      args: ['sh', '-i'],
      env: new Map(
        Object.entries({
          PATH: '/usr/bin:/bin',
          HOME,
          TERM: 'xterm-256color',
          PS1: '\\w $ ',
          ...this.#options.environment,
        }),
      ),
      cwd: HOME,
      user: { uid: 0, gid: 0, groups: [0] },
      files: new Map([0, 1, 2].map((fd) => [fd, open])),
    });
  }
}

function tree({ programs }: TerminalOptions) {
  const shell = imageProgram(shellProgram('ash'));
  const local = applets.filter((applet) => !netApplets.includes(applet)).map(({ name }) => name);
  const outside = Object.entries(programs).map(
    ([name, program]) => [name, imageProgram(outsideProgram(program))] as const,
  );
  return imageDirectory({
    bin: imageDirectory({ ...appletFiles(local), sh: shell }),
    dev: imageDirectory({
      null: imageDevice('null'),
      tty: imageDevice('tty'),
      stdin: imageDevice('stdin'),
      stdout: imageDevice('stdout'),
      stderr: imageDevice('stderr'),
    }),
    etc: imageDirectory({ passwd: imageFile(encodeUtf8(`root:x:0:0:root:${HOME}:/bin/sh\n`)) }),
    root: imageDirectory({}),
    tmp: imageDirectory({}, 0o1777),
    usr: imageDirectory({
      bin: imageDirectory({ watch: imageFile(encodeUtf8(WATCH), 0o755), ...Object.fromEntries(outside) }),
    }),
  });
}

/** The machine's files as programs from outside see them. */
function outsideFiles(files: MachineFiles): FileSystem {
  const attempt = async <T>(path: string, run: () => T): Promise<T> => {
    try {
      return run();
    } catch (error) {
      if (
        error instanceof CriFileError &&
        ['ENOENT', 'EISDIR', 'ENOTDIR', 'ENOTEMPTY', 'EEXIST', 'EACCES'].includes(error.code)
      ) {
        throw new FileError(error.code as FileError['code'], path);
      }
      throw error;
    }
  };
  return {
    async stat(path) {
      if (!files.exists(path)) return undefined;
      const node = files.stat(path);
      return {
        kind: node.type === 'directory' ? 'directory' : 'file',
        size: node.type === 'file' ? node.size : 0,
        modified: node.mtime,
      };
    },
    readFile: (path) => attempt(path, () => files.readFile(path)),
    writeFile: (path, data) => attempt(path, () => files.writeFile(path, data)),
    list: (path) => attempt(path, () => [...files.list(path)].sort()),
    makeDirectory: (path) =>
      attempt(path, () => {
        const parts = path.split('/').filter(Boolean);
        for (let i = 1; i <= parts.length; i++) {
          const above = `/${parts.slice(0, i).join('/')}`;
          if (!files.exists(above)) files.mkdir(above);
        }
      }),
    remove: (path) =>
      attempt(path, () => (files.stat(path).type === 'directory' ? files.rmdir(path) : files.unlink(path))),
  };
}
