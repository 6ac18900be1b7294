import { expect, test } from 'vitest';
import { createErrors, prepared, updateErrors } from '#testing/kind.ts';
import { customResourceDefinitions } from './custom-resource-definition.ts';

const manifest = (schema: string, spec = '') => `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: foos.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: foos, kind: Foo}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: ${schema}}}
${spec}`;

const AT = 'spec.validation.openAPIV3Schema';

const check = (schema: string, ...errors: readonly string[]) =>
  expect(createErrors(customResourceDefinitions, manifest(schema))).toEqual(errors);

test('defaults', () => {
  const { spec, status, metadata } = prepared(
    customResourceDefinitions,
    manifest('{type: object, properties: {l: {type: array, items: {type: string, nope: 1}}}}'),
  );
  expect(spec.names).toMatchObject({ singular: 'foo', listKind: 'FooList' });
  expect(spec.conversion).toEqual({ strategy: 'None' });
  expect(status).toEqual({ storedVersions: ['v1'] });
  expect(metadata.generation).toBe(1);
  expect(spec.versions[0]?.schema?.openAPIV3Schema?.properties?.l?.items).toEqual({ type: 'string' });
});

test('structural schemas', () => {
  check('{type: object}');
  check(
    '{type: object, properties: {a: {}}}',
    `${AT}.properties[a].type: Required value: must not be empty for specified object fields`,
  );
  check(
    '{type: object, properties: {a: {type: array}}}',
    `${AT}.properties[a].items: Required value: must be specified`,
  );
  check(
    '{type: object, anyOf: [{properties: {a: {minimum: 1}}}]}',
    `${AT}.properties[a]: Required value: because it is defined in ${AT}.anyOf[0].properties[a]`,
  );
  check(
    '{type: object, properties: {a: {type: integer, allOf: [{type: integer}]}}}',
    `${AT}.properties[a].allOf[0].type: Forbidden: must be empty to be structural`,
  );
  check(
    '{type: object, properties: {a: {x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}}}',
  );
  check(
    '{type: object, properties: {metadata: {type: object, properties: {labels: {type: object}}}}}',
    `${AT}.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified`,
  );
  check(
    '{type: object, properties: {a: {type: string, pattern: "a("}}}',
    `${AT}.properties[a].pattern: Invalid value: "a(": must be a valid regular expression, but isn't: error parsing regexp: missing closing ): \`a(\``,
  );
});

test('schemas', () => {
  check(
    '{type: object, properties: {a: {type: text}}}',
    `${AT}.properties[a].type: Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string"`,
  );
  check(
    '{type: object, properties: {a: {type: integer, default: x}}}',
    `${AT}.properties[a].default: Invalid value: "string":  in body must be of type integer: "string"`,
  );
  check(
    '{type: object, properties: {a: {type: object, default: {b: 1}}}}',
    `${AT}.properties[a].default: Invalid value: map[string]interface {}{"b":1}: must not have unknown fields`,
  );
  check(
    '{type: object, properties: {a: {type: array, x-kubernetes-list-type: map, items: {type: object, properties: {k: {type: string}}}}}}',
    `${AT}.properties[a].x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map`,
  );
  check(
    '{type: object, properties: {a: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k], items: {type: object, properties: {k: {type: string}}}}}}',
    `${AT}.properties[a].items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property`,
  );
  check(
    '{type: object, properties: {a: {type: string, x-kubernetes-validations: [{rule: "true"}]}}}',
    `${AT}.properties[a].x-kubernetes-validations: Internal error: expressions are not available on this server`,
  );
});

test('the rest of the specification', () => {
  const bad = manifest('{type: object}')
    .replace('group: example.com', 'group: nodots')
    .replace('scope: Namespaced', 'scope: Everywhere')
    .replace('served: true', 'served: true, additionalPrinterColumns: [{name: A, type: word, jsonPath: x}]');
  expect(createErrors(customResourceDefinitions, bad)).toEqual([
    'metadata.name: Invalid value: "foos.example.com": must be spec.names.plural+"."+spec.group',
    'spec.group: Invalid value: "nodots": should be a domain with at least one dot',
    'spec.scope: Unsupported value: "Everywhere": supported values: "Cluster", "Namespaced"',
    'spec.additionalPrinterColumns[0].type: Invalid value: "word": must be one of boolean,date,integer,number,string',
    'spec.additionalPrinterColumns[0].JSONPath: Invalid value: "x": must be a simple json path starting with .',
  ]);
  expect(
    createErrors(customResourceDefinitions, manifest('{type: object}').replaceAll('example.com', 'x.k8s.io')),
  ).toEqual([
    'metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
  ]);
});

test('updates', () => {
  const two = manifest(
    '{type: object}',
    '  - {name: v2, served: true, storage: false, schema: {openAPIV3Schema: {type: object}}}',
  );
  const moved = two
    .replace('storage: true', 'storage: 1')
    .replace('storage: false', 'storage: true')
    .replace('storage: 1', 'storage: false');
  expect(updateErrors(customResourceDefinitions, two, moved)).toEqual([]);
  expect(updateErrors(customResourceDefinitions, moved, manifest('{type: object}'))).toEqual([
    'status.storedVersions[0]: Invalid value: "v2": missing from spec.versions; v2 was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in v2 and removes v2 from status.storedVersions',
  ]);
});
