import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { goQuote } from '#apimachinery/validation.ts';

/**
 * What changed, in the style in which upstream's messages append it (go-cmp): lines marked `-` and `+` inside the
 * structure they belong to. Differs from upstream: nested values do not name their Go types.
 */
export function specDiff(type: string, before: object, after: object): string {
  const lines = ['  '.concat(type, '{'), ...fields(before, after, 1), '  }'];
  return `${lines.join('\n')}\n`;
}

type Fields = Readonly<Record<string, unknown>>;

const line = (mark: ' ' | '-' | '+', depth: number, text: string) => `${mark} ${'\t'.repeat(depth)}${text}`;
const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const goName = (key: string) => `${key.slice(0, 1).toUpperCase()}${key.slice(1)}`;

function fields(before: object, after: object, depth: number): string[] {
  const a = before as Fields;
  const b = after as Fields;
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .filter((key) => a[key] !== undefined || b[key] !== undefined)
    .sort();
  const changed = keys.filter((key) => !semanticEqual(a[key], b[key]));
  const lines = changed.flatMap((key) => value(`${goName(key)}: `, a[key], b[key], depth));
  const same = keys.length - changed.length;
  if (same) lines.push(line(' ', depth, `... // ${same} identical field${same === 1 ? '' : 's'}`));
  return lines;
}

function value(label: string, a: unknown, b: unknown, depth: number): string[] {
  if (isObject(a) && isObject(b)) {
    return [line(' ', depth, `${label}{`), ...fields(a, b, depth + 1), line(' ', depth, '},')];
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    return [line(' ', depth, `${label}{`), ...elements(a, b, depth + 1), line(' ', depth, '},')];
  }
  return [line('-', depth, `${label}${show(a)},`), line('+', depth, `${label}${show(b)},`)];
}

function elements(a: readonly unknown[], b: readonly unknown[], depth: number): string[] {
  const lines: string[] = [];
  let same = 0;
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    if (i >= a.length) lines.push(line('+', depth, `${show(b[i])},`));
    else if (i >= b.length) lines.push(line('-', depth, `${show(a[i])},`));
    else if (semanticEqual(a[i], b[i])) same++;
    else lines.push(...value('', a[i], b[i], depth));
  }
  if (same) lines.push(line(' ', depth, `... // ${same} identical element${same === 1 ? '' : 's'}`));
  return lines;
}

function show(item: unknown): string {
  if (item === undefined || item === null) return 'nil';
  if (typeof item === 'string') return goQuote(item);
  if (Array.isArray(item)) return `{${item.map(show).join(', ')}}`;
  if (isObject(item)) {
    return `{${Object.keys(item)
      .sort()
      .map((key) => `${goName(key)}: ${show(item[key])}`)
      .join(', ')}}`;
  }
  return JSON.stringify(item);
}
