import { expect, test } from 'vitest';
import type { KubeObject } from '../../cluster-store/kube-object.ts';
import { translate } from '../../i18n/translate.ts';
import { changedFields } from './why-change.ts';
import { plainText } from './why-sentences.ts';
import { stateReasons, type Surroundings } from './why-state.ts';

const t = translate('en');
const labels = { app: 'web' };
const pod = (name: string, spec: object, status: object, metadata: object = {}): KubeObject => ({
  metadata: { namespace: 'default', name, labels, ...metadata },
  spec: { containers: [{ name: 'main', readinessProbe: { httpGet: { path: '/ready', port: 80 } } }], ...spec },
  status: { ...status },
});
const bound = { nodeName: 'node-1' };
const ready = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
const unready = {
  phase: 'Running',
  conditions: [{ type: 'Ready', status: 'False' }],
  containerStatuses: [{ name: 'main', ready: false, started: true, state: { running: {} } }],
};
const node = (status: string): KubeObject => ({
  metadata: { name: 'node-1' },
  status: { conditions: [{ type: 'Ready', status, reason: 'R', message: 'm' }] },
});
const service = (selector: object | undefined, more: object = {}): KubeObject => ({
  metadata: { namespace: 'default', name: 'web' },
  spec: { selector, ...more },
});
const around = (pods: readonly KubeObject[] = [], faults: Readonly<Record<string, string>> = {}): Surroundings => ({
  pods,
  nodes: [node('True')],
  fault: (target) => faults[target],
});
const said = (plural: string, object: KubeObject, surroundings = around()) =>
  stateReasons(t, plural, object, surroundings).map(({ text, said: words }) =>
    [plainText(text), words].filter(Boolean).join(' '),
  );

const unschedulable = {
  phase: 'Pending',
  conditions: [{ type: 'PodScheduled', status: 'False', message: '0/4 nodes' }],
};
const crashed = {
  phase: 'Running',
  containerStatuses: [
    {
      name: 'main',
      state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } },
      lastState: { terminated: { reason: 'Error', exitCode: 1 } },
    },
  ],
};

test.each<readonly [string, KubeObject, Surroundings, readonly string[]]>([
  [
    'waits for the scheduler',
    pod('a', {}, unschedulable),
    around(),
    ['kube-scheduler found no Node for it: 0/4 nodes'],
  ],
  [
    'waits while the scheduler is stopped',
    pod('a', {}, { phase: 'Pending' }),
    around([], { 'kube-scheduler': 'stopped' }),
    ['It waits for a Node, and kube-scheduler is stopped.'],
  ],
  [
    'fails its probe',
    pod('a', bound, unready),
    around(),
    ['Container main runs, but its readinessProbe (GET :80/ready) does not succeed.'],
  ],
  [
    'hangs',
    pod('a', bound, unready),
    around([], { 'pods/default/a': 'hang' }),
    ['You switched it to “hang”.', 'Container main runs, but its readinessProbe (GET :80/ready) does not succeed.'],
  ],
  [
    'crashes',
    pod('a', bound, crashed),
    around(),
    ['Container main ended (Error, exit code 1) and waits before it is started again. back-off 10s'],
  ],
  [
    'is on a Node without power',
    pod('a', bound, { phase: 'Running', conditions: [{ type: 'Ready', status: 'False' }] }),
    around([], { 'nodes/node-1': 'off' }),
    ['Node node-1 is switched off.'],
  ],
  ['is ready', pod('a', bound, ready), around(), ['All its containers are ready.']],
])('a Pod that %s says so', (_, object, surroundings, expected) =>
  expect(said('pods', object, surroundings)).toEqual(expected),
);

test.each<readonly [string, KubeObject, readonly KubeObject[], readonly string[]]>([
  [
    'matches nothing',
    service({ app: 'x' }),
    [pod('a', bound, ready)],
    ['Nobody answers: no Pod of its namespace has the labels app=x.'],
  ],
  [
    'has no ready Pods',
    service(labels),
    [pod('a', bound, unready)],
    ['Nobody answers: its selector matches 1 Pods, 0 of them ready.', 'Pod a is not ready, so no traffic goes there.'],
  ],
  [
    'has some',
    service(labels),
    [pod('a', bound, ready), pod('b', bound, ready), pod('c', bound, ready, { namespace: 'other' })],
    ['2 of 2 Pods that its selector matches are ready, and answer.'],
  ],
  [
    'has no selector',
    service(undefined),
    [],
    ['It has no selector: its endpoints are those that somebody writes by hand.'],
  ],
  [
    'is a name only',
    service(undefined, { type: 'ExternalName', externalName: 'example.com' }),
    [],
    ['It is only another name for example.com; no address, no endpoints.'],
  ],
])('a Service that %s says so', (_, object, pods, expected) =>
  expect(said('services', object, around(pods))).toEqual(expected),
);

test('a Deployment says what holds it up', () => {
  const owned = pod('web-1-a', {}, unschedulable, {
    labels: { ...labels, 'pod-template-hash': '1' },
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-1', uid: 'r', controller: true }],
  });
  const deployment: KubeObject = {
    metadata: { namespace: 'default', name: 'web', uid: 'd' },
    spec: { replicas: 1 },
    status: {
      updatedReplicas: 1,
      conditions: [{ type: 'Available', status: 'False', reason: 'Few', message: 'none' }],
    },
  };
  expect(said('deployments', deployment, around([owned], { 'controllers/deployment-controller': 'stopped' }))).toEqual([
    'Its controller, deployment-controller, is stopped: nobody brings it to what it should be.',
    '0 of 1 Pods are ready.',
    'Available Few: none',
    'Pod web-1-a: kube-scheduler found no Node for it: 0/4 nodes',
  ]);
});

test('a Node and a Namespace say why they are as they are', () => {
  expect(said('nodes', node('Unknown'), around([], { 'nodes/node-1': 'unplugged' }))).toEqual([
    'Node node-1 is unplugged from the network.',
    'Its kubelet has not been heard of for a while: R: m',
  ]);
  const leaving: KubeObject = { metadata: { name: 'team', deletionTimestamp: 'now', finalizers: ['kubernetes'] } };
  expect(said('namespaces', leaving)).toEqual(['Its deletion was asked for; it waits for its finalizers: kubernetes.']);
});

test('the fields that changed are told apart, and noise is not', () => {
  const before = {
    metadata: { resourceVersion: '1' },
    spec: { replicas: 1 },
    status: { conditions: [{ type: 'A', status: 'x' }] },
  };
  const after = {
    metadata: { resourceVersion: '2' },
    spec: { replicas: 2 },
    status: { conditions: [{ type: 'A', status: 'y' }] },
  };
  expect(changedFields(before, after)).toEqual(['spec.replicas', 'status.conditions[A].status']);
  expect(changedFields({}, { metadata: { labels: { a: 'b' } } })).toEqual(['metadata.labels']);
});
