/** A pattern that Go's regexp package would not take; the message is Go's. */
export class RegexpError extends Error {
  override readonly name = 'RegexpError';
}

const POSIX: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7F',
  blank: '\\t ',
  cntrl: '\\x00-\\x1F\\x7F',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};
const SPACE = '\\t\\n\\f\\r ';
const compiled = new Map<string, RegExp>();
const KEPT = 200;

/**
 * A regular expression in Go's dialect (RE2) as one of JavaScript's. Throws {@link RegexpError}. Simplified: JavaScript's
 * matcher backtracks, and flags may only stand at the beginning.
 */
export function goRegexp(pattern: string): RegExp {
  let known = compiled.get(pattern);
  if (!known) {
    known = new Translator(pattern).translate();
    if (compiled.size >= KEPT) compiled.clear();
    compiled.set(pattern, known);
  }
  return known;
}

class Translator {
  readonly #source: string;
  #at = 0;
  #out = '';
  #flags = 'u';
  #dotAll = false;
  #depth = 0;
  /** Something stands before that may be repeated. */
  #repeatable = false;

  constructor(source: string) {
    this.#source = source;
  }

  translate(): RegExp {
    const source = this.#source;
    const flags = /^\(\?([ims]+)\)/.exec(source);
    if (flags) {
      this.#at = flags[0].length;
      if (flags[1]?.includes('i')) this.#flags += 'i';
      if (flags[1]?.includes('m')) this.#flags += 'm';
      this.#dotAll = flags[1]?.includes('s') === true;
    }
    while (this.#at < source.length) this.#step();
    if (this.#depth > 0) throw failure('missing closing )', source);
    try {
      return new RegExp(this.#out, this.#flags);
    } catch {
      throw failure('invalid or unsupported Perl syntax', source);
    }
  }

  #step(): void {
    const char = this.#take();
    switch (char) {
      case '\\':
        this.#emit(this.#escape(false));
        return;
      case '[':
        this.#emit(this.#charClass());
        return;
      case '.':
        this.#emit(this.#dotAll ? '[^]' : '[^\\n]');
        return;
      case '(':
        this.#open();
        return;
      case ')':
        if (--this.#depth < 0) throw failure('unexpected )', this.#source);
        this.#emit(')');
        return;
      case '|':
      case '^':
        this.#out += char;
        this.#repeatable = char === '^';
        return;
      case '*':
      case '+':
      case '?':
        this.#repeat(char);
        return;
      case '{': {
        const bounds = /^(\d+)(?:,(\d*))?\}/.exec(this.#source.slice(this.#at));
        if (!bounds) {
          this.#emit('\\{');
          return;
        }
        this.#at += bounds[0].length;
        if (Number(bounds[1]) > 1000 || Number(bounds[2] ?? 0) > 1000)
          throw failure('invalid repeat count', `{${bounds[0]}`);
        this.#repeat(`{${bounds[0]}`);
        return;
      }
      case '}':
      case ']':
        this.#emit(`\\${char}`);
        return;
      default:
        this.#emit(char);
    }
  }

  #take(): string {
    const char = String.fromCodePoint(this.#source.codePointAt(this.#at) as number);
    this.#at += char.length;
    return char;
  }

  #emit(text: string): void {
    this.#out += text;
    this.#repeatable = true;
  }

  #repeat(operator: string): void {
    if (!this.#repeatable) throw failure('missing argument to repetition operator', operator);
    this.#out += operator;
    if (this.#source[this.#at] === '?') {
      this.#at++;
      this.#out += '?';
    }
    const next = this.#source[this.#at];
    if (next !== undefined && '*+?'.includes(next))
      throw failure('invalid nested repetition operator', operator + next);
  }

  #open(): void {
    const rest = this.#source.slice(this.#at);
    const name = /^\?P?<([A-Za-z_]\w*)>/.exec(rest);
    const plain = /^\?:/.exec(rest);
    if (rest.startsWith('?') && !name && !plain)
      throw failure('invalid or unsupported Perl syntax', `(${rest.slice(0, rest.startsWith('?<') ? 3 : 2)}`);
    this.#at += (name ?? plain)?.[0].length ?? 0;
    this.#depth++;
    this.#out += name ? `(?<${name[1]}>` : plain ? '(?:' : '(';
    this.#repeatable = false;
  }

  /** What follows a backslash. */
  #escape(inClass: boolean): string {
    if (this.#at >= this.#source.length) throw failure('trailing backslash at end of expression', '');
    const char = this.#take();
    if (/[dDwW]/.test(char)) return `\\${char}`;
    if (char === 's') return inClass ? SPACE : `[${SPACE}]`;
    if (char === 'S' && !inClass) return `[^${SPACE}]`;
    if (/[tnrfv]/.test(char)) return `\\${char}`;
    if (char === 'a') return '\\x07';
    if (!inClass && /[bB]/.test(char)) return `\\${char}`;
    if (!inClass && char === 'A') return '(?<![^])';
    if (!inClass && char === 'z') return '(?![^])';
    if (char === 'p' || char === 'P') return this.#property(char);
    if (char === 'x') {
      const hex = /^(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})/.exec(this.#source.slice(this.#at));
      if (!hex) throw failure('invalid escape sequence', '\\x');
      this.#at += hex[0].length;
      return `\\u{${hex[1] ?? hex[2]}}`;
    }
    if (char === 'Q' && !inClass) {
      const end = this.#source.indexOf('\\E', this.#at);
      const text = this.#source.slice(this.#at, end < 0 ? undefined : end);
      this.#at = end < 0 ? this.#source.length : end + 2;
      return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
    }
    if (/[A-Za-z0-9]/.test(char)) throw failure('invalid escape sequence', `\\${char}`);
    return /[\\^$.*+?()[\]{}|/-]/.test(char) ? (char === '-' && !inClass ? '-' : `\\${char}`) : char;
  }

  #property(kind: string): string {
    const match = /^(?:([A-Z])|\{(\^?)(\w+)\})/.exec(this.#source.slice(this.#at));
    if (!match) throw failure('invalid character class range', `\\${kind}`);
    this.#at += match[0].length;
    const name = match[1] ?? (match[3] as string);
    const letter = (match[2] === '^') === (kind === 'p') ? 'P' : 'p';
    return `\\${letter}{${name.length <= 2 ? name : `Script=${name}`}}`;
  }

  #charClass(): string {
    const start = this.#at - 1;
    let out = '[';
    if (this.#source[this.#at] === '^') {
      out += '^';
      this.#at++;
    }
    for (let first = true; ; first = false) {
      if (this.#at >= this.#source.length) throw failure('missing closing ]', this.#source.slice(start));
      const posix = /^\[:(\^?)(\w+):\]/.exec(this.#source.slice(this.#at));
      if (posix) {
        const members = POSIX[posix[2] as string];
        if (members === undefined || posix[1]) throw failure('invalid character class range', posix[0]);
        this.#at += posix[0].length;
        out += members;
        continue;
      }
      const char = this.#take();
      if (char === ']' && !first) return `${out}]`;
      if (char === '\\') out += this.#escape(true);
      else if (char === '-') {
        const atEdge = first || this.#source[this.#at] === ']';
        out += atEdge ? '\\-' : '-';
      } else out += '[]/(){}|^$.*+?'.includes(char) ? `\\${char}` : char;
    }
  }
}

const failure = (why: string, what: string): RegexpError =>
  new RegexpError(`error parsing regexp: ${why}: \`${what}\``);
