import { expect, test } from 'vitest';
import type { TraceSpan } from '#hosts/control.ts';
import { Traffic } from './traffic.ts';

let id = 0;
const span = (
  kind: string,
  component: string,
  parents: readonly TraceSpan[],
  attributes: TraceSpan['attributes'] = {},
): TraceSpan => ({
  id: ++id,
  kind,
  component,
  name: kind,
  parents: parents.map((parent) => parent.id),
  start: 0,
  attributes,
});
const pod = { resource: 'pods', namespace: 'default', name: 'nginx' };
const create = () => span('request', 'kube-apiserver', [], { ...pod, verb: 'create', userAgent: 'kubectl/v1.33.0' });

test('an effect starts when its cause has arrived', () => {
  const traffic = new Traffic();
  const request = create();
  const write = span('write', 'etcd', [request], { key: '/registry/pods/default/nginx', operation: 'put' });
  const delivery = span('delivery', 'kube-scheduler', [write], pod);
  traffic.add([request, write, delivery, span('decision', 'kube-scheduler', [delivery], pod)], 1000);
  const { flights, pulses } = traffic.at(1000);
  expect(flights.map(({ route, outward, start, step }) => [route, outward, start, step])).toEqual([
    ['kubectl', false, 1000, 1],
    ['etcd', true, 1520, 2],
    ['kube-scheduler', true, 2040, 3],
  ]);
  expect(pulses.map(({ party, start }) => [party, start])).toEqual([
    ['etcd', 2040],
    ['kube-scheduler', 2560],
  ]);
  expect(traffic.at(9000)).toEqual({ flights: [], pulses: [], hops: [], marks: [] });
});

test('a span moves once, spans that start together are one dot, and no cause holds its effects for long', () => {
  const traffic = new Traffic();
  const request = create();
  traffic.add([request, create(), create()], 0);
  traffic.add([{ ...request, end: 3 }], 10);
  expect(traffic.at(11).flights.map(({ count }) => count)).toEqual([3]);

  let last = create();
  const chain = [last];
  for (let link = 0; link < 12; link++)
    chain.push((last = span(link % 2 ? 'delivery' : 'write', 'etcd', [last], { key: '/registry/pods/default/nginx' })));
  traffic.add(chain, 100);
  for (const flight of traffic.at(100).flights) expect(flight.start).toBeLessThanOrEqual(100 + 1600);
});

test('a flood stays bounded, and drops heartbeats first', () => {
  const traffic = new Traffic();
  for (let at = 0; at < 600; at++) {
    traffic.add(
      [
        span('request', 'kube-apiserver', [], {
          resource: 'leases',
          verb: 'update',
          user: `system:node:n${at}`,
          userAgent: 'kubelet/v1',
        }),
      ],
      0,
    );
  }
  traffic.add([create()], 0);
  const { flights } = traffic.at(1);
  expect(flights.length).toBeLessThanOrEqual(240);
  expect(flights.some((flight) => !flight.faint)).toBe(true);
});
