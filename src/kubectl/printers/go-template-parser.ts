import { goQuote } from '#apimachinery/validation.ts';

/** What a command in a pipeline is made of. */
export type Operand = OperandKind & {
  /** Where it is: line and column, for errors. */
  readonly place: string;
};

type OperandKind =
  | { readonly type: 'dot' }
  | { readonly type: 'nil' }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'number'; readonly value: number; readonly float: boolean; readonly text: string }
  | { readonly type: 'string'; readonly value: string; readonly text: string }
  | { readonly type: 'function'; readonly name: string }
  /** `.a.b`; `$x.a` with its variable. */
  | { readonly type: 'field'; readonly variable?: string; readonly names: readonly string[] }
  | { readonly type: 'pipeline'; readonly pipeline: Pipeline }
  /** `(…).a.b` */
  | { readonly type: 'chain'; readonly of: Operand; readonly names: readonly string[] };

export interface CommandNode {
  readonly operands: readonly Operand[];
  /** As written, for errors. */
  readonly text: string;
}

export interface Pipeline {
  readonly declares: readonly string[];
  readonly assigns: boolean;
  readonly commands: readonly CommandNode[];
  readonly text: string;
  /** Where it is: line and byte column, for errors. */
  readonly place: string;
}

export type TemplateNode =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'action'; readonly pipeline: Pipeline }
  | {
      readonly type: 'if' | 'range' | 'with';
      readonly pipeline: Pipeline;
      readonly body: readonly TemplateNode[];
      readonly otherwise: readonly TemplateNode[];
    }
  | { readonly type: 'template'; readonly name: string; readonly pipeline?: Pipeline; readonly place: string }
  | { readonly type: 'break' }
  | { readonly type: 'continue' };

export interface ParsedTemplate {
  readonly main: readonly TemplateNode[];
  readonly named: ReadonlyMap<string, readonly TemplateNode[]>;
}

interface Token {
  readonly kind: 'word' | 'field' | 'variable' | 'number' | 'char' | 'string' | 'raw' | 'space' | 'symbol';
  readonly text: string;
  readonly at: number;
}

/** Parses a Go template whose functions are these. Throws Go's words: `template: output:1: unexpected "}" in operand`. */
export function parseTemplate(source: string, functions: ReadonlySet<string>): ParsedTemplate {
  return new TemplateParser(source, functions).parse();
}

const KEYWORDS = new Set([
  'block',
  'break',
  'continue',
  'define',
  'else',
  'end',
  'if',
  'range',
  'nil',
  'template',
  'with',
]);

class TemplateParser {
  readonly #source: string;
  readonly #functions: ReadonlySet<string>;
  readonly #named = new Map<string, readonly TemplateNode[]>();
  #at = 0;
  #tokens: Token[] = [];
  #trimNext = false;
  #variables: string[] = ['$'];
  #rangeDepth = 0;

  constructor(source: string, functions: ReadonlySet<string>) {
    this.#source = source;
    this.#functions = functions;
  }

  parse(): ParsedTemplate {
    const { nodes, end } = this.#list();
    if (end !== undefined) this.#fail(`unexpected {{${end}}}`);
    return { main: nodes, named: this.#named };
  }

  #line(at = this.#at): number {
    return this.#source.slice(0, at).split('\n').length;
  }

  #place(at: number): string {
    const before = this.#source.slice(0, at);
    const column = before.length - (before.lastIndexOf('\n') + 1);
    return `${this.#line(at)}:${column}`;
  }

  #fail(message: string, at = this.#at): never {
    throw new Error(`template: output:${this.#line(at)}: ${message}`);
  }

  /** Text up to the next action, whose tokens are then in `#tokens`. Undefined at the end. */
  #nextAction(nodes: TemplateNode[]): boolean {
    for (;;) {
      const open = this.#source.indexOf('{{', this.#at);
      let text = this.#source.slice(this.#at, open < 0 ? undefined : open);
      if (this.#trimNext) text = text.replace(/^[ \t\r\n]+/, '');
      this.#trimNext = false;
      const trims = open >= 0 && /^-[ \t\r\n]/.test(this.#source.slice(open + 2, open + 4));
      if (trims) text = text.replace(/[ \t\r\n]+$/, '');
      if (text !== '') nodes.push({ type: 'text', text });
      if (open < 0) {
        this.#at = this.#source.length;
        return false;
      }
      this.#at = open + 2 + (trims ? 2 : 0);
      if (this.#source.startsWith('/*', this.#at)) {
        const close = this.#source.indexOf('*/', this.#at);
        if (close < 0) this.#fail('unclosed comment');
        const end = /^( -)?\}\}/.exec(this.#source.slice(close + 2).replace(/^[ \t\r\n]+-\}\}/, ' -}}'));
        if (!end) this.#fail('comment ends before closing delimiter');
        this.#trimNext = end[1] !== undefined;
        this.#at = this.#source.indexOf('}}', close) + 2;
        continue;
      }
      this.#tokens = this.#lex();
      return true;
    }
  }

  #lex(): Token[] {
    const tokens: Token[] = [];
    const start = this.#at;
    let parens = 0;
    for (;;) {
      const rest = this.#source.slice(this.#at);
      if (/^[ \t\r\n]-\}\}/.test(rest) || rest.startsWith('}}')) {
        const trims = !rest.startsWith('}}');
        if (parens > 0) this.#fail('unclosed left paren');
        this.#trimNext = trims;
        this.#at += trims ? 4 : 2;
        return tokens;
      }
      if (rest === '') this.#fail('unclosed action', start);
      const push = (kind: Token['kind'], length: number) => {
        tokens.push({ kind, text: rest.slice(0, length), at: this.#at });
        this.#at += length;
        const next = this.#source.slice(this.#at, this.#at + 2);
        if (['field', 'word', 'variable'].includes(kind) && !/^([ \t\r\n.,|:()]|\}\}|$)/.test(next)) {
          this.#fail(`bad character ${codePoint(next)}`);
        }
      };
      const match = (expression: RegExp) => expression.exec(rest)?.[0].length;
      const space = match(/^[ \t\r\n]+/);
      if (space !== undefined) {
        // A space before a trim marker belongs to the marker.
        const trailing = /^[ \t\r\n]+(?=-\}\})/.exec(rest)?.[0].length;
        if (trailing !== undefined && trailing > 1) push('space', trailing - 1);
        else push('space', space);
        continue;
      }
      const string = match(/^"(?:[^"\\\n]|\\.)*"/);
      if (string !== undefined) {
        push('string', string);
        continue;
      }
      if (rest.startsWith('"')) this.#fail('unterminated quoted string');
      const raw = match(/^`[^`]*`/);
      if (raw !== undefined) {
        push('raw', raw);
        continue;
      }
      if (rest.startsWith('`')) this.#fail('unterminated raw quoted string');
      const char = match(/^'(?:[^'\\\n]|\\.[0-9a-fA-F]*)'/);
      if (char !== undefined) {
        push('char', char);
        continue;
      }
      const variable = match(/^\$[\p{L}\p{Nd}_]*/u);
      if (variable !== undefined) {
        push('variable', variable);
        continue;
      }
      const number = match(
        /^[+-]?(0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(\d[\d_]*\.?[\d_]*|\.\d+)([eE][+-]?\d+)?)/,
      );
      if (number !== undefined) {
        if (/^[\p{L}\p{Nd}_]/u.test(rest.slice(number)))
          this.#fail(`bad number syntax: ${goQuote(/^[^ \t\r\n}]+/.exec(rest)?.[0] ?? '')}`);
        push('number', number);
        continue;
      }
      const field = match(/^\.[\p{L}_][\p{L}\p{Nd}_]*/u);
      if (field !== undefined) {
        push('field', field);
        continue;
      }
      const word = match(/^[\p{L}_][\p{L}\p{Nd}_]*/u);
      if (word !== undefined) {
        push('word', word);
        continue;
      }
      if (rest.startsWith(':=')) push('symbol', 2);
      else if ('.|,=()'.includes(rest[0] as string)) {
        if (rest[0] === '(') parens++;
        if (rest[0] === ')') {
          parens--;
          if (parens < 0) this.#fail('unexpected right paren');
        }
        push('symbol', 1);
      } else {
        const shownAs = /^[\u0020-\u007e]/.test(rest) ? goQuote(rest[0] as string) : codePoint(rest);
        this.#fail(`unexpected ${shownAs} in ${rest[0] === '}' ? 'operand' : 'command'}`);
      }
    }
  }

  /** Nodes up to `end`, `else` or the end of the template. */
  #list(): { readonly nodes: TemplateNode[]; readonly end?: 'end' | 'else' } {
    const nodes: TemplateNode[] = [];
    while (this.#nextAction(nodes)) {
      this.#skipSpace();
      const word = this.#tokens[0]?.kind === 'word' ? this.#tokens[0].text : '';
      if (word === 'end' || word === 'else') {
        this.#tokens.shift();
        if (word === 'end') this.#endAction('end');
        return { nodes, end: word };
      }
      const node = this.#action(word);
      if (node) nodes.push(node);
    }
    return { nodes };
  }

  #action(word: string): TemplateNode | undefined {
    const at = this.#tokens[0]?.at ?? this.#at;
    switch (word) {
      case 'if':
      case 'with':
      case 'range':
        this.#tokens.shift();
        return this.#control(word);
      case 'break':
      case 'continue':
        this.#tokens.shift();
        if (this.#rangeDepth === 0) this.#fail(`{{${word}}} outside {{range}}`);
        this.#endAction(word);
        return { type: word };
      case 'define':
      case 'block': {
        this.#tokens.shift();
        const name = this.#name(`${word} clause`);
        const pipeline = word === 'block' ? this.#pipeline(word) : undefined;
        if (!pipeline) this.#endAction(word);
        const { nodes, end } = this.#list();
        if (end !== 'end') this.#fail(end === undefined ? 'unexpected EOF' : `unexpected {{${end}}} in ${word} clause`);
        this.#named.set(name, nodes);
        return pipeline ? { type: 'template', name, pipeline, place: this.#place(at) } : undefined;
      }
      case 'template': {
        this.#tokens.shift();
        this.#skipSpace();
        const place = this.#place(this.#tokens[0]?.at ?? at);
        const name = this.#name('template clause');
        this.#skipSpace();
        const pipeline = this.#tokens.length > 0 ? this.#pipeline('template clause') : undefined;
        return { type: 'template', name, ...(pipeline ? { pipeline } : {}), place };
      }
      default:
        return { type: 'action', pipeline: this.#pipeline('command') };
    }
  }

  #control(type: 'if' | 'with' | 'range'): TemplateNode {
    const depth = this.#variables.length;
    const pipeline = this.#pipeline(type);
    if (type === 'range') this.#rangeDepth++;
    const first = this.#list();
    if (type === 'range') this.#rangeDepth--;
    if (first.end === undefined) this.#fail('unexpected EOF');
    let otherwise: readonly TemplateNode[] = [];
    if (first.end === 'else') {
      this.#skipSpace();
      const next = this.#tokens[0];
      if (next?.kind === 'word' && (next.text === 'if' || next.text === 'with') && next.text === type) {
        this.#tokens.shift();
        otherwise = [this.#control(next.text)];
      } else {
        this.#endAction('else');
        const second = this.#list();
        if (second.end !== 'end')
          this.#fail(second.end === undefined ? 'unexpected EOF' : 'expected end; found {{else}}');
        otherwise = second.nodes;
      }
    }
    this.#variables.length = depth;
    return { type, pipeline, body: first.nodes, otherwise };
  }

  #skipSpace(): void {
    if (this.#tokens[0]?.kind === 'space') this.#tokens.shift();
  }

  #endAction(context: string): void {
    this.#skipSpace();
    const token = this.#tokens[0];
    if (token) this.#fail(`unexpected ${shown(token)} in ${context}`);
  }

  #name(context: string): string {
    this.#skipSpace();
    const token = this.#tokens.shift();
    if (token?.kind !== 'string' && token?.kind !== 'raw')
      this.#fail(`unexpected ${token ? shown(token) : '"}}"'} in ${context}`);
    return unquoteGo((token as Token).text);
  }

  #pipeline(context: string): Pipeline {
    this.#skipSpace();
    const start = this.#tokens[0]?.at ?? this.#at;
    const declares: string[] = [];
    let assigns = false;
    for (;;) {
      const [variable, ...rest] = this.#tokens;
      if (variable?.kind !== 'variable') break;
      const after = rest[0]?.kind === 'space' ? rest.slice(1) : rest;
      const symbol = after[0]?.kind === 'symbol' ? after[0].text : '';
      if (symbol === ':=' || symbol === '=') {
        declares.push(variable.text);
        assigns = symbol === '=';
        if (!assigns) this.#variables.push(...declares);
        this.#tokens = after.slice(1);
        this.#skipSpace();
        break;
      }
      if (symbol === ',' && context === 'range' && declares.length < 1) {
        declares.push(variable.text);
        this.#tokens = after.slice(1);
        this.#skipSpace();
        continue;
      }
      break;
    }
    const commands: CommandNode[] = [];
    for (;;) {
      this.#skipSpace();
      const token = this.#tokens[0];
      if (!token || (token.kind === 'symbol' && token.text === ')')) break;
      commands.push(this.#command());
      this.#skipSpace();
      const next = this.#tokens[0];
      if (next?.kind === 'symbol' && next.text === '|') {
        this.#tokens.shift();
        this.#skipSpace();
        if (this.#tokens.length === 0) this.#fail(`missing value for ${context}`);
      }
    }
    if (commands.length === 0) this.#fail(`missing value for ${context}`);
    commands.slice(1).forEach((command, i) => {
      const first = command.operands[0];
      if (first && ['bool', 'dot', 'nil', 'number', 'string'].includes(first.type)) {
        this.#fail(`non executable command in pipeline stage ${i + 2}`);
      }
    });
    return {
      declares,
      assigns,
      commands,
      text: commands.map(({ text }) => text).join(' | '),
      place: this.#place(start),
    };
  }

  #command(): CommandNode {
    const operands: Operand[] = [];
    const texts: string[] = [];
    for (;;) {
      this.#skipSpace();
      const operand = this.#operand();
      if (operand) {
        operands.push(operand.operand);
        texts.push(operand.text);
      }
      const token = this.#tokens[0];
      if (token?.kind === 'space') continue;
      if (!token || (token.kind === 'symbol' && (token.text === ')' || token.text === '|'))) break;
      this.#fail(`unexpected ${shown(token)} in operand`);
    }
    if (operands.length === 0) this.#fail('empty command');
    return { operands, text: texts.join(' ') };
  }

  #operand(): { readonly operand: Operand; readonly text: string } | undefined {
    const term = this.#term();
    if (!term) return undefined;
    const names: string[] = [];
    // A chain of fields is said to be where its second part is.
    const place = this.#place(this.#tokens[0]?.at ?? this.#at);
    while (this.#tokens[0]?.kind === 'field') names.push((this.#tokens.shift() as Token).text.slice(1));
    if (names.length === 0) return term;
    const text = `${term.text}${names.map((name) => `.${name}`).join('')}`;
    const { operand } = term;
    if (operand.type === 'field') return { operand: { ...operand, names: [...operand.names, ...names], place }, text };
    if (['bool', 'string', 'number', 'nil', 'dot'].includes(operand.type))
      this.#fail(`unexpected . after term ${goQuote(term.text)}`);
    return { operand: { type: 'chain', of: operand, names, place }, text };
  }

  #term(): { readonly operand: Operand; readonly text: string } | undefined {
    const token = this.#tokens[0];
    if (!token) return undefined;
    const { kind, text } = token;
    const place = this.#place(token.at);
    const take = (operand: OperandKind) => {
      this.#tokens.shift();
      return { operand: { ...operand, place }, text };
    };
    switch (kind) {
      case 'field':
        return take({ type: 'field', names: [text.slice(1)] });
      case 'variable':
        if (!this.#variables.includes(text)) this.#fail(`undefined variable ${goQuote(text)}`);
        return take({ type: 'field', variable: text, names: [] });
      case 'number':
        return take(numberOperand(text));
      case 'char':
        return take({
          type: 'number',
          value: unquoteGo(`"${text.slice(1, -1).replaceAll('"', '\\"')}"`).codePointAt(0) ?? 0,
          float: false,
          text,
        });
      case 'string':
      case 'raw':
        return take({ type: 'string', value: unquoteGo(text), text });
      case 'word':
        if (text === 'true' || text === 'false') return take({ type: 'bool', value: text === 'true' });
        if (text === 'nil') return take({ type: 'nil' });
        if (KEYWORDS.has(text)) this.#fail(`unexpected <${text}> in operand`);
        if (!this.#functions.has(text)) this.#fail(`function ${goQuote(text)} not defined`);
        return take({ type: 'function', name: text });
      case 'symbol':
        if (text === '.') return take({ type: 'dot' });
        if (text === '(') {
          this.#tokens.shift();
          const pipeline = this.#pipeline('parenthesized pipeline');
          const close = this.#tokens.shift();
          if (close?.text !== ')') this.#fail('unclosed left paren');
          return { operand: { type: 'pipeline', pipeline, place }, text: `(${pipeline.text})` };
        }
        return undefined;
      default:
        return undefined;
    }
  }
}

/** The first character as Go's %#U shows it. */
function codePoint(text: string): string {
  const code = text.codePointAt(0) as number;
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')} '${String.fromCodePoint(code)}'`;
}

function shown(token: Token): string {
  return KEYWORDS.has(token.text) ? `<${token.text}>` : goQuote(token.text);
}

function numberOperand(text: string): OperandKind {
  const clean = text.replaceAll('_', '');
  const float = /^[+-]?\d*\.|[eE]/.test(clean) && !/^[+-]?0[xX]/.test(clean);
  const sign = clean.startsWith('-') ? -1 : 1;
  return {
    type: 'number',
    value: sign * Number(clean.replace(/^[+-]/, '').replace(/^0(?=[0-7]+$)/, '0o')),
    float,
    text,
  };
}

const ESCAPES: Readonly<Record<string, string>> = { a: '\u0007', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** The value of a string literal of Go. */
function unquoteGo(text: string): string {
  const inner = text.slice(1, -1);
  if (text.startsWith('`')) return inner;
  return inner.replace(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)/g, (_, escape: string) => {
    if (/^[xuU]./.test(escape)) return String.fromCodePoint(Number.parseInt(escape.slice(1), 16));
    if (/^[0-7]{3}$/.test(escape)) return String.fromCodePoint(Number.parseInt(escape, 8));
    return ESCAPES[escape] ?? escape;
  });
}
