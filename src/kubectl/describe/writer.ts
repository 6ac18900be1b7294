import type { JsonObject, JsonValue } from '#apimachinery/json.ts';
import type { LabelSelectorLike } from '#apimachinery/selectors.ts';
import { formatLabelSelector, labelSelectorTerms } from '#apimachinery/selectors.ts';
import { canonicalQuantity } from '#apimachinery/quantity.ts';
import { parseTime } from '#base/clock.ts';
import { decodeUtf8, encodeUtf8 } from '#base/utf8.ts';
import { at, objects, strings, text } from '../fields.ts';
import { byCodeUnit } from '#apimachinery/go-format.ts';
import { escapeTerminal } from '../printers/table-printer.ts';
import { DESCRIBE_WIDTHS, TabWriter } from '../printers/tab-writer.ts';

// The building blocks of descriptions. Follows kubectl/pkg/describe/describe.go, v1.33.

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const MAX_ANNOTATION = 140;

/** Text in columns, at levels of indentation. */
export class Description {
  readonly #writer: Pick<TabWriter, 'write' | 'flush'>;
  readonly #indent: number;
  readonly #out: { text: string };

  private constructor(writer: Pick<TabWriter, 'write' | 'flush'>, out: { text: string }, indent: number) {
    this.#writer = writer;
    this.#out = out;
    this.#indent = indent;
  }

  static inColumns(): Description {
    const out = { text: '' };
    const writer = new TabWriter((piece) => {
      out.text += piece;
    }, DESCRIBE_WIDTHS);
    return new Description(writer, out, 0);
  }

  /** With its tabs left as they are. */
  static plain(): Description {
    const out = { text: '' };
    const write = (piece: string) => {
      out.text += piece;
    };
    return new Description({ write, flush: () => {} }, out, 0);
  }

  write(level: number, words: string): void {
    this.#writer.write(escapeTerminal('  '.repeat(level + this.#indent) + words));
  }

  line(level: number, words: string): void {
    this.write(level, `${words}\n`);
  }

  /** Ends the columns. */
  flush(): void {
    this.#writer.flush();
  }

  /** The same description, further to the right. */
  nested(indent: number): Description {
    return new Description(this.#writer, this.#out, indent);
  }

  toString(): string {
    this.#writer.flush();
    return this.#out.text;
  }
}

/** A title, and values below each other beside it. */
export function writeMultiline(w: Description, title: string, values: readonly string[], indent = ''): void {
  w.write(0, `${indent}${title}:\t`);
  if (values.length === 0) return w.write(0, '<none>\n');
  values.forEach((value, index) => {
    // One by one, since a nested description indents every piece.
    if (index > 0) {
      w.write(0, indent);
      w.write(0, '\t');
    }
    w.line(0, value);
  });
}

export function writeLabels(w: Description, title: string, labels: ReadonlyMap<string, string>, indent = ''): void {
  const sorted = [...labels].sort(([a], [b]) => byCodeUnit(a, b));
  writeMultiline(
    w,
    title,
    sorted.map(([key, value]) => `${key}=${value}`),
    indent,
  );
}

export function writeAnnotations(w: Description, title: string, annotations: ReadonlyMap<string, string>): void {
  const sorted = [...annotations].filter(([key]) => key !== LAST_APPLIED).sort(([a], [b]) => byCodeUnit(a, b));
  w.write(0, `${title}:\t`);
  if (sorted.length === 0) return w.write(0, '<none>\n');
  sorted.forEach(([key, whole], index) => {
    if (index > 0) w.write(0, '\t');
    const value = whole.endsWith('\n') ? whole.slice(0, -1) : whole;
    if (encodeUtf8(key).length + encodeUtf8(value).length + 2 > MAX_ANNOTATION || value.includes('\n')) {
      w.line(0, `${key}:`);
      for (const part of value.split('\n')) w.line(0, `\t  ${shorten(part, MAX_ANNOTATION - 2)}`);
    } else w.line(0, `${key}: ${value}`);
  });
}

export function shorten(value: string, bytes: number): string {
  const encoded = encodeUtf8(value);
  return encoded.length > bytes ? `${decodeUtf8(encoded.subarray(0, bytes))}...` : value;
}

/** Name, namespace (of objects that have one), labels and annotations. */
export function writeMetadata(w: Description, object: JsonObject, namespaced = true): void {
  w.line(0, `Name:\t${text(object, 'metadata', 'name')}`);
  if (namespaced) w.line(0, `Namespace:\t${text(object, 'metadata', 'namespace')}`);
  writeLabels(w, 'Labels', strings(object, 'metadata', 'labels'));
  writeAnnotations(w, 'Annotations', strings(object, 'metadata', 'annotations'));
}

export function writeTaints(w: Description, title: string, taints: readonly JsonObject[]): void {
  const key = (taint: JsonObject) => `${text(taint, 'effect')},${text(taint, 'key')}`;
  const sorted = [...taints].sort((a, b) => byCodeUnit(key(a), key(b)));
  writeMultiline(w, title, sorted.map(formatTaint));
}

/** `key=value:Effect`, without what is empty. */
export function formatTaint(taint: JsonObject): string {
  const [key, value, effect] = [text(taint, 'key'), text(taint, 'value'), text(taint, 'effect')];
  if (effect === '') return value === '' ? key : `${key}=${value}:`;
  return value === '' ? `${key}:${effect}` : `${key}=${value}:${effect}`;
}

export function writeTolerations(w: Description, title: string, tolerations: readonly JsonObject[]): void {
  const sorted = [...tolerations].sort((a, b) => byCodeUnit(text(a, 'key'), text(b, 'key')));
  writeMultiline(w, title, sorted.map(formatToleration));
}

function formatToleration(toleration: JsonObject): string {
  const [key, value, effect] = [text(toleration, 'key'), text(toleration, 'value'), text(toleration, 'effect')];
  let line = key;
  if (value !== '') line += `=${value}`;
  if (effect !== '') line += `:${effect}`;
  if (text(toleration, 'operator') === 'Exists' && value === '') line += line === '' ? 'op=Exists' : ' op=Exists';
  const seconds = text(toleration, 'tolerationSeconds');
  return seconds === '' ? line : `${line} for ${seconds}s`;
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** A timestamp as `Mon, 02 Jan 2006 15:04:05 +0000`; Go's zero time when there is none. */
export function formatDate(timestamp: string): string {
  if (timestamp === '') return 'Mon, 01 Jan 0001 00:00:00 +0000';
  const date = new Date(parseTime(timestamp));
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${DAYS[date.getUTCDay()]}, ${two(date.getUTCDate())} ${MONTHS[date.getUTCMonth()]}`;
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  return `${day} ${String(date.getUTCFullYear()).padStart(4, '0')} ${time} +0000`;
}

/** `Title` as a boolean of Python would be written, or `<unset>`. */
export function formatBool(value: JsonValue | undefined): string {
  return value === true ? 'True' : value === false ? 'False' : '<unset>';
}

/** The canonical text of a quantity; `0` when there is none. */
export function formatQuantityAt(value: JsonValue | undefined, ...path: readonly (string | number)[]): string {
  const found = text(value, ...path);
  return found === '' ? '0' : canonicalQuantity(found);
}

/** A metav1.LabelSelector as text; empty when it selects everything or nothing. */
export function formatSelector(selector: JsonValue | undefined): string {
  return formatLabelSelector(labelSelectorTerms(selector as LabelSelectorLike | undefined) ?? []);
}

export const orNone = (value: string): string => value || '<none>';

/** `Kind/name` of the controller that owns the object; empty when none does. */
export function controllerOf(object: JsonObject): string {
  const owner = objects(object, 'metadata', 'ownerReferences').find(
    (reference) => at(reference, 'controller') === true,
  );
  return owner ? `${text(owner, 'kind')}/${text(owner, 'name')}` : '';
}
