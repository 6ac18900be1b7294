import { expect, test } from 'vitest';
import { pods } from '#api/core/v1/pod.ts';
import type { Pod } from '#api/generated/types.ts';
import { schemas } from '#api/schemas.ts';
import type { ApiRequest } from '#apimachinery/api-request.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import { lookupStruct } from '#apimachinery/schema.ts';
import { startWidgetServer, type Widget, type WidgetServer, widgetSchema, widgets } from '#testing/widget-server.ts';
import { decodeFieldSet, difference, encodeFieldSet, intersection, union } from './field-set.ts';

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
