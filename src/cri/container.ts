import type { Process } from '#base/pump.ts';
import { Pipe } from '#network/pipe.ts';
import type { NetworkNamespace } from '#network/network.ts';
import type { ContainerConfig, ContainerStatus, ExecOptions, PodFault, Session, SessionOutput } from './contract.ts';
import { CriError } from './cri-error.ts';
import { LogBuffer } from './log-buffer.ts';
import { ContainerSystem, ExecError } from './os/container-system.ts';
import { FileSystem } from './os/file-system.ts';
import { type Identity, identityOf } from './identity.ts';
import { type OpenFile, PipeReader, Sink } from './os/open-file.ts';
import { Tty } from './os/tty.ts';
import type { ExitStatus, UnixProcess } from './os/unix-process.ts';
import type { Image } from './registry.ts';

/** What a container is made of. */
export interface ContainerParts {
  readonly id: string;
  readonly sandboxId: string;
  readonly config: ContainerConfig;
  readonly image: Image;
  readonly hostname: string;
  readonly network: NetworkNamespace;
  /** Ends with the container. */
  readonly process: Process;
  /** What is wrong with the Pod right now. */
  readonly fault: () => PodFault | undefined;
  readonly onExit: () => void;
}

/** One container: its files, its processes, its log, and how it ended. */
export class Container {
  readonly log: LogBuffer;
  readonly #parts: ContainerParts;
  readonly #createdAt: number;
  readonly #files: FileSystem;
  readonly #attached = new Set<SessionOutput>();
  readonly #user: Identity;
  #env: Map<string, string> | undefined;
  #system: ContainerSystem | undefined;
  #tty: Tty | undefined;
  #input: Pipe | undefined;
  #state: ContainerStatus['state'] = 'Created';
  #startedAt = 0;
  #finishedAt = 0;
  #exitCode = 0;
  #reason = '';
  #message = '';
  #waiting: (() => void)[] = [];

  constructor(parts: ContainerParts) {
    const { clock } = parts.process;
    this.#parts = parts;
    this.#createdAt = clock.now();
    this.log = new LogBuffer(() => clock.now());
    this.#user = identityOf(parts.image, parts.config.user);
    this.#files = new FileSystem(parts.image.root, () => clock.now(), parts.config.mounts, parts.config.readOnlyRoot);
    if (this.#commandLine().length === 0) {
      throw new CriError(
        'Unknown',
        `failed to generate container "${parts.id}" spec: failed to generate spec: no command specified`,
      );
    }
  }

  get status(): ContainerStatus {
    const { id, sandboxId, config, image } = this.#parts;
    return {
      id,
      sandboxId,
      config,
      image,
      state: this.#state,
      createdAt: this.#createdAt,
      startedAt: this.#startedAt,
      finishedAt: this.#finishedAt,
      exitCode: this.#exitCode,
      reason: this.#reason,
      message: this.#message,
      user: this.#user.identity,
    };
  }

  /** Runs the first process. Throws CriError when there is nothing to run; the container has then ended with 128. */
  start(): void {
    const { config, image, process, hostname, network, fault } = this.#parts;
    if (this.#state !== 'Created')
      throw new CriError('Unknown', `container "${this.#parts.id}" is in ${this.#stateName()} state`);
    const system = new ContainerSystem({
      process,
      files: this.#files,
      network,
      hostname,
      ports: config.ports,
      image: config.image,
      ...(image.fallback ? { fallback: image.fallback } : {}),
      fault,
      onEnd: (status) => this.#ended(status),
    });
    this.#system = system;
    this.obeyFault();
    const user = this.#user;
    const env = this.#environment(user);
    this.#env = env;
    const cwd = config.workingDir || image.config.workingDir || '/';
    try {
      this.#makeDirectory(cwd);
      const found = system.executable(this.#commandLine(), env, cwd, user.identity);
      const files = this.#openFirst(system);
      this.#state = 'Running';
      this.#startedAt = process.clock.now();
      const first = system.start(found.program, { args: found.args, env, cwd, user: user.identity, files });
      if (this.#tty) this.#tty.foreground = first.pid;
    } catch (error) {
      if (!(error instanceof ExecError)) throw error;
      const text = `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "${this.#commandLine()[0]}": ${error.message}: unknown`;
      const failure = new CriError('Unknown', text);
      this.#finish(128, 'StartError', failure.description);
      process.exit();
      throw failure;
    }
  }

  /** Sends the stop signal, and KILL after the grace; parks the calling task until the container has ended. */
  async stop(by: Process, graceMs: number): Promise<void> {
    if (this.#state === 'Created') this.#finish(137, 'Error', '');
    if (this.#state === 'Exited') return;
    const signal = this.#parts.image.config.stopSignal ?? 'TERM';
    const kill = () => this.#system?.signalFromOutside('KILL');
    if (graceMs > 0) this.#system?.signalFromOutside(signal);
    else kill();
    if (this.#exited()) return;
    const timer = by.clock.afterFunc(graceMs, 'grace period is over', kill);
    await this.whenExited(by);
    timer.stop();
  }

  /** The Pod's fault is another one now: what runs stops, goes on or dies. */
  obeyFault(): void {
    const { process, fault } = this.#parts;
    if (fault() === 'hang') process.suspend();
    else process.resume();
    if (fault() === 'crash' && this.#state === 'Running') this.#system?.crash();
  }

  /** Ends everything at once. */
  kill(): void {
    if (this.#state === 'Running') this.#system?.destroy({ code: 137, signal: 'KILL' });
    else if (this.#state === 'Created') this.#finish(137, 'Error', '');
  }

  /** The machine was switched off meanwhile: whatever it did, it does no more. Nobody is told. */
  lost(): void {
    if (this.#state === 'Exited') return;
    this.#set(255, 'Unknown', '');
    this.log.close();
    this.#attached.clear();
    this.#waiting = [];
  }

  async whenExited(by: Process): Promise<void> {
    while (!this.#exited()) {
      await by.park<void>((wake) => {
        this.#waiting.push(wake);
      });
    }
  }

  #exited(): boolean {
    return this.#state === 'Exited';
  }

  /** Runs one more process. Throws CriError. */
  exec(
    { command, stdin, tty }: ExecOptions,
    output: SessionOutput,
  ): { readonly session: Session; readonly process: UnixProcess } {
    const system = this.#system;
    if (this.#state !== 'Running' || !system) {
      throw new CriError('Unknown', `failed to exec in container: container is in ${this.#stateName()} state`);
    }
    const user = this.#user.identity;
    const env = new Map(this.#env);
    if (tty) env.set('TERM', 'xterm');
    const cwd = this.#parts.config.workingDir || this.#parts.image.config.workingDir || '/';
    const terminal = tty
      ? new Tty(
          (bytes) => output.write('stdout', bytes),
          (signal) => terminal && system.signalTerminal(terminal, signal),
        )
      : undefined;
    const input = !terminal && stdin ? new Pipe() : undefined;
    const files = new Map<number, OpenFile>();
    if (terminal) {
      const file = terminal.open();
      for (const fd of [0, 1, 2]) files.set(fd, file);
    } else {
      files.set(0, input ? new PipeReader(input) : new Sink(() => {}));
      files.set(1, new Sink((bytes) => output.write('stdout', bytes)));
      files.set(2, new Sink((bytes) => output.write('stderr', bytes)));
    }
    let process: UnixProcess;
    try {
      const found = system.executable(command, env, cwd, user);
      process = system.start(found.program, { args: found.args, env, cwd, user, files });
    } catch (error) {
      if (!(error instanceof ExecError)) throw error;
      throw new CriError(
        'Unknown',
        `failed to exec in container: failed to start exec "${hexId(this.#parts.process)}": OCI runtime exec failed: exec failed: unable to start container process: exec: "${command[0] ?? ''}": ${error.message}: unknown`,
      );
    }
    if (terminal) terminal.foreground = process.pid;
    process.whenExited(() => output.exited((process.status as ExitStatus).code));
    const session: Session = {
      write: (bytes) => (terminal ? terminal.type(bytes) : input?.push(bytes)),
      closeInput: () => (terminal ? terminal.hangUp() : input?.end()),
      resize: (columns, rows) => terminal?.resize(columns, rows),
      hangUp: () => {
        if (terminal) {
          terminal.hangUp();
          process.signal('HUP');
        } else input?.end();
      },
    };
    return { session, process };
  }

  /** Joins the first process' streams. Throws CriError. */
  attach({ stdin }: { readonly stdin: boolean }, output: SessionOutput): Session {
    if (this.#state !== 'Running')
      throw new CriError('Unknown', `failed to attach container: container is in ${this.#stateName()} state`);
    this.#attached.add(output);
    return {
      write: (bytes) => {
        if (!stdin) return;
        if (this.#tty) this.#tty.type(bytes);
        else this.#input?.push(bytes);
      },
      closeInput: () => {
        if (!stdin || !this.#parts.config.stdinOnce) return;
        if (this.#tty) this.#tty.hangUp();
        else this.#input?.end();
      },
      resize: (columns, rows) => this.#tty?.resize(columns, rows),
      hangUp: () => {
        this.#attached.delete(output);
        if (stdin && this.#parts.config.stdinOnce) this.#input?.end();
      },
    };
  }

  #openFirst(system: ContainerSystem): Map<number, OpenFile> {
    const { config } = this.#parts;
    const say = (stream: 'stdout' | 'stderr') => (bytes: Uint8Array) => {
      this.log.write(stream, bytes);
      for (const session of this.#attached) session.write(stream, bytes);
    };
    if (config.tty) {
      this.#tty = new Tty(say('stdout'), (signal) => this.#tty && system.signalTerminal(this.#tty, signal));
      const file = this.#tty.open();
      return new Map([0, 1, 2].map((fd) => [fd, file]));
    }
    if (config.stdin) this.#input = new Pipe();
    return new Map<number, OpenFile>([
      [0, this.#input ? new PipeReader(this.#input) : new Sink(() => {})],
      [1, new Sink(say('stdout'))],
      [2, new Sink(say('stderr'))],
    ]);
  }

  #commandLine(): readonly string[] {
    const { command, args } = this.#parts.config;
    const { entrypoint = [], cmd = [] } = this.#parts.image.config;
    if (command.length > 0) return [...command, ...args];
    return [...entrypoint, ...(args.length > 0 ? args : cmd)];
  }

  #environment(user: { readonly home: string }): Map<string, string> {
    const { config, image, hostname } = this.#parts;
    const env = new Map<string, string>();
    for (const entry of image.config.env)
      env.set(entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1));
    env.set('HOSTNAME', hostname);
    if (config.tty) env.set('TERM', 'xterm');
    for (const [name, value] of config.env) env.set(name, value);
    if (!env.has('HOME')) env.set('HOME', user.home);
    return env;
  }

  #makeDirectory(path: string): void {
    const names = path.split('/').filter((name) => name !== '');
    for (let i = 1; i <= names.length; i++) {
      const at = `/${names.slice(0, i).join('/')}`;
      if (!this.#files.exists(at)) this.#files.mkdir(at);
    }
  }

  #ended({ code }: ExitStatus): void {
    this.#finish(code, code === 0 ? 'Completed' : 'Error', '');
  }

  #set(exitCode: number, reason: string, message: string): void {
    this.#state = 'Exited';
    this.#finishedAt = this.#parts.process.clock.now();
    this.#exitCode = exitCode;
    this.#reason = reason;
    this.#message = message;
  }

  #finish(exitCode: number, reason: string, message: string): void {
    this.#set(exitCode, reason, message);
    this.log.close();
    for (const session of this.#attached) session.exited(exitCode);
    this.#attached.clear();
    for (const wake of this.#waiting.splice(0)) wake();
    this.#parts.onExit();
  }

  #stateName(): string {
    return `CONTAINER_${this.#state.toUpperCase()}`;
  }
}

/** 64 hexadecimal digits, as containerd names things. */
export function hexId(process: Process): string {
  let id = '';
  for (let i = 0; i < 8; i++) id += process.rng.uint32().toString(16).padStart(8, '0');
  return id;
}
