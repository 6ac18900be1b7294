import { expect, test } from 'vitest';
import { latencyOf } from '#base/latency.ts';
import { Process, Pump } from '#base/pump.ts';
import { Rng } from '#base/rng.ts';
import { Tracer } from '#base/tracer.ts';
import { decodeDns, type DnsMessage, type DnsRecord, encodeDns, frameDns, queryDns, readDnsFrame } from './dns.ts';
import { Network } from './network.ts';

const message: DnsMessage = {
  id: 4711,
  response: true,
  opcode: 0,
  authoritative: true,
  truncated: false,
  recursionDesired: true,
  recursionAvailable: true,
  rcode: 'NXDOMAIN',
  questions: [{ name: 'web.default.svc.cluster.local.', type: 'SRV' }],
  answers: [
    { name: 'web.default.svc.cluster.local.', ttl: 30, type: 'A', address: '10.96.200.3' },
    { name: 'db.default.svc.cluster.local.', ttl: 5, type: 'CNAME', target: 'db.example.com.' },
    {
      name: '_http._tcp.web.default.svc.cluster.local.',
      ttl: 30,
      type: 'SRV',
      priority: 0,
      weight: 50,
      port: 8080,
      target: 'web.default.svc.cluster.local.',
    },
    { name: '.', ttl: 0, type: 'TXT', texts: ['a b', ''] },
  ],
  authority: [
    {
      name: 'cluster.local.',
      ttl: 30,
      type: 'SOA',
      primary: 'ns.dns.cluster.local.',
      mailbox: 'hostmaster.cluster.local.',
      serial: 1_763_812_800,
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: 30,
    },
  ],
  additional: [{ name: '.', ttl: 0, type: 'OTHER', number: 41, data: Uint8Array.of(1, 2) }],
};

test('a message survives the wire, and repeated names are pointers', () => {
  const bytes = encodeDns(message);
  expect(decodeDns(bytes)).toEqual(message);
  expect(bytes.length).toBeLessThan(280);
  for (let length = 0; length < bytes.length; length++)
    expect(() => decodeDns(bytes.subarray(0, length))).toThrow('too short');
});

test('a query goes by UDP, and by TCP when the answer was cut; both are spans', async () => {
  const pump = new Pump({ epoch: 0 });
  const root = new Process('root', { pump, rng: new Rng(1), tracer: new Tracer(() => pump.now) });
  const network = new Network(root.child('network'), latencyOf('realistic'));
  const host = network.createHost('node-1', '192.168.0.11', 'nodes/node-1');
  const server = network.createNamespace('dns', host, '10.244.1.2', 'pods/kube-system/dns');
  const client = network.createNamespace('box', host, '10.244.1.3', 'pods/default/box');
  const answers: DnsRecord[] = Array.from({ length: 3 }, (_, i) => ({
    name: 'web.',
    ttl: 30,
    type: 'A',
    address: `10.0.0.${i}`,
  }));
  const answer = (query: Uint8Array, truncated: boolean) =>
    encodeDns({ ...message, ...decodeDns(query), response: true, truncated, answers: truncated ? [] : answers });
  server.listenDatagram(root, 53, (payload) => answer(payload, true));
  server.listen(root, 53, async (connection) => {
    const query = await readDnsFrame(connection);
    if (query) await connection.write(frameDns(answer(query, false)));
  });
  const found: unknown[] = [];
  root.spawn('test', async () => {
    const ask = (address: string) => queryDns(root, client, { address, port: 53 }, 'web', 'A', 2000);
    found.push((await ask('10.244.1.2'))?.answers);
    found.push(await ask('10.9.9.9'));
    found.push(await ask('192.168.0.11').catch((error: Error) => error.message));
  });
  await pump.run({ until: 10_000 });
  expect(found).toEqual([answers, undefined, 'Connection refused']);
  expect(
    [...root.tracer.from(0)].map(({ component, name, attributes }) => ({ component, name, ...attributes })),
  ).toEqual(
    [
      ['UDP', '10.244.1.2:53', { target: 'pods/kube-system/dns', outcome: 'connected', rcode: 'NOERROR' }] as const,
      ['TCP', '10.244.1.2:53', { target: 'pods/kube-system/dns', outcome: 'connected', rcode: 'NOERROR' }] as const,
      ['UDP', '10.9.9.9:53', { outcome: 'unreachable' }] as const,
      ['UDP', '192.168.0.11:53', { target: 'nodes/node-1', outcome: 'refused' }] as const,
    ].map(([protocol, to, rest]) => ({
      component: 'pods/default/box',
      name: to,
      protocol,
      to,
      query: 'A web.',
      ...rest,
    })),
  );
});
