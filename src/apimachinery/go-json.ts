/**
 * What Go's `encoding/json` says of a text that is no JSON, such as `invalid character 'x' looking for beginning of
 * value`; undefined for valid JSON. Follows the messages of Go's scanner.
 */
export function goJsonSyntaxError(text: string): string | undefined {
  let at = 0;
  const fail = (context: string): never => {
    if (at >= text.length) throw new SyntaxError('unexpected end of JSON input');
    throw new SyntaxError(`invalid character ${quoteChar(text, at)} ${context}`);
  };
  const skipSpace = () => {
    while (at < text.length && ' \t\r\n'.includes(text[at] as string)) at++;
  };
  const digits = (context: string) => {
    if (!isDigit(text[at])) fail(context);
    while (isDigit(text[at])) at++;
  };

  function value(): void {
    skipSpace();
    const char = text[at];
    if (char === '{') object();
    else if (char === '[') array();
    else if (char === '"') string();
    else if (char === '-' || isDigit(char)) number();
    else if (char === 't') literal('true');
    else if (char === 'f') literal('false');
    else if (char === 'n') literal('null');
    else fail('looking for beginning of value');
  }

  function object(): void {
    at++;
    skipSpace();
    if (text[at] === '}') {
      at++;
      return;
    }
    for (;;) {
      skipSpace();
      if (text[at] !== '"') fail('looking for beginning of object key string');
      string();
      skipSpace();
      if (text[at] !== ':') fail('after object key');
      at++;
      value();
      skipSpace();
      if (text[at] === '}') break;
      if (text[at] !== ',') fail('after object key:value pair');
      at++;
    }
    at++;
  }

  function array(): void {
    at++;
    skipSpace();
    if (text[at] === ']') {
      at++;
      return;
    }
    for (;;) {
      value();
      skipSpace();
      if (text[at] === ']') break;
      if (text[at] !== ',') fail('after array element');
      at++;
    }
    at++;
  }

  function string(): void {
    for (at++; text[at] !== '"'; at++) {
      if (at >= text.length || text.charCodeAt(at) < 0x20) fail('in string literal');
      if (text[at] !== '\\') continue;
      at++;
      if (text[at] === 'u') {
        for (let i = 0; i < 4; i++) {
          at++;
          if (!/[0-9a-fA-F]/.test(text[at] ?? '')) fail('in \\u hexadecimal character escape');
        }
      } else if (!'bfnrt\\/"'.includes(text[at] ?? ' ')) fail('in string escape code');
    }
    at++;
  }

  function number(): void {
    if (text[at] === '-') at++;
    if (text[at] === '0') at++;
    else digits('in numeric literal');
    if (text[at] === '.') {
      at++;
      digits('after decimal point in numeric literal');
    }
    if (text[at] === 'e' || text[at] === 'E') {
      at++;
      if (text[at] === '+' || text[at] === '-') at++;
      digits('in exponent of numeric literal');
    }
  }

  function literal(word: string): void {
    for (const char of word) {
      if (text[at] !== char) fail(`in literal ${word} (expecting '${char}')`);
      at++;
    }
  }

  try {
    value();
    skipSpace();
    if (at < text.length) fail('after top-level value');
    return undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return error.message;
    throw error;
  }
}

const isDigit = (char: string | undefined): boolean => char !== undefined && char >= '0' && char <= '9';

/** A character as Go's scanner quotes it: bytes, not code points. */
function quoteChar(text: string, at: number): string {
  const code = text.codePointAt(at) as number;
  if (code === 39) return "'\\''";
  if (code === 34) return "'\"'";
  const known = { 7: '\\a', 8: '\\b', 9: '\\t', 10: '\\n', 11: '\\v', 12: '\\f', 13: '\\r', 92: '\\\\' }[code];
  if (known) return `'${known}'`;
  if (code < 0x20 || code === 0x7f) return `'\\x${code.toString(16).padStart(2, '0')}'`;
  if (code < 0x80) return `'${text[at]}'`;
  const firstByte = code < 0x800 ? 0xc0 | (code >> 6) : code < 0x10000 ? 0xe0 | (code >> 12) : 0xf0 | (code >> 18);
  return firstByte < 0xa1 || firstByte === 0xad
    ? `'\\u${firstByte.toString(16).padStart(4, '0')}'`
    : `'${String.fromCharCode(firstByte)}'`;
}
