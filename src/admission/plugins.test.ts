import { expect, test } from 'vitest';
import { namespaces } from '#api/core/v1/namespace.ts';
import { nodes } from '#api/core/v1/node.ts';
import { pods } from '#api/core/v1/pod.ts';
import { serviceAccounts } from '#api/core/v1/service-account.ts';
import type { Namespace, Node, Pod, PriorityClass, ServiceAccount } from '#api/generated/types.ts';
import { priorityClasses } from '#api/scheduling/v1/priority-class.ts';
import type { Client } from '#client/client.ts';
import { decoded } from '#testing/kind.ts';
import { TestApi } from '#testing/test-api.ts';
import { plugins } from './plugins.ts';

const server = () => new TestApi('none', false, { admission: plugins });
const pod = (fields = '', spec = '') =>
  decoded(
    pods,
    `metadata: {name: web, namespace: default}\nspec: {containers: [{name: a, image: nginx${fields}}]${spec}}`,
  );
const account = (fields: Partial<ServiceAccount> = {}): ServiceAccount => ({
  metadata: { name: 'default', namespace: 'default' },
  ...fields,
});
const refused = (work: Promise<unknown>, message: string) => expect(work).rejects.toMatchObject({ message });

test('a Pod gets account, token, priority and tolerations', async () => {
  const api = server();
  const made = await api.do(async (client) => {
    await client.create(serviceAccounts, account({ imagePullSecrets: [{ name: 'reg' }] }));
    return client.create(pods, pod('', ', initContainers: [{name: i, image: busybox}]'));
  });
  const name = made.spec.volumes?.[0]?.name ?? '';
  expect(name).toMatch(/^kube-api-access-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  const mount = { name, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' };
  expect(made.spec).toMatchObject({
    serviceAccountName: 'default',
    serviceAccount: 'default',
    imagePullSecrets: [{ name: 'reg' }],
    priority: 0,
    preemptionPolicy: 'PreemptLowerPriority',
    containers: [{ volumeMounts: [mount] }],
    initContainers: [{ volumeMounts: [mount] }],
    tolerations: [
      { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
      { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
    ],
  });
  expect(made.spec.volumes?.[0]?.projected).toEqual({
    defaultMode: 420,
    sources: [
      { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      {
        downwardAPI: {
          items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
        },
      },
    ],
  });
  expect(made.status).toEqual({ phase: 'Pending', qosClass: 'BestEffort' });
});

test('the token stays out where it is not wanted, and is not mounted twice', async () => {
  const api = server();
  const check = async (given: Pod, sa: Partial<ServiceAccount>, mounts: number) => {
    const spec = await api.do(async (client) => {
      await client.create(serviceAccounts, account(sa));
      const made = await client.create(pods, given);
      await client.delete(pods, { namespace: 'default', name: 'web' });
      await client.delete(serviceAccounts, { namespace: 'default', name: 'default' });
      return made.spec;
    });
    expect(spec.containers[0]?.volumeMounts?.length ?? 0).toBe(mounts);
    return spec;
  };
  await check(pod('', ', automountServiceAccountToken: false'), {}, 0);
  await check(pod(), { automountServiceAccountToken: false }, 0);
  await check(pod('', ', automountServiceAccountToken: true'), { automountServiceAccountToken: false }, 1);
  const own = await check(
    pod(
      ', volumeMounts: [{name: mine, mountPath: /var/run/secrets/kubernetes.io/serviceaccount}]',
      ', volumes: [{name: mine}]',
    ),
    {},
    1,
  );
  expect(own.volumes?.map(({ name }) => name)).toEqual(['mine']);
});

test('the default account of a new namespace is waited for', async () => {
  const api = server();
  const controller = api.root.child('controller');
  controller.spawn('make the account', async () => {
    await controller.clock.sleep(200);
    await api.client.create(serviceAccounts, account());
  });
  const waited = await api.do(async (client) => {
    const started = api.pump.now;
    await client.create(pods, pod());
    return api.pump.now - started;
  });
  expect(waited).toBe(300);
});

test('what a Pod is refused for', async () => {
  const api = server();
  const check = (work: (client: Client) => Promise<unknown>, message: string) => refused(api.do(work), message);
  await check(
    (client) => client.create(pods, { ...pod(), metadata: { name: 'web', namespace: 'nowhere' } }),
    'namespaces "nowhere" not found',
  );
  await check(
    (client) => client.create(pods, pod()),
    'pods "web" is forbidden: error looking up service account default/default: serviceaccount "default" not found',
  );
  await check(
    (client) =>
      client.create(pods, {
        ...pod('', ', serviceAccountName: ci'),
        metadata: { generateName: 'w-', namespace: 'default' },
      }),
    'pods "w-" is forbidden: error looking up service account default/ci: serviceaccount "ci" not found',
  );
  await api.do((client) => client.create(serviceAccounts, account()));
  await check(
    (client) => client.create(pods, pod('', ', priorityClassName: high')),
    'pods "web" is forbidden: no PriorityClass with name high was found',
  );
  await check(
    (client) => client.create(pods, pod('', ', priority: 5')),
    'pods "web" is forbidden: the integer value of priority (5) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name',
  );
  await check(
    (client) => client.create(pods, mirror),
    'pods "web" is forbidden: a mirror pod may not reference service accounts',
  );
  await api.do(async (client) => {
    await client.create(namespaces, { metadata: { name: 'ending', finalizers: ['a/b'] }, spec: {} } as Namespace);
    await client.delete(namespaces, { name: 'ending' });
  });
  await check(
    (client) => client.create(pods, { ...pod(), metadata: { name: 'web', namespace: 'ending' } }),
    'pods "web" is forbidden: unable to create new content in namespace ending because it is being terminated',
  );
  await check(
    (client) => client.delete(namespaces, { name: 'default' }),
    'namespaces "default" is forbidden: this namespace may not be deleted',
  );
});

const mirror = decoded(
  pods,
  `metadata: {name: web, namespace: default, annotations: {kubernetes.io/config.mirror: x}}
spec: {nodeName: n1, serviceAccountName: default, containers: [{name: a, image: nginx}]}`,
);

test('priority classes: by name, by default, one default', async () => {
  const api = server();
  const priorityClass = (name: string, value: number, globalDefault: boolean): PriorityClass => ({
    metadata: { name },
    value,
    globalDefault,
    preemptionPolicy: 'Never',
  });
  await api.do((client) => client.create(serviceAccounts, account()));
  await api.do((client) => client.create(priorityClasses, priorityClass('high', 100, false)));
  await api.do((client) => client.create(priorityClasses, priorityClass('usual', 7, true)));
  const named = await api.do((client) => client.create(pods, pod('', ', priorityClassName: high')));
  expect(named.spec).toMatchObject({ priority: 100, preemptionPolicy: 'Never', priorityClassName: 'high' });
  const other = await api.do((client) =>
    client.create(pods, { ...pod(), metadata: { name: 'other', namespace: 'default' } }),
  );
  expect(other.spec).toMatchObject({ priority: 7, priorityClassName: 'usual' });
  await refused(
    api.do((client) => client.create(priorityClasses, priorityClass('second', 8, true))),
    'priorityclasses.scheduling.k8s.io "second" is forbidden: PriorityClass usual is already marked as default. Only one default can exist',
  );
});

test('a new node is tainted as not ready, once', async () => {
  const api = server();
  const check = async (name: string, taints: Node['spec']['taints']) => {
    const node = await api.do((client) => client.create(nodes, { metadata: { name }, spec: { taints } } as Node));
    expect(node.spec.taints).toEqual([{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }]);
  };
  await check('n1', undefined);
  await check('n2', [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }]);
});

test('an account that enforces its secrets', async () => {
  const api = server();
  await api.do((client) =>
    client.create(serviceAccounts, {
      ...account({ secrets: [{ name: 'ok' }] }),
      metadata: { ...account().metadata, annotations: { 'kubernetes.io/enforce-mountable-secrets': 'true' } },
    }),
  );
  const check = async (given: Pod, why: string) =>
    refused(
      api.do((client) => client.create(pods, given)),
      `pods "web" is forbidden: ${why}`,
    );
  await check(
    pod('', ', volumes: [{name: v, secret: {secretName: nope}}]'),
    'volume with secret.secretName="nope" is not allowed because service account default does not reference that secret',
  );
  await check(
    pod(', env: [{name: A, valueFrom: {secretKeyRef: {name: nope, key: k}}}]'),
    'container a with envVar A referencing secret.secretName="nope" is not allowed because service account default does not reference that secret',
  );
  await check(
    pod('', ', imagePullSecrets: [{name: nope}]'),
    'imagePullSecrets[0].name="nope" is not allowed because service account default does not reference that imagePullSecret',
  );
  await api.do((client) => client.create(pods, pod('', ', volumes: [{name: v, secret: {secretName: ok}}]')));
});
