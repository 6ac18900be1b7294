// Both exist in every host and are pure; the engine's compiler settings just do not know them.
declare const TextEncoder: new () => { encode(text: string): Uint8Array<ArrayBuffer> };
declare const TextDecoder: new (label?: string, options?: { readonly ignoreBOM?: boolean }) => TextDecoderLike;
interface TextDecoderLike {
  decode(bytes?: Uint8Array, options?: { readonly stream?: boolean }): string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** The text's bytes in UTF-8. */
export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** The text of UTF-8 bytes; invalid sequences become U+FFFD, a byte order mark is kept. */
export function decodeUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** A decoder for bytes that come in pieces: a character that is cut in two is kept for the next piece. */
export function utf8Stream(): { push(bytes: Uint8Array): string; end(): string } {
  const stream = new TextDecoder('utf-8', { ignoreBOM: true });
  return { push: (bytes) => stream.decode(bytes, { stream: true }), end: () => stream.decode() };
}
