import { expect, test } from 'vitest';
import type { ConfigMap } from '../../generated/types.ts';
import { configMaps } from './config-map.ts';

const make = (fields: Partial<ConfigMap>): ConfigMap => ({ metadata: { name: 'c', namespace: 'default' }, ...fields });

test('keys and size are validated', () => {
  const check = (fields: Partial<ConfigMap>, ...errors: string[]) =>
    expect(configMaps.validate?.(make(fields)).map(({ field, text }) => `${field}: ${text}`)).toEqual(errors);
  check({ data: { a: '1', 'b.c': '' }, binaryData: { d: 'YQ==' } });
  check({ data: { __proto__: 'x' } });
  check(
    { data: JSON.parse('{"a b": "1"}') },
    `data[a b]: Invalid value: "a b": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
  );
  check(
    { data: { a: '1' }, binaryData: { a: 'YQ==' } },
    'data[a]: Invalid value: "a": duplicate of key present in binaryData',
  );
  check({ data: { a: 'é'.repeat(524288) } });
  check({ data: { a: 'é'.repeat(524288), b: '1' } }, '[]: Too long: may not be more than 1048576 bytes');
});

test('an immutable ConfigMap stays as it is', () => {
  const check = (next: Partial<ConfigMap>, ...fields: string[]) => {
    const previous = make({ immutable: true, data: { a: '1' } });
    expect(configMaps.validateUpdate?.(make(next), previous).map(({ field }) => field)).toEqual(fields);
  };
  check({ immutable: true, data: { a: '1' }, binaryData: {} });
  check({ immutable: true, data: { a: '2' } }, 'data');
  check({ data: {}, binaryData: { b: '' } }, 'immutable', 'data', 'binaryData');
});
