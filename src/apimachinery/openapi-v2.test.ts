import { expect, test } from 'vitest';
import { resources } from '#api/resources.ts';
import { schemas } from '#api/schemas.ts';
import type { JsonObject } from './json.ts';
import { openApiDocument } from './openapi.ts';
import { openApiV2Document } from './openapi-v2.ts';

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const documents = [...new Set(resources.map(({ group, version }) => JSON.stringify([group, version])))].map((key) => {
  const [group, version] = JSON.parse(key) as [string, string];
  const own = resources.filter((each) => each.group === group && each.version === version);
  const served = own.map((definition) => ({ definition, verbs: definition.verbs ?? VERBS, subresources: [] }));
  return openApiDocument(group, version, served, schemas);
});
const whole = openApiV2Document('v1.33.0', documents, schemas, (name) => ({ '': `All about ${name}` })) as unknown as {
  readonly swagger: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, JsonObject>>>>;
  readonly definitions: Readonly<Record<string, JsonObject>>;
};

test('operations are as release 2 has them', () => {
  expect(whole.swagger).toBe('2.0');
  const pod = whole.paths['/api/v1/namespaces/{namespace}/pods/{name}'];
  expect(pod?.parameters).toContainEqual({
    name: 'namespace',
    in: 'path',
    required: true,
    type: 'string',
    uniqueItems: true,
  });
  expect(pod?.patch).toMatchObject({
    operationId: 'patchCoreV1NamespacedPod',
    consumes: [
      'application/apply-patch+yaml',
      'application/json-patch+json',
      'application/merge-patch+json',
      'application/strategic-merge-patch+json',
    ],
    produces: ['application/json', 'application/yaml'],
    responses: {
      200: { schema: { $ref: '#/definitions/io.k8s.api.core.v1.Pod' } },
      401: { description: 'Unauthorized' },
    },
    'x-kubernetes-group-version-kind': { group: '', version: 'v1', kind: 'Pod' },
  });
  expect(pod?.patch?.parameters).toContainEqual({
    name: 'body',
    in: 'body',
    required: true,
    schema: { $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.Patch' },
  });
  expect(JSON.stringify(whole)).not.toContain('#/components/');
});

test('definitions say how lists are merged', () => {
  const { description, properties } = whole.definitions['io.k8s.api.core.v1.PodSpec'] as {
    readonly description: string;
    readonly properties: Readonly<Record<string, JsonObject>>;
  };
  expect(description).toBe('All about io.k8s.api.core.v1.PodSpec');
  expect(properties.containers).toMatchObject({
    type: 'array',
    items: { $ref: '#/definitions/io.k8s.api.core.v1.Container' },
    'x-kubernetes-patch-merge-key': 'name',
    'x-kubernetes-patch-strategy': 'merge',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
  });
});

test('custom resources lose what kubectl cannot cope with', () => {
  const custom = (properties: JsonObject, required: string[] = []) => {
    const document = {
      paths: {},
      components: { schemas: { 'com.example.Odd': { type: 'object', required, properties } } },
    };
    const { definitions } = openApiV2Document('v1', [document], schemas) as { readonly definitions: JsonObject };
    return definitions['com.example.Odd'];
  };
  expect(
    custom(
      {
        a: { type: 'string', nullable: true },
        b: { type: 'array', items: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        c: { oneOf: [{ minimum: 1 }], type: 'integer', 'x-kubernetes-int-or-string': true },
        metadata: { allOf: [{ $ref: '#/components/schemas/x.ObjectMeta' }], description: 'About it' },
      },
      ['a', 'b'],
    ),
  ).toEqual({
    type: 'object',
    required: ['b'],
    properties: {
      a: {},
      b: { type: 'array', items: { 'x-kubernetes-preserve-unknown-fields': true } },
      c: { type: 'integer', 'x-kubernetes-int-or-string': true },
      metadata: { $ref: '#/definitions/x.ObjectMeta', description: 'About it' },
    },
  });
});
