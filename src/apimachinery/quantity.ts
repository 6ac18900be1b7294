/**
 * Resource quantities as exact decimals: `amount × 10^-9`, which is all the precision that the API keeps.
 * Follows apimachinery/pkg/api/resource/quantity.go, v1.33: parsing rounds up to nano units and caps at 2^63-1;
 * printing is canonical for the format in which the value was written.
 */
export interface Quantity {
  /** In units of 10^-9. */
  readonly nanos: bigint;
  readonly format: 'DecimalSI' | 'BinarySI' | 'DecimalExponent';
}

/** What `parseQuantity` throws; the messages are upstream's. */
export class QuantityError extends Error {
  override readonly name = 'QuantityError';
}

const FORMAT_ERROR = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const NANO = 1_000_000_000n;
const MAX = (2n ** 63n - 1n) * NANO;
const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const BINARY: Readonly<Record<string, bigint>> = { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n };
const PATTERN = /^([+-]?)(\d*)(?:\.(\d*))?((?:[KMGTPE]i)|[numkMGTPE]|(?:[eE][+-]?\d+))?$/;

/** Parses a quantity such as `100m`, `1.5Gi`, `1e3`. Throws {@link QuantityError}. */
export function parseQuantity(text: string): Quantity {
  if (text === '') throw new QuantityError(FORMAT_ERROR);
  const match = PATTERN.exec(text);
  if (!match || (match[2] === '' && !match[3])) {
    if (/^[+-]?[0-9.]+[a-zA-Z]*[+-]?[0-9]*$/.test(text) && !/\..*\./.test(text) && /\d/.test(text))
      throw new QuantityError("unable to parse quantity's suffix");
    throw new QuantityError(FORMAT_ERROR);
  }
  const [, sign, whole = '', fraction = '', suffix = ''] = match;
  const binary = BINARY[suffix];
  let exponent = 0;
  let format: Quantity['format'] = binary === undefined ? 'DecimalSI' : 'BinarySI';
  if (binary === undefined) {
    const known = DECIMAL[suffix];
    if (known === undefined) {
      exponent = Number(suffix.slice(1));
      format = 'DecimalExponent';
    } else exponent = known;
  }
  // value = digits × 10^(exponent - fraction.length) × 2^binary, in nanos and rounded away from zero.
  let digits = BigInt(whole + fraction || '0') << (binary ?? 0n);
  const power = exponent - fraction.length + 9;
  if (power >= 0) digits = power > 60 && digits > 0n ? MAX : digits * 10n ** BigInt(power);
  else {
    const divisor = 10n ** BigInt(Math.min(-power, 400));
    digits = (digits + divisor - 1n) / divisor;
  }
  if (digits > MAX) digits = MAX;
  // Below one, binary suffixes make no sense: upstream prints such values in decimal.
  if (format === 'BinarySI' && digits < 1024n * NANO && digits % NANO !== 0n) format = 'DecimalSI';
  return { nanos: sign === '-' ? -digits : digits, format };
}

/** The canonical text: no fraction, the largest suffix that keeps it exact. */
export function formatQuantity({ nanos, format }: Quantity): string {
  if (nanos === 0n) return '0';
  const negative = nanos < 0n;
  let value = negative ? -nanos : nanos;
  const sign = negative ? '-' : '';
  if (format === 'BinarySI' && value >= 1024n * NANO && value % NANO === 0n) {
    value /= NANO;
    let unit = 0;
    while (unit < 6 && value % 1024n === 0n) {
      value /= 1024n;
      unit++;
    }
    return `${sign}${value}${['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'][unit]}`;
  }
  let exponent = -9;
  while (value % 1000n === 0n && exponent < 18) {
    value /= 1000n;
    exponent += 3;
  }
  if (format === 'DecimalExponent') return exponent === 0 ? `${sign}${value}` : `${sign}${value}e${exponent}`;
  return `${sign}${value}${['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'][exponent / 3 + 3]}`;
}

/**
 * The text as the API server gives it back; throws {@link QuantityError}. That is the canonical form, except that
 * upstream keeps the text of decimals it holds to be canonical already (`1.500`, `1E3`).
 */
export function canonicalQuantity(text: string): string {
  const quantity = parseQuantity(text);
  const [, , whole = '', fraction = '', suffix = ''] = PATTERN.exec(text) as RegExpExecArray;
  if (quantity.format !== 'BinarySI' && BINARY[suffix] === undefined) {
    const digits = whole + fraction;
    const scale = (DECIMAL[suffix] ?? Number(suffix.slice(1))) - fraction.length;
    if (digits.length <= 18 && scale >= -9 && scale % 3 === 0 && !digits.endsWith('000') && !digits.startsWith('0'))
      return text;
  }
  return formatQuantity(quantity);
}

/** Nanos of a text that is known to be valid (it has been through validation). */
const cache = new Map<string, bigint>();
function nanosOf(text: string | number): bigint {
  const key = String(text);
  let nanos = cache.get(key);
  if (nanos === undefined) {
    nanos = parseQuantity(key).nanos;
    if (cache.size > 10_000) cache.clear();
    cache.set(key, nanos);
  }
  return nanos;
}

const divideUp = (value: bigint, by: bigint): bigint => (value > 0n ? (value + by - 1n) / by : value / by);

/** Whole units, rounded up: bytes of memory, counts. Exact up to 2^53. */
export function quantityValue(text: string | number): number {
  return Number(divideUp(nanosOf(text), NANO));
}

/** Thousandths, rounded up: CPU in millicores. */
export function quantityMilliValue(text: string | number): number {
  return Number(divideUp(nanosOf(text), 1_000_000n));
}

/** Negative, zero or positive as `a` is smaller than, equal to or larger than `b`. */
export function compareQuantities(a: string | number, b: string | number): number {
  const difference = nanosOf(a) - nanosOf(b);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** The sum in the format of the first. */
export function addQuantities(a: string, b: string): string {
  const first = parseQuantity(a);
  return formatQuantity({
    nanos: first.nanos + nanosOf(b),
    format: first.nanos === 0n ? parseQuantity(b).format : first.format,
  });
}

/** The difference in the format of the first. */
export function subtractQuantities(a: string, b: string): string {
  const first = parseQuantity(a);
  return formatQuantity({ nanos: first.nanos - nanosOf(b), format: first.format });
}
