import { goQuote } from '#apimachinery/validation.ts';
import { formatGoSyntax, formatValue } from '#apimachinery/go-format.ts';

/** fmt.Sprint: spaces between operands when neither is a string. */
export function sprint(args: readonly unknown[]): string {
  return args
    .map((arg, i) =>
      i > 0 && typeof arg !== 'string' && typeof args[i - 1] !== 'string' ? ` ${formatValue(arg)}` : formatValue(arg),
    )
    .join('');
}

/** fmt.Sprintln. */
export function sprintln(args: readonly unknown[]): string {
  return `${args.map(formatValue).join(' ')}\n`;
}

/** fmt.Sprintf of values that were decoded from JSON. */
export function sprintf(format: string, args: readonly unknown[]): string {
  let next = 0;
  const text = format.replace(
    /%([-+# 0]*)(\*|\d+)?(?:\.(\*|\d+)?)?([a-zA-Z%])|%$/g,
    (whole, flags = '', width?: string, precision?: string, verb?: string) => {
      if (verb === undefined) return '%!(NOVERB)';
      if (verb === '%') return '%';
      const star = (part: string | undefined) =>
        part === '*' ? Number(args[next++]) : part === undefined ? undefined : Number(part);
      const wide = star(width);
      const exact = star(precision) ?? (whole.includes('.') ? 0 : undefined);
      if (next >= args.length) return `%!${verb}(MISSING)`;
      const out = formatVerb(verb, args[next++], flags, whole.includes('.') ? exact : undefined);
      if (wide === undefined) return out;
      const pad = Math.max(0, wide - Array.from(out).length);
      if (flags.includes('-')) return out + ' '.repeat(pad);
      if (flags.includes('0') && /^[+-]?[\d.]/.test(out))
        return out.replace(/^[+-]?/, (sign) => sign + '0'.repeat(pad));
      return ' '.repeat(pad) + out;
    },
  );
  const extra = args.slice(next);
  return extra.length === 0
    ? text
    : `${text}%!(EXTRA ${extra.map((arg) => `${typeName(arg)}=${formatValue(arg)}`).join(', ')})`;
}

function formatVerb(verb: string, arg: unknown, flags: string, precision: number | undefined): string {
  const bad = () => `%!${verb}(${typeName(arg)}=${formatValue(arg)})`;
  const sign = (text: string) =>
    flags.includes('+') && !text.startsWith('-')
      ? `+${text}`
      : flags.includes(' ') && !text.startsWith('-')
        ? ` ${text}`
        : text;
  const integer = typeof arg === 'bigint' || (typeof arg === 'number' && Number.isInteger(arg));
  switch (verb) {
    case 'v':
      return flags.includes('#') ? formatGoSyntax(arg) : formatValue(arg);
    case 's':
      if (typeof arg === 'number' || typeof arg === 'boolean' || typeof arg === 'bigint') return bad();
      if (arg === undefined || arg === null) return '%!s(<nil>)';
      return precision === undefined ? formatValue(arg) : Array.from(formatValue(arg)).slice(0, precision).join('');
    case 'q':
      return typeof arg === 'string' ? goQuote(arg) : bad();
    case 't':
      return typeof arg === 'boolean' ? String(arg) : bad();
    case 'd':
      return integer ? sign(String(arg)) : bad();
    case 'x':
    case 'X': {
      const text = integer
        ? (arg as number).toString(16)
        : typeof arg === 'string'
          ? Array.from(arg, (char) => (char.codePointAt(0) as number).toString(16).padStart(2, '0')).join('')
          : undefined;
      return text === undefined ? bad() : verb === 'X' ? text.toUpperCase() : text;
    }
    case 'o':
    case 'b':
      return integer ? (arg as number).toString(verb === 'o' ? 8 : 2) : bad();
    case 'c':
      return integer ? String.fromCodePoint(Number(arg)) : bad();
    case 'f':
    case 'F':
    case 'e':
    case 'g':
      if (typeof arg !== 'number' || Number.isInteger(arg)) return bad();
      if (verb === 'g') return sign(formatValue(arg));
      return sign(
        verb === 'e'
          ? arg.toExponential(precision ?? 6).replace(/e([+-])(\d)$/, 'e$10$2')
          : arg.toFixed(precision ?? 6),
      );
    default:
      return bad();
  }
}

function typeName(arg: unknown): string {
  if (arg === undefined || arg === null) return '<nil>';
  if (typeof arg === 'number') return Number.isInteger(arg) ? 'int64' : 'float64';
  if (typeof arg === 'bigint') return 'int64';
  if (typeof arg === 'boolean') return 'bool';
  if (Array.isArray(arg)) return '[]interface {}';
  return typeof arg === 'object' ? 'map[string]interface {}' : 'string';
}
