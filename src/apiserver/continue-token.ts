import { decodeBase64, encodeBase64Url } from '#base/base64.ts';
import { decodeUtf8, encodeUtf8 } from '#base/utf8.ts';
import { badRequest } from '#apimachinery/status-error.ts';

interface Token {
  readonly v?: unknown;
  readonly rv?: unknown;
  readonly start?: unknown;
}

const VERSION = 'meta.k8s.io/v1';

/** The opaque token that continues a list at `key`. A revision of -1 continues at whatever is newest then. */
export function encodeContinue(key: string, prefix: string, revision: number): string {
  return encodeBase64Url(encodeUtf8(JSON.stringify({ v: VERSION, rv: revision, start: key.slice(prefix.length) })));
}

/** Throws 400 for a token that is none. Follows apiserver/pkg/storage/continue.go, v1.33. */
export function decodeContinue(token: string, prefix: string): { readonly start: string; readonly revision: number } {
  const { v, rv, start } = parse(token);
  if (v !== VERSION)
    throw invalidToken(`server does not recognize this encoded version ${typeof v === 'string' ? v : ''}`);
  if (typeof rv !== 'number' || !Number.isInteger(rv) || rv === 0) {
    throw invalidToken('incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  }
  if (typeof start !== 'string' || start === '') throw invalidToken('encoded start key empty (version meta.k8s.io/v1)');
  const parts = (start.startsWith('/') ? start.slice(1) : start).split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..')) throw invalidToken(start);
  return { start: prefix + parts.join('/'), revision: rv };
}

function parse(token: string): Token {
  const standard = token.replaceAll('-', '+').replaceAll('_', '/');
  // A single character left over is wrong with any padding.
  const padded = standard.length % 4 === 1 ? standard : standard.padEnd(Math.ceil(standard.length / 4) * 4, '=');
  const bytes = decodeBase64(padded);
  if (typeof bytes === 'number') throw invalidToken(`illegal base64 data at input byte ${bytes}`);
  try {
    return JSON.parse(decodeUtf8(bytes)) as Token;
  } catch {
    throw invalidToken('the token is not valid JSON');
  }
}

const invalidToken = (why: string) => badRequest(`invalid continue token: continue key is not valid: ${why}`);
