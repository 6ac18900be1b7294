import type { Process } from '#base/pump.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import { Pipe, PIPE_CAPACITY } from '#network/pipe.ts';
import type { ContainerSystem, Executable, StartOptions } from './container-system.ts';
import { FileError } from './file-error.ts';
import type { FileUser } from './file-system.ts';
import { Device, FileDescription, type OpenFile, PipeReader, PipeWriter } from './open-file.ts';
import { IGNORED_BY_DEFAULT, type Signal, SIGNALS } from './signals.ts';

/** How a process ended: its exit code, which is 128 and more when a signal killed it. */
export interface ExitStatus {
  readonly code: number;
  readonly signal?: Signal;
}

/**
 * What an executable does. It runs as the first task of its process and returns the exit code; other tasks may be
 * spawned on `self.process`. It awaits nothing but the pump's primitives, and {@link UnixProcess}' own methods.
 */
export type Program = (self: UnixProcess) => Promise<number>;

/** Unwinds a program that ends itself; caught where it was started. */
export class ExitRequest extends Error {
  override readonly name = 'ExitRequest';
  readonly status: ExitStatus;
  constructor(status: ExitStatus) {
    super(`exit ${status.code}`);
    this.status = status;
  }
}

type Disposition = 'ignore' | (() => void);

/** A process of a container, as its programs see it: arguments, environment, descriptors, signals, children. */
export class UnixProcess {
  readonly system: ContainerSystem;
  readonly pid: number;
  readonly parentPid: number;
  /** For tasks and timers; it ends with this process. */
  readonly process: Process;
  args: readonly string[];
  readonly env: Map<string, string>;
  cwd: string;
  /** Changed by programs that give up their rights. */
  user: FileUser;
  group: number;
  umask = 0o022;
  readonly startedAt: number;
  readonly #files = new Map<number, OpenFile>();
  readonly #dispositions = new Map<Signal, Disposition>();
  readonly #waiting: (() => void)[] = [];
  #status: ExitStatus | undefined;

  /** @internal Use {@link ContainerSystem.start} or {@link UnixProcess.spawn}. */
  constructor(system: ContainerSystem, pid: number, options: StartOptions) {
    this.system = system;
    this.pid = pid;
    this.parentPid = options.parent?.pid ?? 0;
    this.args = options.args;
    this.env = new Map(options.env);
    this.cwd = options.cwd;
    this.user = options.user;
    this.group = options.group ?? pid;
    this.process = system.process.child(`${system.process.name} ${options.args[0] ?? ''}[${pid}]`);
    this.startedAt = this.process.clock.now();
    for (const [fd, file] of options.files) this.#files.set(fd, file.retain());
    if (options.parent) {
      this.umask = options.parent.umask;
      for (const [signal, disposition] of options.parent.#dispositions) {
        if (disposition === 'ignore') this.#dispositions.set(signal, 'ignore');
      }
    }
  }

  /** @internal Starts the first task. */
  run(program: Program): void {
    this.process.spawn(`run ${this.args[0] ?? ''}`, async () => {
      try {
        this.exit({ code: (await program(this)) & 255 });
      } catch (error) {
        if (!(error instanceof ExitRequest)) throw error;
        this.exit(error.status);
      }
    });
  }

  /** Undefined while it runs. */
  get status(): ExitStatus | undefined {
    return this.#status;
  }

  /** Ends the process from outside of its own code; its tasks never run again. Inside, throw {@link ExitRequest}. */
  exit(status: ExitStatus): void {
    if (this.#status) return;
    this.#status = status;
    for (const fd of [...this.#files.keys()]) this.closeFile(fd);
    for (const wake of this.#waiting.splice(0)) wake();
    this.process.exit();
    this.system.ended(this, status);
  }

  /** Parks the calling task until the process has ended. */
  async wait(by: Process): Promise<ExitStatus> {
    while (!this.#status) {
      await by.park<void>((wake) => {
        this.#waiting.push(wake);
      });
    }
    return this.#status;
  }

  /** Calls back when the process ends, or at once if it has. */
  whenExited(call: () => void): void {
    if (this.#status) call();
    else this.#waiting.push(call);
  }

  // Signals

  /** What a signal does: a function (called in the sender's turn, it must not park), nothing, or (undefined) the default. */
  onSignal(signal: Signal, disposition: Disposition | undefined): void {
    if (disposition) this.#dispositions.set(signal, disposition);
    else this.#dispositions.delete(signal);
  }

  ignores(signal: Signal): boolean {
    return this.#dispositions.get(signal) === 'ignore';
  }

  /**
   * Delivers a signal. PID 1 is spared by the default actions, as in every PID namespace; KILL spares nobody. A stopped
   * process gets what is not KILL (or CONT) when it goes on.
   */
  signal(signal: Signal): void {
    if (this.#status) return;
    if (signal === 'CONT') this.process.resume();
    if (signal === 'STOP' && this.pid !== 1) this.process.suspend();
    else if (this.process.suspended && signal !== 'KILL')
      this.process.post(`SIG${signal}`, () => this.#deliver(signal));
    else this.#deliver(signal);
  }

  #deliver(signal: Signal): void {
    if (this.#status) return;
    const disposition = signal === 'KILL' ? undefined : this.#dispositions.get(signal);
    if (disposition === 'ignore') return;
    if (disposition) disposition();
    else if (signal === 'KILL' || (this.pid !== 1 && !IGNORED_BY_DEFAULT.includes(signal))) {
      this.exit({ code: 128 + SIGNALS[signal], signal });
    }
  }

  // Descriptors

  file(fd: number): OpenFile | undefined {
    return this.#files.get(fd);
  }

  get files(): ReadonlyMap<number, OpenFile> {
    return this.#files;
  }

  /** Makes a descriptor refer to an open file; what it referred to before is let go. */
  setFile(fd: number, file: OpenFile): void {
    const before = this.#files.get(fd);
    this.#files.set(fd, file.retain());
    before?.release();
  }

  closeFile(fd: number): void {
    const file = this.#files.get(fd);
    this.#files.delete(fd);
    file?.release();
  }

  /** Opens a path. Throws FileError. */
  open(path: string, how: 'read' | 'write' | 'append' | 'read-write'): OpenFile {
    const alias = /^\/(?:dev\/(?:fd\/(\d+)|(stdin|stdout|stderr))|proc\/(self|\d+)\/fd\/(\d+))$/.exec(path);
    if (alias) return this.#openAlias(alias);
    const node =
      how === 'read'
        ? this.system.files.stat(path, this.cwd, this.user)
        : this.system.files.openForWriting(path, this.cwd, this.user, {
            truncate: how === 'write',
            mode: 0o666 & ~this.umask,
          });
    if (node.type === 'file') {
      // Reading checks permissions; writing was checked above.
      if (how === 'read') this.system.files.readFile(path, this.cwd, this.user);
      return new FileDescription(node, () => this.process.clock.now(), how === 'append');
    }
    if (node.type === 'directory') throw new FileError('EISDIR');
    if (node.type !== 'device') throw new FileError('EINVAL');
    const { device } = node;
    switch (device) {
      case 'stdin':
      case 'stdout':
      case 'stderr':
        return this.#fileOr('EBADF', { stdin: 0, stdout: 1, stderr: 2 }[device]);
      case 'tty': {
        for (const file of this.#files.values()) if (file.tty) return file.tty.open();
        throw new FileError('ENXIO');
      }
      default:
        return new Device(device, this.process.rng);
    }
  }

  #openAlias(match: RegExpExecArray): OpenFile {
    const [, fd, standard, pid, pidFd] = match;
    if (standard) return this.#fileOr('ENXIO', { stdin: 0, stdout: 1, stderr: 2 }[standard] as number);
    if (!pid) return this.#fileOr('ENOENT', Number(fd));
    const target = pid === 'self' ? this : this.system.processes.find((process) => process.pid === Number(pid));
    if (!target) throw new FileError('ENOENT');
    return target.#fileOr('ENOENT', Number(pidFd));
  }

  #fileOr(code: 'EBADF' | 'ENOENT' | 'ENXIO', fd: number): OpenFile {
    const file = this.#files.get(fd);
    if (!file) throw new FileError(code);
    return file;
  }

  // Reading and writing, for programs. All may park.

  /** The next bytes of a descriptor; undefined at its end. */
  async read(fd: number, max = PIPE_CAPACITY): Promise<Uint8Array | undefined> {
    const pause = this.system.work();
    if (pause) await pause;
    return this.#fileOr('EBADF', fd).read(this.process, max);
  }

  /** Writes all bytes. When nobody reads them the process ends by SIGPIPE, or, if it ignores that, EBADF is thrown. */
  async write(fd: number, bytes: Uint8Array): Promise<void> {
    const pause = this.system.work();
    if (pause) await pause;
    const written = this.#fileOr('EBADF', fd).write(this.process, bytes);
    if (typeof written === 'boolean' ? written : await written) return;
    if (this.ignores('PIPE')) throw new FileError('EBADF');
    throw new ExitRequest({ code: 128 + SIGNALS.PIPE, signal: 'PIPE' });
  }

  /** Writes text to standard output. */
  print(text: string): Promise<void> {
    return this.write(1, encodeUtf8(text));
  }

  /** Writes text to standard error. */
  complain(text: string): Promise<void> {
    return this.write(2, encodeUtf8(text));
  }

  sleep(ms: number): Promise<void> {
    return this.process.clock.sleep(ms);
  }

  // Children

  /** Finds what a command line runs, with this process' PATH and directory. Throws ExecError. */
  executable(args: readonly string[], env: ReadonlyMap<string, string> = this.env): Executable {
    return this.system.executable(args, env, this.cwd, this.user);
  }

  /** Runs a program as a child, which inherits all that `options` does not name. */
  spawn(program: Program, options: Partial<StartOptions> & { readonly args: readonly string[] }): UnixProcess {
    return this.system.start(program, {
      env: this.env,
      cwd: this.cwd,
      user: this.user,
      files: this.#files,
      group: this.group,
      ...options,
      parent: this,
    });
  }
}

/** Both ends of a new pipe. */
export function openPipe(): { readonly reader: OpenFile; readonly writer: OpenFile } {
  const pipe = new Pipe();
  return { reader: new PipeReader(pipe), writer: new PipeWriter(pipe) };
}
