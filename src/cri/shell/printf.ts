/** Escapes as `echo -e` reads them; `\c` stops the output. */
export function unescapeEcho(text: string): { readonly text: string; readonly stop: boolean } {
  const stop = /(?:^|[^\\])(?:\\\\)*\\c/.exec(text);
  const shown = stop ? text.slice(0, stop.index + stop[0].length - 2) : text;
  return { text: unescape(shown, /\\(?:0([0-7]{1,3})|x([0-9a-fA-F]{1,2})|([\\abefnrtv]))/g), stop: stop !== null };
}

const LETTERS: Readonly<Record<string, string>> = {
  '\\': '\\',
  a: '\x07',
  b: '\b',
  e: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '"': '"',
  "'": "'",
};

function unescape(text: string, expression: RegExp): string {
  if (!text.includes('\\')) return text;
  return text.replace(expression, (_, octal?: string, hex?: string, letter?: string) => {
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 255);
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    return LETTERS[letter as string] as string;
  });
}

/** What `printf` prints; the format is used again while arguments are left. */
export function printfText(
  format: string,
  args: readonly string[],
): { readonly text: string; readonly errors: readonly string[] } {
  const errors: string[] = [];
  let text = '';
  let next = 0;
  let used = true;
  const take = () => {
    used = true;
    return args[next++];
  };
  do {
    used = false;
    let stop = false;
    const plain = unescape(format, /\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|([\\abefnrtv"']))/g);
    text += plain.replace(
      /%(%|([-+ 0#]*)(\*|\d+)?(?:\.(\*|\d+)?)?([a-zA-Z]))/g,
      (
        whole,
        body: string,
        flags: string,
        width: string | undefined,
        precision: string | undefined,
        letter: string,
      ) => {
        if (stop) return '';
        if (body === '%') return '%';
        const wide = width === '*' ? Number(take() ?? 0) : Number(width ?? 0);
        const precise =
          precision === '*'
            ? Number(take() ?? 0)
            : precision === undefined
              ? whole.includes('.')
                ? 0
                : undefined
              : Number(precision);
        const pad = (shown: string, zero: boolean) => {
          if (flags.includes('-')) return shown.padEnd(wide);
          if (zero && flags.includes('0')) {
            const sign = /^[-+ ]/.exec(shown)?.[0] ?? '';
            return sign + shown.slice(sign.length).padStart(wide - sign.length, '0');
          }
          return shown.padStart(wide);
        };
        const signed = (shown: string) =>
          shown.startsWith('-') ? shown : flags.includes('+') ? `+${shown}` : flags.includes(' ') ? ` ${shown}` : shown;
        switch (letter) {
          case 's':
            return pad((take() ?? '').slice(0, precise), false);
          case 'b': {
            const shown = unescapeEcho(take() ?? '');
            stop = shown.stop;
            return pad(shown.text, false);
          }
          case 'c':
            return pad((take() ?? '').slice(0, 1), false);
          case 'q':
            return pad(`'${(take() ?? '').replaceAll("'", "'\\''")}'`, false);
          case 'd':
          case 'i':
          case 'u':
          case 'x':
          case 'X':
          case 'o': {
            const value = integer(take() ?? '0', errors);
            const radix = letter === 'o' ? 8 : letter === 'x' || letter === 'X' ? 16 : 10;
            const raw = (radix === 10 && letter !== 'u' ? value : BigInt.asUintN(64, value)).toString(radix);
            const digits = precise === undefined ? raw : raw.replace(/\d+$/, (tail) => tail.padStart(precise, '0'));
            const alternate = flags.includes('#') && value !== 0n ? (radix === 16 ? '0x' : radix === 8 ? '0' : '') : '';
            const shown = signed(alternate + digits);
            return pad(letter === 'X' ? shown.toUpperCase() : shown, precise === undefined);
          }
          case 'f':
          case 'F':
          case 'e':
          case 'E':
          case 'g':
          case 'G': {
            const argument = take() ?? '0';
            const value = Number(argument);
            if (Number.isNaN(value)) errors.push(`${argument}: invalid number`);
            const number = Number.isNaN(value) ? 0 : value;
            const lower = letter.toLowerCase();
            const shown =
              lower === 'f'
                ? number.toFixed(precise ?? 6)
                : lower === 'e'
                  ? exponent(number.toExponential(precise ?? 6))
                  : general(number, precise ?? 6);
            return pad(signed(letter === lower ? shown : shown.toUpperCase()), true);
          }
          default:
            errors.push(`${whole}: invalid format`);
            stop = true;
            return '';
        }
      },
    );
    if (stop) break;
  } while (used && next < args.length);
  return { text, errors };
}

function exponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

function general(value: number, precision: number): string {
  const shown = value.toPrecision(precision || 1);
  return shown.includes('e')
    ? exponent(shown.replace(/\.?0+e/, 'e'))
    : shown.includes('.')
      ? shown.replace(/\.?0+$/, '')
      : shown;
}

function integer(text: string, errors: string[]): bigint {
  const quoted = /^["'](.)/su.exec(text);
  if (quoted) return BigInt((quoted[1] as string).codePointAt(0) as number);
  const trimmed = text.trim();
  const match = /^([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)$/.exec(trimmed);
  if (!match) {
    if (trimmed !== '') errors.push(`${text}: invalid number`);
    const leading = /^[+-]?\d+/.exec(trimmed);
    return leading ? BigInt(leading[0].replace(/^\+/, '')) : 0n;
  }
  const digits = match[2] as string;
  const value = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits);
  return match[1] === '-' ? -value : value;
}
