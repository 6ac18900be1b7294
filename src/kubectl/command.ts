import type { JsonObject } from '#apimachinery/json.ts';
import { readYaml } from '#apimachinery/yaml-reader.ts';
import { decodeUtf8, utf8Stream } from '#base/utf8.ts';
import { FileError, resolvePath } from '#shell/file-system.ts';
import type { KubectlContext } from './context.ts';
import { interruptible } from './context.ts';
import { Discovery } from './discovery.ts';
import type { Flag, FlagValues } from './flags.ts';
import { UsageError } from './errors.ts';
import type { ResolvedConfig } from './kubeconfig.ts';
import { KubeconfigFiles } from './kubeconfig.ts';
import { reach } from './reach.ts';
import { RestClient } from './rest-client.ts';
import { RestMapper } from './rest-mapper.ts';
import { VERSION } from './version.ts';

/** What completion may offer for an argument. */
export type CompletionKind =
  | 'none'
  | 'files'
  /** A resource type, then names of it; `type/name` too. */
  | 'resources'
  /** Pods' names, and `type/name`. */
  | 'pods'
  | 'nodes'
  | 'contexts'
  | 'clusters'
  | 'users'
  | 'types'
  | readonly string[];

/** One command of kubectl: its words, its flags, and what it does. */
export interface Command {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** Words for which help suggests it. */
  readonly suggestFor?: readonly string[];
  /** One line. */
  readonly short: string;
  readonly long?: string;
  /** Lines of examples, without indentation; comments begin with `#`. */
  readonly examples?: string;
  /** What follows `kubectl` in the usage line, such as `get TYPE [NAME] [flags]`. */
  readonly usage: string;
  readonly flags: readonly Flag[];
  readonly subcommands?: readonly Command[];
  readonly completion?: CompletionKind;
  /** Absent for commands that only have subcommands. */
  run?(invocation: Invocation): Promise<void>;
}

/** One call of a command: what was written, and the world. Expensive things are made when first asked for. */
export class Invocation {
  readonly command: Command;
  /** Such as `kubectl config set`. */
  readonly path: string;
  readonly args: readonly string[];
  /** How many arguments came before `--`; -1 without one. */
  readonly dash: number;
  readonly flags: FlagValues;
  readonly context: KubectlContext;
  /** Warnings printed so far. */
  warnings = 0;
  readonly #warned = new Set<string>();
  #config: Promise<ResolvedConfig> | undefined;
  #client: Promise<RestClient> | undefined;
  #discovery: Discovery | undefined;
  #mapper: Promise<RestMapper> | undefined;
  #stdin: Promise<string> | undefined;

  constructor(
    command: Command,
    path: string,
    parsed: { readonly args: readonly string[]; readonly dash: number; readonly flags: FlagValues },
    context: KubectlContext,
  ) {
    this.command = command;
    this.path = path;
    this.args = parsed.args;
    this.dash = parsed.dash;
    this.flags = parsed.flags;
    this.context = context;
  }

  /** Writes to stdout. */
  print(text: string): void {
    this.context.stdout.write(text);
  }

  /** Writes a line to stdout. */
  println(line = ''): void {
    this.context.stdout.write(`${line}\n`);
  }

  /** Writes a line to stderr. */
  complain(line: string): void {
    this.context.stderr.write(`${line}\n`);
  }

  /** `Warning: …` on stderr; each text once. */
  warn(text: string): void {
    if (this.#warned.has(text)) return;
    this.#warned.add(text);
    this.warnings++;
    const colour = this.context.stderr.isTerminal && !this.context.environment['NO_COLOR'];
    this.complain(colour ? `\u001b[33;1mWarning:\u001b[0m ${text}` : `Warning: ${text}`);
  }

  /** A mistake in the command line, with a pointer to the help page. */
  usageError(message: string): UsageError {
    return new UsageError(this.path, message);
  }

  kubeconfig(): KubeconfigFiles {
    return new KubeconfigFiles(
      this.context.files,
      this.context.directory,
      this.context.environment,
      this.flags.string('kubeconfig'),
    );
  }

  config(): Promise<ResolvedConfig> {
    const { flags } = this;
    // `create rolebinding` has a --user of its own.
    const ownUser = this.command.flags.some(({ name }) => name === 'user');
    this.#config ??= this.kubeconfig().resolve({
      kubeconfig: flags.string('kubeconfig'),
      context: flags.string('context'),
      cluster: flags.string('cluster'),
      user: ownUser ? '' : flags.string('user'),
      namespace: flags.string('namespace'),
      server: flags.string('server'),
      token: flags.string('token'),
      username: flags.string('username'),
      password: flags.string('password'),
      as: flags.string('as'),
      asUid: flags.string('as-uid'),
      asGroups: flags.strings('as-group'),
      insecureSkipTlsVerify: flags.bool('insecure-skip-tls-verify'),
      tlsServerName: flags.string('tls-server-name'),
      certificateAuthority: flags.string('certificate-authority'),
      clientCertificate: flags.string('client-certificate'),
      clientKey: flags.string('client-key'),
      timeoutMs: requestTimeout(flags.string('request-timeout')),
    });
    return this.#config;
  }

  async namespace(): Promise<string> {
    return (await this.config()).namespace;
  }

  client(): Promise<RestClient> {
    this.#client ??= this.#connect();
    return this.#client;
  }

  async #connect(): Promise<RestClient> {
    const config = await this.config();
    return new RestClient(reach(this.context.connect(config.server), config.server.server), {
      headers: { 'user-agent': `kubectl/${VERSION} (tabernetes)`, ...config.headers },
      warn: (text) => this.warn(text),
      signal: this.context.signal,
    });
  }

  async discovery(): Promise<Discovery> {
    const client = await this.client();
    this.#discovery ??= new Discovery(client, (await this.config()).server.server, this.context.discoveryCache);
    return this.#discovery;
  }

  mapper(): Promise<RestMapper> {
    this.#mapper ??= this.discovery().then((discovery) => new RestMapper(discovery, (text) => this.warn(text)));
    return this.#mapper;
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return this.context.clock.now();
  }

  sleep(ms: number): Promise<void> {
    return interruptible(this.context.clock.sleep(ms), this.context.signal);
  }

  /** The absolute path of a file that the user names. */
  absolute(path: string): string {
    return resolvePath(this.context.directory, path);
  }

  /** A file's text. Throws `open FILE: no such file or directory`. */
  async readFile(path: string): Promise<string> {
    return decodeUtf8(await this.readBytes(path));
  }

  async readBytes(path: string): Promise<Uint8Array> {
    try {
      return await this.context.files.readFile(this.absolute(path));
    } catch (error) {
      if (error instanceof FileError)
        throw new Error(`${error.code === 'EISDIR' ? 'read' : 'open'} ${path}: ${error.message}`);
      throw error;
    }
  }

  /** The next line of stdin, for a question. */
  async stdinLine(): Promise<string> {
    const stream = utf8Stream();
    let text = '';
    while (!text.includes('\n')) {
      const bytes = await interruptible(this.context.stdin.read(), this.context.signal);
      if (!bytes) break;
      text += stream.push(bytes);
    }
    return text.split('\n')[0] ?? '';
  }

  /** All of stdin, read once. */
  stdin(): Promise<string> {
    this.#stdin ??= this.#readStdin();
    return this.#stdin;
  }

  async #readStdin(): Promise<string> {
    const stream = utf8Stream();
    let text = '';
    for (;;) {
      const bytes = await interruptible(this.context.stdin.read(), this.context.signal);
      if (!bytes) return text + stream.end();
      text += stream.push(bytes);
    }
  }

  /** Reads a JSON or YAML text that a flag holds. */
  parse(text: string): JsonObject {
    return readYaml(text) as JsonObject;
  }
}

/** `--request-timeout`: a duration, or seconds without a unit. */
function requestTimeout(text: string): number {
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  if (!match) return 0;
  return Number(match[1]) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match[2] as 'ms' | 's' | 'm' | 'h'];
}
