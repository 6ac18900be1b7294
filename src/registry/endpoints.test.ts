import { expect, test } from 'vitest';
import { nodes } from '#api/core/v1/node.ts';
import { pods } from '#api/core/v1/pod.ts';
import { serviceAccounts } from '#api/core/v1/service-account.ts';
import type { Pod, PodSpec, TokenRequest } from '#api/generated/types.ts';
import type { ApiRequest } from '#apimachinery/api-request.ts';
import type { ApiObject } from '#apimachinery/resource.ts';
import { Rng } from '#base/rng.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import { TestApi } from '#testing/test-api.ts';
import { duplexPair, type HttpRequest, type HttpResponse, type HttpServer } from '#transport/http.ts';
import { endpoints } from './endpoints.ts';
import { TokenIssuer } from './token-issuer.ts';

/** A kubelet that answers everything in the same way and keeps what it was asked. */
class EchoKubelet implements HttpServer {
  readonly asked: HttpRequest[] = [];
  answer: HttpResponse = { status: 200, headers: {}, body: encodeUtf8('hello\n') };

  readonly handle = async (request: HttpRequest) => {
    this.asked.push(request);
    return this.answer;
  };
  readonly upgrade = async (request: HttpRequest) => {
    this.asked.push(request);
    return { protocol: 'v5.channel.k8s.io', socket: duplexPair()[0] };
  };
}

const kubelet = new EchoKubelet();
const tokens = new TokenIssuer(new Rng(1));
const server = () =>
  new TestApi('none', false, {
    subresources: endpoints({ kubelet: (node) => (node === 'node-1' ? kubelet : undefined), tokens }),
  });
const key = { namespace: 'default', name: 'web' };
const pod = (spec: Partial<PodSpec> = {}): Pod => ({
  metadata: { ...key },
  spec: { containers: [{ name: 'a', image: 'nginx' }], ...spec },
});
const refused = (work: Promise<unknown>, message: string) => expect(work).rejects.toMatchObject({ message });

test('a Pod is bound once', async () => {
  const api = server();
  await api.do((client) => client.create(pods, pod()));
  const bind = (target: string, metadata: object = key) =>
    api.do((client) =>
      client.createSubresource(pods, key, 'binding', {
        metadata,
        target: { kind: 'Node', name: target },
      } as ApiObject),
    );
  await refused(bind('node-1', { name: 'other' }), 'name in URL does not match name in Binding object');
  await refused(bind(''), 'target.name: Required value');
  await refused(
    bind('node-1', { ...key, uid: 'x' }),
    expect.stringContaining('Precondition failed: UID in precondition: x, UID in object meta: '),
  );
  expect(await bind('node-1')).toMatchObject({ kind: 'Status', status: 'Success', code: 201 });
  const bound = await api.do((client) => client.get(pods, key));
  expect(bound.spec.nodeName).toBe('node-1');
  expect(bound.metadata.generation).toBe(1);
  expect(bound.status?.conditions).toEqual([
    { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: '2026-01-01T00:00:00Z' },
  ]);
  await refused(
    bind('node-2'),
    'Operation cannot be fulfilled on pods/binding "web": pod web is already assigned to node "node-1"',
  );
});

test('an evicted Pod says why it goes', async () => {
  const api = server();
  await api.do((client) => client.create(pods, pod({ nodeName: 'node-1' })));
  const evict = (fields: object = {}) =>
    api.do((client) => client.createSubresource(pods, key, 'eviction', { metadata: key, ...fields } as ApiObject));
  await refused(
    evict({ deleteOptions: { preconditions: { uid: 'x' } } }),
    expect.stringContaining('the UID in the precondition (x) does not match the UID in record'),
  );
  expect(await evict()).toMatchObject({ status: 'Success', code: 201 });
  const going = await api.do((client) => client.get(pods, key));
  expect(going.metadata).toMatchObject({ deletionGracePeriodSeconds: 30, deletionTimestamp: '2026-01-01T00:00:30Z' });
  expect(going.status?.conditions).toMatchObject([
    { type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI', message: 'Eviction API: evicting' },
  ]);
  await evict({ deleteOptions: { gracePeriodSeconds: 0 } });
  await refused(
    api.do((client) => client.get(pods, key)),
    'pods "web" not found',
  );
});

test('logs come from the kubelet, or a reason why not', async () => {
  const api = server();
  const read = (parameters: Record<string, readonly string[]> = {}) => connect(api, 'log', { parameters });
  await refused(read(), 'pods "web" not found');
  await api.do((client) => client.create(pods, pod()));
  expect(await read()).toMatchObject({ status: 204 });
  await refused(
    read({ tailLines: ['-1'], limitBytes: ['0'] }),
    'PodLogOptions "web" is invalid: [tailLines: Invalid value: -1: must be greater than or equal to 0, limitBytes: Invalid value: 0: must be greater than 0]',
  );
  await refused(read({ tailLines: ['x'] }), 'strconv.ParseInt: parsing "x": invalid syntax');
  await refused(
    read({ sinceSeconds: ['1'], sinceTime: ['2026-01-01T00:00:00Z'] }),
    'PodLogOptions "web" is invalid: []: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified',
  );
  await refused(read({ container: ['b'] }), 'container b is not valid for pod web');
  await api.do(async (client) => {
    await client.createSubresource(pods, key, 'binding', { metadata: key, target: { name: 'node-1' } } as ApiObject);
  });
  await refused(read(), 'nodes "node-1" not found');
  await api.do((client) => client.create(nodes, { metadata: { name: 'node-1' }, spec: {} }));
  kubelet.asked.length = 0;
  const response = await read({ follow: ['true'], tailLines: ['5'], timestamps: ['false'], sinceSeconds: ['9'] });
  expect(response).toMatchObject({
    status: 200,
    headers: { 'content-type': 'text/plain' },
    body: encodeUtf8('hello\n'),
  });
  expect(kubelet.asked[0]?.path).toBe('/containerLogs/default/web/a?follow=true&sinceSeconds=9&tailLines=5');
  kubelet.answer = {
    status: 400,
    headers: {},
    body: encodeUtf8('container "a" in pod "web" is waiting to start: ContainerCreating'),
  };
  await refused(read(), 'container "a" in pod "web" is waiting to start: ContainerCreating');
  kubelet.answer = { status: 404, headers: {}, body: encodeUtf8('not here') };
  await refused(read(), 'the server could not find the requested resource ( pods/log web)');
});

test('several containers must be told apart', async () => {
  const api = server();
  const two = [
    { name: 'a', image: 'nginx' },
    { name: 'b', image: 'nginx' },
  ];
  await api.do((client) =>
    client.create(pods, pod({ containers: two, initContainers: [{ name: 'i', image: 'nginx' }], nodeName: 'node-9' })),
  );
  const why = 'a container name must be specified for pod web, choose one of: [i a b]';
  await refused(connect(api, 'log'), why);
  await refused(connect(api, 'exec'), why);
  await api.do((client) =>
    client.create(nodes, {
      metadata: { name: 'node-9' },
      spec: {},
      status: { addresses: [{ type: 'InternalIP', address: '172.18.0.9' }] },
    }),
  );
  await refused(
    connect(api, 'log', { parameters: { container: ['b'] } }),
    'Get "https://172.18.0.9:10250/containerLogs/default/web/b": dial tcp 172.18.0.9:10250: connect: connection refused',
  );
});

test('exec and attach are connections to the kubelet', async () => {
  const api = server();
  await api.do((client) => client.create(pods, pod()));
  await refused(connect(api, 'exec'), 'pod web does not have a host assigned');
  await api.do(async (client) => {
    await client.create(nodes, { metadata: { name: 'node-1' }, spec: {} });
    await client.createSubresource(pods, key, 'binding', { metadata: key, target: { name: 'node-1' } } as ApiObject);
  });
  await refused(connect(api, 'exec'), 'Upgrade request required');
  kubelet.asked.length = 0;
  const protocols = ['v5.channel.k8s.io'];
  const parameters = { command: ['sh', '-c', 'echo a b'], stdin: ['true'], stdout: ['1'], tty: ['false'] };
  expect(await connect(api, 'exec', { parameters, protocols })).toMatchObject({ protocol: 'v5.channel.k8s.io' });
  await connect(api, 'attach', { parameters, protocols });
  expect(kubelet.asked.map(({ path, headers }) => [path, headers['sec-websocket-protocol']])).toEqual([
    ['/exec/default/web/a?command=sh&command=-c&command=echo%20a%20b&input=1&output=1', 'v5.channel.k8s.io'],
    ['/attach/default/web/a?input=1&output=1', 'v5.channel.k8s.io'],
  ]);
});

test('tokens say whose they are, and for how long', async () => {
  const api = server();
  const account = { namespace: 'default', name: 'ci' };
  const ask = (spec: Partial<TokenRequest['spec']>, metadata: object = {}) =>
    api.do((client) =>
      client.createSubresource<TokenRequest>(serviceAccounts, account, 'token', { metadata, spec } as ApiObject),
    );
  await refused(ask({}), 'serviceaccounts "ci" not found');
  const made = await api.do((client) => client.create(serviceAccounts, { metadata: account }));
  await api.do((client) => client.create(pods, pod({ serviceAccountName: 'ci' })));
  await refused(
    ask({ expirationSeconds: 5 }),
    'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes',
  );
  await refused(
    ask({}, { name: 'other' }),
    'TokenRequest.authentication.k8s.io "ci" is invalid: metadata.name: Invalid value: "other": must match the service account name if specified',
  );
  await refused(ask({ boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'none' } }), 'pods "none" not found');
  const claims = ({ status }: TokenRequest) => JSON.parse(atob(status?.token.split('.')[1] ?? ''));
  const now = Date.UTC(2026, 0, 1) / 1000;
  // As kubectl sends it.
  const plain = await ask(JSON.parse('{"audiences": null, "expirationSeconds": null, "boundObjectRef": null}'));
  expect(plain).toMatchObject({
    metadata: { name: 'ci', namespace: 'default', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { audiences: ['https://kubernetes.default.svc.cluster.local'], expirationSeconds: 3600 },
    status: { expirationTimestamp: '2026-01-01T01:00:00Z' },
  });
  expect(claims(plain)).toEqual({
    aud: ['https://kubernetes.default.svc.cluster.local'],
    exp: now + 3600,
    iat: now,
    iss: 'https://kubernetes.default.svc.cluster.local',
    jti: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
    'kubernetes.io': { namespace: 'default', serviceaccount: { name: 'ci', uid: made.metadata.uid } },
    nbf: now,
    sub: 'system:serviceaccount:default:ci',
  });
  const bound = claims(
    await ask({ expirationSeconds: 3607, boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'web' } }),
  );
  expect(bound.exp).toBe(now + 365 * 24 * 3600);
  expect(bound['kubernetes.io']).toMatchObject({ pod: { name: 'web' }, warnafter: now + 3607 });
});

async function connect(api: TestApi, subresource: string, fields: Partial<ApiRequest> = {}) {
  return api.do(() =>
    api.backend.connect({
      verb: 'connect',
      group: '',
      version: 'v1',
      resource: 'pods',
      subresource,
      ...key,
      options: {},
      user: { name: 'test', groups: [] },
      userAgent: 'test/v1',
      cause: 0,
      ...fields,
    }),
  );
}
