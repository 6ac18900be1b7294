import type { Process } from '#base/pump.ts';
import type { NetworkNamespace } from '#network/network.ts';
import { FileError } from './file-error.ts';
import type { PodFault } from '../contract.ts';
import type { FileNode } from './file-node.ts';
import { type FileSystem, type FileUser, isExecutable } from './file-system.ts';
import type { OpenFile } from './open-file.ts';
import type { Signal } from './signals.ts';
import type { Tty } from './tty.ts';
import { ExitRequest, type ExitStatus, type Program, UnixProcess } from './unix-process.ts';

/** How much a container does at one instant before virtual time goes on: about as many commands, reads and writes. */
const WORK_PER_SLICE = 2_000;
/** For how long it then waits: longer and longer while it does nothing but work. */
const SLICE_MS = { first: 10, longest: 200 };
const MAX_SCRIPT_DEPTH = 5;
const MAX_PROCESSES = 4_096;

/** Something could not be executed; the message is Go's, as runc reports it, without the leading `exec: "name": `. */
export class ExecError extends Error {
  override readonly name = 'ExecError';
  readonly code: 'not-found' | 'no-such-file' | 'permission' | 'format';

  constructor(code: ExecError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** What a container is given when it starts. */
export interface ContainerSystemOptions {
  /** Ends with the container; its processes are children of it. */
  readonly process: Process;
  readonly files: FileSystem;
  readonly network: NetworkNamespace;
  readonly hostname: string;
  /** TCP ports that the container declares. */
  readonly ports: readonly number[];
  /** The image's name as it was asked for. */
  readonly image: string;
  /** What runs in place of executables that the image's emulation does not have. */
  readonly fallback?: Program;
  /** What is wrong with the Pod right now. */
  readonly fault?: () => PodFault | undefined;
  /** PID 1 has ended, and all others with it. */
  readonly onEnd: (status: ExitStatus) => void;
}

/** How a process begins. */
export interface StartOptions {
  readonly args: readonly string[];
  readonly env: ReadonlyMap<string, string>;
  readonly cwd: string;
  readonly user: FileUser;
  /** Descriptors 0, 1 and 2, and more; each is retained. */
  readonly files: ReadonlyMap<number, OpenFile>;
  readonly parent?: UnixProcess;
  /** Process group; default: a new one. */
  readonly group?: number;
}

/** An executable and the arguments with which it is really run (a script's interpreter comes first). */
export interface Executable {
  readonly program: Program;
  readonly args: readonly string[];
}

/** What the processes of one container share: PIDs, files, network, host name, a share of the CPU. */
export class ContainerSystem {
  readonly process: Process;
  readonly files: FileSystem;
  readonly network: NetworkNamespace;
  readonly hostname: string;
  readonly ports: readonly number[];
  readonly image: string;
  readonly #fallback: Program | undefined;
  readonly #fault: (() => PodFault | undefined) | undefined;
  readonly #onEnd: (status: ExitStatus) => void;
  readonly #processes = new Map<number, UnixProcess>();
  #nextPid = 1;
  #worked = 0;
  #workedAt = 0;
  #slice = SLICE_MS.first;
  #busyUntil = 0;
  #ended = false;

  constructor(options: ContainerSystemOptions) {
    this.process = options.process;
    this.files = options.files;
    this.network = options.network;
    this.hostname = options.hostname;
    this.ports = options.ports;
    this.image = options.image;
    this.#fallback = options.fallback;
    this.#fault = options.fault;
    this.#onEnd = options.onEnd;
  }

  /** What is wrong with the Pod right now. */
  get fault(): PodFault | undefined {
    return this.#fault?.();
  }

  /** In the order in which they were started. */
  get processes(): readonly UnixProcess[] {
    return [...this.#processes.values()];
  }

  /** Runs a program as a process of the container; the first one is PID 1, with which the container ends. */
  start(program: Program, options: StartOptions): UnixProcess {
    if (this.#processes.size >= MAX_PROCESSES) throw new FileError('ENOSPC');
    const child = new UnixProcess(this, this.#nextPid++, options);
    this.#processes.set(child.pid, child);
    child.run(this.fault === 'crash' ? segmentationFault : program);
    return child;
  }

  /** Sends a signal to a process from inside the container. False: there is no such process. */
  kill(pid: number, signal: Signal): boolean {
    const target = this.#processes.get(pid);
    // Inside its PID namespace nothing can do to PID 1 what it does not ask for.
    if (target && !(pid === 1 && signal === 'KILL')) target.signal(signal);
    return target !== undefined;
  }

  /** Sends a signal to all processes of a group. False: there is none. */
  killGroup(group: number, signal: Signal): boolean {
    const members = this.processes.filter((process) => process.group === group);
    for (const member of members) this.kill(member.pid, signal);
    return members.length > 0;
  }

  /** Sends a signal from outside, as a container runtime does: KILL ends everything. */
  signalFromOutside(signal: Signal): void {
    this.#processes.get(1)?.signal(signal);
  }

  /** All processes die, as `crash` says. */
  crash(): void {
    this.destroy(SEGMENTATION_FAULT);
  }

  /** Ends all processes. */
  destroy(status: ExitStatus): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const process of this.processes) if (process.pid !== 1) process.exit({ code: 137, signal: 'KILL' });
    this.process.exit();
    this.#onEnd(status);
  }

  /**
   * Counts a piece of work. A container that goes on and on at one instant gets a promise to await, which parks its task
   * for a time slice: so busy loops take virtual time instead of hanging the engine.
   */
  work(): Promise<void> | undefined {
    const now = this.process.clock.now();
    if (now !== this.#workedAt) {
      this.#workedAt = now;
      this.#worked = 0;
      if (now > this.#busyUntil) this.#slice = SLICE_MS.first;
    }
    if (++this.#worked < WORK_PER_SLICE) return undefined;
    if (now >= this.#busyUntil) {
      this.#busyUntil = now + this.#slice;
      this.#slice = Math.min(SLICE_MS.longest, this.#slice * 2);
    }
    return this.process.clock.sleep(this.#busyUntil - now);
  }

  /** @internal A process has ended. */
  ended(process: UnixProcess, status: ExitStatus): void {
    this.#processes.delete(process.pid);
    if (process.pid === 1) this.destroy(status);
  }

  /** @internal What the tty's ^C reaches. */
  signalTerminal(tty: Tty, signal: Signal): void {
    if (tty.foreground !== 0) this.killGroup(tty.foreground, signal);
  }

  /** Finds what a command line runs, by PATH unless its name has a slash. Throws {@link ExecError}. */
  executable(args: readonly string[], env: ReadonlyMap<string, string>, cwd: string, user: FileUser): Executable {
    const [name = ''] = args;
    if (name.includes('/')) {
      const found = this.#executableAt(name, args, cwd, user);
      if (found) return found;
      if (this.#fallback) return { program: this.#fallback, args };
      throw new ExecError('no-such-file', `stat ${name}: no such file or directory`);
    }
    let denied = false;
    for (const directory of (env.get('PATH') ?? '').split(':')) {
      try {
        const found = this.#executableAt(`${directory || '.'}/${name}`, args, cwd, user);
        if (found) return found;
      } catch (error) {
        if (!(error instanceof ExecError)) throw error;
        denied = true;
      }
    }
    if (denied) throw new ExecError('permission', 'permission denied');
    if (this.#fallback && name !== '') return { program: this.#fallback, args };
    throw new ExecError('not-found', 'executable file not found in $PATH');
  }

  #executableAt(path: string, args: readonly string[], cwd: string, user: FileUser, depth = 0): Executable | undefined {
    const node = this.files.lookUp(path, cwd, user);
    if (typeof node === 'string') {
      if (node === 'EACCES') throw new ExecError('permission', 'permission denied');
      return undefined;
    }
    if (node.type === 'directory') throw new ExecError('permission', 'is a directory');
    if (node.type !== 'file' || !isExecutable(node, user)) throw new ExecError('permission', 'permission denied');
    if (node.program) return { program: node.program, args };
    const shebang = /^#![ \t]*(\S+)[ \t]*(.*)$/m.exec(firstLine(node));
    if (!shebang || depth >= MAX_SCRIPT_DEPTH) throw new ExecError('format', 'exec format error');
    const [, interpreter = '', argument = ''] = shebang;
    const found = this.#executableAt(
      interpreter,
      [interpreter, ...(argument.trim() ? [argument.trim()] : []), path, ...args.slice(1)],
      cwd,
      user,
      depth + 1,
    );
    if (!found) throw new ExecError('no-such-file', 'no such file or directory');
    return found;
  }
}

const SEGMENTATION_FAULT: ExitStatus = { code: 139, signal: 'SEGV' };

const segmentationFault: Program = async () => {
  throw new ExitRequest(SEGMENTATION_FAULT);
};

function firstLine(node: FileNode): string {
  let text = '';
  for (let i = 0; i < node.size && i < 256 && node.data[i] !== 10; i++)
    text += String.fromCharCode(node.data[i] as number);
  return text;
}
