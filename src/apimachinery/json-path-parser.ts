/** A step of a template. A template is a list of pieces, each a list of steps: plain text, or what is between braces. */
export type Node =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'field'; readonly name: string }
  /** `single`: written as one index, not as a slice. */
  | {
      readonly type: 'array';
      readonly from?: number;
      readonly to?: number;
      readonly step?: number;
      readonly single: boolean;
    }
  | {
      readonly type: 'filter';
      readonly left: readonly Node[];
      readonly right: readonly Node[];
      readonly operator: string;
    }
  | { readonly type: 'number'; readonly value: number; readonly float: boolean }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'wildcard' }
  | { readonly type: 'recursive' }
  | { readonly type: 'union'; readonly members: readonly (readonly Node[])[] }
  | { readonly type: 'identifier'; readonly name: string };

const isLetterOrDigit = (char: string) => /^[\p{L}\p{Nd}_]$/u.test(char);
const isTerminator = (char: string) => char === '' || ' \t\r\n.,[]$@{}'.includes(char);

/** Parses a template. Throws the words of client-go/util/jsonpath, v1.33. */
export function parseJsonPath(text: string): readonly (readonly Node[])[] {
  return new Parser(text).template();
}

class Parser {
  readonly #chars: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#chars = Array.from(text);
  }

  template(): Node[][] {
    const pieces: Node[][] = [];
    let text = '';
    const endText = () => {
      if (text !== '') pieces.push([{ type: 'text', text }]);
      text = '';
    };
    while (this.#at < this.#chars.length) {
      if (this.#peek() === '{') {
        endText();
        this.#at++;
        pieces.push(this.#action());
      } else {
        text += this.#next();
      }
    }
    endText();
    return pieces;
  }

  #peek(offset = 0): string {
    return this.#chars[this.#at + offset] ?? '';
  }

  #next(): string {
    return this.#chars[this.#at++] ?? '';
  }

  #slice(from: number): string {
    return this.#chars.slice(from, this.#at).join('');
  }

  #action(): Node[] {
    const nodes: Node[] = [];
    for (;;) {
      if (this.#peek() === '}') {
        this.#at++;
        return nodes;
      }
      if (this.#peek() === '[' && this.#peek(1) === '?' && this.#peek(2) === '(') {
        nodes.push(this.#filter());
        continue;
      }
      if (this.#peek() === '.' && this.#peek(1) === '.') {
        if (nodes.at(-1)?.type === 'recursive') throw new Error('invalid multiple recursive descent');
        this.#at += 2;
        nodes.push({ type: 'recursive' });
        if (isLetterOrDigit(this.#peek())) nodes.push(this.#field());
        continue;
      }
      const char = this.#peek();
      if (char === '' || char === '\r' || char === '\n') throw new Error('unclosed action');
      if (char === ' ' || char === '@' || char === '$') this.#at++;
      else if (char === '[') nodes.push(...this.#array());
      else if (char === '"' || char === "'") nodes.push(this.#quoted());
      else if (char === '.') {
        this.#at++;
        nodes.push(this.#field());
      } else if (char === '+' || char === '-' || /^\p{Nd}$/u.test(char)) nodes.push(this.#number());
      else if (isLetterOrDigit(char)) nodes.push(this.#identifier());
      else {
        const code = (char.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0');
        throw new Error(`unrecognized character in action: U+${code} '${char}'`);
      }
    }
  }

  #field(): Node {
    const start = this.#at;
    for (;;) {
      if (this.#peek() === '\\') this.#at += 2;
      else if (isTerminator(this.#peek())) break;
      else this.#at++;
    }
    const name = this.#slice(start);
    return name === '*' ? { type: 'wildcard' } : { type: 'field', name: name.replaceAll('\\', '') };
  }

  #identifier(): Node {
    const start = this.#at;
    while (!isTerminator(this.#peek())) this.#at++;
    const name = this.#slice(start);
    if (name === 'true' || name === 'false') return { type: 'bool', value: name === 'true' };
    return { type: 'identifier', name };
  }

  #number(): Node {
    const start = this.#at;
    if (this.#peek() === '+' || this.#peek() === '-') this.#at++;
    while (this.#peek() === '.' || /^\p{Nd}$/u.test(this.#peek())) this.#at++;
    const text = this.#slice(start);
    if (/^[+-]?\d+$/.test(text)) return { type: 'number', value: Number(text), float: false };
    if (/^[+-]?(\d+\.\d*|\.\d+)$/.test(text)) return { type: 'number', value: Number(text), float: true };
    throw new Error(`cannot parse number ${text}`);
  }

  #quoted(): Node {
    const start = this.#at;
    const quote = this.#next();
    for (;;) {
      const char = this.#next();
      if (char === '' || char === '\n') throw new Error('unterminated quoted string');
      if (char === quote && this.#chars[this.#at - 2] !== '\\') break;
    }
    const text = this.#slice(start);
    return { type: 'text', text: unquote(text, quote) };
  }

  #array(): readonly Node[] {
    const start = this.#at;
    for (;;) {
      const char = this.#next();
      if (char === '' || char === '\n') throw new Error('unterminated array');
      if (char === ']') break;
    }
    let text = this.#slice(start).slice(1, -1);
    if (text === '*') text = ':';
    const parts = text.split(',');
    if (parts.length > 1) {
      return [{ type: 'union', members: parts.map((part) => actionOf(`[${part.replace(/^ +| +$/g, '')}]`)) }];
    }
    const key = /^'([^']*)'$/.exec(text);
    if (key) return actionOf(`.${key[1]}`);
    const match = /^(-?\d*)(:-?\d*)?(:-?\d*)?$/.exec(text);
    if (!match) throw new Error(`invalid array index ${text}`);
    const [from, to, step] = [match[1], match[2]?.slice(1), match[3]?.slice(1)].map((part) => {
      if (part === undefined || part === '') return undefined;
      if (part === '-') throw new Error(`array index ${part} is not a number`);
      return Number(part);
    });
    return [
      {
        type: 'array',
        single: match[2] === undefined,
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
        ...(step === undefined ? {} : { step }),
      },
    ];
  }

  #filter(): Node {
    this.#at += 3;
    const start = this.#at;
    let begun = false;
    let ended = false;
    let pair = '';
    for (;;) {
      const char = this.#next();
      if (char === '' || char === '\n') throw new Error('unterminated filter');
      if (char === '"' || char === "'") {
        if (!begun) {
          begun = true;
          pair = char;
        } else if (this.#chars[this.#at - 2] !== '\\' && char === pair) ended = true;
      } else if (char === ')' && begun === ended) break;
    }
    const text = this.#slice(start).slice(0, -1);
    if (this.#next() !== ']') throw new Error('unclosed array expect ]');
    const match = /^([^!<>=]+)([!<>=]+)(.+?)$/s.exec(text);
    if (!match) return { type: 'filter', left: actionOf(text), right: [], operator: 'exists' };
    const [, left = '', operator = '', right = ''] = match;
    return { type: 'filter', left: actionOf(left), right: actionOf(right), operator };
  }
}

/** The steps of what would stand between braces. */
function actionOf(text: string): readonly Node[] {
  return parseJsonPath(`{${text}}`)[0] ?? [];
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};

/** A quoted text without its quotes and escapes. Follows UnquoteExtend. */
function unquote(text: string, quote: string): string {
  const inner = text.slice(1, -1);
  if (!inner.includes('\\')) return inner;
  const fail = () => new Error(`unquote string ${text} error invalid syntax`);
  let out = '';
  for (let at = 0; at < inner.length; at++) {
    if (inner[at] !== '\\') {
      if (inner[at] === quote) throw fail();
      out += inner[at];
      continue;
    }
    const letter = inner[++at] ?? '';
    if (ESCAPES[letter] !== undefined) out += ESCAPES[letter];
    else if (letter === quote) out += quote;
    else {
      const match =
        letter === 'x'
          ? /^[0-9a-fA-F]{2}/
          : letter === 'u'
            ? /^[0-9a-fA-F]{4}/
            : letter === 'U'
              ? /^[0-9a-fA-F]{8}/
              : /^[0-7]{3}/;
      const digits = match.exec(inner.slice(letter >= '0' && letter <= '7' ? at : at + 1))?.[0];
      if (digits === undefined) throw fail();
      out += String.fromCodePoint(Number.parseInt(digits, letter >= '0' && letter <= '7' ? 8 : 16));
      at += letter >= '0' && letter <= '7' ? digits.length - 1 : digits.length;
    }
  }
  return out;
}
