import { expect, test } from 'vitest';
import type { Secret } from '../../generated/types.ts';
import { secrets } from './secret.ts';

const make = (fields: Partial<Secret>): Secret => ({ metadata: { name: 's', namespace: 'default' }, ...fields });
const base64 = (text: string) => Buffer.from(text).toString('base64');

test('stringData goes into data and wins', () => {
  const check = (fields: Partial<Secret>, expected: Partial<Secret>) =>
    expect(secrets.defaults?.(make(fields))).toEqual(make(expected));
  check({}, { type: 'Opaque' });
  check({ data: { a: 'YQ==' }, stringData: { a: 'b', c: 'é' } }, { data: { a: 'Yg==', c: 'w6k=' }, type: 'Opaque' });
  const complete = make({ type: 'x', data: {} });
  expect(secrets.defaults?.(complete)).toBe(complete);
});

test('types ask for their keys', () => {
  const check = (fields: Partial<Secret>, ...errors: string[]) =>
    expect(secrets.validate?.(make(fields)).map(({ field, text }) => `${field}: ${text}`)).toEqual(errors);
  const docker = { type: 'kubernetes.io/dockerconfigjson' };
  const redacted = 'data[.dockerconfigjson]: Invalid value: "<secret contents redacted>"';
  check({ type: 'Opaque' });
  check({ type: 'kubernetes.io/tls' }, 'data[tls.crt]: Required value', 'data[tls.key]: Required value');
  check({ type: 'kubernetes.io/basic-auth' }, 'data[username]: Required value', 'data[password]: Required value');
  check({ type: 'kubernetes.io/basic-auth', data: { password: '' } });
  check({ type: 'kubernetes.io/ssh-auth', data: { 'ssh-privatekey': '' } }, 'data[ssh-privatekey]: Required value');
  check(
    { type: 'kubernetes.io/service-account-token' },
    'metadata.annotations[kubernetes.io/service-account.name]: Required value',
  );
  check(docker, 'data[.dockerconfigjson]: Required value');
  check({ ...docker, data: { '.dockerconfigjson': base64('{"auths":{}}') } });
  check(
    { ...docker, data: { '.dockerconfigjson': base64('hello') } },
    `${redacted}: invalid character 'h' looking for beginning of value`,
  );
  check(
    { ...docker, data: { '.dockerconfigjson': base64('[]') } },
    `${redacted}: json: cannot unmarshal array into Go value of type map[string]interface {}`,
  );
});

test('the type is immutable, and so is all when immutable says so', () => {
  const check = (next: Partial<Secret>, previous: Partial<Secret>, ...errors: string[]) =>
    expect(secrets.validateUpdate?.(make(next), make(previous)).map(({ field, text }) => `${field}: ${text}`)).toEqual(
      errors,
    );
  check({ type: 'a' }, { type: 'b' }, 'type: Invalid value: "a": field is immutable');
  check(
    { type: 'a', data: { k: '' } },
    { type: 'a', immutable: true },
    'immutable: Forbidden: field is immutable when `immutable` is set',
    'data: Forbidden: field is immutable when `immutable` is set',
  );
});
