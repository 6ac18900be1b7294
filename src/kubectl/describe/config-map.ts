import { decodeBase64 } from '#base/base64.ts';
import { object, strings, text } from '../fields.ts';
import { byCodeUnit } from '#apimachinery/go-format.ts';
import type { Describer } from './describer.ts';
import { writeEvents } from './events.ts';
import { writeMetadata } from './writer.ts';

export const configMap: Describer = {
  kinds: ['ConfigMap'],
  async describe(w, value, context) {
    writeMetadata(w, value);
    w.line(0, '\nData\n====');
    const data = [...strings(value, 'data')].sort(([a], [b]) => byCodeUnit(a, b));
    for (const [key, content] of data) {
      w.line(0, `${key}:\n----`);
      w.line(0, content);
      w.line(0, '');
    }
    w.line(0, '\nBinaryData\n====');
    for (const key of Object.keys(object(value, 'binaryData')).sort(byCodeUnit)) {
      const bytes = decodeBase64(text(value, 'binaryData', key));
      w.line(0, `${key}: ${typeof bytes === 'number' ? 0 : bytes.length} bytes`);
    }
    w.line(0, '');
    writeEvents(w, await context.events(value), context);
  },
};
