import { describe, expect, test } from 'vitest';
import { pods } from '#api/core/v1/pod.ts';
import type { Pod } from '#api/generated/types.ts';
import { schemas } from '#api/schemas.ts';
import type { ApiRequest } from '#apimachinery/api-request.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import { lookupStruct } from '#apimachinery/schema.ts';
import { startWidgetServer, type Widget, type WidgetServer, widgetSchema, widgets } from '#testing/widget-server.ts';
import type { Owner } from './field-owners.ts';
import { decodeFieldSet, difference, encodeFieldSet, type FieldSet, intersection, setOf, union } from './field-set.ts';
import { ownersFromScale, ownersOfScale } from './scale-ownership.ts';

const user = { name: 'me', groups: [] };
const widget = (spec: Widget['spec'], labels?: Record<string, string>): Widget => ({
  metadata: { namespace: 'default', name: 'a', ...(labels ? { labels } : {}) },
  spec,
});

/** The object's managedFields, as `manager operation[/subresource]` → fields. */
async function owners(
  { api }: WidgetServer,
  resource: string,
  name: string,
  group = '',
): Promise<Record<string, unknown>> {
  const request: ApiRequest = {
    verb: 'get',
    group,
    version: 'v1',
    resource,
    namespace: 'default',
    name,
    options: {},
    user,
    userAgent: 'observer',
    cause: 0,
    observer: true,
  };
  const { metadata } = (await api.local.request(request)) as ApiObject & {
    readonly metadata: {
      readonly managedFields?: readonly {
        readonly manager: string;
        readonly operation: string;
        readonly subresource?: string;
        readonly fieldsV1: unknown;
      }[];
    };
  };
  return Object.fromEntries(
    (metadata.managedFields ?? []).map(({ manager, operation, subresource, fieldsV1 }) => [
      `${manager} ${operation}${subresource ? `/${subresource}` : ''}`,
      fieldsV1,
    ]),
  );
}

test('who writes a field owns it, and nobody else', async () => {
  const server = startWidgetServer();
  await server.run(async () => {
    const first = server.clientOf('first/v1');
    const second = server.clientOf('second');
    const made = await first.create(
      widgets,
      widget({ size: 1, parts: [{ name: 'x', count: 1 }], tags: ['t'] }, { app: 'web' }),
    );
    expect(await owners(server, 'widgets', 'a', 'example.com')).toEqual({
      'first Update': {
        'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
        'f:spec': {
          'f:size': {},
          'f:parts': { '.': {}, 'k:{"name":"x"}': { '.': {}, 'f:count': {}, 'f:name': {} } },
          'f:tags': { '.': {}, 'v:"t"': {} },
        },
      },
    });
    await second.update(widgets, {
      ...made,
      metadata: { ...made.metadata, labels: { app: 'web', tier: 'a' } },
      spec: { size: 2, parts: [{ name: 'x', count: 1 }, { name: 'y' }] },
    });
    expect(await owners(server, 'widgets', 'a', 'example.com')).toEqual({
      'first Update': {
        'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
        'f:spec': { 'f:parts': { '.': {}, 'k:{"name":"x"}': { '.': {}, 'f:count': {}, 'f:name': {} } } },
      },
      'second Update': {
        'f:metadata': { 'f:labels': { 'f:tier': {} } },
        'f:spec': { 'f:size': {}, 'f:parts': { 'k:{"name":"y"}': { '.': {}, 'f:name': {} } } },
      },
    });
  });
});

test('many writes by many managers come to the same, and the oldest are merged', async () => {
  const server = startWidgetServer();
  await server.run(async () => {
    await server.clientOf('m0').create(widgets, widget({ size: 1 }));
    for (let i = 1; i <= 30; i++) {
      const patch = { metadata: { labels: { [`l${i}`]: 'x' } } };
      await server
        .clientOf(`m${i % 15}`)
        .patch(widgets, { namespace: 'default', name: 'a' }, 'application/merge-patch+json', patch);
    }
    const found = await owners(server, 'widgets', 'a', 'example.com');
    expect(Object.keys(found)).toHaveLength(10);
    expect(Object.keys(found)).toContain('ancient-changes Update');
    const all = Object.values(found)
      .map((fields) => decodeFieldSet(fields) ?? { member: false, children: undefined })
      .reduce(union);
    const labels = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`f:l${i + 1}`, {}]));
    expect(encodeFieldSet(all)).toEqual({
      'f:metadata': { 'f:labels': { '.': {}, ...labels } },
      'f:spec': { 'f:size': {} },
    });
  });
});

test("a Pod's owners are those of a real cluster", async () => {
  const server = startWidgetServer({
    resources: [pods as unknown as ResourceDefinition],
    schemaOf: ({ schema }) => (schema.startsWith('io.') ? lookupStruct(schemas, schema) : widgetSchema),
  });
  await server.run(async () => {
    const pod = {
      metadata: { name: 'nginx', namespace: 'default', labels: { run: 'nginx' } },
      spec: { containers: [{ name: 'nginx', image: 'nginx', ports: [{ containerPort: 80 }] }] },
    } as unknown as Pod;
    await server.clientOf('kubectl-run').create(pods, pod);
    const condition = {
      type: 'Ready',
      status: 'True',
      lastProbeTime: null,
      lastTransitionTime: '2025-06-01T00:00:00Z',
    };
    await server.clientOf('kubelet/v1.33.0').patch(
      pods,
      { namespace: 'default', name: 'nginx' },
      'application/strategic-merge-patch+json',
      {
        status: {
          phase: 'Running',
          conditions: [condition],
          podIP: '10.244.1.2',
          podIPs: [{ ip: '10.244.1.2' }],
          containerStatuses: [{ name: 'nginx', ready: true }],
        },
      },
      { subresource: 'status' },
    );
  });
  expect(await owners(server, 'pods', 'nginx')).toEqual({
    'kubectl-run Update': {
      'f:metadata': { 'f:labels': { '.': {}, 'f:run': {} } },
      'f:spec': {
        'f:containers': {
          'k:{"name":"nginx"}': {
            '.': {},
            'f:image': {},
            'f:imagePullPolicy': {},
            'f:name': {},
            'f:ports': {
              '.': {},
              'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {}, 'f:protocol': {} },
            },
            'f:resources': {},
            'f:terminationMessagePath': {},
            'f:terminationMessagePolicy': {},
          },
        },
        'f:dnsPolicy': {},
        'f:enableServiceLinks': {},
        'f:restartPolicy': {},
        'f:schedulerName': {},
        'f:securityContext': {},
        'f:terminationGracePeriodSeconds': {},
      },
    },
    'kubelet Update/status': {
      'f:status': {
        'f:conditions': {
          '.': {},
          'k:{"type":"Ready"}': {
            '.': {},
            'f:lastProbeTime': {},
            'f:lastTransitionTime': {},
            'f:status': {},
            'f:type': {},
          },
        },
        'f:containerStatuses': {},
        'f:phase': {},
        'f:podIP': {},
        'f:podIPs': { '.': {}, 'k:{"ip":"10.244.1.2"}': { '.': {}, 'f:ip': {} } },
      },
    },
  });
});

test('sets of fields', () => {
  const set = (fields: unknown) => decodeFieldSet(fields) ?? { member: true, children: undefined };
  const a = set({ 'f:x': { '.': {}, 'f:y': {} }, 'f:z': {} });
  const b = set({ 'f:x': { 'f:y': {}, 'f:w': {} } });
  expect(encodeFieldSet(union(a, b))).toEqual({ 'f:x': { '.': {}, 'f:w': {}, 'f:y': {} }, 'f:z': {} });
  expect(encodeFieldSet(difference(a, b))).toEqual({ 'f:x': {}, 'f:z': {} });
  expect(encodeFieldSet(intersection(a, b))).toEqual({ 'f:x': { 'f:y': {} } });
  expect(decodeFieldSet({ nonsense: {} })).toBeUndefined();
});

describe('applying', () => {
  const at = { namespace: 'default', name: 'a' };
  const config = (spec: Widget['spec'], more: object = {}) => ({
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { name: 'a', ...more },
    spec,
  });
  const applyAs = ({ client }: WidgetServer, fieldManager: string, body: unknown, options: object = {}) =>
    client.patch(widgets, at, 'application/apply-patch+yaml', body, { fieldManager, ...options });
  const found = (server: WidgetServer) => owners(server, 'widgets', 'a', 'example.com');

  test('creates, shares, takes away, and is nothing when nothing changes', async () => {
    const server = startWidgetServer();
    await server.run(async (client) => {
      const made = await applyAs(server, 'one', config({ size: 1, tags: ['t'] }));
      expect((await applyAs(server, 'one', config({ size: 1, tags: ['t'] }))).metadata).toEqual(made.metadata);
      await applyAs(server, 'two', config({ size: 1 }));
      expect(await found(server)).toEqual({
        'one Apply': { 'f:spec': { 'f:size': {}, 'f:tags': { 'v:"t"': {} } } },
        'two Apply': { 'f:spec': { 'f:size': {} } },
      });
      await expect(applyAs(server, 'two', config({ size: 2 }))).rejects.toThrow(
        'Apply failed with 1 conflict: conflict with "one": .spec.size',
      );
      await applyAs(server, 'one', config({ nodeName: 'n' }));
      expect((await client.get(widgets, at)).spec).toEqual({ size: 1, nodeName: 'n' });
      await applyAs(server, 'two', config({ nodeName: 'm' }), { force: true });
      expect((await client.get(widgets, at)).spec).toEqual({ nodeName: 'm' });
      expect(await found(server)).toEqual({ 'two Apply': { 'f:spec': { 'f:nodeName': {} } } });
    });
  });

  test('through the status leaves the rest alone; a dry run does nothing', async () => {
    const server = startWidgetServer();
    await server.run(async (client) => {
      await client.create(widgets, widget({ size: 1 }));
      const body = { ...config({ size: 9 }), status: { phase: 'Fine' } };
      await client.patch(widgets, at, 'application/apply-patch+yaml', body, {
        fieldManager: 's',
        subresource: 'status',
      });
      await applyAs(server, 'x', config({ size: 5 }), { force: true, dryRun: true });
      expect(await client.get(widgets, at)).toMatchObject({ spec: { size: 1 }, status: { phase: 'Fine' } });
      expect((await found(server))['s Apply/status']).toEqual({ 'f:status': { 'f:phase': {} } });
      const absent = { namespace: 'default', name: 'b' };
      await expect(
        client.patch(widgets, absent, 'application/apply-patch+yaml', body, {
          fieldManager: 's',
          subresource: 'status',
        }),
      ).rejects.toThrow('widgets.example.com "b" not found');
    });
  });

  test.each<[unknown, number, string]>([
    [{}, 400, 'invalid object type: /, Kind='],
    [{ ...config({}), kind: 'Gadget' }, 400, 'invalid object type: example.com/v1, Kind=Gadget'],
    [config({}, { managedFields: [] }), 400, 'metadata.managedFields must be nil'],
    [config({}, { name: 'b' }), 400, 'the name of the object (b) does not match the name on the URL (a)'],
    [
      config({ siz: 1 } as Widget['spec']),
      500,
      'failed to create typed patch object (/a; example.com/v1, Kind=Widget): .spec.siz: field not declared in schema',
    ],
    [
      config({ size: -1 }),
      422,
      'Widget.example.com "a" is invalid: spec.size: Invalid value: -1: must not be negative',
    ],
  ])('%j is refused', async (body, code, message) => {
    const server = startWidgetServer();
    await server.run(async () => {
      await expect(applyAs(server, 'm', body)).rejects.toMatchObject({ code, message });
    });
  });

  test('nobody owns anything any more when a client resets the owners, until somebody applies', async () => {
    const server = startWidgetServer();
    await server.run(async (client) => {
      const made = await client.create(widgets, widget({ size: 1 }));
      const reset = { ...made, metadata: { ...made.metadata, managedFields: [{}] } } as Widget;
      await client.update(widgets, reset);
      await client.patch(widgets, at, 'application/merge-patch+json', { spec: { size: 2 } });
      expect(await found(server)).toEqual({});
      await applyAs(server, 'm', config({ nodeName: 'n' }));
      expect(await found(server)).toEqual({
        'before-first-apply Update': { 'f:spec': { 'f:size': {} } },
        'm Apply': { 'f:spec': { 'f:nodeName': {} } },
      });
      const entry = { manager: 'x'.repeat(129), operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1' };
      const current = await client.get(widgets, at);
      const long = { ...current, metadata: { ...current.metadata, managedFields: [entry] } } as Widget;
      await expect(client.update(widgets, long)).rejects.toThrow(
        'Widget.example.com "a" is invalid: metadata.managedFields[0].manager: Too long: may not be more than 128 bytes',
      );
    });
  });
});

test('a scale belongs to whom it is applied by, and has no time', () => {
  const path = ['f:spec', 'f:replicas'];
  const owner = (
    manager: string,
    operation: 'Apply' | 'Update',
    fields: FieldSet,
    more: Partial<Owner> = {},
  ): Owner => ({
    manager,
    operation,
    apiVersion: 'apps/v1',
    subresource: '',
    time: 'then',
    fields,
    ...more,
  });
  const parent = [
    owner('a', 'Apply', setOf(path, ['f:spec', 'f:selector'])),
    owner('b', 'Update', setOf(path)),
    owner('c', 'Update', setOf(['f:metadata']), { apiVersion: 'other/v1' }),
  ];
  const seen = ownersOfScale(parent, 'apps/v1', 'autoscaling/v1');
  expect(seen.map(({ manager, apiVersion }) => `${manager} ${apiVersion}`)).toEqual([
    'a autoscaling/v1',
    'b autoscaling/v1',
  ]);
  const scaler = owner('s', 'Apply', setOf(path), { apiVersion: 'autoscaling/v1', subresource: 'scale' });
  expect(ownersFromScale(parent, 'apps/v1', [scaler])).toEqual([
    owner('a', 'Apply', setOf(['f:spec', 'f:selector']), { entry: undefined }),
    owner('s', 'Apply', setOf(path), { subresource: 'scale', time: undefined, entry: undefined }),
  ]);
  expect(ownersFromScale(parent, 'apps/v1', seen)).toEqual(parent.slice(0, 2));
});
