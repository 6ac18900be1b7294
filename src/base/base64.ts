const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const VALUES = new Uint8Array(128).fill(255);
for (let i = 0; i < 64; i++) VALUES[ALPHABET.charCodeAt(i)] = i;

/** Standard base64 with padding (RFC 4648). */
export function encodeBase64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const word = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += `${ALPHABET[word >> 18]}${ALPHABET[(word >> 12) & 63]}${left > 1 ? ALPHABET[(word >> 6) & 63] : '='}${left > 2 ? ALPHABET[word & 63] : '='}`;
  }
  return text;
}

/** base64 for URLs, without padding, as JWTs are written. */
export function encodeBase64Url(bytes: Uint8Array): string {
  return encodeBase64(bytes).replace(/[+/=]/g, (char) => (char === '+' ? '-' : char === '/' ? '_' : ''));
}

/**
 * The bytes of standard base64. Returns the offset of the byte that is wrong instead of throwing, because Go's message
 * names it (`illegal base64 data at input byte 3`). Line breaks are skipped, as Go does.
 */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | number {
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  const isBreak = (at: number) => text.charCodeAt(at) === 10 || text.charCodeAt(at) === 13;
  let length = 0;
  let word = 0;
  let digits = 0;
  let at = 0;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const value = code < 128 ? (VALUES[code] as number) : 255;
    if (value !== 255) {
      word = (word << 6) | value;
      if (++digits < 4) continue;
      bytes[length++] = word >> 16;
      bytes[length++] = (word >> 8) & 255;
      bytes[length++] = word & 255;
      word = 0;
      digits = 0;
    } else if (!isBreak(at)) break;
  }
  if (at === text.length) return digits === 0 ? bytes.subarray(0, length) : at - digits;
  if (text[at] !== '=' || digits < 2) return at;
  at++;
  if (digits === 2) {
    while (at < text.length && isBreak(at)) at++;
    if (at === text.length) return at;
    if (text[at] !== '=') return at - 1;
    at++;
  }
  while (at < text.length && isBreak(at)) at++;
  if (at < text.length) return at;
  bytes[length++] = digits === 2 ? word >> 4 : word >> 10;
  if (digits === 3) bytes[length++] = (word >> 2) & 255;
  return bytes.subarray(0, length);
}

/** How many bytes base64 that is known to be valid stands for. */
export function decodedLength(text: string): number {
  const bare = text.includes('\n') || text.includes('\r') ? text.replace(/[\r\n]/g, '') : text;
  const padding = bare.endsWith('==') ? 2 : bare.endsWith('=') ? 1 : 0;
  return (bare.length / 4) * 3 - padding;
}
