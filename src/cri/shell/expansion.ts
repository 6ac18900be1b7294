import { parse, type ParameterExpansionPart, type Script, type Word, type WordPart } from 'unbash';
import type { FileSystem, FileUser } from '../os/file-system.ts';
import { type ArithmeticContext, evaluate, evaluateText } from './arithmetic.ts';
import { escapePattern, hasActive, patternRegExp, patternSource, unescapePattern } from './pattern.ts';
import { ShellError } from './shell-error.ts';

/** What expansion needs of the shell. */
export interface ExpansionContext {
  /** A variable or special parameter (`1`, `#`, `?`, `$`, `!`, `-`, `0`); undefined when unset. */
  parameter(name: string): string | undefined;
  assign(name: string, value: string): void;
  readonly positional: readonly string[];
  /** The output of a command substitution. */
  substitute(script: Script): Promise<string>;
  readonly files: FileSystem;
  readonly cwd: string;
  readonly user: FileUser;
  /** set -f */
  readonly noGlob: boolean;
  /** set -u */
  readonly noUnset: boolean;
  /** `{a,b}` is expanded (bash). */
  readonly braces: boolean;
}

/** A piece of an expanded word. `null` ends a field: the border between the parameters of `$@`. */
type Piece = { readonly text: string; readonly quoted: boolean; readonly split: boolean } | null;

const literal = (text: string): Piece => ({ text, quoted: false, split: false });
const quoted = (text: string): Piece => ({ text, quoted: true, split: false });
const result = (text: string, inQuotes: boolean): Piece => ({ text, quoted: inQuotes, split: !inQuotes });

/** Words to fields: all expansions, field splitting, pathname expansion, quote removal. */
export async function expandFields(words: readonly Word[], context: ExpansionContext): Promise<string[]> {
  const fields: string[] = [];
  for (const word of words) {
    if (!word.parts && !needsCare(word)) {
      fields.push(word.value);
      continue;
    }
    for (const variant of context.braces ? expandBraces(word) : [word]) {
      for (const field of splitFields(await pieces(variant, context), context.parameter('IFS') ?? ' \t\n')) {
        if (context.noGlob || !hasActive(field)) fields.push(unescapePattern(field));
        else fields.push(...expandPath(field, context));
      }
    }
  }
  return fields;
}

/** A word to one text, without splitting: values of assignments, targets of redirections, `case` subjects. */
export async function expandText(word: Word, context: ExpansionContext): Promise<string> {
  if (!word.parts && !needsCare(word)) return word.value;
  return joined(await pieces(word, context), context);
}

/** A word to a pattern in which what was quoted is plain. */
export async function expandPattern(word: Word, context: ExpansionContext): Promise<string> {
  let pattern = '';
  for (const piece of await pieces(word, context))
    if (piece) pattern += piece.quoted ? escapePattern(piece.text) : piece.text;
  return pattern;
}

/** The body of a here-document. */
export async function expandBody(parts: readonly WordPart[], context: ExpansionContext): Promise<string> {
  const out: Piece[] = [];
  for (const part of parts) await expandPart(part, true, out, context);
  return joined(out, context);
}

/** Text with `$` expansions in it, as between double quotes. */
export async function expandQuoted(text: string, context: ExpansionContext): Promise<string> {
  const command = parse(`: "${text.replace(/"/g, '\\"')}"`).commands[0]?.command;
  const word = command?.type === 'Command' ? command.suffix[0] : undefined;
  return word?.type === 'Word' ? expandText(word, context) : text;
}

/** What arithmetic asks of the shell. */
export function arithmeticContext(context: ExpansionContext): ArithmeticContext {
  return {
    variable: (name) => context.parameter(name),
    assign: (name, value) => context.assign(name, value),
    expandText: (text) => expandQuoted(text, context),
  };
}

/** Words without parts can still begin with a tilde, or hold escaped characters that pathname expansion must not see. */
function needsCare(word: Word): boolean {
  return word.text.startsWith('~') || (word.text.includes('\\') && /[*?[]/.test(word.value));
}

function joined(all: readonly Piece[], context: ExpansionContext): string {
  const separator = (context.parameter('IFS') ?? ' ')[0] ?? '';
  return all.map((piece) => (piece ? piece.text : separator)).join('');
}

async function pieces(word: Word, context: ExpansionContext): Promise<Piece[]> {
  const out: Piece[] = [];
  const tilde = /^~(?=\/|$)/.test(word.text);
  if (!word.parts) {
    if (tilde) out.push(quoted(context.parameter('HOME') ?? '~'), literal(word.value.slice(1)));
    else out.push(word.text.includes('\\') ? quoted(word.value) : literal(word.value));
    return out;
  }
  for (const [i, part] of word.parts.entries()) {
    if (i === 0 && tilde && part.type === 'Literal') {
      out.push(quoted(context.parameter('HOME') ?? '~'), literal(part.value.slice(1)));
    } else await expandPart(part, false, out, context);
  }
  return out;
}

async function expandPart(part: WordPart, inQuotes: boolean, out: Piece[], context: ExpansionContext): Promise<void> {
  switch (part.type) {
    case 'Literal':
      out.push(inQuotes || part.text.includes('\\') ? quoted(part.value) : literal(part.value));
      return;
    case 'Glob':
      if (part.kind === 'bracket' && part.parts.some((inner) => inner.type !== 'Literal' && inner.type !== 'Glob')) {
        for (const inner of part.parts) await expandPart(inner, inQuotes, out, context);
      } else out.push(literal(part.text));
      return;
    case 'ExtendedGlob':
    case 'BraceExpansion':
      out.push(literal(part.text));
      return;
    case 'SingleQuoted':
    case 'AnsiCQuoted':
      out.push(quoted(part.value));
      return;
    case 'DoubleQuoted':
    case 'LocaleString': {
      const before = out.length;
      for (const inner of part.parts) await expandPart(inner, true, out, context);
      const onlyAll =
        part.parts.length > 0 && part.parts.every((inner) => inner.text === '$@' || inner.text === '${@}');
      if (out.length === before && !onlyAll) out.push(quoted(''));
      return;
    }
    case 'SimpleExpansion':
      pushParameter(part.text.slice(1), inQuotes, out, context);
      return;
    case 'ParameterExpansion':
      await expandParameter(part, inQuotes, out, context);
      return;
    case 'CommandExpansion': {
      if (!part.script) throw new ShellError('syntax error: bad substitution');
      const text = await context.substitute(part.script);
      out.push(result(text.replace(/\n+$/, ''), inQuotes));
      return;
    }
    case 'ArithmeticExpansion': {
      const value = part.expression
        ? await evaluate(part.expression, arithmeticContext(context))
        : await evaluateText(part.text.slice(3, -2), arithmeticContext(context));
      out.push(result(String(value), inQuotes));
      return;
    }
    case 'ProcessSubstitution':
      throw new ShellError('process substitution is not emulated');
  }
}

function pushParameter(name: string, inQuotes: boolean, out: Piece[], context: ExpansionContext): void {
  if (name === '@' || (name === '*' && !inQuotes)) {
    for (const [i, value] of context.positional.entries()) {
      if (i > 0) out.push(null);
      out.push(result(value, inQuotes));
    }
    return;
  }
  out.push(result(valueOf(name, context) ?? unset(name, context), inQuotes));
}

function valueOf(name: string, context: ExpansionContext): string | undefined {
  if (name === '@' || name === '*') {
    const separator = name === '*' ? ((context.parameter('IFS') ?? ' ')[0] ?? '') : ' ';
    return context.positional.length > 0 ? context.positional.join(separator) : undefined;
  }
  return context.parameter(name);
}

function unset(name: string, context: ExpansionContext): string {
  if (context.noUnset && name !== '@' && name !== '*') throw new ShellError(`${name}: parameter not set`);
  return '';
}

async function expandParameter(
  part: ParameterExpansionPart,
  inQuotes: boolean,
  out: Piece[],
  context: ExpansionContext,
): Promise<void> {
  let name = part.parameter;
  if (part.index) throw new ShellError('arrays are not emulated');
  if (part.prefix === '!') {
    name = context.parameter(name) ?? '';
    if (!/^(\w+|[@*#?$!-])$/.test(name)) throw new ShellError('bad substitution');
  }
  if (part.prefix === '#') {
    const length =
      name === '@' || name === '*'
        ? context.positional.length
        : Array.from(valueOf(name, context) ?? unset(name, context)).length;
    out.push(result(String(length), inQuotes));
    return;
  }
  const { operation } = part;
  if (!operation) {
    if (name === '' || !/^(\w+|[@*#?$!-])$/.test(name)) throw new ShellError('bad substitution');
    pushParameter(name, inQuotes, out, context);
    return;
  }
  const value = valueOf(name, context);
  switch (operation.type) {
    case 'Default': {
      const { operator, operand } = operation;
      const missing = value === undefined || (operator.startsWith(':') && value === '');
      const kind = operator.at(-1);
      if (kind === '+') {
        if (!missing) await pushOperand(operand, inQuotes, out, context);
      } else if (!missing) pushParameter(name, inQuotes, out, context);
      else if (kind === '-') await pushOperand(operand, inQuotes, out, context);
      else if (kind === '=') {
        const text = await expandText(operand, context);
        context.assign(name, text);
        out.push(result(text, inQuotes));
      } else {
        const text = await expandText(operand, context);
        throw new ShellError(`${name}: ${text || 'parameter not set or null'}`);
      }
      return;
    }
    case 'Remove': {
      const pattern = await expandPattern(operation.operand, context);
      out.push(result(remove(value ?? unset(name, context), operation.operator, pattern), inQuotes));
      return;
    }
    case 'Replace': {
      const source = patternSource(await expandPattern(operation.pattern, context));
      const replacement = await expandText(operation.replacement, context);
      const { operator } = operation;
      const expression = new RegExp(
        `${operator === '/#' ? '^' : ''}(?:${source})${operator === '/%' ? '$' : ''}`,
        operator === '//' ? 'g' : '',
      );
      const text = value ?? unset(name, context);
      out.push(result(source === '' ? text : text.replace(expression, () => replacement), inQuotes));
      return;
    }
    case 'Slice': {
      const text = Array.from(value ?? unset(name, context));
      const number = async (word: Word) =>
        Number(await evaluateText(await expandText(word, context), arithmeticContext(context)));
      let from = await number(operation.offset);
      if (from < 0) from = Math.max(0, text.length + from);
      const length = operation.length ? await number(operation.length) : text.length;
      out.push(result(text.slice(from, length < 0 ? length : from + length).join(''), inQuotes));
      return;
    }
    case 'CaseModification': {
      const text = value ?? unset(name, context);
      const upper = operation.operator.startsWith('^');
      const change = (part: string) => (upper ? part.toUpperCase() : part.toLowerCase());
      out.push(
        result(operation.operator.length === 2 ? change(text) : change(text.slice(0, 1)) + text.slice(1), inQuotes),
      );
      return;
    }
    default:
      throw new ShellError('bad substitution');
  }
}

async function pushOperand(operand: Word, inQuotes: boolean, out: Piece[], context: ExpansionContext): Promise<void> {
  for (const piece of await pieces(operand, context)) {
    out.push(piece && (inQuotes ? quoted(piece.text) : piece.quoted ? piece : result(piece.text, false)));
  }
}

function remove(text: string, operator: '#' | '##' | '%' | '%%', pattern: string): string {
  if (operator === '#' || operator === '##') {
    return text.replace(new RegExp(`^(?:${patternSource(pattern, operator === '#')})`), '');
  }
  const matches = patternRegExp(pattern);
  // The shortest suffix begins last, the longest first.
  const starts = Array.from({ length: text.length + 1 }, (_, i) => (operator === '%' ? text.length - i : i));
  const start = starts.find((i) => matches.test(text.slice(i)));
  return start === undefined ? text : text.slice(0, start);
}

/** Pieces to fields, as patterns. */
function splitFields(all: readonly Piece[], ifs: string): string[] {
  const fields: string[] = [];
  let field = '';
  let started = false;
  let afterSpace = false;
  const end = (force: boolean) => {
    if (started || force) fields.push(field);
    field = '';
    started = false;
  };
  for (const piece of all) {
    if (!piece) {
      end(true);
      afterSpace = false;
    } else if (!piece.split) {
      if (piece.quoted || piece.text !== '') started = true;
      field += piece.quoted ? escapePattern(piece.text) : piece.text;
      afterSpace = false;
    } else {
      for (const char of piece.text) {
        if (!ifs.includes(char)) {
          field += char === '\\' ? '\\\\' : char;
          started = true;
          afterSpace = false;
        } else if (char === ' ' || char === '\t' || char === '\n') {
          if (started) {
            end(false);
            afterSpace = true;
          }
        } else {
          // A border that follows white space belongs to the same border.
          end(!afterSpace);
          afterSpace = false;
        }
      }
    }
  }
  end(false);
  return fields;
}

/** The paths that match; the pattern itself, as text, if there is none. */
function expandPath(pattern: string, context: ExpansionContext): string[] {
  const { files, cwd, user } = context;
  let found = [pattern.startsWith('/') ? '/' : ''];
  const names = pattern.split('/').filter((name) => name !== '');
  for (const [i, name] of names.entries()) {
    const last = i === names.length - 1;
    const next: string[] = [];
    for (const directory of found) {
      if (!hasActive(name)) {
        const path = `${directory}${unescapePattern(name)}`;
        if (!last || files.exists(path, cwd, user)) next.push(last ? path : `${path}/`);
        continue;
      }
      const matches = patternRegExp(name);
      for (const entry of listed(directory)) {
        if ((entry.startsWith('.') && !name.startsWith('.')) || !matches.test(entry)) continue;
        next.push(last ? `${directory}${entry}` : `${directory}${entry}/`);
      }
    }
    found = next;
  }
  return found.length > 0 ? found.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)) : [unescapePattern(pattern)];

  function listed(directory: string): readonly string[] {
    try {
      return files.list(directory === '' ? '.' : directory, cwd, user);
    } catch {
      return [];
    }
  }
}

/** Bash's `{a,b}` and `{1..3}`; only in words whose braces hold nothing that is expanded itself. */
function expandBraces(word: Word): Word[] {
  const brace = word.parts?.find((part) => part.type === 'BraceExpansion');
  if (!brace || brace.type !== 'BraceExpansion') return [word];
  const before = word.text.slice(0, brace.pos - word.pos);
  const after = word.text.slice(brace.end - word.pos);
  return braceItems(brace.text).flatMap((item) => {
    const command = parse(`: ${before}${item}${after}`).commands[0]?.command;
    const variant = command?.type === 'Command' ? command.suffix[0] : undefined;
    return variant?.type === 'Word' ? expandBraces(variant) : [];
  });
}

function braceItems(text: string): string[] {
  const inner = text.slice(1, -1);
  const range = /^(-?\d+|[A-Za-z])\.\.(-?\d+|[A-Za-z])(?:\.\.(-?\d+))?$/.exec(inner);
  if (range) {
    const [, from = '', to = '', by] = range;
    const letters = /[A-Za-z]/.test(from);
    const first = letters ? from.charCodeAt(0) : Number(from);
    const last = letters ? to.charCodeAt(0) : Number(to);
    const step = Math.max(1, Math.abs(Number(by ?? 1)));
    const count = Math.min(100_000, Math.floor(Math.abs(last - first) / step) + 1);
    const width = /^-?0\d/.test(from) || /^-?0\d/.test(to) ? Math.max(from.length, to.length) : 0;
    return Array.from({ length: count }, (_, i) => {
      const value = first + (last >= first ? i : -i) * step;
      return letters ? String.fromCharCode(value) : String(value).padStart(width, '0');
    });
  }
  const items: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i <= inner.length; i++) {
    const char = inner[i];
    if (char === '{') depth++;
    else if (char === '}') depth--;
    else if (char === undefined || (char === ',' && depth === 0)) {
      items.push(inner.slice(start, i));
      start = i + 1;
    }
  }
  return items;
}
