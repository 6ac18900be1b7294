import { parseIPv6 } from './ip-address.ts';

type Check = (text: string) => boolean;

const HOSTNAME =
  /^([a-zA-Z0-9\p{S}\p{L}]((-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?)|([a-zA-Z0-9\p{S}\p{L}](([a-zA-Z0-9\-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?)(\.)){1,}([a-zA-Z\p{L}]){2,63})$/u;
const MAC =
  /^(?:[0-9a-f]{2}([:-])[0-9a-f]{2}(?:\1[0-9a-f]{2}){4}(?:(?:\1[0-9a-f]{2}){2})?(?:(?:\1[0-9a-f]{2}){12})?|[0-9a-f]{4}(?:\.[0-9a-f]{4}){2,3}(?:(?:\.[0-9a-f]{4}){6})?)$/i;
const CARD =
  /^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\d{3})\d{11})$/;
const COLOUR = '\\s*(0|[1-9]\\d?|1\\d\\d?|2[0-4]\\d|25[0-5])\\s*';
const RGB = new RegExp(`^rgb\\(${COLOUR},${COLOUR},${COLOUR}\\)$`);

const matches =
  (pattern: RegExp): Check =>
  (text) =>
    pattern.test(text);

function isIPv4(text: string): boolean {
  if (text.includes(':')) return parseIPv6(text) !== undefined && text.includes('.');
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
}

function isCIDR(text: string): boolean {
  const [address = '', bits = '', ...rest] = text.split('/');
  if (rest.length > 0 || !/^\d{1,3}$/.test(bits)) return false;
  return address.includes(':')
    ? parseIPv6(address) !== undefined && Number(bits) <= 128
    : isIPv4(address) && Number(bits) <= 32;
}

function isDate(text: string): boolean {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!match) return false;
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number];
  if (month < 1 || month > 12 || day < 1) return false;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
  return day <= days;
}

function isDateTime(text: string): boolean {
  const [date = '', time] = text.toLowerCase().split('t');
  const match = /^(\d{2}):(\d{2}):(\d{2})(.\d+)?(z|([+-]\d{2}:\d{2}))$/.exec(time ?? '');
  if (!match || !isDate(date)) return false;
  return (match[1] as string) <= '23' && (match[2] as string) <= '59' && (match[3] as string) <= '59';
}

/** Go's own notation, or numbers with units up to weeks, as Scala has them. */
function isDuration(text: string): boolean {
  if (/^[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/.test(text)) return true;
  const units =
    /^(?:ns|nano.*|us|µs|micro.*|ms|milli.*|s|sec|second.*|m|min|minute.*|h|hr|hour.*|d|day.*|w|wk|week.*)$/i;
  return [...text.matchAll(/(\d+)\s*([A-Za-zµ]+)/g)].some(([, , unit = '']) => units.test(unit));
}

function isISBN(text: string, length: 10 | 13): boolean {
  const digits = text.replace(/[\s-]+/g, '');
  if (!(length === 10 ? /^(?:\d{9}X|\d{10})$/ : /^\d{13}$/).test(digits)) return false;
  const values = Array.from(digits, (char) => (char === 'X' ? 10 : Number(char)));
  const sum = values.reduce((total, value, i) => total + value * (length === 10 ? i + 1 : i % 2 === 0 ? 1 : 3), 0);
  return sum % (length === 10 ? 11 : 10) === 0;
}

function isCreditCard(text: string): boolean {
  const digits = text.replace(/[^0-9]+/g, '');
  if (!CARD.test(digits)) return false;
  const sum = Array.from(digits)
    .reverse()
    .reduce((total, char, i) => {
      const value = Number(char) * (i % 2 === 1 ? 2 : 1);
      return total + (value >= 10 ? (value % 10) + 1 : value);
    }, 0);
  return sum % 10 === 0;
}

/** What Go's url.ParseRequestURI takes: an absolute URI or an absolute path. */
function isRequestURI(text: string): boolean {
  if (text === '' || /[\s\p{Cc}]/u.test(text) || /%(?![0-9A-Fa-f]{2})/.test(text)) return false;
  return text.startsWith('/') || /^[A-Za-z][A-Za-z0-9+.-]*:./.test(text);
}

const uuid = (third: string, fourth: string) =>
  matches(new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${third}-?${fourth}-?[0-9a-f]{12}$`, 'i'));

/** The formats that CRDs support, dashes left out. Follows kube-openapi/pkg/validation/strfmt, v1.33. */
const FORMATS: ReadonlyMap<string, Check> = new Map<string, Check>([
  ['bsonobjectid', matches(/^[0-9a-fA-F]{24}$/)],
  ['uri', isRequestURI],
  ['email', matches(/^(?:[^<>@]*<)?[^\s@<>,;:"()[\]\\]+@[^\s@<>,;:"()\\]+>?$/)],
  [
    'hostname',
    (text) => HOSTNAME.test(text) && text.length <= 255 && text.split('.').every((part) => part.length <= 63),
  ],
  ['ipv4', isIPv4],
  ['ipv6', (text) => text.includes(':') && parseIPv6(text) !== undefined],
  ['cidr', isCIDR],
  ['mac', matches(MAC)],
  ['uuid', uuid('[0-9a-f]{4}', '[0-9a-f]{4}')],
  ['uuid3', uuid('3[0-9a-f]{3}', '[0-9a-f]{4}')],
  ['uuid4', uuid('4[0-9a-f]{3}', '[89ab][0-9a-f]{3}')],
  ['uuid5', uuid('5[0-9a-f]{3}', '[89ab][0-9a-f]{3}')],
  ['isbn', (text) => isISBN(text, 10) || isISBN(text, 13)],
  ['isbn10', (text) => isISBN(text, 10)],
  ['isbn13', (text) => isISBN(text, 13)],
  ['creditcard', isCreditCard],
  ['ssn', (text) => text.length === 11 && /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(text)],
  ['hexcolor', matches(/^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/)],
  ['rgbcolor', matches(RGB)],
  ['byte', matches(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/)],
  ['password', () => true],
  ['date', isDate],
  ['duration', isDuration],
  ['datetime', isDateTime],
]);

/** The check of a format, such as `date-time`; undefined for one that is not supported, which means nothing. */
export function formatCheck(format: string): Check | undefined {
  return FORMATS.get(format.replaceAll('-', ''));
}
