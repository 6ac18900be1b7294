import { beforeEach, describe, expect, test } from 'vitest';
import type { EndpointSlice, Node } from '#api/generated/types.ts';
import { TopologyHints } from './topology-hints.ts';

const node = (zone: string | undefined, cpu: string, ready = 'True'): Node => ({
  metadata: { labels: zone ? { 'topology.kubernetes.io/zone': zone } : {} },
  spec: {},
  status: { allocatable: { cpu }, conditions: [{ type: 'Ready', status: ready }] },
});
/** A slice of endpoints by their zones, `a>b` with a hint for another; a capital letter is not ready. */
const slice = (...zones: string[]): EndpointSlice => ({
  metadata: {},
  addressType: 'IPv4',
  endpoints: zones.map((text) => {
    const [zone = '', hint] = text.split('>');
    return {
      addresses: ['10.0.0.1'],
      conditions: { ready: zone === zone.toLowerCase() },
      zone: zone.toLowerCase(),
      ...(hint ? { hints: { forZones: [{ name: hint }] } } : {}),
    };
  }),
});
const text = (slices: readonly EndpointSlice[]) =>
  slices.map(({ endpoints }) =>
    endpoints.map(({ zone, hints }) => `${zone}>${hints?.forZones?.[0]?.name ?? ''}`).join(' '),
  );

let nodes: Node[];
let hints: TopologyHints;
let said: string[];
beforeEach(() => {
  nodes = [node('a', '4'), node('b', '4'), node('b', '64', 'False')];
  hints = new TopologyHints(() => nodes);
  said = [];
});
const assign = (create: readonly EndpointSlice[], unchanged: readonly EndpointSlice[] = []) =>
  hints.assign('default/web', ({ type, reason, message }) => said.push(`${type} ${reason} ${message}`))({
    create,
    update: [],
    unchanged,
  });

test('each zone gets its share', () => {
  expect(text(assign([slice('a', 'b', 'A')]).create)).toEqual(['a>a b>b a>']);
  expect(said).toEqual(['Normal TopologyAwareHintsEnabled Topology Aware Hints has been enabled, addressType: IPv4']);
  expect(text(assign([slice('a', 'a', 'a', 'b')]).create)).toEqual(['a>b a>a a>a b>b']);
  expect(said).toHaveLength(1);
});

test('slices whose hints are good stay as they are', () => {
  expect(text(assign([slice('b')], [slice('a>a')]).update)).toEqual([]);
  expect(text(assign([slice('b')], [slice('a')]).update)).toEqual(['a>a']);
  expect(text(assign([slice('b')], [slice('a>c')]).update)).toEqual(['a>a']);
  expect(text(assign([slice('b')], [slice('a>a', 'b>a', 'a>a')]).update)).toEqual(['a>a b>b a>a']);
});

test('Services whose share is too small when Nodes change', () => {
  assign([slice('a', 'b')]);
  expect(hints.nodesChanged()).toEqual([]);
  nodes.push(node('b', '60'));
  hints.nodesChanged();
  assign([slice('a', 'b', 'b', 'b', 'b', 'b')]);
  nodes.pop();
  expect(hints.nodesChanged()).toEqual(['default/web']);
  hints.forget('default/web');
  expect(hints.nodesChanged()).toEqual([]);
});

describe('no hints', () => {
  const check = (why: string, change: () => void, zones: readonly string[], message: string) =>
    test(why, () => {
      change();
      expect(text(assign([slice(...zones)], [slice('a>a')]).create)).toEqual([
        zones.map((zone) => `${zone}>`).join(' '),
      ]);
      expect(said).toEqual([`Warning TopologyAwareHintsDisabled ${message}, addressType: IPv4`]);
    });
  const insufficient = 'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes';
  check('a Node without a zone', () => nodes.push(node(undefined, '4')), ['a', 'b'], insufficient);
  check('one zone', () => nodes.splice(1), ['a', 'b'], insufficient);
  check(
    'too few endpoints',
    () => nodes.push(node('c', '4')),
    ['a'],
    'Insufficient number of endpoints (2 endpoints, 3 zones)',
  );
  check('an endpoint without a zone', () => {}, ['a', 'b', ''], 'One or more endpoints do not have a zone specified');
  check(
    'shares that do not come out even',
    () => nodes.push(node('b', '1'), node('c', '1')),
    ['a', 'b'],
    'Unable to allocate minimum required endpoints to each zone without exceeding overload threshold (3 endpoints, 3 zones)',
  );
});
