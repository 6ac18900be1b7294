import { describe, expect, test } from 'vitest';
import type { Node, Pod } from '#api/generated/types.ts';
import { CycleState } from '../framework/cycle-state.ts';
import { FilterStatuses, fitMessage } from '../framework/filter-statuses.ts';
import type { Plugin } from '../framework/plugin.ts';
import { NodeInfo, type ReadyNodeInfo } from '../node-info.ts';
import { PodInfo } from '../pod-info.ts';
import { feasibleNodesToFind } from '../scheduler.ts';
import { pickCandidate } from './default-preemption.ts';
import { naturalLog } from './natural-log.ts';
import { nodeAffinity } from './node-affinity.ts';
import { nodePorts } from './node-ports.ts';
import { nodeResourcesBalancedAllocation } from './node-resources-balanced-allocation.ts';
import { nodeResourcesFit } from './node-resources-fit.ts';
import { nodeUnschedulable } from './node-unschedulable.ts';
import { normalizeScores } from './normalize.ts';
import { taintToleration } from './taint-toleration.ts';

const container = { name: 'c', image: 'nginx' };
const pod = (spec: Partial<Pod['spec']> = {}, name = 'p'): PodInfo =>
  new PodInfo({ metadata: { name, uid: name }, spec: { containers: [container], ...spec } as Pod['spec'] });
const asking = (cpu: string, memory: string, name = 'p') =>
  pod({ containers: [{ ...container, resources: { requests: { cpu, memory } } }] as never }, name);

function node(
  spec: Node['spec'] = {},
  labels: Record<string, string> = {},
  running: readonly PodInfo[] = [],
): ReadyNodeInfo {
  const info = new NodeInfo('n');
  const allocatable = { cpu: '4', memory: '8Gi', pods: '3', 'example.com/gpu': '1' };
  info.setNode({ metadata: { name: 'n', labels }, spec, status: { allocatable } });
  for (const each of running) info.add(each);
  return info as ReadyNodeInfo;
}

function filtered(plugin: Plugin, incoming: PodInfo, on: ReadyNodeInfo): string {
  const state = new CycleState();
  const before = plugin.preFilter?.(state, incoming)?.status;
  if (before?.code === 'Skip') return 'skip';
  const status = before ?? plugin.filter?.(state, incoming, on);
  return status ? `${status.code}: ${status.reasons.join('; ')}` : 'fits';
}

function check(name: string, plugin: Plugin, incoming: PodInfo, on: ReadyNodeInfo, expected: string) {
  test(`${plugin.name}: ${name}`, () => expect(filtered(plugin, incoming, on)).toBe(expected));
}

describe('filters', () => {
  const NO_AFFINITY = "UnschedulableAndUnresolvable: node(s) didn't match Pod's node affinity/selector";
  const NO_PORT = "Unschedulable: node(s) didn't have free ports for the requested pod ports";
  const cordoned = { unschedulable: true };
  const cordonTaint = { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' };
  check(
    'cordoned',
    nodeUnschedulable,
    pod(),
    node(cordoned),
    'UnschedulableAndUnresolvable: node(s) were unschedulable',
  );
  check('tolerated', nodeUnschedulable, pod({ tolerations: [cordonTaint] }), node(cordoned), 'fits');

  const taint = { key: 'a', value: 'b', effect: 'NoSchedule' };
  const untolerated = 'UnschedulableAndUnresolvable: node(s) had untolerated taint {a: b}';
  check('taint', taintToleration, pod(), node({ taints: [taint] }), untolerated);
  check('NoExecute', taintToleration, pod(), node({ taints: [{ ...taint, effect: 'NoExecute' }] }), untolerated);
  check('soft taint', taintToleration, pod(), node({ taints: [{ ...taint, effect: 'PreferNoSchedule' }] }), 'fits');
  check(
    'another value',
    taintToleration,
    pod({ tolerations: [{ key: 'a', value: 'c' }] }),
    node({ taints: [taint] }),
    untolerated,
  );
  check('any', taintToleration, pod({ tolerations: [{ operator: 'Exists' }] }), node({ taints: [taint] }), 'fits');

  const affinity = (terms: readonly object[]) =>
    pod({
      affinity: {
        nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms as never } },
      },
    });
  const expression = (operator: string, ...values: string[]) =>
    affinity([{ matchExpressions: [{ key: 'k', operator, values }] }]);
  check('nothing wanted', nodeAffinity, pod(), node(), 'skip');
  check('selector', nodeAffinity, pod({ nodeSelector: { k: 'v' } }), node({}, { k: 'v' }), 'fits');
  check('no label', nodeAffinity, pod({ nodeSelector: { k: 'v' } }), node(), NO_AFFINITY);
  check('In', nodeAffinity, expression('In', 'v', 'w'), node({}, { k: 'w' }), 'fits');
  check('NotIn absent', nodeAffinity, expression('NotIn', 'v'), node(), 'fits');
  check('NotIn', nodeAffinity, expression('NotIn', 'v'), node({}, { k: 'v' }), NO_AFFINITY);
  check('Gt', nodeAffinity, expression('Gt', '5'), node({}, { k: '6' }), 'fits');
  check('Gt no number', nodeAffinity, expression('Gt', '5'), node({}, { k: 'x' }), NO_AFFINITY);
  check('an empty term', nodeAffinity, affinity([{}]), node(), NO_AFFINITY);
  const named = (...values: string[]) => ({ key: 'metadata.name', operator: 'In', values });
  check('by name', nodeAffinity, affinity([{ matchFields: [named('n')] }]), node(), 'fits');
  const conflict = affinity([{ matchFields: [named('n'), named('m')] }]);
  check('conflict', nodeAffinity, conflict, node(), 'UnschedulableAndUnresolvable: pod affinity terms conflict');

  const port = (hostPort: number, hostIP = '', name = 'p') =>
    pod({ containers: [{ ...container, ports: [{ containerPort: 1, hostPort, hostIP }] }] }, name);
  check('none', nodePorts, pod(), node(), 'skip');
  check('taken', nodePorts, port(80), node({}, {}, [port(80, '', 'q')]), NO_PORT);
  check('another', nodePorts, port(81), node({}, {}, [port(80, '', 'q')]), 'fits');
  check('another address', nodePorts, port(80, '10.0.0.1'), node({}, {}, [port(80, '10.0.0.2', 'q')]), 'fits');
  check('any address', nodePorts, port(80), node({}, {}, [port(80, '10.0.0.2', 'q')]), NO_PORT);

  check('empty', nodeResourcesFit, asking('4', '8Gi'), node(), 'fits');
  check(
    'both',
    nodeResourcesFit,
    asking('3', '6Gi'),
    node({}, {}, [asking('2', '3Gi', 'q')]),
    'Unschedulable: Insufficient cpu; Insufficient memory',
  );
  const crowd = [pod({}, 'q'), pod({}, 'r'), pod({}, 's')];
  check('crowded', nodeResourcesFit, pod(), node({}, {}, crowd), 'Unschedulable: Too many pods');
  const gpus = (count: string) =>
    pod({ containers: [{ ...container, resources: { requests: { 'example.com/gpu': count } } }] as never });
  check('extended', nodeResourcesFit, gpus('2'), node(), 'Unschedulable: Insufficient example.com/gpu');
  const init = (cpu: string, restartPolicy?: string) => ({
    ...container,
    restartPolicy,
    resources: { requests: { cpu } },
  });
  const starting = pod({ containers: [init('1')], initContainers: [init('5')] });
  check('an init container', nodeResourcesFit, starting, node(), 'Unschedulable: Insufficient cpu');
  const sidecar = pod({ containers: [init('2')], initContainers: [init('2', 'Always'), init('1')] });
  check('a sidecar', nodeResourcesFit, sidecar, node(), 'fits');
});

describe('scores', () => {
  const score = (plugin: Plugin, incoming: PodInfo, on: ReadyNodeInfo) => {
    const state = new CycleState();
    return plugin.preScore?.(state, incoming, [on])?.code ?? plugin.score?.(state, incoming, on);
  };

  test('what is left', () => {
    expect(score(nodeResourcesFit, asking('1', '2Gi'), node())).toBe(75);
    // A Pod that asks for nothing counts as 100m and 200Mi: (97 + 97) / 2.
    expect(score(nodeResourcesFit, pod(), node())).toBe(97);
    expect(score(nodeResourcesFit, asking('5', '2Gi'), node())).toBe(37);
  });

  test('balance', () => {
    expect(score(nodeResourcesBalancedAllocation, asking('1', '2Gi'), node())).toBe(100);
    expect(score(nodeResourcesBalancedAllocation, asking('4', '0'), node())).toBe(50);
    expect(score(nodeResourcesBalancedAllocation, pod(), node())).toBe('Skip');
  });

  test('stretched to a hundred', () => {
    const stretch = (scores: number[], reverse: boolean) => {
      normalizeScores(scores, reverse);
      return scores;
    };
    expect(stretch([0, 1, 3], false)).toEqual([0, 33, 100]);
    expect(stretch([0, 1, 3], true)).toEqual([100, 67, 0]);
    expect(stretch([0, 0], true)).toEqual([100, 100]);
  });
});

test('the message counts reasons, and those not looked at', () => {
  const statuses = new FilterStatuses();
  statuses.set('a', { code: 'Unschedulable', reasons: ['Insufficient cpu'] });
  statuses.set('b', { code: 'Unschedulable', reasons: ['Insufficient cpu', 'Too many pods'] });
  statuses.absent = { code: 'UnschedulableAndUnresolvable', reasons: ['no'] };
  expect(fitMessage(12, statuses, '', 'preemption: no.')).toBe(
    '0/12 nodes are available: 1 Too many pods, 10 no, 2 Insufficient cpu. preemption: no.',
  );
  expect(fitMessage(3, statuses, 'pod affinity terms conflict')).toBe(
    '0/3 nodes are available: pod affinity terms conflict.',
  );
});

test('how many nodes are enough', () => {
  expect([3, 99, 100, 500, 5000, 10_000].map(feasibleNodesToFind)).toEqual([3, 99, 100, 230, 500, 500]);
});

test('victims: the lowest priority, then the fewest, then the youngest', () => {
  const victim = (priority: number, startTime: string) =>
    new PodInfo({ metadata: { uid: startTime }, spec: { containers: [container], priority }, status: { startTime } });
  const early = '2026-01-01T00:00:00Z';
  const late = '2026-01-02T00:00:00Z';
  const candidates = [
    { node: 'high', victims: [victim(5, late)] },
    { node: 'two', victims: [victim(1, late), victim(1, late)] },
    { node: 'old', victims: [victim(1, early)] },
    { node: 'young', victims: [victim(1, late)] },
  ];
  expect(pickCandidate(candidates)?.node).toBe('young');
  expect(pickCandidate(candidates.slice(0, 3))?.node).toBe('old');
  expect(pickCandidate(candidates.slice(0, 2))?.node).toBe('two');
  expect(pickCandidate([])).toBeUndefined();
});

test('the logarithm is that of Math.log', () => {
  for (const x of [1, 2, 3, 7, 52, 5002]) expect(Math.abs(naturalLog(x) - Math.log(x))).toBeLessThan(1e-14);
});
