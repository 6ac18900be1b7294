import { expect, test } from 'vitest';
import { services } from '#api/core/v1/service.ts';
import { endpointSlices } from '#api/discovery/v1/endpoint-slice.ts';
import type { Endpoint, Service } from '#api/generated/types.ts';
import { latencyOf } from '#base/latency.ts';
import { type DnsMessage, type DnsRecord, queryDns } from '#network/dns.ts';
import { httpExchange } from '#network/http.ts';
import { Network } from '#network/network.ts';
import { TestApi } from '#testing/test-api.ts';
import { CoreDns } from './core-dns.ts';

const COREFILE = `
.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30 {
       disable success cluster.local
    }
    loop
    reload
    loadbalance
}
`;

/** CoreDNS in a Pod, a client in another, and a cluster with Services of every kind. */
class Dns extends TestApi {
  readonly network = new Network(this.root.child('network'), latencyOf('none'));
  readonly host = this.network.createHost('node-1', '192.168.0.11');
  readonly pod = this.network.createNamespace('dns', this.host, '10.244.1.2');
  readonly box = this.network.createNamespace('box', this.host, '10.244.1.3');
  readonly log: string[] = [];
  readonly process = this.root.child('coredns');
  readonly dns = new CoreDns({
    process: this.process,
    client: this.client,
    network: this.pod,
    path: '/etc/coredns/Corefile',
    resolvers: ['192.168.0.11'],
    log: async (line) => void this.log.push(line),
  });

  async start(corefile = COREFILE): Promise<void> {
    this.process.spawn('start', () => this.dns.start(corefile));
    await this.run(1000);
  }

  async ask(name: string, type = 'A'): Promise<DnsMessage | undefined> {
    return this.do(() => queryDns(this.root, this.box, { address: '10.244.1.2', port: 53 }, name, type, 5000));
  }

  async fill(): Promise<void> {
    const service = (name: string, spec: Partial<NonNullable<Service['spec']>>) =>
      this.do((client) => client.create(services, { metadata: { namespace: 'default', name }, spec } as Service));
    const http = { name: 'http', port: 80, protocol: 'TCP' };
    await service('web', { clusterIP: '10.96.0.80', ports: [http, { name: 'stats', port: 9000, protocol: 'UDP' }] });
    await service('db', { clusterIP: 'None', ports: [{ name: 'redis', port: 6379 }] });
    await service('none', { clusterIP: 'None', ports: [http] });
    await service('alias', { type: 'ExternalName', externalName: 'web.default.svc.cluster.local' });
    await service('away', { type: 'ExternalName', externalName: 'db.example.com' });
    const slice = (name: string, of: string, endpoints: readonly Endpoint[], port: number) =>
      this.do((client) =>
        client.create(endpointSlices, {
          metadata: { namespace: 'default', name, labels: { 'kubernetes.io/service-name': of } },
          addressType: 'IPv4',
          endpoints,
          ports: [{ name: of === 'db' ? 'redis' : 'http', port, protocol: 'TCP' }],
        }),
      );
    await slice('web-1', 'web', [{ addresses: ['10.244.1.20'], conditions: { ready: true } }], 8080);
    await slice(
      'db-1',
      'db',
      [
        { addresses: ['10.244.1.30'], conditions: { ready: true }, hostname: 'db-0' },
        { addresses: ['10.244.1.31'], conditions: { ready: true } },
        { addresses: ['10.244.1.32'], conditions: { ready: false }, hostname: 'db-2' },
      ],
      6379,
    );
  }
}

const show = (record: DnsRecord): string => {
  if (record.type === 'A') return record.address;
  if (record.type === 'SRV') return `${record.priority} ${record.weight} ${record.port} ${record.target}`;
  if ('target' in record) return `${record.type} ${record.target}`;
  return record.type === 'TXT' ? record.texts.join() : record.type;
};

test('names of the cluster', async () => {
  const world = new Dns();
  await world.start();
  await world.fill();
  const cases: [string, string, string, string[], string[]?][] = [
    ['web.default.svc.cluster.local', 'A', 'NOERROR', ['10.96.0.80']],
    ['WEB.Default.svc.cluster.local', 'A', 'NOERROR', ['10.96.0.80']],
    ['web.default.svc.cluster.local', 'AAAA', 'NOERROR', []],
    ['web.default.svc.cluster.local', 'MX', 'NOERROR', []],
    ['web.nowhere.svc.cluster.local', 'A', 'NXDOMAIN', []],
    ['wob.default.svc.cluster.local', 'A', 'NXDOMAIN', []],
    ['wob.default.svc.cluster.local', 'AAAA', 'NXDOMAIN', []],
    ['default.svc.cluster.local', 'A', 'NOERROR', []],
    ['nowhere.svc.cluster.local', 'A', 'NXDOMAIN', []],
    ['svc.cluster.local', 'A', 'NOERROR', []],
    ['web.default', 'A', 'SERVFAIL', []],
    ['a.b.c.web.default.svc.cluster.local', 'A', 'NXDOMAIN', []],
    ['db.default.svc.cluster.local', 'A', 'NOERROR', ['10.244.1.30', '10.244.1.31']],
    ['none.default.svc.cluster.local', 'A', 'NXDOMAIN', []],
    ['db-0.db.default.svc.cluster.local', 'A', 'NOERROR', ['10.244.1.30']],
    ['10-244-1-31.db.default.svc.cluster.local', 'A', 'NOERROR', ['10.244.1.31']],
    ['db-2.db.default.svc.cluster.local', 'A', 'NXDOMAIN', []],
    ['10-244-1-20.web.default.svc.cluster.local', 'A', 'NOERROR', ['10.244.1.20']],
    ['1-2-3-4.default.pod.cluster.local', 'A', 'NOERROR', ['1.2.3.4']],
    ['1-2-3-4.nowhere.pod.cluster.local', 'A', 'NXDOMAIN', []],
    ['1-2-3.default.pod.cluster.local', 'A', 'NXDOMAIN', []],
    [
      '_http._tcp.web.default.svc.cluster.local',
      'SRV',
      'NOERROR',
      ['0 100 80 web.default.svc.cluster.local.'],
      ['10.96.0.80'],
    ],
    ['_stats._udp.web.default.svc.cluster.local', 'A', 'NOERROR', ['10.96.0.80']],
    ['_stats._tcp.web.default.svc.cluster.local', 'SRV', 'NXDOMAIN', []],
    [
      '_redis._tcp.db.default.svc.cluster.local',
      'SRV',
      'NOERROR',
      ['0 50 6379 db-0.db.default.svc.cluster.local.', '0 50 6379 10-244-1-31.db.default.svc.cluster.local.'],
      ['10.244.1.30', '10.244.1.31'],
    ],
    ['alias.default.svc.cluster.local', 'A', 'NOERROR', ['CNAME web.default.svc.cluster.local.', '10.96.0.80']],
    ['alias.default.svc.cluster.local', 'CNAME', 'NOERROR', ['CNAME web.default.svc.cluster.local.']],
    ['away.default.svc.cluster.local', 'A', 'NOERROR', ['CNAME db.example.com.']],
    ['80.0.96.10.in-addr.arpa', 'PTR', 'NOERROR', ['PTR web.default.svc.cluster.local.']],
    ['30.1.244.10.in-addr.arpa', 'PTR', 'NOERROR', ['PTR db-0.db.default.svc.cluster.local.']],
    ['99.1.244.10.in-addr.arpa', 'PTR', 'SERVFAIL', []],
    ['dns-version.cluster.local', 'TXT', 'NOERROR', ['1.1.0']],
    ['cluster.local', 'SOA', 'NOERROR', ['SOA']],
  ]; // prettier-ignore
  for (const [name, type, rcode, answers, additional = []] of cases) {
    const message = await world.ask(name, type);
    const sorted = message?.answers.map(show);
    if (type === 'A' && answers.length > 1 && !answers[0]?.startsWith('CNAME')) sorted?.sort();
    expect([name, type, message?.rcode, sorted, message?.additional.map(show)]).toEqual([
      name,
      type,
      rcode,
      answers,
      additional,
    ]);
    if (answers.length === 0 && rcode !== 'SERVFAIL') expect(message?.authority.map(show)).toEqual(['SOA']);
  }
  expect(world.log.at(-1)).toContain('[ERROR] plugin/errors: 2 99.1.244.10.in-addr.arpa. PTR: read udp');
});

test('it is ready when it knows the cluster; health is told before', async () => {
  const world = new Dns();
  await world.run(0);
  world.stopServer();
  const get = (port: number, path: string) =>
    world.do(async () => {
      const { status } = await httpExchange(world.root, world.box, { address: '10.244.1.2', port }, { path });
      return status;
    });
  await world.start();
  expect([await get(8080, '/health'), await get(8181, '/ready')]).toEqual([200, 503]);
  await world.run(6000);
  expect((await world.ask('web.default.svc.cluster.local'))?.rcode).toBe('SERVFAIL');
  world.startServer();
  await world.run(20_000);
  await world.fill();
  expect([await get(8181, '/ready'), await get(9153, '/metrics')]).toEqual([200, 200]);
  expect((await world.ask('web.default.svc.cluster.local'))?.rcode).toBe('NOERROR');
});

test('many addresses come by TCP, in an order that changes', async () => {
  const world = new Dns();
  await world.start();
  await world.do((client) =>
    client.create(services, { metadata: { namespace: 'default', name: 'many' }, spec: { clusterIP: 'None' } }),
  );
  await world.do((client) =>
    client.create(endpointSlices, {
      metadata: { namespace: 'default', name: 'many-1', labels: { 'kubernetes.io/service-name': 'many' } },
      addressType: 'IPv4',
      endpoints: Array.from({ length: 100 }, (_, i) => ({ addresses: [`10.244.1.${i + 100}`], conditions: {} })),
    }),
  );
  const ask = async () => (await world.ask('many.default.svc.cluster.local'))?.answers.map(show);
  const [one, two] = [await ask(), await ask()];
  expect(new Set(one).size).toBe(100);
  expect(one).not.toEqual(two);
  const spans = [...world.tracer.from(0)].filter(({ kind, component }) => kind === 'connection' && component === 'box');
  expect(spans.map(({ attributes }) => [attributes.protocol, attributes.rcode])).toEqual([
    ['UDP', 'NOERROR'],
    ['TCP', 'NOERROR'],
    ['UDP', 'NOERROR'],
    ['TCP', 'NOERROR'],
  ]);
});

test('a Corefile is read line by line', async () => {
  const world = new Dns();
  await world.start(
    'example.com:53 {\n forward . 10.244.1.9\n}\n. {\n log\n hosts {\n 1.2.3.4 a\n }\n kubernetes cluster.local\n}\n',
  );
  await world.fill();
  expect((await world.ask('web.default.svc.cluster.local'))?.answers.map(show)).toEqual(['10.96.0.80']);
  expect((await world.ask('1-2-3-4.default.pod.cluster.local'))?.rcode).toBe('NXDOMAIN');
  expect((await world.ask('a.example.com'))?.rcode).toBe('SERVFAIL');
  expect((await world.ask('a.example.org'))?.rcode).toBe('REFUSED');
  expect(world.log).toContain('[WARNING] plugin/hosts: is not emulated, its lines do nothing');
  expect(world.log.find((line) => line.includes('"A IN web'))).toMatch(/udp 47 false 512" NOERROR qr,aa,rd 63 /);
  expect(() => world.dns.reload('. {\n errors\n')).toThrow(
    "/etc/coredns/Corefile:2 - Error during parsing: Unexpected EOF, expecting '}'",
  );
});
