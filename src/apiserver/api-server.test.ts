import { expect, test } from 'vitest';
import type { WatchEvent } from '#apimachinery/api-request.ts';
import { startWidgetServer, type Widget, widgets } from '#testing/widget-server.ts';

const key = { namespace: 'default', name: 'a' };
const widget = (name: string, rest: Partial<Widget> = {}): Widget => ({
  metadata: { namespace: 'default', name },
  ...rest,
});

test('creates, reads, watches, updates, patches and deletes, and each delivery knows its cause', async () => {
  const { root, run } = startWidgetServer({ profile: 'realistic' });
  const events: WatchEvent<Widget>[] = [];
  await run(async (client, process) => {
    await client.watch(widgets, {}, { event: (event) => void events.push(event), closed: () => {} });
    const made = await client.create(widgets, widget('a', { spec: { size: 1 } }));
    expect(made).toMatchObject({
      kind: 'Widget',
      apiVersion: 'example.com/v1',
      metadata: { resourceVersion: '2', generation: 1, creationTimestamp: '2025-06-01T00:00:00Z' },
    });
    expect(await client.get(widgets, key)).toBe(made);
    const changed = await client.update(widgets, { ...made, spec: { size: 2 }, status: { phase: 'ignored' } });
    expect(changed).toMatchObject({ metadata: { resourceVersion: '3', generation: 2 } });
    expect(changed.status).toBeUndefined();
    expect(await client.update(widgets, changed)).toBe(changed);
    const patched = await client.patch(widgets, key, 'application/merge-patch+json', { spec: { nodeName: 'n1' } });
    expect(patched.spec).toEqual({ size: 2, nodeName: 'n1' });
    const status = await client.updateStatus(widgets, { ...patched, spec: {}, status: { phase: 'Ready' } });
    expect(status).toMatchObject({ spec: { size: 2 }, status: { phase: 'Ready' }, metadata: { generation: 3 } });
    await client.delete(widgets, key);
    await process.clock.sleep(100);
  });
  expect(events.map(({ type, object }) => `${type} ${object.metadata.resourceVersion}`)).toEqual([
    'ADDED 2',
    'MODIFIED 3',
    'MODIFIED 4',
    'MODIFIED 5',
    'DELETED 6',
  ]);
  const [first] = events;
  expect(root.tracer.ancestry(first?.span ?? 0).map(({ kind, name }) => `${kind} ${name}`)).toEqual([
    'delivery watch widgets',
    'write put /registry/widgets/default/a',
    'request POST /apis/example.com/v1/namespaces/default/widgets',
  ]);
});

test('answers with the errors of v1.33', async () => {
  const { run, clientOf } = startWidgetServer();
  await run(async (client) => {
    const made = await client.create(widgets, widget('a'));
    const refused = (promise: Promise<unknown>, message: string) => expect(promise).rejects.toThrow(message);
    await refused(client.create(widgets, widget('a')), 'widgets.example.com "a" already exists');
    await refused(client.get(widgets, { ...key, name: 'b' }), 'widgets.example.com "b" not found');
    await client.update(widgets, { ...made, spec: { size: 1 } });
    await refused(
      client.update(widgets, { ...made, spec: { size: 3 } }),
      'Operation cannot be fulfilled on widgets.example.com "a": the object has been modified; please apply your changes to the latest version and try again',
    );
    await refused(
      client.update(widgets, { ...made, metadata: { ...made.metadata, uid: 'other' } }),
      `Operation cannot be fulfilled on widgets.example.com "a": StorageError: invalid object, Code: 4, Key: /registry/widgets/default/a, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: other, UID in object meta: ${made.metadata.uid}`,
    );
    await refused(
      client.create(widgets, widget('A_', { spec: { size: -1 } })),
      `Widget.example.com "A_" is invalid: [metadata.name: Invalid value: "A_": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*'), spec.size: Invalid value: -1: must not be negative]`,
    );
    await refused(
      client.create(widgets, { metadata: { ...made.metadata, name: 'c' } }),
      'resourceVersion should not be set on objects to be created',
    );
    await refused(
      client.patch(widgets, key, 'application/merge-patch+json', { metadata: { name: 'z' } }),
      'the name of the object (z) does not match the name on the URL (a)',
    );
    await refused(
      client.patch(widgets, key, 'application/merge-patch+json', { metadata: { uid: 'z' } }),
      `Widget.example.com "a" is invalid: metadata.uid: Invalid value: "z": field is immutable`,
    );
    await refused(
      client.delete(widgets, key, { preconditions: { uid: 'x' } }),
      `Operation cannot be fulfilled on Widget.example.com "a": the UID in the precondition (x) does not match the UID in record (${made.metadata.uid}). The object might have been deleted and then recreated`,
    );
    await refused(client.list(widgets, { fieldSelector: 'spec.color=red' }), 'field label not supported: spec.color');
    await refused(
      clientOf('x').list({ ...widgets, plural: 'gadgets' }),
      'the server could not find the requested resource',
    );
  });
});

test('generates names, and finds another one when a name is taken', async () => {
  const { run } = startWidgetServer();
  await run(async (client) => {
    const names = new Set<string>();
    for (let i = 0; i < 50; i++) {
      const { metadata } = await client.create(widgets, { metadata: { namespace: 'default', generateName: 'web-' } });
      expect(metadata.name).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
      names.add(metadata.name as string);
    }
    expect(names.size).toBe(50);
  });
});

test('deletes gracefully, with finalizers, and by propagation policy', async () => {
  const { run } = startWidgetServer();
  await run(async (client, process) => {
    const get = () => client.get(widgets, key);
    await client.create(widgets, widget('a'));
    await client.delete(widgets, key, { gracePeriodSeconds: 30 });
    expect((await get()).metadata).toMatchObject({
      deletionTimestamp: '2025-06-01T00:00:30Z',
      deletionGracePeriodSeconds: 30,
      generation: 2,
    });
    await process.clock.sleep(10_000);
    // Only a shorter time counts.
    await client.delete(widgets, key, { gracePeriodSeconds: 60 });
    await client.delete(widgets, key, { gracePeriodSeconds: 20 });
    expect((await get()).metadata).toMatchObject({
      deletionTimestamp: '2025-06-01T00:00:20Z',
      deletionGracePeriodSeconds: 20,
    });
    await client.delete(widgets, key, { gracePeriodSeconds: 0 });
    await expect(get()).rejects.toThrow('not found');

    await client.create(widgets, { ...widget('a'), metadata: { ...key, finalizers: ['example.com/hold'] } });
    await client.delete(widgets, key, { propagationPolicy: 'Foreground' });
    const held = await get();
    expect(held.metadata).toMatchObject({
      deletionTimestamp: '2025-06-01T00:00:10Z',
      deletionGracePeriodSeconds: 0,
      finalizers: ['example.com/hold', 'foregroundDeletion'],
    });
    await expect(
      client.update(widgets, { ...held, metadata: { ...held.metadata, finalizers: ['example.com/more'] } }),
    ).rejects.toThrow(
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/more"}',
    );
    await client.update(widgets, { ...held, metadata: { ...held.metadata, finalizers: [] } });
    await expect(get()).rejects.toThrow('not found');

    for (const name of ['x', 'y', 'z'])
      await client.create(widgets, {
        metadata: { namespace: 'default', name, labels: { pick: name === 'z' ? 'no' : 'yes' } },
      });
    await client.deleteCollection(widgets, { namespace: 'default', labelSelector: 'pick=yes' });
    expect((await client.list(widgets)).items.map(({ metadata }) => metadata.name)).toEqual(['z']);
  });
});

test('changes nothing when asked for a dry run', async () => {
  const { run, etcd } = startWidgetServer();
  await run(async (client) => {
    const made = await client.create(widgets, widget('a', { spec: { size: 1 } }));
    const { revision } = etcd;
    expect((await client.create(widgets, widget('b'), { dryRun: true })).metadata.uid).toBeDefined();
    expect((await client.update(widgets, { ...made, spec: { size: 2 } }, { dryRun: true })).spec).toEqual({ size: 2 });
    await client.deleteCollection(widgets, { namespace: 'default', dryRun: true });
    expect(etcd.revision).toBe(revision);
    expect(await client.get(widgets, key)).toBe(made);
  });
});

test('a caller whose server goes gets an error; a server whose caller goes finishes its work', async () => {
  const { run, root, server, clientOf, etcd } = startWidgetServer({ profile: 'realistic' });
  await run(async (client, process) => {
    const second = root.child('second');
    second.spawn('create', () => clientOf('second').create(widgets, widget('a')));
    await process.clock.sleep(0.5);
    second.exit();
    await process.clock.sleep(100);
    expect(etcd.get('/registry/widgets/default/a')).toBeDefined();
    process.clock.afterFunc(0.5, 'kill', () => server.exit());
    await expect(client.create(widgets, widget('b'))).rejects.toThrow('kube-apiserver has exited');
    await expect(client.get(widgets, key)).rejects.toThrow('kube-apiserver has exited');
    await process.clock.sleep(100);
    expect(etcd.get('/registry/widgets/default/b')).toBeUndefined();
  });
});

test('a server that starts anew finds everything again, and gives out other uids', async () => {
  const first = startWidgetServer();
  const { etcd, server, run } = first;
  await run(async (client) => {
    await client.create(widgets, widget('a', { spec: { size: 1 } }));
  });
  server.exit();
  const second = startWidgetServer({ on: first });
  await second.run(async (client) => {
    const { metadata } = await client.create(widgets, widget('b'));
    expect(metadata.uid).not.toBe((await client.get(widgets, key)).metadata.uid);
    expect((await client.list(widgets, { fieldSelector: 'spec.nodeName=' })).items).toHaveLength(2);
  });
  expect(etcd.count('/registry/widgets/')).toBe(2);
});

test('an etcd that is stopped makes requests fail', async () => {
  const { etcd, run } = startWidgetServer();
  await run(async (client) => {
    etcd.stop();
    await expect(client.create(widgets, widget('a'))).rejects.toThrow(
      'dial tcp 127.0.0.1:2379: connect: connection refused',
    );
    await expect(client.list(widgets)).rejects.toThrow('dial tcp 127.0.0.1:2379: connect: connection refused');
    etcd.start();
    await client.create(widgets, widget('a'));
  });
});

test('both modes of the pump give the same turns and spans', async () => {
  const digest = async (strictHop?: () => Promise<void>) => {
    const { run, root, pump } = startWidgetServer({ profile: 'realistic', ...(strictHop ? { strictHop } : {}) });
    const turns: string[] = [];
    pump.onTurn = ({ time, process, name }) => void turns.push(`${time} ${process} ${name}`);
    await run(async (client, process) => {
      await client.watch(widgets, {}, { event: () => {}, closed: () => {} });
      const jobs = [1, 2, 3].map((i) => process.spawn('job', () => client.create(widgets, widget(`w${i}`))));
      for (const job of jobs) await job.join();
      await client.patch(widgets, { namespace: 'default', name: 'w1' }, 'application/merge-patch+json', {
        spec: { size: 3 },
      });
      await client.list(widgets, { limit: 2 });
      await client.deleteCollection(widgets, { namespace: 'default' });
      await client.get(widgets, key).catch(() => undefined);
    });
    return { turns, spans: [...root.tracer.from(0)] };
  };
  const fast = await digest();
  expect(await digest(() => new Promise((resolve) => void setImmediate(resolve)))).toEqual(fast);
  expect(fast.turns.length).toBeGreaterThan(30);
});
