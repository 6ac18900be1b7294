import { decodeBase64 } from '#base/base64.ts';
import { decodeUtf8 } from '#base/utf8.ts';
import { object, text } from '../fields.ts';
import { byCodeUnit } from '#apimachinery/go-format.ts';
import type { Describer } from './describer.ts';
import { writeMetadata } from './writer.ts';

export const secret: Describer = {
  kinds: ['Secret'],
  describe(w, value) {
    writeMetadata(w, value);
    w.line(0, `\nType:\t${text(value, 'type')}`);
    w.line(0, '\nData\n====');
    for (const key of Object.keys(object(value, 'data')).sort(byCodeUnit)) {
      const decoded = decodeBase64(text(value, 'data', key));
      const bytes = typeof decoded === 'number' ? new Uint8Array() : decoded;
      const token = key === 'token' && text(value, 'type') === 'kubernetes.io/service-account-token';
      w.line(0, `${key}:\t${token ? decodeUtf8(bytes) : `${bytes.length} bytes`}`);
    }
  },
};
