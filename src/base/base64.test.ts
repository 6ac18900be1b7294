import { expect, test } from 'vitest';
import { decodeBase64, decodedLength, encodeBase64, encodeBase64Url } from './base64.ts';

test('what is encoded decodes, at every length', () => {
  for (let length = 0; length < 40; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 255);
    const text = encodeBase64(bytes);
    expect(text).toBe(Buffer.from(bytes).toString('base64'));
    expect(encodeBase64Url(bytes)).toBe(Buffer.from(bytes).toString('base64url'));
    expect(decodeBase64(text)).toEqual(bytes);
    expect(decodedLength(text)).toBe(length);
  }
});

test('the first wrong byte is named as Go names it', () => {
  const check = (text: string, offset: number) => expect(decodeBase64(text), text).toBe(offset);
  check('###', 0);
  check('YW#j', 2);
  check('YWJ', 0);
  check('Y', 0);
  check('YQ=x', 2);
  check('YQ==x', 4);
  check('YQ=', 3);
  check('====', 0);
  expect(decodeBase64('YW\nJj\n')).toEqual(Uint8Array.from([97, 98, 99]));
});
