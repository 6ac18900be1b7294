import { goQuote } from '#apimachinery/validation.ts';
import { parseDuration } from './go-duration.ts';

export type FlagType = 'bool' | 'string' | 'int' | 'duration' | 'stringSlice' | 'stringArray';

/** One flag of a command, as pflag knows it. */
export interface Flag {
  readonly name: string;
  readonly short?: string;
  readonly type: FlagType;
  /** As help shows it: `false`, `''`, `0s`, `[]`; what counts when the flag is not given. */
  readonly default?: string;
  /** The value of the bare flag (`--dry-run`); boolean flags have `true`. */
  readonly bare?: string;
  readonly usage: string;
  readonly hidden?: boolean;
  readonly deprecated?: string;
  readonly required?: boolean;
  /** Throws when the value is not what the flag takes. */
  check?(value: string): void;
  /** What completion offers as its value. */
  readonly values?: readonly string[] | 'namespaces' | 'files' | 'containers' | 'contexts' | 'clusters' | 'users';
}

/** A flag that cannot be parsed; kubectl adds `See '… --help' for usage.` */
export class FlagError extends Error {
  override readonly name = 'FlagError';
}

/** The command line asks for help. */
export class HelpRequested extends Error {
  override readonly name = 'HelpRequested';
}

const DEFAULTS: Readonly<Record<FlagType, string>> = {
  bool: 'false',
  string: '',
  int: '0',
  duration: '0s',
  stringSlice: '',
  stringArray: '',
};

/** The default as a string that parses. */
export function defaultOf(flag: Flag): string {
  return flag.default ?? DEFAULTS[flag.type];
}

/** What stands for the flag's value when it is given without one; undefined when it needs one. */
export function bareValue(flag: Flag): string | undefined {
  return flag.bare ?? (flag.type === 'bool' ? 'true' : undefined);
}

const BOOLEANS = new Map([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((text) => [text, true] as const),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((text) => [text, false] as const),
]);

/** strconv.ParseBool; undefined for anything else. */
export function parseBool(text: string): boolean | undefined {
  return BOOLEANS.get(text);
}

/** strconv.ParseInt with base 10 or 0; throws with Go's words. */
export function parseInteger(text: string, bits = 64): number {
  const digits = /^[+-]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]*|[1-9][0-9]*)$/.exec(text)?.[0];
  if (digits === undefined) throw new Error(`strconv.ParseInt: parsing ${goQuote(text)}: invalid syntax`);
  const unsigned = digits.replace(/^[+-]/, '');
  const magnitude = BigInt(/^0[0-7]+$/.test(unsigned) ? `0o${unsigned.slice(1)}` : unsigned);
  const value = digits.startsWith('-') ? -magnitude : magnitude;
  const limit = 1n << BigInt(bits - 1);
  if (value >= limit || value < -limit) {
    throw new Error(`strconv.ParseInt: parsing ${goQuote(text)}: value out of range`);
  }
  return Number(value);
}

/** One record of comma-separated values with double quotes. Follows encoding/csv as pflag uses it. */
export function parseCsv(text: string): string[] {
  if (text === '') return [];
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    if (text[at] === '"') {
      let field = '';
      at++;
      for (;;) {
        const end = text.indexOf('"', at);
        if (end < 0)
          throw new Error(`parse error on line 1, column ${text.length + 1}: extraneous or missing " in quoted-field`);
        field += text.slice(at, end);
        at = end + 1;
        if (text[at] !== '"') break;
        field += '"';
        at++;
      }
      if (at < text.length && text[at] !== ',') {
        throw new Error(`parse error on line 1, column ${at + 1}: extraneous or missing " in quoted-field`);
      }
      fields.push(field);
    } else {
      const comma = text.indexOf(',', at);
      const end = comma < 0 ? text.length : comma;
      const field = text.slice(at, end);
      const stray = field.indexOf('"');
      if (stray >= 0) throw new Error(`parse error on line 1, column ${at + stray + 1}: bare " in non-quoted-field`);
      fields.push(field);
      at = end;
    }
    if (at >= text.length) return fields;
    at++;
  }
}

type Value = boolean | string | number | readonly string[];

/** For flags of 32 bits. */
export function checkInt32(text: string): void {
  parseInteger(text, 32);
}

function parseValue(flag: Flag, text: string): Value {
  flag.check?.(text);
  switch (flag.type) {
    case 'bool': {
      const value = parseBool(text);
      if (value === undefined) throw new Error(`strconv.ParseBool: parsing ${goQuote(text)}: invalid syntax`);
      return value;
    }
    case 'string':
      return text;
    case 'int':
      return parseInteger(text);
    case 'duration':
      return parseDuration(text);
    case 'stringSlice':
      return parseCsv(text);
    case 'stringArray':
      return [text];
  }
}

/** The values of a command's flags. Asking for a flag that the command does not have is a bug and throws. */
export class FlagValues {
  readonly #flags = new Map<string, Flag>();
  readonly #values = new Map<string, Value>();
  readonly #changed = new Set<string>();

  constructor(flags: readonly Flag[]) {
    for (const flag of flags) {
      this.#flags.set(flag.name, flag);
      const initial = defaultOf(flag);
      this.#values.set(flag.name, flag.type === 'stringArray' && initial === '' ? [] : parseValue(flag, initial));
    }
  }

  /** Sets a flag from text; throws what pflag says of a bad value. */
  set(flag: Flag, text: string): void {
    let value: Value;
    try {
      value = parseValue(flag, text);
    } catch (error) {
      const spelled = flag.short ? `-${flag.short}, --${flag.name}` : `--${flag.name}`;
      throw new FlagError(`invalid argument ${goQuote(text)} for "${spelled}" flag: ${(error as Error).message}`);
    }
    const before = this.#values.get(flag.name);
    const appended = Array.isArray(value) && this.#changed.has(flag.name) ? [...(before as string[]), ...value] : value;
    this.#values.set(flag.name, appended);
    this.#changed.add(flag.name);
  }

  /** Whether the command line names the flag. */
  changed(name: string): boolean {
    return this.#changed.has(name);
  }

  has(name: string): boolean {
    return this.#flags.has(name);
  }

  bool(name: string): boolean {
    return this.#get(name) as boolean;
  }

  string(name: string): string {
    return this.#get(name) as string;
  }

  int(name: string): number {
    return this.#get(name) as number;
  }

  /** Milliseconds. */
  duration(name: string): number {
    return this.#get(name) as number;
  }

  strings(name: string): readonly string[] {
    return this.#get(name) as readonly string[];
  }

  #get(name: string): Value {
    const value = this.#values.get(name);
    if (value === undefined) throw new Error(`flag accessed but not defined: ${name}`);
    return value;
  }
}

export interface ParsedArguments {
  readonly flags: FlagValues;
  readonly args: readonly string[];
  /** How many arguments came before `--`; -1 without one. */
  readonly dash: number;
  /** Sentences about deprecated flags, for stderr. */
  readonly notices: readonly string[];
}

/** Parses a command line as pflag does, flags and arguments mixed. Throws {@link FlagError} and {@link HelpRequested}. */
export function parseFlags(flags: readonly Flag[], words: readonly string[]): ParsedArguments {
  const byName = new Map(flags.map((flag) => [flag.name, flag]));
  const byShort = new Map(flags.flatMap((flag) => (flag.short ? [[flag.short, flag] as const] : [])));
  const values = new FlagValues(flags);
  const args: string[] = [];
  const notices: string[] = [];
  let dash = -1;
  let at = 0;

  const set = (flag: Flag, text: string) => {
    values.set(flag, text);
    if (flag.deprecated) notices.push(`Flag --${flag.name} has been deprecated, ${flag.deprecated}`);
  };

  const long = (word: string) => {
    const equals = word.indexOf('=');
    const written = equals < 0 ? word.slice(2) : word.slice(2, equals);
    if (written === '' || written.startsWith('-') || written.startsWith('='))
      throw new FlagError(`bad flag syntax: ${word}`);
    const flag = byName.get(written.replaceAll('_', '-'));
    if (!flag) {
      if (written === 'help') throw new HelpRequested();
      throw new FlagError(`unknown flag: --${written}`);
    }
    const bare = bareValue(flag);
    if (equals >= 0) set(flag, word.slice(equals + 1));
    else if (bare !== undefined) set(flag, bare);
    else if (at < words.length) set(flag, words[at++] as string);
    else throw new FlagError(`flag needs an argument: ${word}`);
  };

  const short = (word: string) => {
    let rest = word.slice(1);
    while (rest !== '') {
      const letters = rest;
      const letter = rest[0] as string;
      const flag = byShort.get(letter);
      if (!flag) {
        if (letter === 'h') throw new HelpRequested();
        throw new FlagError(`unknown shorthand flag: '${letter}' in -${letters}`);
      }
      rest = rest.slice(1);
      const bare = bareValue(flag);
      if (rest.length > 1 && rest.startsWith('=')) {
        set(flag, rest.slice(1));
        rest = '';
      } else if (bare !== undefined) {
        set(flag, bare);
      } else if (rest !== '') {
        set(flag, rest);
        rest = '';
      } else if (at < words.length) {
        set(flag, words[at++] as string);
      } else {
        throw new FlagError(`flag needs an argument: '${letter}' in -${letters}`);
      }
    }
  };

  while (at < words.length) {
    const word = words[at++] as string;
    if (word === '--') {
      dash = args.length;
      args.push(...words.slice(at));
      break;
    }
    if (word.startsWith('--')) long(word);
    else if (word.startsWith('-') && word.length > 1) short(word);
    else args.push(word);
  }
  return { flags: values, args, dash, notices };
}
