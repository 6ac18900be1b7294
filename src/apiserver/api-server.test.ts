import { expect, test } from 'vitest';
import type { WatchEvent } from '#apimachinery/api-request.ts';
import { type ApiObject, defineResource } from '#apimachinery/resource.ts';
import { latencyOf } from '#base/latency.ts';
import { Process, Pump } from '#base/pump.ts';
import { Rng } from '#base/rng.ts';
import { Tracer } from '#base/tracer.ts';
import { Client } from '#client/client.ts';
import { Etcd } from '#etcd/etcd.ts';
import { createApiServer } from './api-server.ts';

interface Widget extends ApiObject {
  readonly spec?: { readonly size?: number; readonly nodeName?: string };
  readonly status?: { readonly ready?: boolean };
}

const widgets = defineResource<Widget>({
  group: 'example.com',
  version: 'v1',
  kind: 'Widget',
  plural: 'widgets',
  singular: 'widget',
  scope: 'Namespaced',
  schema: 'com.example.v1.Widget',
  selectableFields: { 'spec.nodeName': ({ spec }) => spec?.nodeName ?? '' },
});

test('creates, reads, watches, updates, patches and deletes', async () => {
  const pump = new Pump({
    epoch: Date.parse('2025-06-01T00:00:00Z'),
    onError: (error) => {
      throw error;
    },
  });
  const root = new Process('cluster', { pump, rng: new Rng(1), tracer: new Tracer(() => pump.now) });
  const etcd = new Etcd<ApiObject>({ process: root.child('etcd') });
  const server = createApiServer({
    process: root.child('kube-apiserver'),
    etcd,
    latency: latencyOf('realistic'),
    resources: [widgets],
    schemaOf: () => ({ kind: 'any' }) as never,
  });
  const caller = root.child('tester');
  const client = new Client(server.backend, { user: { name: 'me', groups: [] }, userAgent: 'tester/v1' });
  const events: WatchEvent<Widget>[] = [];
  let error: unknown;
  caller.spawn('test', async () => {
    try {
      await client.watch(widgets, {}, { event: (event) => void events.push(event), closed: () => {} });
      const made = await client.create(widgets, { metadata: { namespace: 'default', name: 'a' }, spec: { size: 1 } });
      expect(made).toMatchObject({
        kind: 'Widget',
        apiVersion: 'example.com/v1',
        metadata: { resourceVersion: '2', creationTimestamp: '2025-06-01T00:00:00Z' },
      });
      expect(await client.get(widgets, { namespace: 'default', name: 'a' })).toBe(made);
      const changed = await client.update(widgets, { ...made, spec: { size: 2 } });
      await expect(client.update(widgets, { ...made, spec: { size: 3 } })).rejects.toThrow(
        'Operation cannot be fulfilled on widgets.example.com "a": the object has been modified; please apply your changes to the latest version and try again',
      );
      const patched = await client.patch(widgets, { namespace: 'default', name: 'a' }, 'application/merge-patch+json', {
        spec: { nodeName: 'n1' },
      });
      expect(patched.spec).toEqual({ size: 2, nodeName: 'n1' });
      expect((await client.list(widgets, { fieldSelector: 'spec.nodeName=n1' })).items).toEqual([patched]);
      await client.delete(widgets, { namespace: 'default', name: 'a' });
      await caller.clock.sleep(100);
      expect(changed.metadata.resourceVersion).toBe('3');
    } catch (caught) {
      error = caught;
    }
  });
  await pump.run({ until: pump.now + 10_000 });
  if (error) throw error;
  expect(events.map(({ type, object }) => `${type} ${object.metadata.resourceVersion}`)).toEqual([
    'ADDED 2',
    'MODIFIED 3',
    'MODIFIED 4',
    'DELETED 5',
  ]);
  const ancestry = root.tracer.ancestry((events[0] as WatchEvent).span).map(({ kind, name }) => `${kind} ${name}`);
  expect(ancestry).toEqual([
    'delivery watch widgets',
    'write put /registry/widgets/default/a',
    'request POST /apis/example.com/v1/namespaces/default/widgets',
  ]);
});
