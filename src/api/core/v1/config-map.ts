import type { FieldError } from '#apimachinery/field-error.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { byteLength, forbiddenField, invalidField, isConfigMapKey, keyed, tooLong } from '#apimachinery/validation.ts';
import { decodedLength } from '#base/base64.ts';
import { validateStandardFinalizers } from '../../finalizers.ts';
import type { ConfigMap } from '../../generated/types.ts';

/** How many bytes a ConfigMap or a Secret may hold. */
export const MAX_DATA_SIZE = 1024 * 1024;
export const IMMUTABLE = 'field is immutable when `immutable` is set';

/** Follows ValidateConfigMap of pkg/apis/core/validation, v1.33. */
function validate(configMap: ConfigMap): FieldError[] {
  const errors: FieldError[] = [];
  const { metadata, data = {}, binaryData = {} } = configMap;
  validateStandardFinalizers(metadata, errors);
  let size = 0;
  for (const key of Object.keys(data).sort()) {
    for (const message of isConfigMapKey(key)) errors.push(invalidField(keyed('data', key), key, message));
    if (Object.hasOwn(binaryData, key)) {
      errors.push(invalidField(keyed('data', key), key, 'duplicate of key present in binaryData'));
    }
    size += byteLength(data[key] as string);
  }
  for (const key of Object.keys(binaryData).sort()) {
    for (const message of isConfigMapKey(key)) errors.push(invalidField(keyed('binaryData', key), key, message));
    size += decodedLength(binaryData[key] as string);
  }
  // Go prints the empty path, which stands for the whole object, so.
  if (size > MAX_DATA_SIZE) errors.push(tooLong('[]', MAX_DATA_SIZE));
  return errors;
}

function validateUpdate(next: ConfigMap, previous: ConfigMap): FieldError[] {
  const errors: FieldError[] = [];
  if (previous.immutable) {
    if (!next.immutable) errors.push(forbiddenField('immutable', IMMUTABLE));
    if (!semanticEqual(next.data, previous.data)) errors.push(forbiddenField('data', IMMUTABLE));
    if (!semanticEqual(next.binaryData, previous.binaryData)) errors.push(forbiddenField('binaryData', IMMUTABLE));
  }
  return [...errors, ...validate(next)];
}

/** ConfigMaps. */
export const configMaps = defineResource<ConfigMap>({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  singular: 'configmap',
  shortNames: ['cm'],
  scope: 'Namespaced',
  schema: 'io.k8s.api.core.v1.ConfigMap',
  validate,
  validateUpdate,
  columns: [
    {
      name: 'Data',
      type: 'string',
      cell: ({ data = {}, binaryData = {} }) => Object.keys(data).length + Object.keys(binaryData).length,
    },
  ],
});
