import { expect, test } from 'vitest';
import '#api/generated/descriptions.ts';
import { LiveCluster } from '#testing/live-cluster.ts';
import './openapi-source.ts';

interface Answer {
  readonly items?: readonly Answer[];
  readonly groups?: readonly { readonly name: string }[];
  readonly resources?: readonly { readonly name: string }[];
  readonly components?: { readonly schemas: Readonly<Record<string, unknown>> };
  readonly metadata: { readonly name: string; readonly uid: string; readonly generation: number };
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason: string }[];
  };
}

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const FOOS = '/apis/example.com/v1/namespaces/default/foos';

const foos = (names: object = {}, properties: object = { a: { type: 'integer', default: 1 } }) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'foos.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'foos', kind: 'Foo', shortNames: ['fo'], ...names },
    versions: ['v1', 'v2'].map((name) => ({
      name,
      served: true,
      storage: name === 'v1',
      schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties } } } },
    })),
  },
});

const foo = (name: string, rest: object = {}) => ({
  apiVersion: 'example.com/v1',
  kind: 'Foo',
  metadata: { name, ...rest },
  spec: {},
});

test('custom resources come, are served in all versions, and go', { timeout: 60_000 }, async () => {
  const live = await new LiveCluster({ workers: 0, latency: 'none' }).start();
  const send = (method: string, path: string, body?: unknown) => live.send<Answer>(method, path, body);
  await send('POST', CRDS, foos());
  await live.run(1000);
  const { status } = await send('GET', `${CRDS}/foos.example.com`);
  expect(status?.conditions?.map(({ type, status: is }) => `${type}=${is}`)).toEqual([
    'NamesAccepted=True',
    'Established=True',
  ]);
  expect((await send('GET', '/apis')).groups?.some(({ name }) => name === 'example.com')).toBe(true);
  expect((await send('GET', '/openapi/v3/apis/example.com/v1')).components?.schemas).toHaveProperty(
    'com.example.v1.Foo',
  );

  await send('POST', FOOS, foo('owner'));
  const owner = await send('GET', `${FOOS.replace('v1', 'v2')}/owner`);
  expect(owner).toMatchObject({ apiVersion: 'example.com/v2', spec: { a: 1 }, metadata: { generation: 1 } });
  const changed = await send('PATCH', `${FOOS}/owner`, { spec: { a: 2 } });
  expect(changed.metadata.generation).toBe(2);

  // A new default shows in what is stored already.
  const more = foos({}, { a: { type: 'integer', default: 1 }, b: { type: 'string', default: 'new' } });
  await send('PATCH', `${CRDS}/foos.example.com`, { spec: more.spec });
  await live.run(1000);
  expect((await send('GET', `${FOOS}/owner`)).spec).toEqual({ a: 2, b: 'new' });

  // Garbage collection follows kinds that came while it ran.
  const { uid } = owner.metadata;
  const ownerReferences = [{ apiVersion: 'example.com/v1', kind: 'Foo', name: 'owner', uid }];
  await send('POST', '/api/v1/namespaces/default/configmaps', { metadata: { name: 'owned', ownerReferences } });
  await live.run(1000);
  await send('DELETE', `${FOOS}/owner`);
  await live.run(5000);
  await expect(send('GET', '/api/v1/namespaces/default/configmaps/owned')).rejects.toThrow('not found');

  // So does the deletion of a namespace.
  await send('POST', '/api/v1/namespaces', { metadata: { name: 'other' } });
  await live.run(1000);
  await send('POST', FOOS.replace('default', 'other'), foo('inside'));
  await send('DELETE', '/api/v1/namespaces/other');
  await live.run(20_000);
  await expect(send('GET', '/api/v1/namespaces/other')).rejects.toThrow('not found');

  // What is held stays, and nothing new comes, until it is let go.
  await send('POST', FOOS, foo('held', { finalizers: ['example.com/hold'] }));
  await send('DELETE', `${CRDS}/foos.example.com`);
  await live.run(2000);
  await expect(send('POST', FOOS, foo('late'))).rejects.toThrow('create not allowed while custom resource definition');
  await send('PATCH', `${FOOS}/held`, { metadata: { finalizers: null } });
  await live.run(10_000);
  await expect(send('GET', `${CRDS}/foos.example.com`)).rejects.toThrow('not found');
  await expect(send('GET', FOOS)).rejects.toThrow('404 page not found');
  expect((await send('GET', '/apis')).groups?.some(({ name }) => name === 'example.com')).toBe(false);
});

test('names are given once; a server that starts anew serves what the store has', { timeout: 60_000 }, async () => {
  const live = await new LiveCluster({ workers: 0, latency: 'none' }).start();
  const send = (method: string, path: string, body?: unknown) => live.send<Answer>(method, path, body);
  await send('POST', CRDS, foos());
  await live.run(1000);
  const rival = { ...foos({ plural: 'rivals', kind: 'Foo' }), metadata: { name: 'rivals.example.com' } };
  await send('POST', CRDS, rival);
  await live.run(1000);
  const reasons = async () =>
    (await send('GET', `${CRDS}/rivals.example.com`)).status?.conditions?.map(({ reason }) => reason);
  expect(await reasons()).toEqual(['ListKindConflict', 'NotAccepted']);
  await send('DELETE', `${CRDS}/foos.example.com`);
  await live.run(1000);
  expect(await reasons()).toEqual(['NoConflicts', 'InitialNamesAccepted']);

  await live.until(live.cluster.faults.set('kube-apiserver', 'stopped'));
  await live.until(live.cluster.faults.set('kube-apiserver', 'running'));
  await live.run(2000);
  await send('POST', FOOS.replace('foos', 'rivals'), foo('again'));
});

test('API services: the own ones, those of custom resources, and those of servers that are not there', {
  timeout: 60_000,
}, async () => {
  const live = await new LiveCluster({ workers: 0, latency: 'none' }).start();
  const send = (method: string, path: string, body?: unknown) => live.send<Answer>(method, path, body);
  const SERVICES = '/apis/apiregistration.k8s.io/v1/apiservices';
  await send('POST', CRDS, foos());
  await send('POST', SERVICES, {
    metadata: { name: 'v1.far.example.com' },
    spec: {
      group: 'far.example.com',
      version: 'v1',
      groupPriorityMinimum: 1000,
      versionPriority: 15,
      insecureSkipTLSVerify: true,
      service: { name: 'far', namespace: 'default' },
    },
  });
  await live.run(2000);
  const said = async (name: string) =>
    (await send('GET', `${SERVICES}/${name}`)).status?.conditions?.map(({ status, reason }) => `${status} ${reason}`);
  expect(await said('v1.apps')).toEqual(['True Local']);
  expect(await said('v2.example.com')).toEqual(['True Local']);
  expect(await said('v1.far.example.com')).toEqual(['False ServiceNotFound']);
  await expect(send('GET', '/apis/far.example.com/v1/things')).rejects.toThrow('service unavailable');
  await send('DELETE', `${CRDS}/foos.example.com`);
  await live.run(2000);
  await expect(said('v2.example.com')).rejects.toThrow('not found');
});
