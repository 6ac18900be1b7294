import { expect, test } from 'vitest';
import { schemas } from '#api/schemas.ts';
import type { JsonObject } from './json.ts';
import { openApiDocument, openApiHash, openApiIndex, type OpenApiResource } from './openapi.ts';
import { openApiDefinition } from './openapi-schema.ts';

const ROLE: OpenApiResource = {
  definition: {
    group: 'rbac.authorization.k8s.io',
    version: 'v1',
    kind: 'Role',
    plural: 'roles',
    singular: 'role',
    scope: 'Namespaced',
    schema: 'io.k8s.api.rbac.v1.Role',
  },
  verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
  subresources: [],
};
const POD: OpenApiResource = {
  definition: {
    ...ROLE.definition,
    group: '',
    kind: 'Pod',
    plural: 'pods',
    schema: 'io.k8s.api.core.v1.Pod',
  },
  verbs: ['get', 'list'],
  subresources: [
    { name: 'log', kind: { group: '', version: 'v1', kind: 'Pod' }, verbs: ['get'] },
    {
      name: 'eviction',
      kind: { group: 'policy', version: 'v1', kind: 'Eviction' },
      verbs: ['create'],
    },
  ],
};

function documentOf(resource: OpenApiResource) {
  const { group, version } = resource.definition;
  return openApiDocument(group, version, [resource], schemas) as unknown as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, JsonObject>>>>;
    readonly components: { readonly schemas: Readonly<Record<string, JsonObject>> };
  };
}

test('a resource has the paths, operations and schemas that clients look for', () => {
  const { paths, components } = documentOf(ROLE);
  const operations = Object.entries(paths).map(([path, item]) => [
    path,
    Object.keys(item)
      .filter((key) => key !== 'parameters')
      .sort(),
  ]);
  expect(operations).toEqual([
    ['/apis/rbac.authorization.k8s.io/v1/roles', ['get']],
    ['/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles', ['delete', 'get', 'post']],
    ['/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles/{name}', ['delete', 'get', 'patch', 'put']],
  ]);
  const patch = paths['/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles/{name}']!.patch!;
  expect(patch).toMatchObject({
    operationId: 'patchRbacAuthorizationV1NamespacedRole',
    tags: ['rbacAuthorization_v1'],
    'x-kubernetes-action': 'patch',
    'x-kubernetes-group-version-kind': { group: 'rbac.authorization.k8s.io', version: 'v1', kind: 'Role' },
  });
  expect((patch.parameters as unknown as JsonObject[]).map(({ name }) => name)).toEqual([
    'dryRun',
    'fieldManager',
    'fieldValidation',
    'force',
  ]);
  expect(Object.keys(components.schemas).map((name) => name.slice(name.lastIndexOf('.') + 1))).toEqual(
    'PolicyRule Role RoleList DeleteOptions FieldsV1 ListMeta ManagedFieldsEntry ObjectMeta OwnerReference Patch Preconditions Status StatusCause StatusDetails Time'.split(
      ' ',
    ),
  );
});

test('subresources have the kind of their body', () => {
  const { paths } = documentOf(POD);
  expect(paths['/api/v1/namespaces/{namespace}/pods/{name}/eviction']?.post).toMatchObject({
    operationId: 'createCoreV1NamespacedPodEviction',
    description: 'create eviction of a Pod',
    requestBody: { content: { '*/*': { schema: { $ref: '#/components/schemas/io.k8s.api.policy.v1.Eviction' } } } },
    'x-kubernetes-group-version-kind': { group: 'policy', version: 'v1', kind: 'Eviction' },
  });
  expect(paths['/api/v1/namespaces/{namespace}/pods/{name}/log']?.get).toMatchObject({
    operationId: 'readCoreV1NamespacedPodLog',
    responses: { 200: { content: { 'application/json': { schema: { type: 'string' } } } } },
  });
});

test('parameters have prose by their names', () => {
  const prose = { watch: 'Watches.', namespace: 'Where.' };
  const { paths } = openApiDocument('', 'v1', [POD], schemas, undefined, prose) as unknown as ReturnType<
    typeof documentOf
  >;
  const described = (parameters: unknown) =>
    Object.fromEntries((parameters as JsonObject[]).map(({ name, description }) => [name, description]));
  const { parameters, get } = paths['/api/v1/namespaces/{namespace}/pods']!;
  expect(described(parameters)).toEqual({ namespace: 'Where.', pretty: undefined });
  expect(described(get?.parameters)).toMatchObject({ watch: 'Watches.', limit: undefined });
  const eviction = paths['/api/v1/namespaces/{namespace}/pods/{name}/eviction'];
  expect(described(eviction?.parameters)).toMatchObject({ name: 'name of the Eviction', namespace: 'Where.' });
});

test('a schema in OpenAPI 3: references in allOf, zero defaults, list types, enums, prose', () => {
  const container = openApiDefinition(schemas.lookup('io.k8s.api.core.v1.Container')!, 3, {
    '': 'A container.',
    name: 'Its name.',
  });
  expect(container).toMatchObject({
    description: 'A container.',
    required: ['name'],
    properties: {
      name: { type: 'string', default: '', description: 'Its name.' },
      imagePullPolicy: { type: 'string', enum: ['Always', 'IfNotPresent', 'Never'] },
      resources: { allOf: [{ $ref: '#/components/schemas/io.k8s.api.core.v1.ResourceRequirements' }], default: {} },
      lifecycle: { $ref: '#/components/schemas/io.k8s.api.core.v1.Lifecycle' },
      ports: {
        type: 'array',
        items: { allOf: [{ $ref: '#/components/schemas/io.k8s.api.core.v1.ContainerPort' }], default: {} },
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['containerPort', 'protocol'],
        'x-kubernetes-patch-strategy': 'merge',
        'x-kubernetes-patch-merge-key': 'containerPort',
      },
    },
  });
  expect(openApiDefinition(schemas.lookup('io.k8s.apimachinery.pkg.util.intstr.IntOrString')!, 3)).toEqual({
    oneOf: [{ type: 'integer' }, { type: 'string' }],
    format: 'int-or-string',
  });
});

test('the index names documents by their hash', () => {
  expect(
    openApiIndex(
      new Map([
        ['apis/apps/v1', 'B'],
        ['api/v1', 'A'],
      ]),
    ),
  ).toEqual({
    paths: {
      'api/v1': { serverRelativeURL: '/openapi/v3/api/v1?hash=A' },
      'apis/apps/v1': { serverRelativeURL: '/openapi/v3/apis/apps/v1?hash=B' },
    },
  });
  expect(openApiHash('abc')).toBe('BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD');
});
