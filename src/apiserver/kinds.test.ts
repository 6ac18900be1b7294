import { expect, test } from 'vitest';
import { events } from '#api/core/v1/event.ts';
import { namespaces } from '#api/core/v1/namespace.ts';
import { pods } from '#api/core/v1/pod.ts';
import { eventsV1 } from '#api/events/v1/event.ts';
import type { Event, Namespace, Pod } from '#api/generated/types.ts';
import { schemas } from '#api/schemas.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import { lookupStruct } from '#apimachinery/schema.ts';
import { startWidgetServer, widgetSchema } from '#testing/widget-server.ts';

/** What the generic server makes of the real kinds' peculiarities. */
const serve = () =>
  startWidgetServer({
    resources: [events, eventsV1, namespaces, pods] as unknown as readonly ResourceDefinition[],
    schemaOf: ({ schema }) => (schema.startsWith('io.') ? lookupStruct(schemas, schema) : widgetSchema),
  });

const event = (name: string) =>
  ({
    metadata: { name, namespace: 'default' },
    involvedObject: { kind: 'Pod', name: 'a', namespace: 'default' },
    reason: 'Started',
    type: 'Normal',
    message: 'hello',
    firstTimestamp: '2025-06-01T00:00:00Z',
    lastTimestamp: '2025-06-01T00:00:00Z',
  }) as unknown as Event;

test('Events are one thing with two faces, go after an hour, and may be made by a PUT, not by a patch', async () => {
  const { run, etcd } = serve();
  await run(async (client, process) => {
    await client.create(events, event('a'));
    const other = await client.get(eventsV1, { namespace: 'default', name: 'a' });
    expect(other).toMatchObject({ apiVersion: 'events.k8s.io/v1', note: 'hello', regarding: { name: 'a' } });
    expect(await client.get(eventsV1, { namespace: 'default', name: 'a' })).toBe(other);
    const seen: string[] = [];
    await client.watch(
      eventsV1,
      { resourceVersion: '2' },
      {
        event: ({ type, object }) => void seen.push(`${type} ${object.apiVersion} ${object.metadata.name}`),
        closed: () => {},
      },
    );
    await process.clock.sleep(1_800_000);
    const b = { namespace: 'default', name: 'b' };
    await expect(client.patch(events, b, 'application/merge-patch+json', {})).rejects.toThrow('events "b" not found');
    expect(await client.update(events, event('b'))).toMatchObject({ metadata: { name: 'b' } });
    await process.clock.sleep(1_800_000 + 70_000);
    expect(seen).toEqual(['ADDED events.k8s.io/v1 b', 'DELETED events.k8s.io/v1 a']);
    expect(etcd.count('/registry/events/')).toBe(1);
    await process.clock.sleep(1_800_000);
    expect(etcd.count('/registry/events/')).toBe(0);
  }, 10_000_000);
});

test('a namespace stays until it is finalized', async () => {
  const { run } = serve();
  await run(async (client) => {
    const made = await client.create(namespaces, { metadata: { name: 'x' } } as Namespace);
    expect(made).toMatchObject({ spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } });
    await client.delete(namespaces, { name: 'x' });
    const ending = await client.get(namespaces, { name: 'x' });
    expect(ending).toMatchObject({
      status: { phase: 'Terminating' },
      metadata: { deletionTimestamp: '2025-06-01T00:00:00Z' },
    });
    expect(ending.metadata).not.toHaveProperty('deletionGracePeriodSeconds');
    await client.delete(namespaces, { name: 'x' });
    expect(await client.get(namespaces, { name: 'x' })).toBe(ending);
    await expect(client.create(namespaces, { metadata: { name: 'x' } } as Namespace)).rejects.toThrow(
      'object is being deleted: namespaces "x" already exists',
    );
    const finalize = { ...ending, spec: { finalizers: [] } };
    await client.updateSubresource(namespaces, finalize, 'finalize');
    await expect(client.get(namespaces, { name: 'x' })).rejects.toThrow('namespaces "x" not found');
  });
});

test('a Pod without a node goes at once, one with a node when its kubelet says so', async () => {
  const { run, api } = serve();
  const said: string[] = [];
  await run(async (client) => {
    const pod = (name: string, nodeName?: string) =>
      ({
        metadata: { name, namespace: 'default' },
        spec: { containers: [{ name: 'c', image: 'i' }], ...(nodeName ? { nodeName } : {}) },
      }) as unknown as Pod;
    await api.backend.watch(
      {
        verb: 'watch',
        group: '',
        version: 'v1',
        resource: 'pods',
        options: {},
        user: { name: 'me', groups: [] },
        userAgent: 'x',
        cause: 0,
        observer: true,
      },
      {
        event: ({ type, object }: { type: string; object: ApiObject }) =>
          void said.push(`${type} ${object.metadata.name} ${object.metadata.deletionGracePeriodSeconds ?? '-'}`),
        closed: () => {},
      },
    );
    await client.create(pods, pod('pending'));
    await client.delete(pods, { namespace: 'default', name: 'pending' });
    await client.create(pods, pod('placed', 'n1'));
    await client.delete(pods, { namespace: 'default', name: 'placed' });
    await client.delete(pods, { namespace: 'default', name: 'placed' }, { gracePeriodSeconds: 0 });
  });
  expect(said).toEqual([
    'ADDED pending -',
    'MODIFIED pending 0',
    'DELETED pending 0',
    'ADDED placed -',
    'MODIFIED placed 30',
    'MODIFIED placed 0',
    'DELETED placed 0',
  ]);
});
