import { sha256 } from '@noble/hashes/sha2.js';
import { decodeBase64 } from '#base/base64.ts';
import { decodeUtf8 } from '#base/utf8.ts';

/** A PEM block. */
interface PemBlock {
  readonly type: string;
  readonly hasHeaders: boolean;
  readonly bytes: Uint8Array;
}

/** What a PKCS #10 request says that anybody here asks for. */
export interface CertificateRequest {
  /** The subject's, in their order. */
  readonly organizations: readonly string[];
  /** Undefined for algorithms that nobody here knows. */
  readonly isSigned: boolean | undefined;
}

/** The blocks of a base64 field; what is not well-formed is passed over, as encoding/pem does. */
export function pemBlocks(field: string): PemBlock[] {
  const document = decodeBase64(field);
  if (typeof document === 'number') return [];
  const blocks: PemBlock[] = [];
  const block = /-----BEGIN ([^\n-]*)-----[ \t\r]*\n((?:[^\n:]+:[^\n]*\n)*)([^-]*)-----END \1-----/g;
  for (const [, type = '', headers = '', body = ''] of decodeUtf8(document).matchAll(block)) {
    const bytes = decodeBase64(body.replaceAll(/\s/g, ''));
    if (typeof bytes !== 'number') blocks.push({ type, hasHeaders: headers !== '', bytes });
  }
  return blocks;
}

interface Der {
  readonly tag: number;
  readonly content: Uint8Array;
  /** Tag and length included. */
  readonly whole: Uint8Array;
}

const SEQUENCE = 0x30;
const SET = 0x31;
const BIT_STRING = 0x03;
const INTEGER = 0x02;
const OBJECT_IDENTIFIER = 0x06;

/** The values that bytes hold. Throws Error with encoding/asn1's words. */
function derValues(bytes: Uint8Array): Der[] {
  const values: Der[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] as number;
    let length = bytes[at + 1] ?? 0xff;
    let start = at + 2;
    if (length & 0x80) {
      const size = length & 0x7f;
      if (size === 0 || size > 4) throw new Error('asn1: structure error: length too large');
      length = bytes.subarray(start, start + size).reduce((sum, byte) => sum * 256 + byte, 0);
      start += size;
    }
    const end = start + length;
    if (end > bytes.length) throw new Error('asn1: syntax error: data truncated');
    values.push({ tag, content: bytes.subarray(start, end), whole: bytes.subarray(at, end) });
    at = end;
  }
  return values;
}

/** Checks that a value is there and of a kind. */
function expectTag(value: Der | undefined, tag: number): Der {
  if (!value) throw new Error('asn1: syntax error: sequence truncated');
  if (value.tag !== tag) throw new Error("asn1: structure error: tags don't match");
  return value;
}

/** Throws when bytes are not one well-formed sequence, as far as its outermost parts go. */
export function derSequence(bytes: Uint8Array): Der[] {
  const [outer, ...rest] = derValues(bytes);
  const { content } = expectTag(outer, SEQUENCE);
  if (rest.length) throw new Error('asn1: syntax error: trailing data');
  return derValues(content);
}

const hexOf = (bytes: Uint8Array): string =>
  bytes.reduce((text, byte) => text + byte.toString(16).padStart(2, '0'), '');
const ORGANIZATION = '55040a';
const RSA = '2a864886f70d010101';
const SHA256_WITH_RSA = '2a864886f70d01010b';
/** PKCS #1 v1.5: what stands before a SHA-256 digest. */
const DIGEST_INFO = '3031300d060960864801650304020105000420';

/**
 * Reads a certificate request from its PEM block. Throws Error for what none is. Follows ParseCSR of
 * pkg/apis/certificates/helpers.go, v1.33.
 *
 * Differs from upstream: only RSA signatures with SHA-256 are checked.
 */
export function parseRequest(field: string): CertificateRequest {
  const [block] = pemBlocks(field);
  if (block?.type !== 'CERTIFICATE REQUEST') throw new Error('PEM block type must be CERTIFICATE REQUEST');
  const [information, algorithm, signature] = derSequence(block.bytes);
  const info = expectTag(information, SEQUENCE);
  const [version, name, key] = derValues(info.content);
  expectTag(version, INTEGER);
  const organizations: string[] = [];
  for (const set of derValues(expectTag(name, SEQUENCE).content)) {
    for (const pair of derValues(expectTag(set, SET).content)) {
      const [type, value] = derValues(expectTag(pair, SEQUENCE).content);
      if (type && value && hexOf(type.content) === ORGANIZATION) organizations.push(decodeUtf8(value.content));
    }
  }
  const used = oid(expectTag(algorithm, SEQUENCE));
  const [keyType, keyBits] = derValues(expectTag(key, SEQUENCE).content);
  const bits = expectTag(signature, BIT_STRING).content.subarray(1);
  const isKnown = used === SHA256_WITH_RSA && oid(expectTag(keyType, SEQUENCE)) === RSA;
  const publicKey = expectTag(keyBits, BIT_STRING).content.subarray(1);
  return { organizations, isSigned: isKnown ? isSignedBy(publicKey, info.whole, bits) : undefined };
}

const oid = ({ content }: Der): string => hexOf(expectTag(derValues(content)[0], OBJECT_IDENTIFIER).content);

function isSignedBy(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const [n, e] = derSequence(key).map(({ content }) => BigInt(`0x${hexOf(content) || '0'}`));
  if (!n || !e || e.toString(2).length > 32) return false;
  const size = signature.length * 2;
  let power = BigInt(`0x${hexOf(signature) || '0'}`) % n;
  const base = power;
  for (const bit of e.toString(2).slice(1)) {
    power = (power * power) % n;
    if (bit === '1') power = (power * base) % n;
  }
  const end = `00${DIGEST_INFO}${hexOf(sha256(message))}`;
  return power.toString(16).padStart(size, '0') === `0001${end.padStart(size - 4, 'f')}`;
}
