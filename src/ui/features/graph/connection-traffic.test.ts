import { expect, test } from 'vitest';
import type { TraceSpan } from '#hosts/control.ts';
import { ConnectionTraffic } from './connection-traffic.ts';

let id = 0;
const connection = (attributes: TraceSpan['attributes'], component = 'pods/default/load'): TraceSpan => ({
  id: ++id,
  kind: 'connection',
  component,
  name: '10.96.0.5:80',
  parents: [],
  start: 0,
  attributes: { protocol: 'TCP', to: '10.96.0.5:80', ...attributes },
});
const served = { service: 'default/web', target: 'pods/default/web-1', outcome: 'connected' };

test.each([
  [
    'through a Service to its endpoint',
    connection(served),
    ['pods/default/load', 'services/default/web', 'pods/default/web-1'],
  ],
  [
    'without endpoints, to the Service',
    connection({ service: 'default/web', outcome: 'rejected' }),
    ['pods/default/load', 'services/default/web'],
  ],
  [
    'straight to a Pod',
    connection({ target: 'pods/default/web-1' }, 'nodes/node-1'),
    ['nodes/node-1', 'pods/default/web-1'],
  ],
  ['to nobody', connection({ outcome: 'unreachable' }), ['pods/default/load']],
  ['to itself', connection({ target: 'pods/default/load' }), ['pods/default/load']],
])('a dot goes %s', (_, span, stations) => {
  const traffic = new ConnectionTraffic();
  traffic.add(span, 0, 0);
  expect(traffic.at(1).hops.map((hop) => hop.stations)).toEqual([stations]);
});

test('what fails is marked where it stops, when the dot is there, with why', () => {
  const traffic = new ConnectionTraffic();
  traffic.add(connection({ service: 'default/web', outcome: 'rejected' }), 0, 0);
  traffic.add(connection({ ...served, outcome: 'refused' }), 0, 0);
  traffic.add(connection({ ...served, status: 503 }), 0, 0);
  traffic.add(connection({ ...served, status: 404 }), 0, 0);
  const { hops, marks } = traffic.at(1);
  expect(marks.map(({ at, why, answered, start }) => [at, why, answered, start])).toEqual([
    ['services/default/web', 'rejected', false, 850],
    ['pods/default/web-1', 'refused', false, 850],
    ['pods/default/web-1', '503', true, 850],
  ]);
  expect(hops.map(({ failed, count }) => [failed, count])).toEqual([
    [true, 1],
    [true, 1],
    [false, 2],
  ]);
});

test('one whose end comes late flies once, and is marked when it is known', () => {
  const traffic = new ConnectionTraffic();
  const span = connection({ service: 'default/web', target: 'pods/default/web-1' });
  traffic.add(span, 0, 0);
  expect(traffic.knows(span.id)).toBe(true);
  const late = { ...span, attributes: { ...span.attributes, outcome: 'timeout' } };
  traffic.add(late, 5000, 5000);
  traffic.add(late, 5001, 5001);
  expect(traffic.at(5001)).toMatchObject({ hops: [], marks: [{ why: 'timeout', start: 5000, count: 1 }] });
  expect(traffic.total).toBe(1);
  expect(traffic.last).toBe('pods/default/load services/default/web pods/default/web-1 timeout');
});

test('who takes a connection and says nothing until the asker gives up is marked', () => {
  const traffic = new ConnectionTraffic();
  const span = connection({ ...served, method: 'GET', path: '/' });
  traffic.add(span, 0, 0);
  expect(traffic.at(1).marks).toEqual([]);
  traffic.add({ ...span, end: 2000 }, 2000, 2000);
  expect(traffic.at(2001).marks).toMatchObject([{ at: 'pods/default/web-1', why: 'silent', answered: false }]);
});

test('probes and DNS are faint and not counted; that a name does not exist is an answer', () => {
  const traffic = new ConnectionTraffic();
  traffic.add(connection({ probe: true, target: 'pods/default/web-1' }, 'nodes/node-1'), 0, 0);
  traffic.add(connection({ query: 'A web.', rcode: 'NXDOMAIN', service: 'kube-system/kube-dns' }), 0, 0);
  expect(traffic.at(1).hops.every(({ faint }) => faint)).toBe(true);
  expect(traffic.at(1).marks).toEqual([]);
  expect(traffic.total).toBe(0);
});

test('a thousand a second are a few dots with numbers, and nothing grows without bound', () => {
  const traffic = new ConnectionTraffic();
  for (let now = 0; now < 1000; now++) {
    traffic.add(connection({ ...served, target: `pods/default/web-${now % 3}` }), now, now);
    traffic.add(connection({ service: `default/none-${now}`, outcome: 'rejected' }), now, now);
  }
  const { hops, marks } = traffic.at(1000);
  expect(hops.length).toBeLessThanOrEqual(160);
  expect(marks.length).toBeLessThanOrEqual(40);
  expect(hops.filter(({ failed }) => !failed).some(({ count }) => count > 10)).toBe(true);
  expect(traffic.total).toBe(2000);
});
