/** A text that is no time; the message is Go's. */
export class TimeError extends Error {
  override readonly name = 'TimeError';
}

const LAYOUTS = { time: '2006-01-02T15:04:05Z07:00', 'micro-time': '2006-01-02T15:04:05.000000Z07:00' } as const;
const CANONICAL = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z$/;
const ZERO = '0001-01-01T00:00:00Z';

/**
 * A time as the API server gives it back: in UTC, with whole seconds (`time`) or six digits more (`micro-time`); null for
 * Go's zero time. Throws {@link TimeError}. Follows metav1.Time and metav1.MicroTime over Go's time.Parse.
 */
export function canonicalTime(text: string, type: 'time' | 'micro-time'): string | null {
  const match = CANONICAL.exec(text);
  if (match && (match[1] !== undefined) === (type === 'micro-time')) {
    const seconds = text.slice(0, 19);
    const ms = Date.parse(`${seconds}Z`);
    if (!Number.isNaN(ms) && new Date(ms).toISOString().startsWith(seconds)) return isZero(text) ? null : text;
  }
  const { ms, nanoseconds } = new TimeParser(text, LAYOUTS[type]).parse();
  const seconds = new Date(ms).toISOString().slice(0, 19);
  const fraction = type === 'micro-time' ? `.${String(Math.floor(nanoseconds / 1000)).padStart(6, '0')}` : '';
  return seconds === ZERO.slice(0, 19) && nanoseconds === 0 ? null : `${seconds}${fraction}Z`;
}

const isZero = (text: string) => text === ZERO || text === `${ZERO.slice(0, 19)}.000000Z`;

/** The canonical text of seconds and nanoseconds since 1970, as protobuf has them. */
export function timeFromUnix(seconds: number, nanoseconds: number, type: 'time' | 'micro-time'): string | null {
  const text = new Date(seconds * 1000).toISOString().slice(0, 19);
  if (text === ZERO.slice(0, 19) && nanoseconds === 0) return null;
  return type === 'time' ? `${text}Z` : `${text}.${String(Math.floor(nanoseconds / 1000)).padStart(6, '0')}Z`;
}

class TimeParser {
  readonly #whole: string;
  readonly #layout: string;
  /** What is still to be read. */
  #rest: string;

  constructor(text: string, layout: string) {
    this.#whole = text;
    this.#layout = layout;
    this.#rest = text;
  }

  parse(): { readonly ms: number; readonly nanoseconds: number } {
    const year = this.#take(/^\d{4}/, '2006');
    this.#skip('-');
    const month = this.#range(this.#take(/^\d\d/, '01'), 1, 12, 'month');
    this.#skip('-');
    const day = this.#take(/^\d\d/, '02');
    this.#skip('T');
    const hour = this.#range(this.#take(/^\d\d?/, '15'), 0, 23, 'hour');
    this.#skip(':');
    const minute = this.#range(this.#take(/^\d\d/, '04'), 0, 59, 'minute');
    this.#skip(':');
    const second = this.#range(this.#take(/^\d\d/, '05'), 0, 59, 'second');
    const nanoseconds = this.#fraction();
    const offset = this.#zone();
    if (this.#rest !== '') this.#fail(`: extra text: ${quote(this.#rest)}`);
    const date = new Date(0);
    date.setUTCFullYear(year, month - 1, day);
    if (day < 1 || date.getUTCDate() !== day) this.#fail(': day out of range');
    date.setUTCHours(hour, minute, second);
    return { ms: date.getTime() - offset * 60_000, nanoseconds };
  }

  #take(pattern: RegExp, element: string): number {
    const found = pattern.exec(this.#rest)?.[0];
    if (found === undefined) this.#cannot(element);
    this.#rest = this.#rest.slice(found.length);
    return Number(found);
  }

  #skip(separator: string): void {
    if (!this.#rest.startsWith(separator)) this.#cannot(separator);
    this.#rest = this.#rest.slice(1);
  }

  #range(value: number, least: number, most: number, name: string): number {
    if (value < least || value > most) this.#fail(`: ${name} out of range`);
    return value;
  }

  /** Digits after the seconds are read whether or not the layout has them. */
  #fraction(): number {
    const wanted = this.#layout === LAYOUTS['micro-time'];
    const digits = (wanted ? /^[.,](\d{6})/ : /^[.,](\d+)/).exec(this.#rest)?.[1];
    if (digits === undefined) return wanted ? this.#cannot('.000000') : 0;
    this.#rest = this.#rest.slice(digits.length + 1);
    return Number(digits.slice(0, 9).padEnd(9, '0'));
  }

  /** Minutes east of UTC. */
  #zone(): number {
    const zone = /^(?:Z|([+-])(\d\d):(\d\d))/.exec(this.#rest);
    if (!zone) return this.#cannot('Z07:00');
    this.#rest = this.#rest.slice(zone[0].length);
    const hours = this.#range(Number(zone[2] ?? 0), 0, 24, 'time zone offset hour');
    const minutes = this.#range(Number(zone[3] ?? 0), 0, 60, 'time zone offset minute');
    return (hours * 60 + minutes) * (zone[1] === '-' ? -1 : 1);
  }

  #cannot(element: string): never {
    return this.#fail(` as ${quote(this.#layout)}: cannot parse ${quote(this.#rest)} as ${quote(element)}`);
  }

  #fail(why: string): never {
    throw new TimeError(`parsing time ${quote(this.#whole)}${why}`);
  }
}

const quote = (text: string) => JSON.stringify(text);
