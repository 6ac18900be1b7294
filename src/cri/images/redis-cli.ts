import type { Connection } from '#network/network.ts';
import { NetworkError } from '#network/network-error.ts';
import { utf8Stream } from '#base/utf8.ts';
import { lookUpHost, resolutionError } from '../os/resolve.ts';
import type { Program, UnixProcess } from '../os/unix-process.ts';
import { LineEditor } from '../shell/line-editor.ts';
import { encodeResp, RespReader, type RespValue, splitWords } from './redis-protocol.ts';

interface Target {
  readonly host: string;
  readonly port: number;
  readonly database: number;
  readonly password?: string;
}

/** redis' client: one command from its arguments, or many from standard input. */
export const redisCli: Program = async (self) => {
  const words = self.args.slice(1);
  const options = new Map<string, string>();
  while (words[0]?.startsWith('-')) {
    const option = words.shift() as string;
    if (option === '--version' || option === '-v') {
      await self.print('redis-cli 7.4.1\n');
      return 0;
    }
    if (option === '--raw' || option === '--no-raw' || option === '--no-auth-warning') options.set(option, '');
    else if (['-h', '-p', '-a', '--pass', '-n', '-r', '-i'].includes(option) && words.length > 0)
      options.set(option === '--pass' ? '-a' : option, words.shift() as string);
    else {
      await self.complain(
        option === '--help'
          ? 'redis-cli 7.4.1\n\nUsage: redis-cli [OPTIONS] [cmd [arg [arg ...]]]\n  -h <hostname>  -p <port>  -a <password>  -n <db>  -r <repeat>  -i <interval>  --raw  --no-raw\n'
          : `Unrecognized option or bad number of args for: '${option}'\n`,
      );
      return option === '--help' ? 0 : 1;
    }
  }
  const password = options.get('-a') ?? self.env.get('REDISCLI_AUTH');
  if (options.has('-a') && !options.has('--no-auth-warning'))
    await self.complain(
      "Warning: Using a password with '-a' or '-u' option on the command line interface may not be safe.\n",
    );
  const target = {
    host: options.get('-h') ?? '127.0.0.1',
    port: Number(options.get('-p') ?? 6379),
    database: Number(options.get('-n') ?? 0),
    ...(password === undefined ? {} : { password }),
  };
  const raw = options.has('--raw') || (!options.has('--no-raw') && !self.file(1)?.tty);
  const session = new Session(self, target, raw);
  if (words.length > 0) {
    for (let i = Number(options.get('-r') ?? 1); i > 0; i--) {
      if (!(await session.send(words))) return 1;
      if (i > 1 && options.has('-i')) await self.sleep(Number(options.get('-i')) * 1000);
    }
    return 0;
  }
  return self.file(0)?.tty ? session.interact() : session.readAll();
};

class Session {
  readonly #self: UnixProcess;
  readonly #target: Target;
  readonly #raw: boolean;
  #connection: Connection | undefined;
  #reader: RespReader | undefined;
  #database: number;

  constructor(self: UnixProcess, target: Target, raw: boolean) {
    this.#self = self;
    this.#target = target;
    this.#raw = raw;
    this.#database = target.database;
  }

  async interact(): Promise<number> {
    const editor = new LineEditor(this.#self, async () => ({ word: '', candidates: [] }));
    await this.#connect();
    for (;;) {
      const database = this.#database === 0 ? '' : `[${this.#database}]`;
      const prompt = this.#connection ? `${this.#target.host}:${this.#target.port}${database}> ` : 'not connected> ';
      const outcome = await editor.read(prompt);
      if (typeof outcome === 'string') return 0;
      if (['exit', 'quit'].includes(outcome.line.trim().toLowerCase())) return 0;
      await this.#line(outcome.line);
    }
  }

  async readAll(): Promise<number> {
    const decoder = utf8Stream();
    let rest = '';
    for (let bytes = await this.#self.read(0); bytes; bytes = await this.#self.read(0)) {
      const lines = (rest + decoder.push(bytes)).split('\n');
      rest = lines.pop() as string;
      for (const line of lines) if (!(await this.#line(line))) return 1;
    }
    return (await this.#line(rest)) ? 0 : 1;
  }

  async #line(line: string): Promise<boolean> {
    const words = splitWords(line);
    if (!words) await this.#self.print('Invalid argument(s)\n');
    return !words || words.length === 0 || this.send(words);
  }

  /** Sends a command and prints the answer. False: there is no server. */
  async send(words: readonly string[]): Promise<boolean> {
    if (!(await this.#connect())) return false;
    let answer: RespValue | undefined;
    try {
      answer = await this.#ask(words);
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
    }
    if (answer === undefined) {
      this.#connection = undefined;
      if (words[0]?.toLowerCase() === 'shutdown') return true;
      await this.#self.complain('Error: Server closed the connection\n');
      return false;
    }
    if (words[0]?.toLowerCase() === 'select' && answer !== null && typeof answer === 'object' && 'simple' in answer)
      this.#database = Number(words[1]);
    const raw = this.#raw || words[0]?.toLowerCase() === 'info';
    await this.#self.print(raw ? `${rawText(answer)}\n` : formatted(answer, ''));
    return true;
  }

  async #connect(): Promise<boolean> {
    if (this.#connection) return true;
    const { host, port, password } = this.#target;
    const found = await lookUpHost(this.#self, host);
    let problem = 'failure' in found ? resolutionError(this.#self, found.failure) : '';
    if (!('failure' in found)) {
      try {
        const { network } = this.#self.system;
        this.#connection = await network.connect(this.#self.process, { address: found.addresses[0], port });
        this.#reader = new RespReader(this.#connection);
        if (password !== undefined) await this.#login(['AUTH', password], 'AUTH failed');
        if (this.#database !== 0) await this.#login(['SELECT', String(this.#database)], 'SELECT failed');
        return true;
      } catch (error) {
        if (!(error instanceof NetworkError)) throw error;
        problem = error.message;
      }
    }
    this.#connection = undefined;
    await this.#self.complain(`Could not connect to Redis at ${host}:${port}: ${problem}\n`);
    return false;
  }

  async #login(words: readonly string[], failure: string): Promise<void> {
    const answer = await this.#ask(words);
    if (answer !== null && typeof answer === 'object' && 'error' in answer)
      await this.#self.complain(`${failure}: ${answer.error}\n`);
  }

  async #ask(words: readonly string[]): Promise<RespValue | undefined> {
    await this.#connection?.write(encodeResp(words));
    return this.#reader?.value();
  }
}

function rawText(value: RespValue): string {
  if (value === null) return '';
  if (typeof value !== 'object') return String(value);
  if ('simple' in value) return value.simple;
  if ('error' in value) return `${value.error}\n`;
  return value.map(rawText).join('\n');
}

function formatted(value: RespValue, indent: string): string {
  if (value === null) return '(nil)\n';
  if (typeof value === 'string') return `${quoted(value)}\n`;
  if (typeof value !== 'object') return `(integer) ${value}\n`;
  if ('simple' in value) return `${value.simple}\n`;
  if ('error' in value) return `(error) ${value.error}\n`;
  if (value.length === 0) return '(empty array)\n';
  const width = String(value.length).length;
  return value
    .map((one, i) => {
      const head = `${String(i + 1).padStart(width)}) `;
      return `${i === 0 ? '' : indent}${head}${formatted(one, indent + ' '.repeat(head.length))}`;
    })
    .join('');
}

function quoted(text: string): string {
  const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '"': '\\"', '\\': '\\\\' };
  return `"${text.replace(/[\n\r\t"\\]/g, (letter) => escapes[letter] as string)}"`;
}
