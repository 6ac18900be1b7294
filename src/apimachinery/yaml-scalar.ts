const CONSTANTS = new Map<string, boolean | null | number>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((text) => [text, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((text) => [text, false] as const),
  ...['', '~', 'null', 'Null', 'NULL'].map((text) => [text, null] as const),
  ...['.nan', '.NaN', '.NAN'].map((text) => [text, Number.NaN] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((text) => [text, Number.POSITIVE_INFINITY] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((text) => [text, Number.NEGATIVE_INFINITY] as const),
]);

const INTEGER = /^[-+]?(0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|0|[1-9][0-9]*)$/;
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;

/** A plain text that go-yaml takes for a time: it is a string all the same, but quoted when written. */
export class Timestamp {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/**
 * What a plain scalar means in the YAML 1.1 that Kubernetes reads: `yes` and `on` are booleans, `0644` is octal, there
 * are no numbers of base 60. A string comes back as it is. Follows go-yaml v2 resolve.go.
 */
export function resolvePlain(text: string): string | number | bigint | boolean | null | Timestamp {
  const constant = CONSTANTS.get(text);
  if (constant !== undefined) return constant;
  if (text.startsWith('.')) return /^\.[0-9]+([eE][-+]?[0-9]+)?$/.test(text) ? Number(text) : text;
  if (!/^[-+0-9]/.test(text)) return text;
  if (isTimestamp(text)) return new Timestamp(text);
  const plain = text.replaceAll('_', '');
  if (INTEGER.test(plain)) {
    const value = parseInteger(plain);
    if (value !== undefined) return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }
  return FLOAT.test(plain) && Number.isFinite(Number(plain)) ? Number(plain) : text;
}

function parseInteger(text: string): bigint | undefined {
  const negative = text.startsWith('-');
  const digits = text.replace(/^[-+]/, '').toLowerCase();
  const magnitude = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits);
  if (negative) return magnitude <= 1n << 63n ? -magnitude : undefined;
  // Unsigned numbers have no sign.
  return magnitude < (text.startsWith('+') ? 1n << 63n : 1n << 64n) ? magnitude : undefined;
}

function isTimestamp(text: string): boolean {
  const match =
    /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[Tt](\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,]\d+)?(?:Z|[-+]\d\d:\d\d)| (\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,]\d+)?)?$/.exec(
      text,
    );
  if (!match) return false;
  const [year = 0, month = 0, day = 0, ...clock] = match.slice(1).map((part) => Number(part ?? 0));
  if (month < 1 || month > 12 || day < 1 || day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return false;
  const [h1 = 0, m1 = 0, s1 = 0, h2 = 0, m2 = 0, s2 = 0] = clock;
  return h1 < 24 && h2 < 24 && m1 < 60 && m2 < 60 && s1 < 60 && s2 < 60;
}
