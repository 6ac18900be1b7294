import { goQuote } from '#apimachinery/validation.ts';
import { type TimeZone, timeZone } from './time-zone.ts';

// Schedules of CronJobs. Follows github.com/robfig/cron v3 as v1.33 uses it, with its messages.

/** What is wrong with a schedule. */
export class ScheduleError extends Error {
  override readonly name = 'ScheduleError';
}

/** When something is due. */
export interface Schedule {
  /** The first time after `ms`; undefined when there is none within five years. */
  next(ms: number): number | undefined;
}

interface Field {
  readonly values: ReadonlySet<number>;
  /** Written as `*` or `?`. */
  readonly any: boolean;
}

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const MINUTES: Bounds = { min: 0, max: 59 };
const HOURS: Bounds = { min: 0, max: 23 };
const DAYS: Bounds = { min: 1, max: 31 };
const MONTHS: Bounds = {
  min: 1,
  max: 12,
  names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
};
const WEEKDAYS: Bounds = { min: 0, max: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] };

const DESCRIPTORS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

function parseNumber(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) {
    throw new ScheduleError(`failed to parse int from ${text}: strconv.Atoi: parsing ${goQuote(text)}: invalid syntax`);
  }
  const number = Number(text);
  if (number < 0) throw new ScheduleError(`negative number (${number}) not allowed: ${text}`);
  return number;
}

function parseNamed(text: string, { names, min }: Bounds): number {
  const at = names?.indexOf(text.toLowerCase()) ?? -1;
  return at < 0 ? parseNumber(text) : at + min;
}

function parseRange(text: string, bounds: Bounds, values: Set<number>): boolean {
  const [range = '', stepText, ...tooMany] = text.split('/');
  const [low = '', high, ...more] = range.split('-');
  let any = false;
  let start = bounds.min;
  let end = bounds.max;
  if (low === '*' || low === '?') any = true;
  else {
    start = parseNamed(low, bounds);
    if (more.length) throw new ScheduleError(`too many hyphens: ${text}`);
    end = high === undefined ? start : parseNamed(high, bounds);
  }
  let step = 1;
  if (tooMany.length) throw new ScheduleError(`too many slashes: ${text}`);
  if (stepText !== undefined) {
    step = parseNumber(stepText);
    if (high === undefined) end = bounds.max;
    if (step > 1) any = false;
  }
  if (start < bounds.min) {
    throw new ScheduleError(`beginning of range (${start}) below minimum (${bounds.min}): ${text}`);
  }
  if (end > bounds.max) throw new ScheduleError(`end of range (${end}) above maximum (${bounds.max}): ${text}`);
  if (start > end) throw new ScheduleError(`beginning of range (${start}) beyond end of range (${end}): ${text}`);
  if (step === 0) throw new ScheduleError(`step of range should be a positive number: ${text}`);
  for (let value = start; value <= end; value += step) values.add(value);
  return any;
}

function parseField(text: string, bounds: Bounds): Field {
  const values = new Set<number>();
  let any = false;
  for (const part of text.split(',').filter((piece) => piece !== '')) {
    if (parseRange(part, bounds, values)) any = true;
  }
  return { values, any };
}

/** A schedule such as `0 3 * * mon`, `@daily` or `@every 90s`, in a zone. Throws {@link ScheduleError}. */
export function parseSchedule(text: string, zoneName = ''): Schedule {
  if (text === '') throw new ScheduleError('empty spec string');
  let spec = text;
  let zone = timeZone(zoneName) ?? (timeZone('') as TimeZone);
  const own = /^(?:CRON_)?TZ=([^ ]*)/.exec(spec);
  if (own) {
    const name = own[1] ?? '';
    const found = timeZone(name);
    if (!found) throw new ScheduleError(`provided bad location ${name}: unknown time zone ${name}`);
    zone = found;
    spec = spec.slice(own[0].length).trim();
  }
  if (spec.startsWith('@')) {
    const known = Object.hasOwn(DESCRIPTORS, spec) ? DESCRIPTORS[spec] : undefined;
    if (known !== undefined) return new CalendarSchedule(known.split(' '), zone);
    if (!spec.startsWith('@every ')) throw new ScheduleError(`unrecognized descriptor: ${spec}`);
    return every(spec);
  }
  const fields = spec.split(/\s+/).filter((field) => field !== '');
  if (fields.length !== 5) {
    throw new ScheduleError(`expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`);
  }
  return new CalendarSchedule(fields, zone);
}

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

function every(spec: string): Schedule {
  const text = spec.slice('@every '.length);
  const failed = (why: string) => new ScheduleError(`failed to parse duration ${spec}: time: ${why}`);
  const parts = text.replace(/^[+-]/, '').match(/(?:\d+\.?\d*|\.\d+)[^\d.]*/g) ?? [];
  if (text !== '0' && (parts.length === 0 || parts.join('') !== text.replace(/^[+-]/, ''))) {
    throw failed(`invalid duration ${goQuote(text)}`);
  }
  let total = 0;
  for (const part of text === '0' ? [] : parts) {
    const number = /^[\d.]+/.exec(part)?.[0] ?? '';
    const unit = part.slice(number.length);
    if (unit === '') throw failed(`missing unit in duration ${goQuote(text)}`);
    const scale = Object.hasOwn(UNITS, unit) ? (UNITS[unit] as number) : undefined;
    if (scale === undefined) throw failed(`unknown unit ${goQuote(unit)} in duration ${goQuote(text)}`);
    total += Number(number) * scale;
  }
  const delay = Math.max(1000, Math.floor((text.startsWith('-') ? -total : total) / 1000) * 1000);
  return { next: (ms) => Math.floor(ms / 1000) * 1000 + delay };
}

const MINUTE = 60_000;
const HOUR = 3_600_000;
const YEARS = 5;

class CalendarSchedule implements Schedule {
  readonly #minute: Field;
  readonly #hour: Field;
  readonly #day: Field;
  readonly #month: Field;
  readonly #weekday: Field;
  readonly #zone: TimeZone;

  constructor([minute = '', hour = '', day = '', month = '', weekday = '']: readonly string[], zone: TimeZone) {
    this.#minute = parseField(minute, MINUTES);
    this.#hour = parseField(hour, HOURS);
    this.#day = parseField(day, DAYS);
    this.#month = parseField(month, MONTHS);
    this.#weekday = parseField(weekday, WEEKDAYS);
    this.#zone = zone;
  }

  next(ms: number): number | undefined {
    let time = Math.floor(ms / 1000) * 1000 + 1000;
    // Whole minutes only: the second of a schedule is zero.
    time = Math.ceil(time / MINUTE) * MINUTE;
    const lastYear = this.#local(time).getUTCFullYear() + YEARS;
    for (;;) {
      const local = this.#local(time);
      const year = local.getUTCFullYear();
      if (year > lastYear) return undefined;
      if (!this.#month.values.has(local.getUTCMonth() + 1)) {
        time = this.#instant(Date.UTC(year, local.getUTCMonth() + 1, 1));
      } else if (!this.#isDay(local)) {
        time = this.#instant(Date.UTC(year, local.getUTCMonth(), local.getUTCDate() + 1));
      } else if (!this.#hour.values.has(local.getUTCHours())) {
        time += HOUR - (local.getTime() % HOUR);
      } else if (!this.#minute.values.has(local.getUTCMinutes())) time += MINUTE;
      else return time;
    }
  }

  /** A restriction of both, days of the month and of the week, means either. */
  #isDay(local: Date): boolean {
    const day = this.#day.values.has(local.getUTCDate());
    const weekday = this.#weekday.values.has(local.getUTCDay());
    return this.#day.any || this.#weekday.any ? day && weekday : day || weekday;
  }

  /** The zone's clock, as if it showed UTC. */
  #local(ms: number): Date {
    return new Date(ms + this.#zone.offsetAt(ms) * 1000);
  }

  /** The first instant at which the zone's clock shows that or, where it is set forward, more. */
  #instant(local: number): number {
    const guess = local - this.#zone.offsetAt(local) * 1000;
    return local - this.#zone.offsetAt(guess) * 1000;
  }
}
