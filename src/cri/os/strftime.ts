const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');
const MONTHS = 'January February March April May June July August September October November December'.split(' ');

/** What formats made of one second: servers write it on line after line. */
const memo = new Map<string, string>();
let memoSecond = Number.NaN;

/** A time (ms) by strftime's format, in UTC: containers have no other zone. */
export function strftime(format: string, ms: number): string {
  if (format.includes('N')) return formatTimeBy(format, ms);
  const second = Math.floor(ms / 1000);
  if (second !== memoSecond) memo.clear();
  memoSecond = second;
  let text = memo.get(format);
  if (text === undefined) {
    text = formatTimeBy(format, ms);
    if (memo.size < 32) memo.set(format, text);
  }
  return text;
}

function formatTimeBy(format: string, ms: number): string {
  const date = new Date(ms);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = DAYS[date.getUTCDay()] as string;
  const month = MONTHS[date.getUTCMonth()] as string;
  const hours = date.getUTCHours();
  const values: Readonly<Record<string, () => string>> = {
    a: () => day.slice(0, 3),
    A: () => day,
    b: () => month.slice(0, 3),
    B: () => month,
    c: () => strftime('%a %b %e %H:%M:%S %Y', ms),
    C: () => two(Math.floor(date.getUTCFullYear() / 100)),
    d: () => two(date.getUTCDate()),
    D: () => strftime('%m/%d/%y', ms),
    e: () => String(date.getUTCDate()).padStart(2),
    F: () => strftime('%Y-%m-%d', ms),
    H: () => two(hours),
    h: () => month.slice(0, 3),
    I: () => two(hours % 12 || 12),
    j: () => String(1 + Math.floor((ms - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000)).padStart(3, '0'),
    m: () => two(date.getUTCMonth() + 1),
    M: () => two(date.getUTCMinutes()),
    n: () => '\n',
    N: () => String(Math.floor((ms % 1000) * 1e6)).padStart(9, '0'),
    p: () => (hours < 12 ? 'AM' : 'PM'),
    R: () => strftime('%H:%M', ms),
    s: () => String(Math.floor(ms / 1000)),
    S: () => two(date.getUTCSeconds()),
    t: () => '\t',
    T: () => strftime('%H:%M:%S', ms),
    u: () => String(date.getUTCDay() || 7),
    w: () => String(date.getUTCDay()),
    x: () => strftime('%m/%d/%y', ms),
    X: () => strftime('%H:%M:%S', ms),
    y: () => two(date.getUTCFullYear() % 100),
    Y: () => String(date.getUTCFullYear()),
    z: () => '+0000',
    Z: () => 'UTC',
    '%': () => '%',
  };
  return format.replace(/%-?([a-zA-Z%])/g, (whole, letter: string) => {
    const value = Object.hasOwn(values, letter) ? (values[letter] as () => string)() : whole;
    return whole.startsWith('%-') ? value.replace(/^[0 ]+(?=.)/, '') : value;
  });
}
