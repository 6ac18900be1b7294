import { readYaml } from '#apimachinery/yaml-reader.ts';
import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from 'yaml';

/** What the API server takes at most in one request; more is not sent. */
export const MAX_BYTES = 3 * 1024 * 1024;
/** What is checked while a person types, characters. More is checked when it is applied. */
export const MAX_CHECKED = 256 * 1024;
/** Collections in collections. Kubernetes' own schema needs about twenty. */
const MAX_DEPTH = 100;

/** A place in the text; lines and columns count from 1, as Monaco's do. */
interface TextRange {
  readonly startLine: number;
  readonly startColumn: number;
  readonly endLine: number;
  readonly endColumn: number;
}

export interface Problem extends TextRange {
  readonly severity: 'error' | 'warning';
  readonly message: string;
}

/** One document of a file. */
export interface ManifestDocument {
  /** From 0, empty documents not counted. */
  readonly index: number;
  readonly startLine: number;
  readonly endLine: number;
  readonly text: string;
  /** Such as `Pod nginx`, as far as it can be read. */
  readonly title: string;
  readonly problems: readonly Problem[];
}

/** Splits at lines of `---`, as kubectl does, and leaves out what holds nothing but space and comments. */
export function splitDocuments(
  text: string,
): readonly { readonly startLine: number; readonly endLine: number; readonly text: string }[] {
  const documents: { startLine: number; endLine: number; text: string }[] = [];
  const says = (line: string) => !/^\s*(#.*)?$/.test(line);
  let lines: string[] = [];
  let startLine = 1;
  const close = () => {
    const [first, last] = [lines.findIndex(says), lines.findLastIndex(says)];
    if (first >= 0) {
      documents.push({
        startLine: startLine + first,
        endLine: startLine + last,
        text: `${lines.slice(first, last + 1).join('\n')}\n`,
      });
    }
    lines = [];
  };
  text.split(/\r?\n/).forEach((line, at) => {
    if (/^---(\s|$)/.test(line)) {
      close();
      startLine = at + 2;
    } else lines.push(line);
  });
  close();
  return documents;
}

/** The tree of a document with positions, however broken it is. Reads YAML 1.1 without dates and base-60 numbers. */
function parse(text: string): { readonly document?: Document; readonly lines: LineCounter } {
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, {
      version: '1.1',
      customTags: (tags) =>
        tags.filter((tag) => typeof tag === 'string' || !(tag.tag.endsWith(':timestamp') || tag.format === 'TIME')),
      lineCounter: lines,
      prettyErrors: false,
      uniqueKeys: false,
    });
    return { document, lines };
  } catch {
    // The parser is recursive: too deep a nesting ends its stack. What is wrong is told by readYaml.
    return { lines };
  }
}

/**
 * The documents of a file with all that is wrong about each, in the words that kubectl has for it. Bounded in time and
 * memory, whatever the text is; it never throws.
 */
export function readDocuments(text: string): readonly ManifestDocument[] {
  return splitDocuments(text).map((part, index) => ({ index, ...part, ...readDocument(part) }));
}

function readDocument({
  startLine,
  endLine,
  text,
}: Omit<ManifestDocument, 'index' | 'title' | 'problems'>): Pick<ManifestDocument, 'title' | 'problems'> {
  const refuse = (message: string, place: TextRange) => ({
    title: '',
    problems: [{ ...place, severity: 'error' as const, message }],
  });
  const start: TextRange = { startLine, startColumn: 1, endLine: startLine, endColumn: 200 };
  const tooDeep = nestedTooDeeply(text);
  if (tooDeep) return refuse(tooDeep, start);
  const { document, lines } = parse(text);
  const place = (from: number, to: number): TextRange => {
    const [a, b] = [lines.linePos(from), lines.linePos(Math.max(to, from + 1))];
    const line = Math.min(endLine, startLine + a.line - 1);
    return {
      startLine: line,
      startColumn: a.col,
      endLine: Math.min(endLine, startLine + b.line - 1),
      endColumn: b.col,
    };
  };
  try {
    const value = readYaml(text) as {
      readonly kind?: unknown;
      readonly metadata?: { readonly name?: unknown; readonly generateName?: unknown };
    } | null;
    const name = value?.metadata?.name ?? value?.metadata?.generateName;
    const title = [value?.kind, name].filter((word) => typeof word === 'string' && word).join(' ');
    return { title, problems: document ? repeatedKeys(document, place) : [] };
  } catch (error) {
    // go-yaml's words with the place that a parser with positions finds, if it finds one.
    const message = error instanceof RangeError ? TOO_DEEP : String((error as Error).message);
    const [fault] = document?.errors ?? [];
    const line = Number(/\bline (\d+)/.exec(message)?.[1] ?? 1);
    const there = Math.min(endLine, Math.max(startLine, startLine + line - 1));
    return refuse(message, fault ? place(...fault.pos) : { ...start, startLine: there, endLine: there });
  }
}

/** How the message begins that refuses a document unread. */
export const TOO_DEEP = 'nested too deeply';

/** Says so when collections lie too deep in each other, without parsing: a parser would end its stack. */
function nestedTooDeeply(text: string): string | undefined {
  let flow = 0;
  let quote = '';
  const indents: number[] = [];
  for (const line of text.split('\n')) {
    const indent = line.search(/\S/);
    if (indent < 0) continue;
    while (indents.length > 0 && (indents.at(-1) as number) >= indent) indents.pop();
    indents.push(indent);
    // `- - - x` nests as well.
    const dashes = /^(?:- +)+/.exec(line.slice(indent))?.[0].length ?? 0;
    for (let at = indent; at < line.length; at++) {
      const char = line[at] as string;
      if (quote) {
        if (char === '\\' && quote === '"') at++;
        else if (char === quote) quote = '';
      } else if ((char === '"' || char === "'") && /[\s,[{:]/.test(line[at - 1] ?? ' ')) quote = char;
      else if (char === '#' && /\s/.test(line[at - 1] ?? ' ')) break;
      else if (char === '[' || char === '{') flow++;
      else if ((char === ']' || char === '}') && flow > 0) flow--;
      if (flow > MAX_DEPTH) return `${TOO_DEEP}: more than ${MAX_DEPTH} collections in each other`;
    }
    if (indents.length + dashes / 2 > MAX_DEPTH) return `${TOO_DEEP}: more than ${MAX_DEPTH} collections in each other`;
  }
  return undefined;
}

/** Keys that a map has twice: the later one counts, as in kubectl, which says nothing. */
function repeatedKeys(document: Document, place: (from: number, to: number) => TextRange): Problem[] {
  const problems: Problem[] = [];
  const visit = (node: unknown) => {
    if (isSeq(node)) node.items.forEach(visit);
    if (!isMap(node)) return;
    const seen = new Set<unknown>();
    for (const { key, value } of node.items) {
      if (isScalar(key)) {
        if (seen.has(key.value) && key.range) {
          problems.push({
            ...place(key.range[0], key.range[1]),
            severity: 'warning',
            message: `key "${String(key.value)}" is repeated; the last one counts`,
          });
        }
        seen.add(key.value);
      }
      visit(value);
    }
  };
  visit(document.contents);
  return problems;
}

/** Where a field such as `spec.containers[0].image` stands in a document; the deepest part of the path that is there. */
export function locateField(manifest: ManifestDocument, field: string): TextRange | undefined {
  const { document, lines } = parse(manifest.text);
  let node: unknown = document?.contents;
  let found: Node | undefined;
  for (const part of field.match(/[^.[\]]+/g) ?? []) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === part);
      if (!pair) break;
      if (isNode(pair.key)) found = pair.key;
      node = pair.value;
    } else if (isSeq(node)) {
      const item = node.items[Number(part)];
      if (!isNode(item)) break;
      found = item;
      node = item;
    } else break;
  }
  const range = found?.range;
  if (!range) return undefined;
  const [a, b] = [lines.linePos(range[0]), lines.linePos(range[1])];
  const line = manifest.startLine + a.line - 1;
  return { startLine: line, startColumn: a.col, endLine: line, endColumn: b.line === a.line ? b.col : a.col + 1 };
}

/** The fields that an answer of the API server names: `spec.containers[0].name: Required value`. */
export function fieldsIn(message: string): string[] {
  return [
    ...message.matchAll(/(?:^|[\s[])((?:metadata|spec|data|stringData|status|type|kind|apiVersion)\b[\w.\-[\]/]*): /g),
  ].map(([, field = '']) => field.replace(/\.$/, ''));
}
