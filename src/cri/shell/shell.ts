import {
  parse,
  type Assignment,
  type Command,
  type CommandArgument,
  type CommandNode,
  type CompoundList,
  type Function as FunctionNode,
  type ParsedScript,
  type Pipeline,
  type PipelineNode,
  type AndOr,
  type Redirection,
  type Script,
  type Statement,
  type Word,
} from 'unbash';
import { assert } from '#base/assert.ts';
import { decodeUtf8 } from '#base/utf8.ts';
import { Pipe } from '#network/pipe.ts';
import { ExecError, type StartOptions } from '../os/container-system.ts';
import { FileError } from '../os/file-error.ts';
import { type OpenFile, PipeWriter } from '../os/open-file.ts';
import { type Signal, SIGNAL_TEXTS } from '../os/signals.ts';
import { ExitRequest, type ExitStatus, openPipe, type Program, type UnixProcess } from '../os/unix-process.ts';
import { type Builtin, builtins, specialBuiltins } from './builtins.ts';
import { runCompound } from './compound.ts';
import { FunctionReturn, LoopJump } from './control-flow.ts';
import { expandFields, expandText, type ExpansionContext } from './expansion.ts';
import { redirect, withRedirections } from './redirections.ts';
import { ShellError } from './shell-error.ts';
import { TestError } from './test-command.ts';

/** Which shell it passes for. */
export type Flavour = 'ash' | 'dash' | 'bash';

/** A variable of the shell. */
export interface Variable {
  readonly value: string;
  readonly exported: boolean;
  readonly readOnly: boolean;
}

/** A job in the background. */
export interface Job {
  readonly number: number;
  readonly process: UnixProcess;
  readonly text: string;
}

/** How a node is run. */
export interface RunMode {
  /** Its failure is looked at by the script, so `set -e` does not apply. */
  readonly condition?: boolean;
  /** Nothing comes after it: a program may take the place of the shell. */
  readonly last?: boolean;
}

const MAX_FUNCTION_DEPTH = 200;

/** What a subshell takes over from its parent. */
interface ShellState {
  readonly flavour: Flavour;
  readonly name: string;
  variables: Map<string, Variable>;
  functions: Map<string, FunctionNode>;
  positional: readonly string[];
  options: Set<string>;
  aliases: Map<string, string>;
  shellPid: number;
  lastStatus: number;
  lastBackgroundPid: number | undefined;
}

/**
 * A POSIX shell as a program of a container: an interpreter on the virtual clock. Pipelines run at the same time,
 * output streams, signals do what traps say. Parsing is unbash's, which reads all of bash; what is not emulated (arrays,
 * process substitution, coproc) is an error.
 */
export class Shell implements ExpansionContext {
  readonly self: UnixProcess;
  readonly flavour: Flavour;
  /** $0 */
  readonly name: string;
  readonly variables: Map<string, Variable>;
  readonly functions: Map<string, FunctionNode>;
  readonly aliases: Map<string, string>;
  positional: readonly string[];
  /** Letters of `set`: e, u, x, f, C, n …, and `pipefail`. */
  readonly options: Set<string>;
  readonly traps = new Map<Signal | 'EXIT', string>();
  readonly jobs: Job[] = [];
  interactive = false;
  lastStatus: number;
  lastBackgroundPid: number | undefined;
  loopDepth = 0;
  readonly #shellPid: number;
  readonly #pending: Signal[] = [];
  /** Names and values that `local` hides, for each function that runs. */
  readonly #locals: Map<string, Variable | undefined>[] = [];
  /** Wakes a wait that a trapped signal interrupts. */
  #interrupt: (() => void) | undefined;
  #substitutionStatus = 0;

  constructor(self: UnixProcess, state: ShellState) {
    this.self = self;
    this.flavour = state.flavour;
    this.name = state.name;
    this.variables = state.variables;
    this.functions = state.functions;
    this.aliases = state.aliases;
    this.positional = state.positional;
    this.options = state.options;
    this.lastStatus = state.lastStatus;
    this.lastBackgroundPid = state.lastBackgroundPid;
    this.#shellPid = state.shellPid;
  }

  // Variables

  get files() {
    return this.self.system.files;
  }
  get cwd(): string {
    return this.self.cwd;
  }
  get user() {
    return this.self.user;
  }
  get noGlob(): boolean {
    return this.options.has('f');
  }
  get noUnset(): boolean {
    return this.options.has('u');
  }
  get braces(): boolean {
    return this.flavour === 'bash';
  }

  parameter(name: string): string | undefined {
    const first = name.charCodeAt(0);
    if (first >= 48 && first <= 57) return name === '0' ? this.name : this.positional[Number(name) - 1];
    switch (name) {
      case '?':
        return String(this.lastStatus);
      case '$':
        return String(this.#shellPid);
      case '#':
        return String(this.positional.length);
      case '!':
        return this.lastBackgroundPid === undefined ? undefined : String(this.lastBackgroundPid);
      case '-':
        return [...this.options].filter((option) => option.length === 1).join('') + (this.interactive ? 'i' : '');
      case 'RANDOM':
        return String(this.self.process.rng.int(32_768));
      case 'PPID':
        return String(this.self.parentPid);
      default:
        return this.variables.get(name)?.value;
    }
  }

  /** Sets a variable, which keeps being exported. Throws ShellError if it is read-only. */
  assign(name: string, value: string, exported = false): void {
    const before = this.variables.get(name);
    if (before?.readOnly) throw new ShellError(`${name}: is read only`);
    this.variables.set(name, {
      value,
      exported: exported || before?.exported === true || this.options.has('a'),
      readOnly: false,
    });
  }

  /** `local`: what the name holds comes back when the function ends. */
  declareLocal(name: string): void {
    const frame = this.#locals.at(-1);
    if (!frame) throw new ShellError('local: not in a function');
    if (!frame.has(name)) frame.set(name, this.variables.get(name));
  }

  get inFunction(): boolean {
    return this.#locals.length > 0;
  }

  /** The environment for a program. */
  environment(): Map<string, string> {
    const env = new Map<string, string>();
    for (const [name, variable] of this.variables) if (variable.exported) env.set(name, variable.value);
    return env;
  }

  // Running

  /** Runs a text; `last` when nothing comes after it. Syntax errors are said and give 2. */
  async runText(source: string, mode: RunMode = {}): Promise<number> {
    return this.runParsed(parse(source), mode);
  }

  async runParsed(script: ParsedScript, mode: RunMode = {}): Promise<number> {
    const error = script.errors?.[0];
    if (error) throw new ShellError(`syntax error: ${error.message}`);
    return this.#runStatements(script.commands, mode);
  }

  /** Runs the trap for EXIT, once. The shell ends with what it returns. */
  async finish(status: number): Promise<number> {
    const trap = this.traps.get('EXIT');
    if (trap === undefined || trap === '') return status;
    this.traps.delete('EXIT');
    this.lastStatus = status;
    await this.runText(trap);
    return status;
  }

  async #runStatements(statements: readonly Statement[], mode: RunMode): Promise<number> {
    for (const [i, statement] of statements.entries()) {
      if (statement.background) this.#runInBackground(statement);
      else
        await this.#runStatement(statement.command, {
          ...mode,
          last: mode.last === true && i === statements.length - 1,
        });
      if (this.#pending.length > 0) await this.runTraps();
    }
    return this.lastStatus;
  }

  /** @internal Runs a list of statements. */
  runList(list: CompoundList, mode: RunMode): Promise<number> {
    return this.#runStatements(list.commands, mode);
  }

  async #runStatement(node: PipelineNode | AndOr, mode: RunMode): Promise<number> {
    if (node.type !== 'AndOr') return this.#runPipeline(node, mode);
    for (const [i, command] of node.commands.entries()) {
      const operator = node.operators[i - 1];
      if (operator === '&&' && this.lastStatus !== 0) continue;
      if (operator === '||' && this.lastStatus === 0) continue;
      const last = i === node.commands.length - 1;
      await this.#runPipeline(command, { condition: mode.condition || !last, last: mode.last && last });
    }
    return this.lastStatus;
  }

  async #runPipeline(node: PipelineNode, mode: RunMode): Promise<number> {
    const pause = this.self.system.work();
    if (pause) await pause;
    if (node.type !== 'Pipeline') {
      this.lastStatus = await this.#runCommand(node, mode);
    } else {
      const negated = node.prefixes.filter((prefix) => prefix.type === 'Negation').length % 2 === 1;
      const start = this.self.process.clock.now();
      const [only] = node.commands;
      const inner: RunMode = { condition: mode.condition || negated, last: false };
      this.lastStatus =
        node.commands.length === 1 && only ? await this.#runCommand(only, inner) : await this.#runPipes(node);
      if (node.prefixes.some((prefix) => prefix.type === 'Time'))
        await this.#reportTime(this.self.process.clock.now() - start);
      if (negated) {
        this.lastStatus = this.lastStatus === 0 ? 1 : 0;
        return this.lastStatus;
      }
    }
    if (this.lastStatus !== 0 && !mode.condition && this.options.has('e') && exitsOnError(node)) {
      throw new ExitRequest({ code: this.lastStatus });
    }
    return this.lastStatus;
  }

  async #reportTime(ms: number): Promise<void> {
    const text = `${Math.floor(ms / 60_000)}m ${((ms % 60_000) / 1000).toFixed(2)}s`;
    await this.self.complain(`real\t${text}\nuser\t0m 0.00s\nsys\t0m 0.00s\n`);
  }

  /** The stages of a pipeline run at the same time, each in a subshell; its status is the last one's. */
  async #runPipes(node: Pipeline): Promise<number> {
    const children: UnixProcess[] = [];
    let input: OpenFile | undefined;
    for (const [i, command] of node.commands.entries()) {
      const files = new Map(this.self.files);
      if (input) files.set(0, input);
      input = undefined;
      if (i < node.commands.length - 1) {
        const { reader, writer } = openPipe();
        files.set(1, writer);
        if (node.operators[i] === '|&') files.set(2, writer);
        input = reader;
      }
      const group = this.interactive ? (children[0]?.pid ?? undefined) : this.self.group;
      const child = this.fork((shell) => shell.#runCommand(command, { last: true }), { files, group });
      if (this.interactive && i === 0) child.group = child.pid;
      children.push(child);
    }
    const first = children[0];
    assert(first, 'a pipeline has stages');
    const statuses = await this.inForeground(first.group, async () => {
      const all: number[] = [];
      for (const child of children) all.push(await this.waitFor(child));
      return all;
    });
    const failed = this.options.has('pipefail') ? statuses.findLast((status) => status !== 0) : undefined;
    return failed ?? (statuses.at(-1) as number);
  }

  /** Runs `work` while the terminal's ^C goes to a group. */
  async inForeground<T>(group: number, work: () => Promise<T>): Promise<T> {
    const tty = this.interactive ? this.self.file(0)?.tty : undefined;
    if (!tty) return work();
    tty.foreground = group;
    try {
      return await work();
    } finally {
      tty.foreground = this.self.group;
    }
  }

  /** @internal */
  async waitFor(child: UnixProcess): Promise<number> {
    const status = await child.wait(this.self.process);
    await this.#sayKilled(child, status);
    return status.code;
  }

  async #sayKilled(_child: UnixProcess, { signal }: ExitStatus): Promise<void> {
    if (signal === 'INT' && this.interactive) await this.self.complain('\n');
    const text = signal && SIGNAL_TEXTS[signal];
    if (text) await this.self.complain(`${text}\n`);
  }

  #runInBackground(statement: Statement): void {
    const files = new Map(this.self.files);
    // Without job control a job in the background does not read what the shell reads.
    if (!this.interactive) files.set(0, this.self.open('/dev/null', 'read'));
    const job = this.fork((shell) => shell.#runStatement(statement.command, { last: true }), {
      files,
      ...(this.interactive ? { group: undefined } : {}),
    });
    this.lastBackgroundPid = job.pid;
    this.lastStatus = 0;
    const number = 1 + this.jobs.reduce((highest, other) => Math.max(highest, other.number), 0);
    this.jobs.push({ number, process: job, text: textOf(statement) });
  }

  /** A child that runs a copy of this shell. */
  fork(run: (shell: Shell) => Promise<number>, options: Partial<StartOptions> = {}): UnixProcess {
    const state: ShellState = {
      flavour: this.flavour,
      name: this.name,
      variables: new Map(this.variables),
      functions: new Map(this.functions),
      aliases: new Map(this.aliases),
      positional: this.positional,
      options: new Set(this.options),
      shellPid: this.#shellPid,
      lastStatus: this.lastStatus,
      lastBackgroundPid: this.lastBackgroundPid,
    };
    const program: Program = async (child) => {
      const shell = new Shell(child, state);
      shell.loopDepth = this.loopDepth;
      if (this.inFunction) shell.#locals.push(new Map());
      return shell.#guarded(() => run(shell));
    };
    return this.self.spawn(program, { args: this.self.args, env: this.environment(), ...options });
  }

  /** Runs the body of a whole shell: `exit`, errors and jumps out of it become its status. */
  async #guarded(body: () => Promise<number>): Promise<number> {
    let status: ExitStatus;
    try {
      status = { code: await body() };
    } catch (error) {
      if (error instanceof ExitRequest) status = error.status;
      else if (error instanceof LoopJump) status = { code: 0 };
      else if (error instanceof FunctionReturn) status = { code: error.status };
      else if (error instanceof ShellError) {
        await this.say(error.message);
        status = { code: error.status };
      } else throw error;
    }
    if (status.signal) throw new ExitRequest(status);
    return this.finish(status.code);
  }

  /** Runs a script as the whole life of the process. */
  main(source: string): Promise<number> {
    return this.#guarded(() => this.runText(source, { last: true }));
  }

  /** Prints a complaint as this shell words it. */
  async say(message: string): Promise<void> {
    await this.self.complain(`${this.#prefix()}${message}\n`);
  }

  #prefix(): string {
    if (this.flavour === 'bash') return this.interactive ? 'bash: ' : `${this.name}: line 1: `;
    return this.interactive && this.flavour === 'ash'
      ? 'sh: '
      : this.flavour === 'ash'
        ? `${this.name}: `
        : `${this.name}: 1: `;
  }

  async #runCommand(node: CommandNode, mode: RunMode): Promise<number> {
    switch (node.type) {
      case 'Command':
        return this.#runSimple(node, mode);
      case 'Redirected':
        return withRedirections(this, node.redirects, () =>
          runCompound(this, node.command, { condition: mode.condition }),
        );
      case 'Function':
        this.functions.set(node.name.value, node);
        return 0;
      case 'Coproc':
        throw new ShellError('coproc is not emulated');
      default:
        return runCompound(this, node, mode);
    }
  }

  async #runSimple(node: Command, mode: RunMode): Promise<number> {
    const words: (Word | Assignment)[] = node.name ? [node.name, ...node.args] : [...node.args];
    this.#substitutionStatus = 0;
    try {
      const args = await this.#expandArguments(words);
      const assignments: [string, string][] = [];
      for (const item of node.prefix)
        if (item.type === 'Assignment') assignments.push(await this.#evaluateAssignment(item));
      if (this.options.has('x')) await this.#trace(assignments, args);
      const [name] = args;
      if (name === undefined) {
        for (const [variable, value] of assignments) this.assign(variable, value);
        if (node.redirects.length > 0)
          return await withRedirections(this, node.redirects, async () => this.#substitutionStatus);
        return this.#substitutionStatus;
      }
      const alias = this.interactive ? this.aliases.get(name) : undefined;
      if (alias !== undefined) return await this.#runAlias(alias, args, node.redirects, mode);
      const defined = this.functions.get(name);
      if (defined)
        return await withRedirections(this, node.redirects, () =>
          this.#withVariables(assignments, () => this.#callFunction(defined, args)),
        );
      const builtin = builtins.get(name);
      if (builtin) return await this.#runBuiltin(name, builtin, args, assignments, node.redirects);
      return await this.#runProgram(args, assignments, node.redirects, mode);
    } catch (error) {
      if (error instanceof FileError || error instanceof TestError) {
        await this.say(error.message);
        return error instanceof TestError ? 2 : 1;
      }
      throw error;
    }
  }

  async #runAlias(
    alias: string,
    args: readonly string[],
    redirections: readonly Redirection[],
    mode: RunMode,
  ): Promise<number> {
    const name = args[0] as string;
    this.aliases.delete(name);
    try {
      const rest = args.slice(1).map((arg) => `'${arg.replaceAll("'", "'\\''")}'`);
      return await withRedirections(this, redirections, () =>
        this.runText([alias, ...rest].join(' '), { condition: mode.condition }),
      );
    } finally {
      this.aliases.set(name, alias);
    }
  }

  /** Fields of a command line; `export A=$x` does not split what follows the equals sign. */
  async #expandArguments(words: readonly CommandArgument[]): Promise<string[]> {
    const args: string[] = [];
    for (const word of words) {
      if (word.type === 'Word') args.push(...(await expandFields([word], this)));
      else {
        const [name, value] = await this.#evaluateAssignment(word);
        args.push(`${name}=${value}`);
      }
    }
    return args;
  }

  async #evaluateAssignment(item: Assignment): Promise<[string, string]> {
    if (item.value.type !== 'Word' || item.index) throw new ShellError('arrays are not emulated');
    const value = await expandText(item.value, this);
    return [item.name, item.append ? (this.parameter(item.name) ?? '') + value : value];
  }

  async #trace(assignments: readonly (readonly [string, string])[], args: readonly string[]): Promise<void> {
    const quote = (text: string) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
    const shown = [
      ...assignments.map(([name, value]) => `${name}=${value === '' ? '' : quote(value)}`),
      ...args.map(quote),
    ];
    await this.self.complain(`+ ${shown.join(' ')}\n`);
  }

  async #runBuiltin(
    name: string,
    builtin: Builtin,
    args: readonly string[],
    assignments: readonly (readonly [string, string])[],
    redirections: readonly Redirection[],
  ): Promise<number> {
    // `exec` without a command keeps its redirections.
    if (name === 'exec' && args.length === 1) {
      await redirect(this, redirections);
      return 0;
    }
    const run = async () => builtin(this, args);
    if (specialBuiltins.has(name)) {
      for (const [variable, value] of assignments) this.assign(variable, value);
      return withRedirections(this, redirections, run);
    }
    return withRedirections(this, redirections, () => this.#withVariables(assignments, run));
  }

  /** Variables that hold for one command. */
  async #withVariables(
    assignments: readonly (readonly [string, string])[],
    body: () => Promise<number>,
  ): Promise<number> {
    if (assignments.length === 0) return body();
    const before = assignments.map(([name]) => [name, this.variables.get(name)] as const);
    for (const [name, value] of assignments) this.assign(name, value, true);
    try {
      return await body();
    } finally {
      for (const [name, variable] of before) {
        if (variable) this.variables.set(name, variable);
        else this.variables.delete(name);
      }
    }
  }

  async #callFunction(node: FunctionNode, args: readonly string[]): Promise<number> {
    if (this.#locals.length >= MAX_FUNCTION_DEPTH)
      throw new ShellError(`${args[0]}: maximum function nesting level exceeded`);
    const { positional, loopDepth } = this;
    const frame = new Map<string, Variable | undefined>();
    this.positional = args.slice(1);
    this.loopDepth = 0;
    this.#locals.push(frame);
    try {
      const { body } = node;
      if (body.type === 'CompoundList') return await this.runList(body, {});
      return await this.#runCommand(body, {});
    } catch (error) {
      if (error instanceof FunctionReturn) return error.status;
      throw error;
    } finally {
      this.#locals.pop();
      for (const [name, variable] of frame) {
        if (variable) this.variables.set(name, variable);
        else this.variables.delete(name);
      }
      this.positional = positional;
      this.loopDepth = loopDepth;
    }
  }

  async #runProgram(
    args: readonly string[],
    assignments: readonly (readonly [string, string])[],
    redirections: readonly Redirection[],
    mode: RunMode,
  ): Promise<number> {
    const env = this.environment();
    for (const [name, value] of assignments) env.set(name, value);
    const replace = mode.last === true && this.traps.size === 0 && this.jobs.every((job) => job.process.status);
    if (replace) {
      if (!(await redirect(this, redirections))) return 1;
      return this.replaceWith(args, env);
    }
    return withRedirections(this, redirections, async () => {
      const found = await this.#lookUp(args, env);
      if (typeof found === 'number') return found;
      const child = this.self.spawn(found.program, {
        args: found.args,
        env,
        group: this.interactive ? undefined : this.self.group,
      });
      return this.inForeground(child.group, () => this.waitFor(child));
    });
  }

  /** Runs a program in place of the shell. */
  async replaceWith(args: readonly string[], env: ReadonlyMap<string, string> = this.environment()): Promise<number> {
    const found = await this.#lookUp(args, env);
    if (typeof found === 'number') throw new ExitRequest({ code: found });
    this.self.env.clear();
    for (const [name, value] of env) this.self.env.set(name, value);
    this.self.args = found.args;
    for (const signal of this.traps.keys()) if (signal !== 'EXIT') this.self.onSignal(signal, undefined);
    this.traps.clear();
    throw new ExitRequest({ code: (await found.program(this.self)) & 255 });
  }

  /** The program, or 126 or 127 after the complaint. */
  async #lookUp(
    args: readonly string[],
    env: ReadonlyMap<string, string>,
  ): Promise<{ readonly program: Program; readonly args: readonly string[] } | number> {
    const name = args[0] as string;
    try {
      return this.self.executable(args, env);
    } catch (error) {
      if (!(error instanceof ExecError)) throw error;
      if (error.code === 'format')
        return { program: scriptWithoutShebang(this.flavour), args: ['sh', this.#pathOf(name), ...args.slice(1)] };
      if (error.code === 'permission') {
        await this.say(`${name}: Permission denied`);
        return 126;
      }
      const missing =
        name.includes('/') && this.flavour === 'bash'
          ? 'No such file or directory'
          : this.flavour === 'bash'
            ? 'command not found'
            : 'not found';
      await this.say(`${name}: ${missing}`);
      return 127;
    }
  }

  #pathOf(name: string): string {
    if (name.includes('/')) return name;
    const directory = (this.parameter('PATH') ?? '')
      .split(':')
      .find((one) => this.files.exists(`${one || '.'}/${name}`, this.cwd, this.user));
    return `${directory || '.'}/${name}`;
  }

  // Substitution

  async substitute(script: Script): Promise<string> {
    const errors = (script as ParsedScript).errors?.[0];
    if (errors) throw new ShellError(`syntax error: ${errors.message}`);
    const pipe = new Pipe();
    const files = new Map(this.self.files).set(1, new PipeWriter(pipe));
    const child = this.fork((shell) => shell.#runStatements(script.commands, { last: true }), { files });
    const chunks: Uint8Array[] = [];
    for (let bytes = await pipe.read(this.self.process); bytes; bytes = await pipe.read(this.self.process))
      chunks.push(bytes);
    this.#substitutionStatus = (await child.wait(this.self.process)).code;
    this.lastStatus = this.#substitutionStatus;
    return chunks.length === 1 ? decodeUtf8(chunks[0] as Uint8Array) : decodeUtf8(concat(chunks));
  }

  // Signals and traps

  /** `trap`: undefined resets, an empty action ignores. */
  setTrap(signal: Signal | 'EXIT', action: string | undefined): void {
    if (action === undefined) this.traps.delete(signal);
    else this.traps.set(signal, action);
    if (signal === 'EXIT') return;
    if (action === undefined) this.self.onSignal(signal, undefined);
    else if (action === '') this.self.onSignal(signal, 'ignore');
    else this.self.onSignal(signal, () => this.interruptWith(signal));
  }

  /** A signal for which there is a trap has come: it runs before the next command, and ends a `wait`. */
  interruptWith(signal: Signal): void {
    this.#pending.push(signal);
    const interrupt = this.#interrupt;
    this.#interrupt = undefined;
    interrupt?.();
  }

  async runTraps(): Promise<void> {
    for (let signal = this.#pending.shift(); signal; signal = this.#pending.shift()) {
      const action = this.traps.get(signal);
      if (!action) continue;
      const status = this.lastStatus;
      await this.runText(action);
      this.lastStatus = status;
    }
  }

  /** Waits for a process, or for a signal for which there is a trap, which it then names. */
  async waitInterruptibly(child: UnixProcess): Promise<ExitStatus | Signal> {
    while (!child.status && this.#pending.length === 0) {
      await this.self.process.park<void>((wake) => {
        this.#interrupt = wake;
        child.whenExited(wake);
      });
    }
    this.#interrupt = undefined;
    return this.#pending[0] ?? (child.status as ExitStatus);
  }
}

/** Runs a shell script without `#!` as a program. */
function scriptWithoutShebang(flavour: Flavour): Program {
  return async (self) => {
    const [, path = '', ...rest] = self.args;
    return newShell(self, flavour, path, rest).main(decodeUtf8(self.system.files.readFile(path, self.cwd, self.user)));
  };
}

/** A shell at the start of a process: its variables are the environment. */
export function newShell(self: UnixProcess, flavour: Flavour, name: string, positional: readonly string[]): Shell {
  const variables = new Map<string, Variable>();
  for (const [key, value] of self.env) variables.set(key, { value, exported: true, readOnly: false });
  const preset = (key: string, value: string, exported: boolean) => {
    if (!variables.has(key)) variables.set(key, { value, exported, readOnly: false });
  };
  variables.set('IFS', { value: ' \t\n', exported: false, readOnly: false });
  variables.set('PWD', { value: self.cwd, exported: true, readOnly: false });
  preset('PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', false);
  preset('OPTIND', '1', false);
  const shlvl = Number(variables.get('SHLVL')?.value ?? 0) + 1;
  variables.set('SHLVL', { value: String(shlvl), exported: true, readOnly: false });
  return new Shell(self, {
    flavour,
    name,
    variables,
    functions: new Map(),
    aliases: new Map(),
    positional,
    options: new Set(),
    shellPid: self.pid,
    lastStatus: 0,
    lastBackgroundPid: undefined,
  });
}

/** `set -e` looks at simple commands, subshells and pipelines; compound commands have looked inside. */
function exitsOnError(node: PipelineNode): boolean {
  return (
    node.type === 'Command' ||
    node.type === 'Pipeline' ||
    node.type === 'Subshell' ||
    node.type === 'TestCommand' ||
    node.type === 'ArithmeticCommand'
  );
}

function textOf(statement: Statement): string {
  const { command } = statement;
  if (command.type !== 'Command') return command.type.toLowerCase();
  return [command.name, ...command.args].map((word) => word?.text ?? '').join(' ');
}

function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
