import type { FieldError } from '#apimachinery/field-error.ts';
import { goJsonSyntaxError } from '#apimachinery/go-json.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { forbiddenField, invalidField, isConfigMapKey, keyed, required, tooLong } from '#apimachinery/validation.ts';
import { decodeBase64, decodedLength, encodeBase64 } from '#base/base64.ts';
import { decodeUtf8, encodeUtf8 } from '#base/utf8.ts';
import { validateStandardFinalizers } from '../../finalizers.ts';
import type { Secret } from '../../generated/types.ts';
import { IMMUTABLE, MAX_DATA_SIZE } from './config-map.ts';

/** Annotations that tie a token to its account. */
export const SERVICE_ACCOUNT_NAME_ANNOTATION = 'kubernetes.io/service-account.name';
export const SERVICE_ACCOUNT_UID_ANNOTATION = 'kubernetes.io/service-account.uid';
export const SERVICE_ACCOUNT_TOKEN_TYPE = 'kubernetes.io/service-account-token';

/** The type's default, and `stringData` moved into `data`, where it wins. Follows pkg/apis/core/v1 defaults and conversion, v1.33. */
function defaults(secret: Secret): Secret {
  const { stringData, ...rest } = secret;
  if (secret.type && !stringData) return secret;
  const data = stringData
    ? Object.fromEntries([
        ...Object.entries(secret.data ?? {}),
        ...Object.entries(stringData).map(([key, text]) => [key, encodeBase64(encodeUtf8(text))] as const),
      ])
    : secret.data;
  return { ...rest, ...(data ? { data } : {}), type: secret.type || 'Opaque' };
}

/** Follows ValidateSecret of pkg/apis/core/validation, v1.33. */
function validate(secret: Secret): FieldError[] {
  const errors: FieldError[] = [];
  const { metadata, data = {} } = secret;
  validateStandardFinalizers(metadata, errors);
  let size = 0;
  for (const key of Object.keys(data).sort()) {
    for (const message of isConfigMapKey(key)) errors.push(invalidField(keyed('data', key), key, message));
    size += decodedLength(data[key] as string);
  }
  if (size > MAX_DATA_SIZE) errors.push(tooLong('data', MAX_DATA_SIZE));
  const mustHave = (key: string) => {
    if (!Object.hasOwn(data, key)) errors.push(required(keyed('data', key)));
  };
  switch (secret.type) {
    case SERVICE_ACCOUNT_TOKEN_TYPE:
      if (!metadata.annotations?.[SERVICE_ACCOUNT_NAME_ANNOTATION]) {
        errors.push(required(keyed('metadata.annotations', SERVICE_ACCOUNT_NAME_ANNOTATION)));
      }
      break;
    case 'kubernetes.io/dockercfg':
      validateJsonObject(data, '.dockercfg', errors);
      break;
    case 'kubernetes.io/dockerconfigjson':
      validateJsonObject(data, '.dockerconfigjson', errors);
      break;
    case 'kubernetes.io/basic-auth':
      if (!Object.hasOwn(data, 'username') && !Object.hasOwn(data, 'password')) {
        mustHave('username');
        mustHave('password');
      }
      break;
    case 'kubernetes.io/ssh-auth':
      if (!data['ssh-privatekey']) errors.push(required(keyed('data', 'ssh-privatekey')));
      break;
    case 'kubernetes.io/tls':
      mustHave('tls.crt');
      mustHave('tls.key');
      break;
  }
  return errors;
}

function validateJsonObject(data: Readonly<Record<string, string>>, key: string, errors: FieldError[]): void {
  const path = keyed('data', key);
  const encoded = Object.hasOwn(data, key) ? data[key] : undefined;
  if (encoded === undefined) {
    errors.push(required(path));
    return;
  }
  const text = plainText(encoded);
  const problem = goJsonSyntaxError(text) ?? notAnObject(JSON.parse(text));
  if (problem) errors.push(invalidField(path, '<secret contents redacted>', problem));
}

function notAnObject(value: unknown): string | undefined {
  const go = Array.isArray(value)
    ? 'array'
    : ({ string: 'string', number: 'number', boolean: 'bool' } as Record<string, string>)[typeof value];
  return go && `json: cannot unmarshal ${go} into Go value of type map[string]interface {}`;
}

function plainText(encoded: string): string {
  const bytes = decodeBase64(encoded);
  return typeof bytes === 'number' ? '' : decodeUtf8(bytes);
}

function validateUpdate(next: Secret, previous: Secret): FieldError[] {
  const errors: FieldError[] = [];
  if (next.type !== previous.type) errors.push(invalidField('type', next.type, 'field is immutable'));
  if (previous.immutable) {
    if (!next.immutable) errors.push(forbiddenField('immutable', IMMUTABLE));
    if (!semanticEqual(next.data, previous.data)) errors.push(forbiddenField('data', IMMUTABLE));
  }
  return [...errors, ...validate(next)];
}

/** Follows warningsForSecret of pkg/registry/core/secret, v1.33. Differs from upstream: looks for PEM blocks only, and does not compare key and certificate. */
function warnings({ type, data = {} }: Secret): string[] {
  if (type !== 'kubernetes.io/tls') return [];
  const lacks = (key: string, block: RegExp) => !block.test(plainText(data[key] ?? ''));
  if (lacks('tls.crt', /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/)) {
    return ['tls: failed to find any PEM data in certificate input'];
  }
  if (lacks('tls.key', /-----BEGIN ([A-Z]+ )?PRIVATE KEY-----[^-]+-----END /)) {
    return ['tls: failed to find any PEM data in key input'];
  }
  return [];
}

/** Secrets. */
export const secrets = defineResource<Secret>({
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  singular: 'secret',
  scope: 'Namespaced',
  schema: 'io.k8s.api.core.v1.Secret',
  defaults,
  validate,
  validateUpdate,
  strategy: { warnings },
  selectableFields: { type: ({ type }) => type ?? '' },
  columns: [
    { name: 'Type', type: 'string', cell: ({ type }) => type ?? '' },
    { name: 'Data', type: 'string', cell: ({ data = {} }) => Object.keys(data).length },
  ],
});
