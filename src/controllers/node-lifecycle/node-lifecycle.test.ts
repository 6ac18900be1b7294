import { describe, expect, test } from 'vitest';
import type { Lease, Node, Taint } from '#api/generated/types.ts';
import { defaultControllerConfig } from '../define-controller.ts';
import { isSilent, type NodeHealth, observeNode, planSilentConditions } from './node-health.ts';
import { planNodeLabels, planNoExecuteTaint, planNoScheduleTaints } from './node-taints.ts';
import { planDisruption, type ZoneState, zoneOf, zoneStateOf } from './zones.ts';

const node = (ready?: string, changes: Partial<Node> = {}): Node => ({
  metadata: { name: 'n', creationTimestamp: '1970-01-01T00:00:00Z' },
  spec: {},
  ...(ready ? { status: { conditions: [{ type: 'Ready', status: ready, lastHeartbeatTime: 'h1' }] } } : {}),
  ...changes,
});

describe('the health of nodes', () => {
  const lease = (renewTime: string): Lease => ({ metadata: {}, spec: { renewTime } });
  const saved: NodeHealth = { probeMs: 5, heartbeat: 'h1', renewTime: '1970-01-01T00:00:01.000000Z' };

  const check = (
    name: string,
    before: NodeHealth | undefined,
    seen: Node,
    renewed: Lease | undefined,
    probeMs: number,
  ) => test(name, () => expect(observeNode(before, seen, renewed, 100).probeMs).toBe(probeMs));
  check('one never seen counts from now', undefined, node('True'), undefined, 100);
  check('one without a status counts from its creation', undefined, node(), undefined, 0);
  check('nothing new', saved, node('True'), lease('1970-01-01T00:00:01.000000Z'), 5);
  check('a renewed lease', saved, node('True'), lease('1970-01-01T00:00:02.000000Z'), 100);
  check('a new heartbeat', { ...saved, heartbeat: 'h0' }, node('True'), undefined, 100);
  check('its first status', { ...saved, heartbeat: undefined }, node('True'), undefined, 100);

  test('silence is longer than the grace period, which is another one at the start', () => {
    expect([isSilent(saved, 55, 50, 60), isSilent(saved, 56, 50, 60)]).toEqual([false, true]);
    const starting = { ...saved, heartbeat: undefined };
    expect([isSilent(starting, 65, 50, 60), isSilent(starting, 66, 50, 60)]).toEqual([false, true]);
  });

  test('what is known already is not written again', () => {
    expect(planSilentConditions(node('Unknown'), 0)).toBeUndefined();
    expect(planSilentConditions(node(), 1000)?.[0]).toEqual({
      type: 'Ready',
      status: 'Unknown',
      lastHeartbeatTime: '1970-01-01T00:00:00Z',
      lastTransitionTime: '1970-01-01T00:00:01Z',
      reason: 'NodeStatusNeverUpdated',
      message: 'Kubelet never posted node status.',
    });
  });
});

describe('the taints of nodes', () => {
  const taint = (key: string, effect = 'NoSchedule'): Taint => ({
    key: key.includes('/') ? key : `node.kubernetes.io/${key}`,
    effect,
  });
  const said = (taints: readonly Taint[] | undefined) =>
    taints?.map(({ key, effect }) => `${key.replace('node.kubernetes.io/', '')}:${effect}`);
  const check = (name: string, seen: Node, expected: readonly string[] | undefined) =>
    test(name, () => expect(said(planNoScheduleTaints(seen, 'now'))).toEqual(expected));
  const own = taint('example.com/own');
  check('ready', node('True', { spec: { taints: [own] } }), undefined);
  check('not ready', node('False', { spec: { taints: [own] } }), [
    'example.com/own:NoSchedule',
    'not-ready:NoSchedule',
  ]);
  check('unreachable after not ready', node('Unknown', { spec: { taints: [taint('not-ready')] } }), [
    'unreachable:NoSchedule',
  ]);
  check('cordoned', node('True', { spec: { unschedulable: true } }), ['unschedulable:NoSchedule']);
  check('no longer cordoned', node('True', { spec: { taints: [taint('unschedulable'), own] } }), [
    'example.com/own:NoSchedule',
  ]);
  const pressed = { conditions: [{ type: 'DiskPressure', status: 'True' }] };
  check('under pressure', node(undefined, { status: pressed }), ['disk-pressure:NoSchedule']);
  check(
    'an effect that is not theirs',
    node('True', { spec: { taints: [taint('not-ready', 'NoExecute')] } }),
    undefined,
  );

  test('NoExecute: one of two, or neither', () => {
    const key = 'node.kubernetes.io/unreachable';
    const before = node('True', { spec: { taints: [taint('not-ready', 'NoExecute'), own] } });
    expect(said(planNoExecuteTaint(before, key, 'now'))).toEqual([
      'example.com/own:NoSchedule',
      'unreachable:NoExecute',
    ]);
    expect(said(planNoExecuteTaint(before, undefined, 'now'))).toEqual(['example.com/own:NoSchedule']);
    expect(planNoExecuteTaint(node('True'), undefined, 'now')).toBeUndefined();
  });

  test('old labels follow the new ones', () => {
    const labels = { 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64', 'beta.kubernetes.io/arch': 'amd64' };
    expect(planNodeLabels(node('True', { metadata: { labels } }))).toEqual({ 'beta.kubernetes.io/os': 'linux' });
    expect(planNodeLabels(node('True'))).toBeUndefined();
  });
});

describe('zones', () => {
  const config = { ...defaultControllerConfig, rootCA: '', signLegacyToken: () => '', clusterCIDR: '10.0.0.0/8' };
  const check = (ready: number, notReady: number, expected: ZoneState) =>
    test(`${ready} ready, ${notReady} not`, () => expect(zoneStateOf(ready, notReady, 0.55)).toBe(expected));
  check(3, 0, 'Normal');
  check(1, 2, 'Normal');
  check(0, 1, 'FullDisruption');
  check(2, 3, 'PartialDisruption');
  check(3, 3, 'Normal');
  check(0, 0, 'Normal');

  const plan = (before: Record<string, ZoneState>, zones: Record<string, readonly [number, number]>) => {
    const nodes = Object.entries(zones).map(([zone, [ready, notReady]]) => [zone, { ready, notReady }] as const);
    const { rates, masterDisruption } = planDisruption(new Map(Object.entries(before)), new Map(nodes), config);
    return [masterDisruption, Object.fromEntries(rates)];
  };
  test('all is lost: nothing is evicted', () => {
    expect(plan({ a: 'Normal', b: 'FullDisruption' }, { a: [0, 2], b: [0, 2] })).toEqual(['enter', { a: 0, b: 0 }]);
    expect(plan({ a: 'FullDisruption' }, { a: [0, 2] })).toEqual(['none', {}]);
    expect(plan({ a: 'FullDisruption', b: 'FullDisruption' }, { a: [1, 1], b: [0, 2] })).toEqual([
      'leave',
      { a: 0.1, b: 0.1 },
    ]);
  });
  test('one of two zones is lost: it goes at the ordinary rate', () => {
    expect(plan({ a: 'Normal', b: 'Normal' }, { a: [2, 0], b: [0, 2] })).toEqual(['none', { b: 0.1 }]);
  });
  test('most of a zone is lost: small ones stop, large ones slow down', () => {
    expect(plan({ a: 'Normal' }, { a: [2, 8] })).toEqual(['none', { a: 0 }]);
    expect(plan({ a: 'Normal' }, { a: [20, 40] })).toEqual(['none', { a: 0.01 }]);
  });
  test('labels make the zone', () => {
    const labels = { 'topology.kubernetes.io/region': 'r', 'topology.kubernetes.io/zone': 'z' };
    expect([zoneOf(node()), zoneOf(node('True', { metadata: { labels } }))]).toEqual(['', 'r:\0:z']);
  });
});
