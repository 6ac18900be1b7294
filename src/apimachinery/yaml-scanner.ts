/** A place in a text: line, column and index count from 0, in characters. */
export interface Mark {
  readonly line: number;
  readonly column: number;
  readonly index: number;
}

export type ScalarStyle = 'plain' | 'single' | 'double' | 'literal' | 'folded';

export type Token =
  | { readonly type: TokenType; readonly start: Mark }
  | { readonly type: 'scalar'; readonly start: Mark; readonly value: string; readonly style: ScalarStyle }
  | { readonly type: 'alias' | 'anchor'; readonly start: Mark; readonly value: string }
  | { readonly type: 'tag'; readonly start: Mark; readonly handle: string; readonly suffix: string }
  | { readonly type: 'version-directive'; readonly start: Mark; readonly major: number; readonly minor: number }
  | { readonly type: 'tag-directive'; readonly start: Mark; readonly handle: string; readonly prefix: string };

type TokenType =
  | 'stream-end'
  | 'document-start'
  | 'document-end'
  | 'block-sequence-start'
  | 'block-mapping-start'
  | 'block-end'
  | 'flow-sequence-start'
  | 'flow-sequence-end'
  | 'flow-mapping-start'
  | 'flow-mapping-end'
  | 'flow-entry'
  | 'block-entry'
  | 'key'
  | 'value';

/** A text that is not YAML, in go-yaml's words: `yaml: line 4: did not find expected key`. */
export class YamlError extends Error {
  override readonly name = 'YamlError';

  constructor(problem: string, line = 0) {
    super(line > 0 ? `yaml: line ${line}: ${problem}` : `yaml: ${problem}`);
  }
}

interface SimpleKey {
  possible: boolean;
  required: boolean;
  tokenNumber: number;
  mark: Mark;
}

/** Deeper nesting than any manifest has; the parser that follows recurses. go-yaml stops at 10000. */
const MOST_LEVELS = 1000;

const ESCAPES: Readonly<Record<string, string>> = {
  '0': '\0',
  a: '\u0007',
  b: '\b',
  t: '\t',
  '\t': '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
  e: '\u001b',
  ' ': ' ',
  '"': '"',
  "'": "'",
  '\\': '\\',
  N: '\u0085',
  _: '\u00a0',
  L: '\u2028',
  P: '\u2029',
};
const HEX_ESCAPES: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

const isBlank = (char: string) => char === ' ' || char === '\t';
const isBreak = (char: string) =>
  char === '\n' || char === '\r' || char === '\u0085' || char === '\u2028' || char === '\u2029';
const isBlankOrEnd = (char: string) => char === '' || isBlank(char) || isBreak(char);
const isBreakOrEnd = (char: string) => char === '' || isBreak(char);
const isWord = (char: string) => /^[0-9A-Za-z_-]$/.test(char);
const isDigit = (char: string) => char >= '0' && char <= '9' && char.length === 1;
/** Characters that a YAML stream may hold. */
const FORBIDDEN = /[^\t\n\r\u0020-\u007e\u0085\u00a0-\ud7ff\ue000-\ufeff\uff00-\ufffd\u{10000}-\u{10ffff}]/u;
const NO_PLAIN_START = new Set(Array.from('-?:,[]{}#&*!|>\'"%@`'));

/**
 * Cuts YAML 1.1 into tokens, with the errors, and the places of errors, of go-yaml v2 (which is libyaml): what is wrong
 * in a manifest is said as every Kubernetes tool says it.
 */
export class YamlScanner {
  readonly #chars: readonly string[];
  #index = 0;
  #line = 0;
  #column = 0;
  readonly #tokens: Token[] = [];
  /** Tokens already taken. */
  #taken = 0;
  #ended = false;
  #flowLevel = 0;
  #indent = -1;
  readonly #indents: number[] = [];
  #simpleKeyAllowed = true;
  readonly #simpleKeys: SimpleKey[] = [noKey()];

  constructor(text: string) {
    if (FORBIDDEN.test(text)) throw new YamlError('control characters are not allowed');
    this.#chars = Array.from(text);
  }

  /** The next token, left in place. */
  peek(): Token {
    this.#fetchMore();
    return this.#tokens[0] as Token;
  }

  next(): Token {
    const token = this.peek();
    this.#tokens.shift();
    this.#taken++;
    return token;
  }

  #at(offset = 0): string {
    return this.#chars[this.#index + offset] ?? '';
  }

  #mark(): Mark {
    return { line: this.#line, column: this.#column, index: this.#index };
  }

  #skip(count = 1): void {
    this.#index += count;
    this.#column += count;
  }

  /** Passes a line break and returns what it stands for in a scalar. */
  #readBreak(): string {
    const char = this.#at();
    this.#index += char === '\r' && this.#at(1) === '\n' ? 2 : 1;
    this.#column = 0;
    this.#line++;
    return char === '\u2028' || char === '\u2029' ? char : '\n';
  }

  #fail(problem: string, context?: Mark): never {
    throw new YamlError(problem, this.#line !== 0 ? this.#line + 1 : (context?.line ?? 0));
  }

  #fetchMore(): void {
    for (;;) {
      if (this.#tokens.length > 0) {
        const head = this.#simpleKeys.find((key) => key.possible && key.tokenNumber === this.#taken);
        if (!head || !this.#isValid(head)) return;
      }
      if (this.#ended) return;
      this.#fetchNext();
    }
  }

  /** Whether a saved key can still be one: it is on this line, and not far back. */
  #isValid(key: SimpleKey): boolean {
    if (!key.possible) return false;
    if (key.mark.line < this.#line || key.mark.index + 1024 < this.#index) {
      if (key.required) this.#fail("could not find expected ':'", key.mark);
      key.possible = false;
      return false;
    }
    return true;
  }

  #fetchNext(): void {
    this.#toNextToken();
    this.#unrollIndent(this.#column);
    const char = this.#at();
    if (char === '') return this.#fetchEnd();
    if (this.#column === 0 && char === '%') return this.#fetchDirective();
    if (this.#documentIndicator('-')) return this.#fetchDocumentIndicator('document-start');
    if (this.#documentIndicator('.')) return this.#fetchDocumentIndicator('document-end');
    const nextBlank = isBlankOrEnd(this.#at(1));
    switch (char) {
      case '[':
        return this.#fetchFlowStart('flow-sequence-start');
      case '{':
        return this.#fetchFlowStart('flow-mapping-start');
      case ']':
        return this.#fetchFlowEnd('flow-sequence-end');
      case '}':
        return this.#fetchFlowEnd('flow-mapping-end');
      case ',':
        this.#removeSimpleKey();
        this.#simpleKeyAllowed = true;
        return this.#push('flow-entry', 1);
      case '-':
        if (nextBlank) return this.#fetchBlockEntry();
        break;
      case '?':
        if (this.#flowLevel > 0 || nextBlank) return this.#fetchKey();
        break;
      case ':':
        if (this.#flowLevel > 0 || nextBlank) return this.#fetchValue();
        break;
      case '*':
        return this.#fetchAnchor('alias');
      case '&':
        return this.#fetchAnchor('anchor');
      case '!':
        return this.#fetchTag();
      case '|':
      case '>':
        if (this.#flowLevel === 0) return this.#fetchBlockScalar(char === '|');
        break;
      case "'":
      case '"':
        this.#saveSimpleKey();
        this.#simpleKeyAllowed = false;
        this.#tokens.push(this.#scanQuoted(char));
        return;
    }
    const plain =
      (!isBlankOrEnd(char) && !NO_PLAIN_START.has(char)) ||
      (char === '-' && !isBlank(this.#at(1))) ||
      (this.#flowLevel === 0 && (char === '?' || char === ':') && !nextBlank);
    if (!plain) this.#fail('found character that cannot start any token', this.#mark());
    this.#saveSimpleKey();
    this.#simpleKeyAllowed = false;
    this.#tokens.push(this.#scanPlain());
  }

  #documentIndicator(char: string): boolean {
    return (
      this.#column === 0 &&
      this.#at() === char &&
      this.#at(1) === char &&
      this.#at(2) === char &&
      isBlankOrEnd(this.#at(3))
    );
  }

  #push(type: TokenType, width: number): void {
    this.#tokens.push({ type, start: this.#mark() });
    this.#skip(width);
  }

  #toNextToken(): void {
    for (;;) {
      if (this.#column === 0 && this.#at() === '\ufeff') this.#skip();
      while (this.#at() === ' ' || (this.#at() === '\t' && (this.#flowLevel > 0 || !this.#simpleKeyAllowed)))
        this.#skip();
      if (this.#at() === '#') while (!isBreakOrEnd(this.#at())) this.#skip();
      if (!isBreak(this.#at())) return;
      this.#readBreak();
      if (this.#flowLevel === 0) this.#simpleKeyAllowed = true;
    }
  }

  #saveSimpleKey(): void {
    if (!this.#simpleKeyAllowed) return;
    const key: SimpleKey = {
      possible: true,
      required: this.#flowLevel === 0 && this.#indent === this.#column,
      tokenNumber: this.#taken + this.#tokens.length,
      mark: this.#mark(),
    };
    this.#removeSimpleKey();
    this.#simpleKeys[this.#simpleKeys.length - 1] = key;
  }

  #removeSimpleKey(): void {
    const key = this.#simpleKeys.at(-1) as SimpleKey;
    if (key.possible && key.required) this.#fail("could not find expected ':'", key.mark);
    key.possible = false;
  }

  #rollIndent(column: number, at: number | undefined, type: TokenType, mark: Mark): void {
    if (this.#flowLevel > 0 || this.#indent >= column) return;
    this.#indents.push(this.#indent);
    this.#indent = column;
    if (this.#indents.length > MOST_LEVELS) this.#fail(`exceeded max depth of ${MOST_LEVELS}`, mark);
    this.#tokens.splice(at ?? this.#tokens.length, 0, { type, start: mark });
  }

  #unrollIndent(column: number): void {
    if (this.#flowLevel > 0) return;
    while (this.#indent > column) {
      this.#tokens.push({ type: 'block-end', start: this.#mark() });
      this.#indent = this.#indents.pop() as number;
    }
  }

  #fetchEnd(): void {
    if (this.#column !== 0) {
      this.#column = 0;
      this.#line++;
    }
    this.#unrollIndent(-1);
    this.#removeSimpleKey();
    this.#simpleKeyAllowed = false;
    this.#tokens.push({ type: 'stream-end', start: this.#mark() });
    this.#ended = true;
  }

  #fetchDocumentIndicator(type: TokenType): void {
    this.#unrollIndent(-1);
    this.#removeSimpleKey();
    this.#simpleKeyAllowed = false;
    this.#push(type, 3);
  }

  #fetchFlowStart(type: TokenType): void {
    this.#saveSimpleKey();
    this.#simpleKeys.push(noKey());
    this.#flowLevel++;
    if (this.#flowLevel > MOST_LEVELS) this.#fail(`exceeded max depth of ${MOST_LEVELS}`, this.#mark());
    this.#simpleKeyAllowed = true;
    this.#push(type, 1);
  }

  #fetchFlowEnd(type: TokenType): void {
    this.#removeSimpleKey();
    if (this.#flowLevel > 0) {
      this.#flowLevel--;
      this.#simpleKeys.pop();
    }
    this.#simpleKeyAllowed = false;
    this.#push(type, 1);
  }

  #fetchBlockEntry(): void {
    if (this.#flowLevel === 0) {
      if (!this.#simpleKeyAllowed) this.#fail('block sequence entries are not allowed in this context', this.#mark());
      this.#rollIndent(this.#column, undefined, 'block-sequence-start', this.#mark());
    }
    this.#removeSimpleKey();
    this.#simpleKeyAllowed = true;
    this.#push('block-entry', 1);
  }

  #fetchKey(): void {
    if (this.#flowLevel === 0) {
      if (!this.#simpleKeyAllowed) this.#fail('mapping keys are not allowed in this context', this.#mark());
      this.#rollIndent(this.#column, undefined, 'block-mapping-start', this.#mark());
    }
    this.#removeSimpleKey();
    this.#simpleKeyAllowed = this.#flowLevel === 0;
    this.#push('key', 1);
  }

  #fetchValue(): void {
    const key = this.#simpleKeys.at(-1) as SimpleKey;
    if (this.#isValid(key)) {
      const at = key.tokenNumber - this.#taken;
      this.#tokens.splice(at, 0, { type: 'key', start: key.mark });
      this.#rollIndent(key.mark.column, at, 'block-mapping-start', key.mark);
      key.possible = false;
      this.#simpleKeyAllowed = false;
    } else {
      if (this.#flowLevel === 0) {
        if (!this.#simpleKeyAllowed) this.#fail('mapping values are not allowed in this context', this.#mark());
        this.#rollIndent(this.#column, undefined, 'block-mapping-start', this.#mark());
      }
      this.#simpleKeyAllowed = this.#flowLevel === 0;
    }
    this.#push('value', 1);
  }

  #fetchAnchor(type: 'alias' | 'anchor'): void {
    this.#saveSimpleKey();
    this.#simpleKeyAllowed = false;
    const start = this.#mark();
    this.#skip();
    const value = this.#word();
    if (value === '' || !(isBlankOrEnd(this.#at()) || '?:,]}%@`'.includes(this.#at()))) {
      this.#fail('did not find expected alphabetic or numeric character', start);
    }
    this.#tokens.push({ type, start, value });
  }

  #word(): string {
    let value = '';
    while (isWord(this.#at())) {
      value += this.#at();
      this.#skip();
    }
    return value;
  }

  #fetchTag(): void {
    this.#saveSimpleKey();
    this.#simpleKeyAllowed = false;
    const start = this.#mark();
    let handle = '';
    let suffix = '';
    if (this.#at(1) === '<') {
      this.#skip(2);
      suffix = this.#tagUri('', start);
      if (this.#at() !== '>') this.#fail("did not find the expected '>'", start);
      this.#skip();
    } else {
      handle = this.#tagHandle(start);
      if (handle.length > 1 && handle.endsWith('!')) {
        suffix = this.#tagUri('', start);
      } else {
        suffix = this.#tagUri(handle, start);
        handle = suffix === '' ? '' : '!';
        if (suffix === '') suffix = '!';
      }
    }
    if (!isBlankOrEnd(this.#at())) this.#fail('did not find expected whitespace or line break', start);
    this.#tokens.push({ type: 'tag', start, handle, suffix });
  }

  #tagHandle(start: Mark): string {
    if (this.#at() !== '!') this.#fail("did not find expected '!'", start);
    this.#skip();
    const name = this.#word();
    if (this.#at() !== '!') return `!${name}`;
    this.#skip();
    return `!${name}!`;
  }

  /** The rest of a tag; `head` is what was read of it as a handle, with its exclamation mark. */
  #tagUri(head: string, start: Mark): string {
    let uri = head.slice(1);
    let length = head.length;
    while (this.#at() !== '' && (isWord(this.#at()) || ";/?:@&=+$.!~*'()[],%".includes(this.#at()))) {
      uri += this.#at();
      length++;
      this.#skip();
    }
    if (length === 0) this.#fail('did not find expected tag URI', start);
    return uri.replace(/(%[0-9A-Fa-f]{2})+/g, (escapes) => decodeURIComponent(escapes));
  }

  #fetchDirective(): void {
    this.#unrollIndent(-1);
    this.#removeSimpleKey();
    this.#simpleKeyAllowed = false;
    const start = this.#mark();
    this.#skip();
    const name = this.#word();
    if (name === '') this.#fail('could not find expected directive name', start);
    if (!isBlankOrEnd(this.#at())) this.#fail('found unexpected non-alphabetical character', start);
    const blanks = () => {
      while (isBlank(this.#at())) this.#skip();
    };
    blanks();
    if (name === 'YAML') {
      const number = () => {
        let digits = '';
        while (isDigit(this.#at())) {
          digits += this.#at();
          if (digits.length > 2) this.#fail('found extremely long version number', start);
          this.#skip();
        }
        if (digits === '') this.#fail('did not find expected version number', start);
        return Number(digits);
      };
      const major = number();
      if (this.#at() !== '.') this.#fail("did not find expected digit or '.' character", start);
      this.#skip();
      this.#tokens.push({ type: 'version-directive', start, major, minor: number() });
    } else if (name === 'TAG') {
      const handle = this.#tagHandle(start);
      if (!isBlank(this.#at())) this.#fail('did not find expected whitespace', start);
      blanks();
      const prefix = this.#tagUri('', start);
      if (!isBlankOrEnd(this.#at())) this.#fail('did not find expected whitespace or line break', start);
      this.#tokens.push({ type: 'tag-directive', start, handle, prefix });
    } else {
      this.#fail('found unknown directive name', start);
    }
    blanks();
    this.#endOfLine(start);
  }

  /** A comment or nothing, and the line break. */
  #endOfLine(start: Mark): void {
    if (this.#at() === '#') while (!isBreakOrEnd(this.#at())) this.#skip();
    if (!isBreakOrEnd(this.#at())) this.#fail('did not find expected comment or line break', start);
    if (isBreak(this.#at())) this.#readBreak();
  }

  #fetchBlockScalar(literal: boolean): void {
    this.#removeSimpleKey();
    this.#simpleKeyAllowed = true;
    const start = this.#mark();
    this.#skip();
    let chomping = '';
    let increment = 0;
    const chomp = () => {
      if (this.#at() !== '+' && this.#at() !== '-') return;
      chomping = this.#at();
      this.#skip();
    };
    chomp();
    if (isDigit(this.#at())) {
      if (this.#at() === '0') this.#fail('found an indentation indicator equal to 0', start);
      increment = Number(this.#at());
      this.#skip();
      if (chomping === '') chomp();
    }
    while (isBlank(this.#at())) this.#skip();
    this.#endOfLine(start);

    let indent = increment > 0 ? Math.max(this.#indent, 0) + increment : 0;
    const breaks = () => {
      let found = '';
      let deepest = 0;
      for (;;) {
        while ((indent === 0 || this.#column < indent) && this.#at() === ' ') this.#skip();
        deepest = Math.max(deepest, this.#column);
        if ((indent === 0 || this.#column < indent) && this.#at() === '\t') {
          this.#fail('found a tab character where an indentation space is expected', start);
        }
        if (!isBreak(this.#at())) break;
        found += this.#readBreak();
      }
      if (indent === 0) indent = Math.max(deepest, this.#indent + 1, 1);
      return found;
    };

    let value = '';
    let leadingBreak = '';
    let trailingBreaks = breaks();
    let leadingBlank = false;
    while (this.#column === indent && this.#at() !== '') {
      const trailingBlank = isBlank(this.#at());
      if (!literal && !leadingBlank && !trailingBlank && leadingBreak.startsWith('\n')) {
        if (trailingBreaks === '') value += ' ';
      } else {
        value += leadingBreak;
      }
      value += trailingBreaks;
      leadingBlank = trailingBlank;
      while (!isBreakOrEnd(this.#at())) {
        value += this.#at();
        this.#skip();
      }
      leadingBreak = this.#at() === '' ? '' : this.#readBreak();
      trailingBreaks = breaks();
    }
    if (chomping !== '-') value += leadingBreak;
    if (chomping === '+') value += trailingBreaks;
    this.#tokens.push({ type: 'scalar', start, value, style: literal ? 'literal' : 'folded' });
  }

  /** Blanks and line breaks inside a flow scalar, folded. */
  #foldSpace(leadingBlanks: boolean, tab?: () => void): { readonly text: string; readonly leadingBlanks: boolean } {
    let whitespace = '';
    let leadingBreak = '';
    let trailingBreaks = '';
    let leading = leadingBlanks;
    while (isBlank(this.#at()) || isBreak(this.#at())) {
      if (isBlank(this.#at())) {
        if (leading && this.#at() === '\t') tab?.();
        if (!leading) whitespace += this.#at();
        this.#skip();
      } else if (!leading) {
        whitespace = '';
        leadingBreak = this.#readBreak();
        leading = true;
      } else {
        trailingBreaks += this.#readBreak();
      }
    }
    if (!leading) return { text: whitespace, leadingBlanks: false };
    if (!leadingBreak.startsWith('\n')) return { text: leadingBreak + trailingBreaks, leadingBlanks: true };
    return { text: trailingBreaks || ' ', leadingBlanks: true };
  }

  #scanQuoted(quote: string): Token {
    const start = this.#mark();
    const single = quote === "'";
    this.#skip();
    let value = '';
    for (;;) {
      if (this.#documentIndicator('-') || this.#documentIndicator('.'))
        this.#fail('found unexpected document indicator', start);
      if (this.#at() === '') this.#fail('found unexpected end of stream', start);
      let leadingBlanks = false;
      while (!isBlankOrEnd(this.#at())) {
        if (single && this.#at() === "'" && this.#at(1) === "'") {
          value += "'";
          this.#skip(2);
        } else if (this.#at() === quote) {
          break;
        } else if (!single && this.#at() === '\\' && isBreak(this.#at(1))) {
          this.#skip();
          this.#readBreak();
          leadingBlanks = true;
          break;
        } else if (!single && this.#at() === '\\') {
          value += this.#escape(start);
        } else {
          value += this.#at();
          this.#skip();
        }
      }
      if (this.#at() === quote) break;
      value += this.#foldSpace(leadingBlanks).text;
    }
    this.#skip();
    return { type: 'scalar', start, value, style: single ? 'single' : 'double' };
  }

  #escape(start: Mark): string {
    const letter = this.#at(1);
    const width = HEX_ESCAPES[letter];
    const known = ESCAPES[letter];
    if (known === undefined && width === undefined) this.#fail('found unknown escape character', start);
    this.#skip(2);
    if (width === undefined) return known as string;
    const digits = this.#chars.slice(this.#index, this.#index + width).join('');
    if (!/^[0-9a-fA-F]+$/.test(digits) || digits.length < width)
      this.#fail('did not find expected hexdecimal number', start);
    const code = Number.parseInt(digits, 16);
    if ((code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff)
      this.#fail('found invalid Unicode character escape code', start);
    this.#skip(width);
    return String.fromCodePoint(code);
  }

  #scanPlain(): Token {
    const start = this.#mark();
    const indent = this.#indent + 1;
    let value = '';
    let space = '';
    let leadingBlanks = false;
    for (;;) {
      if (this.#documentIndicator('-') || this.#documentIndicator('.')) break;
      if (this.#at() === '#') break;
      while (!isBlankOrEnd(this.#at())) {
        const char = this.#at();
        if (char === ':' && isBlankOrEnd(this.#at(1))) break;
        if (this.#flowLevel > 0 && ',?[]{}'.includes(char)) break;
        value += space + char;
        space = '';
        leadingBlanks = false;
        this.#skip();
      }
      if (!isBlank(this.#at()) && !isBreak(this.#at())) break;
      const folded = this.#foldSpace(false, () => {
        if (this.#column < indent) this.#fail('found a tab character that violates indentation', start);
      });
      space = folded.text;
      leadingBlanks = folded.leadingBlanks;
      if (this.#flowLevel === 0 && this.#column < indent) break;
    }
    if (leadingBlanks) this.#simpleKeyAllowed = true;
    return { type: 'scalar', start, value, style: 'plain' };
  }
}

function noKey(): SimpleKey {
  return { possible: false, required: false, tokenNumber: 0, mark: { line: 0, column: 0, index: 0 } };
}
