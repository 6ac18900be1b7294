import { describe, expect, test } from 'vitest';
import { nodes } from '#api/core/v1/node.ts';
import { services } from '#api/core/v1/service.ts';
import { endpointSlices } from '#api/discovery/v1/endpoint-slice.ts';
import type { Endpoint, EndpointSlice, Node, Service } from '#api/generated/types.ts';
import { latencyOf } from '#base/latency.ts';
import { decodeUtf8, encodeUtf8 } from '#base/utf8.ts';
import { httpExchange, serveHttp } from '#network/http.ts';
import { Network, type NetworkNamespace } from '#network/network.ts';
import { TestApi } from '#testing/test-api.ts';
import { KubeProxy } from './kube-proxy.ts';
import { PacketFilter } from './packet-filter.ts';
import type { ProxyConfig } from './proxy-config.ts';
import { ServicePortCompiler } from './service-ports.ts';

/** Two nodes with three web Pods on the first and one on the second, a client on each, and kube-proxies. */
class Traffic extends TestApi {
  readonly network = new Network(this.root.child('network'), latencyOf('none'));
  readonly hosts: readonly NetworkNamespace[];
  readonly clients: readonly NetworkNamespace[];
  readonly proxies = [0, 1].map((i) => this.root.child(`kube-proxy ${i}`));
  readonly compiler = new ServicePortCompiler();
  readonly filters: readonly PacketFilter[];

  constructor(config: ProxyConfig = { mode: 'iptables', minSyncPeriodMs: 1000, ignored: [] }) {
    super();
    this.hosts = [1, 2].map((n) => this.network.createHost(`node-${n}`, `192.168.0.1${n}`, `nodes/node-${n}`));
    this.clients = this.hosts.map((host, i) =>
      this.network.createNamespace(`box-${i + 1}`, host, `10.244.${i + 1}.9`, `pods/default/box-${i + 1}`),
    );
    for (const [address, host] of [
      ['10.244.1.1', 0],
      ['10.244.1.2', 0],
      ['10.244.1.3', 0],
      ['10.244.2.1', 1],
    ] as const) {
      const pod = this.network.createNamespace(address, this.hosts[host] as NetworkNamespace, address);
      const serve = ({ path }: { path: string }, { remote }: { remote: { address: string } }) => ({
        status: 200,
        body: path === '/from' ? remote.address : address,
      });
      serveHttp(pod, this.root, 8080, serve);
      pod.listenDatagram(this.root, 8080, (_, from) => encodeUtf8(`${address} to ${from.address}`));
    }
    this.filters = this.hosts.map((host) => new PacketFilter(host));
    this.hosts.forEach((_, i) => this.startProxy(i, config));
  }

  startProxy(i: number, config: ProxyConfig = { mode: 'iptables', minSyncPeriodMs: 1000, ignored: [] }): void {
    const process = this.proxies[i]?.alive ? this.proxies[i] : this.root.child(`kube-proxy ${i} again`);
    const proxy = new KubeProxy({
      process,
      client: this.client,
      nodeName: `node-${i + 1}`,
      host: this.hosts[i] as NetworkNamespace,
      filter: this.filters[i] as PacketFilter,
      compiler: this.compiler,
      config,
      log: async () => {},
    });
    process.spawn('run', () => proxy.run());
  }

  async put(spec: Partial<NonNullable<Service['spec']>>, endpoints: readonly Endpoint[], status = {}): Promise<void> {
    const ports = [{ name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }];
    await this.do(async (client) => {
      const metadata = { namespace: 'default', name: 'web' };
      const service = await client.create(services, { metadata, spec: { clusterIP: '10.96.0.80', ports, ...spec } });
      if (Object.keys(status).length > 0) await client.updateStatus(services, { ...service, status });
      await client.create(endpointSlices, slice(endpoints, service.spec.ports?.[0]?.protocol));
    });
    await this.run(3000);
  }

  async update(endpoints: readonly Endpoint[]): Promise<void> {
    await this.do(async (client) => {
      const { metadata } = await client.get(endpointSlices, { namespace: 'default', name: 'web-1' });
      await client.update(endpointSlices, { ...slice(endpoints), metadata });
    });
    await this.run(3000);
  }

  /** What comes back of `times` requests, or the error. */
  async ask(from: NetworkNamespace, address: string, port = 80, path = '/', times = 1): Promise<string[]> {
    return this.do(async () => {
      const found: string[] = [];
      for (let i = 0; i < times; i++) {
        try {
          found.push(decodeUtf8((await httpExchange(this.root, from, { address, port }, { path }, 5000)).body));
        } catch (error) {
          found.push((error as Error).message);
        }
      }
      return found;
    });
  }
}

function slice(endpoints: readonly Endpoint[], protocol = 'TCP'): EndpointSlice {
  return {
    metadata: { namespace: 'default', name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080, protocol }],
    endpoints,
  };
}

const endpoint = (address: string, conditions: Endpoint['conditions'] = { ready: true }): Endpoint => ({
  addresses: [address],
  conditions,
  nodeName: `node-${address.split('.')[2]}`,
});
const ALL = ['10.244.1.1', '10.244.1.2', '10.244.1.3', '10.244.2.1'].map((address) => endpoint(address));

test('at random every endpoint gets its share, from Pods and from nodes', async () => {
  const world = new Traffic();
  await world.put({}, ALL);
  for (const from of [world.clients[0], world.hosts[1]] as const) {
    const answers = await world.ask(from as NetworkNamespace, '10.96.0.80', 80, '/', 400);
    for (const { addresses } of ALL) {
      const share = answers.filter((answer) => answer === addresses[0]).length;
      expect(share).toBeGreaterThan(70);
      expect(share).toBeLessThan(130);
    }
  }
});

test('in turn the share is exact', async () => {
  const world = new Traffic({ mode: 'ipvs', minSyncPeriodMs: 0, ignored: [] });
  await world.put({}, ALL);
  const answers = await world.ask(world.clients[0] as NetworkNamespace, '10.96.0.80', 80, '/', 8);
  const once = ALL.map(({ addresses }) => addresses[0]);
  expect(answers).toEqual([...once, ...once]);
});

test('who is not ready gets nothing, and the last who serve while they end get it all', async () => {
  const world = new Traffic();
  const [client] = world.clients as [NetworkNamespace];
  const ask = async () => [...new Set(await world.ask(client, '10.96.0.80', 80, '/', 30))].sort();
  await world.put({}, [endpoint('10.244.1.1'), endpoint('10.244.1.2', { ready: false, serving: false })]);
  expect(await ask()).toEqual(['10.244.1.1']);
  await world.update([
    endpoint('10.244.1.1', { ready: false, serving: true, terminating: true }),
    endpoint('10.244.1.3', { ready: false, serving: false, terminating: true }),
  ]);
  expect(await ask()).toEqual(['10.244.1.1']);
  await world.update([endpoint('10.244.1.1', { ready: false })]);
  expect(await ask()).toEqual(['Connection refused']);
});

test('an affinity holds until its time is over', async () => {
  const world = new Traffic();
  const [client] = world.clients as [NetworkNamespace];
  await world.put({ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 10 } } }, ALL);
  const seen = new Set<string | undefined>();
  for (let i = 0; i < 20; i++) {
    const answers = await world.ask(client, '10.96.0.80', 80, '/', 5);
    expect(new Set(answers).size).toBe(1);
    seen.add(answers[0]);
    await world.run(10_000);
  }
  expect(seen.size).toBe(4);
});

describe('ways in', () => {
  const lb = { loadBalancer: { ingress: [{ ip: '192.168.100.7' }] } };
  const nodePort = { type: 'NodePort', ports: [{ name: 'http', port: 80, nodePort: 30_080 }] };
  const ONE = [endpoint('10.244.2.1')];
  const cases: [
    string,
    Partial<NonNullable<Service['spec']>>,
    object,
    'pod' | 'node',
    string,
    number,
    string,
    string?,
  ][] = [
    ['a node port of the own node', nodePort, {}, 'pod', '192.168.0.11', 30_080, '10.244.2.1'],
    ['a node port of another node', nodePort, {}, 'pod', '192.168.0.12', 30_080, '10.244.2.1'],
    ['a node port on the loopback of the node', nodePort, {}, 'node', '127.0.0.1', 30_080, '10.244.2.1'],
    ['a node port on the loopback of a Pod', nodePort, {}, 'pod', '127.0.0.1', 30_080, 'Connection refused'],
    ['a node port hides the client', nodePort, {}, 'pod', '192.168.0.12', 30_080, '192.168.0.12', '/from'],
    [
      'local policy keeps the client',
      { ...nodePort, externalTrafficPolicy: 'Local' },
      {},
      'pod',
      '192.168.0.12',
      30_080,
      '10.244.1.9',
      '/from',
    ],
    [
      'local policy goes on from the own node',
      { ...nodePort, externalTrafficPolicy: 'Local' },
      {},
      'node',
      '192.168.0.11',
      30_080,
      '10.244.2.1',
    ],
    ['a cluster IP shows the client', {}, {}, 'pod', '10.96.0.80', 80, '10.244.1.9', '/from'],
    [
      'internal local policy without local endpoints',
      { internalTrafficPolicy: 'Local' },
      {},
      'pod',
      '10.96.0.80',
      80,
      'Connection timed out',
    ],
    ['an external IP', { externalIPs: ['203.0.113.5'] }, {}, 'pod', '203.0.113.5', 80, '10.244.2.1'],
    ['a load balancer', { type: 'LoadBalancer' }, lb, 'pod', '192.168.100.7', 80, '10.244.2.1'],
    [
      'a load balancer, not for everybody',
      { type: 'LoadBalancer', loadBalancerSourceRanges: ['10.9.0.0/16'] },
      lb,
      'pod',
      '192.168.100.7',
      80,
      'Connection timed out',
    ],
    [
      'a load balancer, for us',
      { type: 'LoadBalancer', loadBalancerSourceRanges: ['10.244.0.0/16'] },
      lb,
      'pod',
      '192.168.100.7',
      80,
      '10.244.2.1',
    ],
    ['a port that the Service does not have', {}, {}, 'pod', '10.96.0.80', 81, 'Connection timed out'],
  ]; // prettier-ignore
  test.each(cases)('%s', async (_, spec, status, who, address, port, expected, path = '/') => {
    const world = new Traffic();
    await world.put(spec, ONE, status);
    const from = (who === 'pod' ? world.clients[0] : world.hosts[0]) as NetworkNamespace;
    expect(await world.ask(from, address, port, path)).toEqual([expected]);
  });

  test('local policy drops what comes to a node without endpoints', async () => {
    const world = new Traffic();
    await world.put({ ...nodePort, externalTrafficPolicy: 'Local' }, ONE);
    expect(await world.ask(world.clients[1] as NetworkNamespace, '192.168.0.11', 30_080)).toEqual([
      'Connection timed out',
    ]);
  });
});

test('an endpoint reaches itself through its Service, and sees its node', async () => {
  const world = new Traffic();
  await world.put({}, [endpoint('10.244.1.1')]);
  const own = world.network.at('10.244.1.1') as NetworkNamespace;
  expect(await world.ask(own, '10.96.0.80', 80, '/from')).toEqual(['192.168.0.11']);
});

test('datagrams go the same way', async () => {
  const world = new Traffic();
  await world.put({ ports: [{ name: 'http', port: 53, protocol: 'UDP' }] }, [endpoint('10.244.2.1')]);
  const answer = await world.do(() =>
    (world.clients[0] as NetworkNamespace).askDatagram(
      world.root,
      { address: '10.96.0.80', port: 53 },
      encodeUtf8('?'),
      1000,
    ),
  );
  expect(answer && decodeUtf8(answer)).toBe('10.244.2.1 to 10.244.1.9');
});

test('rules stay when kube-proxy stops, open connections when rules change; a new kube-proxy catches up', async () => {
  const world = new Traffic();
  const [client] = world.clients as [NetworkNamespace];
  await world.put({}, [endpoint('10.244.1.1')]);
  const connection = await world.do(() => client.connect(world.root, { address: '10.96.0.80', port: 80 }));
  world.proxies[0]?.exit();
  await world.update([endpoint('10.244.1.2')]);
  expect(await world.ask(client, '10.96.0.80')).toEqual(['10.244.1.1']);
  expect(await world.ask(world.clients[1] as NetworkNamespace, '10.96.0.80')).toEqual(['10.244.1.2']);
  world.startProxy(0);
  await world.run(1000);
  expect(await world.ask(client, '10.96.0.80')).toEqual(['10.244.1.2']);
  const answer = await world.do(async () => {
    await connection.write(encodeUtf8('GET / HTTP/1.1\r\nConnection: close\r\n\r\n'));
    return decodeUtf8((await connection.read()) as Uint8Array);
  });
  expect(answer).toContain('10.244.1.1');
});

test('the first changes count at once, the next ones are taken together', async () => {
  const world = new Traffic();
  await world.put({}, []);
  const [client] = world.clients as [NetworkNamespace];
  const syncs = () => [...world.tracer.from(0)].filter(({ name }) => name === 'sync rules').map(({ start }) => start);
  const start = world.pump.now;
  for (let i = 0; i < 10; i++) {
    await world.do(async (api) => {
      const { metadata } = await api.get(endpointSlices, { namespace: 'default', name: 'web-1' });
      await api.update(endpointSlices, { ...slice(ALL.slice(0, (i % 4) + 1)), metadata });
    });
    if (i === 0) expect(await world.ask(client, '10.96.0.80')).toEqual(['10.244.1.1']);
    await world.run(100);
  }
  await world.run(5000);
  const times = syncs().filter((time) => time >= start);
  expect(times.map((time) => time - start)).toEqual([0, 0, 100, 100, 1000, 1000]);
});

test('a connection’s span says which Service, by whose rules, and to whom', async () => {
  const world = new Traffic();
  await world.put({}, [endpoint('10.244.2.1')]);
  await world.ask(world.clients[0] as NetworkNamespace, '10.96.0.80');
  await world.update([]);
  await world.ask(world.clients[0] as NetworkNamespace, '10.96.0.80');
  const spans = [...world.tracer.from(0)].filter(({ kind }) => kind === 'connection');
  const common = {
    protocol: 'TCP',
    to: '10.96.0.80:80',
    service: 'default/web',
    via: 'node-1',
    method: 'GET',
    path: '/',
  };
  expect(spans.map(({ component, name, attributes }) => [component, name, attributes])).toEqual([
    [
      'pods/default/box-1',
      '10.96.0.80:80',
      { ...common, endpoint: '10.244.2.1:8080', target: '10.244.2.1', outcome: 'connected', status: 200 },
    ],
    ['pods/default/box-1', '10.96.0.80:80', { ...common, outcome: 'rejected' }],
  ]);
});

test('load balancers are told where the endpoints are', async () => {
  const world = new Traffic();
  await world.do((client) => client.create(nodes, { metadata: { name: 'node-1' } } as Node));
  const spec = { type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: 32_000 };
  await world.put(spec, [endpoint('10.244.2.1')]);
  const check = (host: number) =>
    world.do(async () => {
      const address = (world.hosts[host] as NetworkNamespace).address;
      const { status, headers } = await httpExchange(
        world.root,
        world.hosts[0] as NetworkNamespace,
        { address, port: 32_000 },
        { path: '/' },
      );
      return [status, headers['x-load-balancing-endpoint-weight']];
    });
  expect([await check(0), await check(1)]).toEqual([
    [503, '0'],
    [200, '1'],
  ]);
});
