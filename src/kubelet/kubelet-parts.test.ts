import { describe, expect, test } from 'vitest';
import type { Node, Pod, Service } from '#api/generated/types.ts';
import { Indexer } from '#client/indexer.ts';
import { admitPod } from './admission.ts';
import { CrashBackoff, goDuration } from './crash-backoff.ts';
import { podFieldValue, resourceFieldValue } from './downward-api.ts';
import { serviceVariables } from './environment.ts';
import { expand } from './expansion.ts';
import { HostFiles } from './host-files.ts';
import { NodeUsage } from './node-usage.ts';
import { hostsFile, podHostname, resolvFile } from './pod-files.ts';
import { nodeInVolume, writeAtomically } from './volume-files.ts';
import { newDirectory } from '#cri/os/file-node.ts';

test('durations as Go prints them', () => {
  expect([0, 450, 1200, 10_000, 80_000, 300_000, 3_661_500].map(goDuration)).toEqual([
    '0s',
    '450ms',
    '1.2s',
    '10s',
    '1m20s',
    '5m0s',
    '1h1m1.5s',
  ]);
});

test('the back-off doubles, has a limit, and begins anew after ten quiet minutes', () => {
  const backoff = new CrashBackoff();
  const delays: number[] = [];
  let now = 0;
  for (let i = 0; i < 8; i++) {
    expect(backoff.isInBackoff('k', now, now)).toBe(i > 0);
    now += backoff.delay('k');
    backoff.next('k', now, now);
    delays.push(backoff.delay('k') / 1000);
  }
  expect(delays).toEqual([10, 20, 40, 80, 160, 300, 300, 300]);
  now += 600_001;
  expect(backoff.isInBackoff('k', now, now)).toBe(false);
  backoff.next('k', now, now);
  expect(backoff.delay('k')).toBe(10_000);
});

describe('references to variables', () => {
  const cases: [string, string][] = [
    ['$(A)', 'a'],
    ['$(A)$(B)', 'a$(B)'],
    ['$$(A)', '$(A)'],
    ['$A $(A', '$A $(A'],
    ['cost: $$5', 'cost: $5'],
  ];
  for (const [text, expected] of cases)
    test(text, () => expect(expand(text, (name) => (name === 'A' ? 'a' : undefined))).toBe(expected));
});

describe('the downward API', () => {
  const pod = {
    metadata: { name: 'p', namespace: 'ns', uid: 'u', labels: { b: '2', a: 'x"y' }, annotations: { k: 'v' } },
    spec: {
      nodeName: 'n',
      serviceAccountName: 'sa',
      containers: [{ name: 'c', resources: { requests: { cpu: '250m' }, limits: { memory: '100Mi' } } }],
    },
  } as unknown as Pod;
  const context = { hostAddress: '192.168.0.11', podAddress: '10.244.0.2', allocatable: { cpu: '4', memory: '8Gi' } };
  const fields: [string, string][] = [
    ['metadata.name', 'p'],
    ['metadata.labels', 'a="x\\"y"\nb="2"'],
    ["metadata.annotations['k']", 'v'],
    ["metadata.labels['none']", ''],
    ['status.podIP', '10.244.0.2'],
    ['status.hostIP', '192.168.0.11'],
  ];
  for (const [fieldPath, expected] of fields)
    test(fieldPath, () => expect(podFieldValue({ fieldPath }, pod, context)).toBe(expected));
  const resources: [string, string | undefined, string][] = [
    ['requests.cpu', undefined, '1'],
    ['requests.cpu', '1m', '250'],
    ['limits.cpu', undefined, '4'],
    ['limits.memory', '1Mi', '100'],
    ['limits.memory', '1Gi', '1'],
    ['requests.memory', undefined, '0'],
  ];
  for (const [resource, divisor, expected] of resources) {
    test(`${resource} in ${divisor ?? 'units'}`, () =>
      expect(
        resourceFieldValue({ resource, ...(divisor ? { divisor } : {}) }, pod, pod.spec.containers[0], context),
      ).toBe(expected));
  }
});

test('Services as variables', () => {
  const service = (namespace: string, name: string, clusterIP: string) =>
    ({
      metadata: { namespace, name },
      spec: { clusterIP, ports: [{ name: 'https', port: 443, protocol: 'TCP' }] },
    }) as Service;
  const services = new Indexer<Service>();
  for (const one of [
    service('default', 'kubernetes', '10.96.0.1'),
    service('ns', 'my-db', '10.96.0.5'),
    service('ns', 'headless', 'None'),
    service('other', 'x', '10.96.0.6'),
  ])
    services.set(`${one.metadata.namespace}/${one.metadata.name}`, one);
  expect([...serviceVariables(services, 'ns', true).keys()].filter((name) => name.endsWith('_HOST'))).toEqual([
    'KUBERNETES_SERVICE_HOST',
    'MY_DB_SERVICE_HOST',
  ]);
  expect(Object.fromEntries(serviceVariables(services, 'ns', false))).toEqual({
    KUBERNETES_SERVICE_HOST: '10.96.0.1',
    KUBERNETES_SERVICE_PORT: '443',
    KUBERNETES_SERVICE_PORT_HTTPS: '443',
    KUBERNETES_PORT: 'tcp://10.96.0.1:443',
    KUBERNETES_PORT_443_TCP: 'tcp://10.96.0.1:443',
    KUBERNETES_PORT_443_TCP_PROTO: 'tcp',
    KUBERNETES_PORT_443_TCP_PORT: '443',
    KUBERNETES_PORT_443_TCP_ADDR: '10.96.0.1',
  });
});

describe('what a node takes', () => {
  const node = {
    metadata: { name: 'n', labels: { disk: 'ssd' } },
    spec: {},
    status: { allocatable: { cpu: '2', memory: '1Gi', pods: '2' } },
  } as unknown as Node;
  const pod = (cpu: string, more: object = {}, ports: object[] = []) =>
    ({
      metadata: { name: 'p', uid: cpu },
      spec: { nodeName: 'n', containers: [{ name: 'c', resources: { requests: { cpu } }, ports }], ...more },
    }) as unknown as Pod;
  const others = [pod('1500m', {}, [{ containerPort: 80, hostPort: 80 }])];
  const cases: [string, Pod, readonly Pod[], string | undefined][] = [
    ['it fits', pod('500m'), others, undefined],
    [
      'too much CPU',
      pod('600m'),
      others,
      "OutOfcpu: Node didn't have enough resource: cpu, requested: 600, used: 1500, capacity: 2000",
    ],
    [
      'too many',
      pod('0'),
      [...others, pod('1m')],
      "OutOfpods: Node didn't have enough resource: pods, requested: 1, used: 2, capacity: 2",
    ],
    [
      'selector',
      pod('1m', { nodeSelector: { disk: 'hdd' } }),
      [],
      "NodeAffinity: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    ],
    [
      'port',
      pod('1m', {}, [{ containerPort: 8080, hostPort: 80 }]),
      others,
      "NodePorts: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
    ],
    [
      'Windows',
      pod('1m', { os: { name: 'windows' } }),
      [],
      "PodOSNotSupported: Failed to admit pod as the OS field doesn't match node OS",
    ],
  ];
  for (const [name, wanted, beside, expected] of cases) {
    test(name, () => {
      const usage = new NodeUsage();
      for (const one of beside) usage.add(one);
      const rejection = admitPod(wanted, node, usage);
      expect(rejection && `${rejection.reason}: ${rejection.message}`).toBe(expected);
    });
  }
});

test('files of a Pod', () => {
  const config = {
    nodeName: 'n',
    nodeAddress: '192.168.0.11',
    clusterDns: '10.96.0.10',
    clusterDomain: 'cluster.local',
  } as Parameters<typeof hostsFile>[2];
  const pod = {
    metadata: { name: 'web-0', namespace: 'ns' },
    spec: {
      subdomain: 'web',
      hostAliases: [{ ip: '1.2.3.4', hostnames: ['x', 'y'] }],
      dnsConfig: { searches: ['example.com'] },
    },
  } as unknown as Pod;
  expect(hostsFile(pod, '10.244.0.2', config).split('\n').slice(-5)).toEqual([
    '10.244.0.2\tweb-0.web.ns.svc.cluster.local\tweb-0',
    '',
    '# Entries added by HostAliases.',
    '1.2.3.4\tx\ty',
    '',
  ]);
  expect(resolvFile(pod, config)).toBe(
    'search ns.svc.cluster.local svc.cluster.local cluster.local example.com\nnameserver 10.96.0.10\noptions ndots:5\n',
  );
  expect(podHostname({ metadata: { name: `${'a'.repeat(62)}-b` }, spec: {} } as unknown as Pod, 'x').hostname).toBe(
    'a'.repeat(62),
  );
});

test('volumes are changed as a whole, and nothing leads out of them', () => {
  const volume = newDirectory({}, 0);
  const file = (content: string) => ({ content, encoding: 'text' as const, mode: 0o644 });
  writeAtomically(
    volume,
    new Map([
      ['a', file('1')],
      ['d/b', file('2')],
    ]),
    1000,
  );
  expect([...volume.entries.keys()].sort()).toEqual(['..1970_01_01_00_00_01.000000000', '..data', 'a', 'd']);
  writeAtomically(volume, new Map([['a', file('3')]]), 2000);
  expect([...volume.entries.keys()].sort()).toEqual(['..1970_01_01_00_00_02.000000000', '..data', 'a']);
  expect(nodeInVolume(volume, 'a', 0)).toMatchObject({ type: 'file', size: 1 });
  expect(nodeInVolume(volume, '../x', 0)).toBeUndefined();
  expect(nodeInVolume(volume, 'new/dir', 0)).toMatchObject({ type: 'directory' });
});

test('hostPath types', () => {
  const host = new HostFiles('n', () => 0);
  expect(host.find('/var/log', 'Directory').type).toBe('directory');
  expect(() => host.find('/nope', 'Directory')).toThrow('hostPath type check failed: /nope is not a directory');
  expect(() => host.find('/var/log', 'File')).toThrow('hostPath type check failed: /var/log is not a file');
  expect(host.find('/data/x', 'DirectoryOrCreate')).toBe(host.find('/data/x', 'Directory'));
  expect(host.find('/data/f', 'FileOrCreate').type).toBe('file');
});
