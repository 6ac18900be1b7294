import type { JsonObject } from '#apimachinery/json.ts';
import { objects, strings, text } from '../fields.ts';
import type { Describer } from './describer.ts';
import { writeEvents } from './events.ts';
import { writeMetadata } from './writer.ts';

export const serviceAccount: Describer = {
  kinds: ['ServiceAccount'],
  async describe(w, account, context) {
    const name = text(account, 'metadata', 'name');
    let secrets: readonly JsonObject[] | undefined;
    try {
      secrets = await context.list('secrets', text(account, 'metadata', 'namespace'));
    } catch {
      // What it refers to is shown all the same.
    }
    const existing = secrets && new Set(secrets.map((secret) => text(secret, 'metadata', 'name')));
    const tokens = (secrets ?? []).filter((secret) => {
      const annotations = strings(secret, 'metadata', 'annotations');
      return (
        text(secret, 'type') === 'kubernetes.io/service-account-token' &&
        annotations.get('kubernetes.io/service-account.name') === name &&
        annotations.get('kubernetes.io/service-account.uid') === text(account, 'metadata', 'uid')
      );
    });
    const events = await context.events(account);
    writeMetadata(w, account);
    const named = (field: string) => objects(account, field).map((reference) => text(reference, 'name'));
    for (const [header, names, checked] of [
      ['Image pull secrets:', named('imagePullSecrets'), true],
      ['Mountable secrets: ', named('secrets'), true],
      ['Tokens:            ', tokens.map((secret) => text(secret, 'metadata', 'name')), false],
    ] as const) {
      if (names.length === 0) w.line(0, `${header}\t<none>`);
      names.forEach((secret, index) => {
        const missing = checked && existing && !existing.has(secret);
        w.line(0, `${index === 0 ? header : ' '.repeat(header.length)}\t${secret}${missing ? ' (not found)' : ''}`);
      });
    }
    writeEvents(w, events, context);
  },
};
