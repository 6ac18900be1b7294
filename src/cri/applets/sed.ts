import { decodeUtf8, encodeUtf8 } from '#base/utf8.ts';
import { type Applet, linesOf, usageError } from './applet.ts';
import { PosixRegexError, posixRegex } from './posix-regex.ts';

type Address = { readonly line: number } | { readonly regex: RegExp } | { readonly last: true };

interface Command {
  readonly from?: Address;
  readonly to?: Address;
  readonly not: boolean;
  readonly name: string;
  /** Text of a, i, c; label of b, t, and :; characters of y; file of w. */
  readonly text?: string;
  readonly substitute?: {
    readonly regex: RegExp;
    readonly replacement: string;
    readonly print: boolean;
    readonly nth: number;
    readonly all: boolean;
  };
  readonly block?: readonly Command[];
  /** Whether the range is open, and where it began. */
  state: { open: boolean };
}

/** A sed script that cannot be read, or that uses what is not emulated. */
class SedError extends Error {
  override readonly name = 'SedError';
}

/** The stream editor: s, d, p, q, a, i, c, y, n, N, D, P, h, H, g, G, x, =, b, t, labels and blocks. */
export const sed: Applet = {
  name: 'sed',
  usage: '[-i[SFX]] [-nrE] [-f FILE]... [-e CMD]... [FILE]...\nor: sed [-i[SFX]] [-nrE] CMD [FILE]...',
  options: 'nrEe:f:isuz',
  long: { quiet: 'n', silent: 'n', 'regexp-extended': 'E', expression: 'e', 'in-place': 'i' },
  async run(call) {
    const { self } = call;
    const operands = [...call.operands];
    const scripts = [...call.values('e')];
    for (const path of call.values('f'))
      scripts.push(decodeUtf8(self.system.files.readFile(path, self.cwd, self.user)));
    if (scripts.length === 0) {
      const script = operands.shift();
      if (script === undefined) return usageError(call, sed);
      scripts.push(script);
    }
    let commands: readonly Command[];
    try {
      commands = new SedReader(scripts.join('\n'), call.has('r') || call.has('E')).script();
    } catch (error) {
      if (!(error instanceof SedError) && !(error instanceof PosixRegexError)) throw error;
      await call.fail(error.message);
      return 1;
    }
    if (!call.has('i')) return edit(commands, call.has('n'), linesOf(call, operands), (text) => self.print(text));
    for (const path of operands) {
      let out = '';
      const status = await edit(commands, call.has('n'), linesOf(call, [path]), async (text) => {
        out += text;
      });
      self.system.files.writeFile(path, encodeUtf8(out), self.cwd, self.user);
      if (status !== 0) return status;
    }
    return 0;
  },
};

async function edit(
  commands: readonly Command[],
  quiet: boolean,
  lines: AsyncGenerator<string>,
  print: (text: string) => Promise<void>,
): Promise<number> {
  let number = 0;
  let pattern = '';
  let hold = '';
  let queued = '';
  let status = 0;
  let substituted = false;
  let next = await lines.next();
  const isLast = () => next.done === true;
  const advance = async (): Promise<string | undefined> => {
    if (next.done) return undefined;
    const line = next.value;
    number++;
    next = await lines.next();
    return line;
  };
  const flush = async () => {
    if (queued !== '') await print(queued);
    queued = '';
  };
  const matches = (address: Address) =>
    'line' in address ? number === address.line : 'last' in address ? isLast() : address.regex.test(pattern);
  const selected = (command: Command): boolean => {
    const { from, to, state } = command;
    if (!from) return !command.not;
    let inside: boolean;
    if (!to) inside = matches(from);
    else if (state.open) {
      inside = true;
      if ('line' in to ? number >= to.line : matches(to)) state.open = false;
    } else {
      inside = matches(from);
      if (inside && !('line' in to && to.line <= number)) state.open = true;
    }
    return inside !== command.not;
  };
  type Flow = 'next' | 'delete' | 'restart' | 'quit' | { readonly label: string };
  const run = async (list: readonly Command[], start = 0): Promise<Flow | undefined> => {
    for (let i = start; i < list.length; i++) {
      const command = list[i] as Command;
      if (command.name === ':' || !selected(command)) continue;
      switch (command.name) {
        case '{': {
          const flow = await run(command.block ?? []);
          if (flow) return flow;
          break;
        }
        case 's': {
          const {
            regex,
            replacement,
            print: show,
            nth,
            all,
          } = command.substitute as NonNullable<Command['substitute']>;
          let seen = 0;
          let done = false;
          pattern = pattern.replace(regex, (...args) => {
            const whole = args[0] as string;
            seen++;
            if (seen < nth || (!all && seen > nth)) return whole;
            done = true;
            const groups = args.slice(
              0,
              args.findIndex((arg) => typeof arg === 'number'),
            ) as (string | undefined)[];
            return replacement.replace(/\\([0-9n&\\/]|[^])|&/g, (found, escaped?: string) => {
              if (found === '&') return whole;
              if (escaped === 'n') return '\n';
              if (escaped !== undefined && /\d/.test(escaped)) return groups[Number(escaped)] ?? '';
              return escaped ?? '';
            });
          });
          if (done) {
            substituted = true;
            if (show) await print(`${pattern}\n`);
          }
          break;
        }
        case 'p':
          await print(`${pattern}\n`);
          break;
        case 'P':
          await print(`${pattern.split('\n')[0]}\n`);
          break;
        case 'd':
          return 'delete';
        case 'D': {
          const end = pattern.indexOf('\n');
          if (end < 0) return 'delete';
          pattern = pattern.slice(end + 1);
          return 'restart';
        }
        case 'q':
        case 'Q':
          status = Number(command.text || 0);
          if (command.name === 'Q') quiet = true;
          return 'quit';
        case 'a':
          queued += `${command.text}\n`;
          break;
        case 'i':
          await print(`${command.text}\n`);
          break;
        case 'c':
          if (!command.to || !command.state.open) await print(`${command.text}\n`);
          return 'delete';
        case 'y': {
          const [from, to] = (command.text as string).split('\0') as [string, string];
          pattern = Array.from(pattern)
            .map((char) => (from.includes(char) ? (to[from.indexOf(char)] as string) : char))
            .join('');
          break;
        }
        case '=':
          await print(`${number}\n`);
          break;
        case 'n': {
          if (!quiet) await print(`${pattern}\n`);
          await flush();
          const line = await advance();
          if (line === undefined) {
            quiet = true;
            return 'quit';
          }
          pattern = line;
          break;
        }
        case 'N': {
          const line = await advance();
          if (line === undefined) return 'quit';
          pattern += `\n${line}`;
          break;
        }
        case 'h':
          hold = pattern;
          break;
        case 'H':
          hold += `\n${pattern}`;
          break;
        case 'g':
          pattern = hold;
          break;
        case 'G':
          pattern += `\n${hold}`;
          break;
        case 'x':
          [pattern, hold] = [hold, pattern];
          break;
        case 't':
          if (!substituted) break;
          substituted = false;
          return { label: command.text ?? '' };
        case 'b':
          return { label: command.text ?? '' };
      }
    }
    return undefined;
  };
  for (let line = await advance(); line !== undefined; line = await advance()) {
    pattern = line;
    substituted = false;
    let flow = await run(commands);
    for (let jumps = 0; flow !== undefined && (flow === 'restart' || typeof flow === 'object'); jumps++) {
      if (flow === 'restart') flow = await run(commands);
      else {
        const { label } = flow;
        if (label === '') flow = undefined;
        else
          flow = await run(
            commands,
            commands.findIndex((command) => command.name === ':' && command.text === label),
          );
      }
      if (jumps > 100_000) return 1;
    }
    if (flow !== 'delete' && !quiet) await print(`${pattern}\n`);
    await flush();
    if (flow === 'quit') break;
  }
  return status;
}

class SedReader {
  readonly #text: string;
  readonly #extended: boolean;
  #at = 0;

  constructor(text: string, extended: boolean) {
    this.#text = text;
    this.#extended = extended;
  }

  script(): readonly Command[] {
    const commands = this.#list(false);
    const labels = new Set(commands.filter((command) => command.name === ':').map((command) => command.text));
    const check = (list: readonly Command[]) => {
      for (const { name, text, block } of list) {
        if ((name === 'b' || name === 't') && text && !labels.has(text))
          throw new SedError(`can't find label for jump to '${text}'`);
        if (block) check(block);
      }
    };
    check(commands);
    return commands;
  }

  #list(inBlock: boolean): Command[] {
    const commands: Command[] = [];
    for (;;) {
      this.#skip(/[\s;]*/y);
      if (this.#at >= this.#text.length) {
        if (inBlock) throw new SedError('unmatched {');
        return commands;
      }
      if (this.#peek === '}') {
        if (!inBlock) throw new SedError('unexpected }');
        this.#at++;
        return commands;
      }
      if (this.#peek === '#') {
        this.#skip(/[^\n]*/y);
        continue;
      }
      commands.push(this.#command());
    }
  }

  #command(): Command {
    const from = this.#address();
    let to: Address | undefined;
    if (from && this.#peek === ',') {
      this.#at++;
      to = this.#address();
      if (!to) throw new SedError("unexpected `,'");
    }
    this.#skip(/\s*/y);
    let not = false;
    while (this.#peek === '!') {
      not = true;
      this.#at++;
      this.#skip(/\s*/y);
    }
    const name = this.#text[this.#at++];
    const command = { ...(from ? { from } : {}), ...(to ? { to } : {}), not, state: { open: false } };
    switch (name) {
      case '{':
        return { ...command, name, block: this.#list(true) };
      case 's': {
        const delimiter = this.#text[this.#at++] as string;
        const pattern = this.#until(delimiter);
        const replacement = this.#until(delimiter);
        const flags = this.#skip(/[gpiI0-9]*/y);
        if (this.#peek === 'w' || this.#peek === 'e') throw new SedError(`flag '${this.#peek}' of s is not emulated`);
        const regex = posixRegex(pattern, this.#extended, /i/i.test(flags) ? 'gi' : 'g');
        const nth = Number(/\d+/.exec(flags)?.[0] ?? 1);
        return {
          ...command,
          name,
          substitute: { regex, replacement, print: flags.includes('p'), nth, all: flags.includes('g') },
        };
      }
      case 'y': {
        const delimiter = this.#text[this.#at++] as string;
        const source = this.#until(delimiter);
        const target = this.#until(delimiter);
        if (source.length !== target.length) throw new SedError("strings for `y' command are different lengths");
        return { ...command, name, text: `${source}\0${target}` };
      }
      case 'a':
      case 'i':
      case 'c': {
        this.#skip(/[ \t]*(\\\n?)?[ \t]*/y);
        const text = this.#skip(/(?:[^\n\\]|\\[^])*/y).replace(/\\([^])/g, '$1');
        return { ...command, name, text };
      }
      case ':':
      case 'b':
      case 't':
        return { ...command, name, text: this.#skip(/[ \t]*[^\s;}]*/y).trim() };
      case 'q':
      case 'Q':
        return { ...command, name, text: this.#skip(/[ \t]*\d*/y).trim() };
      case 'd':
      case 'D':
      case 'p':
      case 'P':
      case 'n':
      case 'N':
      case 'h':
      case 'H':
      case 'g':
      case 'G':
      case 'x':
      case '=': {
        this.#skip(/[ \t]*/y);
        if (this.#at < this.#text.length && !/[\n;}#]/.test(this.#peek as string))
          throw new SedError(`unknown option to '${name}'`);
        return { ...command, name };
      }
      default:
        throw new SedError(name === undefined ? 'missing command' : `command '${name}' is not emulated`);
    }
  }

  #address(): Address | undefined {
    const digits = this.#skip(/\d+/y);
    if (digits !== '') {
      if (this.#peek === '~') throw new SedError('addresses with a step are not emulated');
      return { line: Number(digits) };
    }
    if (this.#peek === '$') {
      this.#at++;
      return { last: true };
    }
    if (this.#peek === '/' || this.#peek === '\\') {
      const delimiter = this.#peek === '/' ? '/' : (this.#text[++this.#at] as string);
      this.#at++;
      const pattern = this.#until(delimiter);
      const flag = this.#skip(/I/y) === '' ? '' : 'i';
      return { regex: posixRegex(pattern, this.#extended, flag) };
    }
    return undefined;
  }

  get #peek(): string | undefined {
    return this.#text[this.#at];
  }

  #skip(expression: RegExp): string {
    expression.lastIndex = this.#at;
    const found = expression.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  /** Up to the delimiter, which may be escaped. */
  #until(delimiter: string): string {
    let text = '';
    let inBracket = false;
    for (; this.#at < this.#text.length; this.#at++) {
      const char = this.#text[this.#at] as string;
      if (char === '\\' && this.#at + 1 < this.#text.length) {
        const next = this.#text[++this.#at] as string;
        text += next === delimiter && delimiter !== '|' ? next : `\\${next}`;
      } else if (char === delimiter && !inBracket) {
        this.#at++;
        return text;
      } else {
        if (char === '[') inBracket = true;
        else if (char === ']') inBracket = false;
        text += char;
      }
    }
    throw new SedError('unterminated address or substitution');
  }
}
