import { expect, test } from 'vitest';
import { customResourceDefinitions } from '#api/apiextensions/v1/custom-resource-definition.ts';
import type { CustomResourceDefinition } from '#api/generated/types.ts';
import type { JsonValue } from '#apimachinery/json.ts';
import type { ReadValue } from '#apimachinery/json-reader.ts';
import type { ApiObject } from '#apimachinery/resource.ts';
import { readYaml } from '#apimachinery/yaml-reader.ts';
import { decoded, texts } from '#testing/kind.ts';
import { customResources } from './custom-resource.ts';

/** A definition of Foos with a schema for `spec`, its names accepted. */
function foos(spec: string, version = '') {
  const crd = decoded(
    customResourceDefinitions,
    `
metadata: {name: foos.example.com, uid: u, generation: 1}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: foos, kind: Foo}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: ${spec}}}}
${version}
`,
  ) as CustomResourceDefinition;
  const names = crd.spec.names;
  const served = {
    ...crd,
    status: { acceptedNames: names, conditions: [{ type: 'NamesAccepted', status: 'True' }] },
  };
  return customResources(served, undefined, () => false)[0]!;
}

const given = (spec: string): JsonValue =>
  readYaml(`{apiVersion: example.com/v1, kind: Foo, metadata: {name: a}, spec: ${spec}}`) as JsonValue;

function check(schema: string, spec: string, result: unknown, ...unknown: readonly string[]) {
  const { definition } = foos(schema);
  const { object, strictErrors } = definition.custom!.decode(given(spec) as ReadValue);
  const full = definition.defaults!(object as unknown as ApiObject) as ApiObject & { readonly spec: unknown };
  expect(strictErrors).toEqual(unknown.map((path) => `unknown field "${path}"`));
  const errors = texts(definition.validate!(full));
  expect(errors.length > 0 ? errors : full.spec).toEqual(result);
}

test('pruning, defaults, nulls', () => {
  check('{type: object, properties: {a: {type: string}}}', '{a: x, b: 1}', { a: 'x' }, 'spec.b');
  check('{type: object, x-kubernetes-preserve-unknown-fields: true}', '{b: {c: 1}}', { b: { c: 1 } });
  check(
    '{type: object, properties: {l: {type: array, items: {type: object, properties: {k: {type: integer, default: 2}}}}}}',
    '{l: [{}, {k: 3, z: 1}]}',
    { l: [{ k: 2 }, { k: 3 }] },
    'spec.l[1].z',
  );
  check('{type: object, properties: {a: {type: string}, b: {type: string, nullable: true}}}', '{a: null, b: null}', {
    b: null,
  });
  check('{type: object, properties: {a: {type: string, default: d}}}', '{a: null}', { a: 'd' });
  check(
    '{type: object, additionalProperties: {type: integer}}',
    '{x: 1, __proto__: 2}',
    given('{x: 1, __proto__: 2}')!['spec' as never],
  );
});

test('values', () => {
  const schema = (rest: string) => `{type: object, properties: {a: ${rest}}}`;
  check(schema('{type: integer}'), '{a: x}', [
    'spec.a: Invalid value: "string": spec.a in body must be of type integer: "string"',
  ]);
  check(schema('{type: integer, minimum: 1, maximum: 10, exclusiveMaximum: true}'), '{a: 10}', [
    'spec.a: Invalid value: 10: spec.a in body should be less than 10',
  ]);
  check(schema('{type: number, multipleOf: 0.5}'), '{a: 1.25}', [
    'spec.a: Invalid value: 1.25: spec.a in body should be a multiple of 0.5',
  ]);
  check(schema('{type: string, enum: [A, B]}'), '{a: C}', [
    'spec.a: Unsupported value: "C": supported values: "A", "B"',
  ]);
  check(schema('{type: string, maxLength: 2}'), '{a: abc}', ['spec.a: Too long: may not be more than 2 bytes']);
  check(schema('{type: string, format: ipv4}'), '{a: "1.2.3"}', [
    'spec.a: Invalid value: "1.2.3": spec.a in body must be of type ipv4: "1.2.3"',
  ]);
  check(schema('{type: string, format: unheard-of}'), '{a: x}', { a: 'x' });
  check(schema('{x-kubernetes-int-or-string: true}'), '{a: 5%}', { a: '5%' });
  check(schema('{x-kubernetes-int-or-string: true}'), '{a: true}', [
    'spec.a: Invalid value: "boolean": spec.a in body must be of type integer,string: "boolean"',
  ]);
  check(schema('{type: array, maxItems: 1, items: {type: string}}'), '{a: [x, z]}', [
    'spec.a: Too many: 2: must have at most 1 items',
  ]);
  check(schema('{type: array, x-kubernetes-list-type: set, items: {type: string}}'), '{a: [x, x]}', [
    'spec.a[1]: Duplicate value: "x"',
  ]);
  check(
    schema(
      '{type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k], items: {type: object, required: [k], properties: {k: {type: string}}}}',
    ),
    '{a: [{k: x}, {k: x}]}',
    ['spec.a[1]: Duplicate value: map[string]interface {}{"k":"x"}'],
  );
  check('{type: object, required: [a], properties: {a: {type: string}}}', '{}', ['spec.a: Required value']);
  check(
    '{type: object, properties: {a: {type: integer}, b: {type: integer}}, oneOf: [{required: [a]}, {required: [b]}]}',
    '{a: 1, b: 2}',
    ['<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found 2 valid alternatives'],
  );
  check(
    schema('{type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true}'),
    '{a: {kind: P}}',
    ['spec.a.apiVersion: Required value: must not be empty'],
  );
});

test('an update is forgiven what it leaves as it was', () => {
  const { definition } = foos(
    '{type: object, properties: {a: {type: integer, maximum: 3}, b: {type: integer, maximum: 3}}}',
  );
  const object = (spec: string) => given(spec) as unknown as ApiObject;
  const update = (from: string, to: string) => texts(definition.validateUpdate!(object(to), object(from)));
  expect(update('{a: 5, b: 1}', '{a: 5, b: 2}')).toEqual([]);
  expect(update('{a: 5, b: 1}', '{a: 6, b: 1}')).toEqual([
    'spec.a: Invalid value: 6: spec.a in body should be less than or equal to 3',
  ]);
});
