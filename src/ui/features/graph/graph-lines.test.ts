import { expect, test } from 'vitest';
import type { Row } from '../../cluster-store/table.ts';
import { pointAlong } from './geometry.ts';
import { GraphComposer } from './graph-elements.ts';
import { lightOf } from './graph-light.ts';
import { BUNDLED, linesOf } from './graph-lines.ts';
import { GraphModeller } from './graph-model.ts';
import { ServiceModeller } from './graph-services.ts';
import { WorkloadModeller } from './graph-workloads.ts';

const row = (key: string, object: object, cells: string[] = [], status?: string): Row => {
  const [, namespace, name] = key.split('/');
  return {
    key,
    object: { metadata: { name, namespace }, ...object } as Row['object'],
    cells,
    ...(status ? { status } : {}),
  };
};
const node = (name: string): Row => ({
  key: `nodes/${name}`,
  object: { metadata: { name } },
  cells: [name],
  status: 'Ready',
});

/** A Service `web` with so many Pods on two Nodes, the first of them as told. */
function scene(count: number, conditions: Record<string, boolean> = { ready: true }, namespace = 'default') {
  const names = Array.from({ length: count }, (_, at) => `web-${at}`);
  const pods = names.map((name, at) =>
    row(`pods/${namespace}/${name}`, { spec: { nodeName: `node-${(at % 2) + 1}` } }, [name, '1/1'], 'Running'),
  );
  const slice = row(`endpointslices/${namespace}/web-x`, {
    metadata: { name: 'web-x', namespace, labels: { 'kubernetes.io/service-name': 'web' } },
    endpoints: names.map((name, at) => ({
      addresses: ['10.244.1.1'],
      conditions: at === 0 ? conditions : { ready: true },
      targetRef: { kind: 'Pod', name, namespace },
    })),
  });
  return {
    model: new GraphModeller().model(pods, [node('node-1'), node('node-2')]),
    services: new ServiceModeller().model([row(`services/${namespace}/web`, { spec: {} })], [slice]),
    workloads: new WorkloadModeller().model({
      deployments: [],
      replicaSets: [],
      daemonSets: [],
      replicationControllers: [],
    }),
  };
}

function draw(of: ReturnType<typeof scene>, subject?: string) {
  const { wiring, trackOf, layout } = new GraphComposer().compose(of, { width: 620, height: 545 });
  const light = subject ? lightOf(subject, of) : undefined;
  const lines = linesOf(of.services.items, light, wiring, trackOf, (pod) => wiring.nodeOf(pod));
  return { wiring, layout, lines: lines.map(({ data }) => [data?.state, data?.lit, data?.to.length]) };
}

test.each([
  [{ ready: true }, [['ready', false, 3]]],
  [
    { ready: false },
    [
      ['unready', false, 1],
      ['ready', false, 2],
    ],
  ],
  [
    { ready: false, terminating: true },
    [
      ['terminating', false, 1],
      ['ready', false, 2],
    ],
  ],
])('a line to each endpoint, as ready as it is: %j', (conditions, lines) => {
  expect(draw(scene(3, conditions)).lines).toEqual(lines);
});

test('the cluster’s own Services are joined to their Pods when somebody looks at them', () => {
  const system = scene(2, { ready: true }, 'kube-system');
  expect(draw(system).lines).toEqual([]);
  expect(draw(system, 'services/kube-system/web').lines).toEqual([['ready', true, 2]]);
});

test('of a Pod its own line is lit, the others stay', () => {
  expect(draw(scene(3), 'pods/default/web-1').lines).toEqual([
    ['ready', false, 2],
    ['ready', true, 1],
  ]);
});

test('ways lead from edge to edge, and back the same; many Pods are reached through their Nodes', () => {
  const { wiring, layout } = draw(scene(3));
  const way = wiring.route(['pods/default/web-0', 'services/default/web', 'pods/default/web-1']);
  const there = wiring.route(['services/default/web', 'pods/default/web-1']);
  const pod = wiring.place('pods/default/web-1');
  expect(way && pointAlong(way, 1).y).toBe(pod?.box.y);
  expect(there && pointAlong(there, 0).y).toBe((wiring.place('services/default/web')?.box.y ?? 0) + 42);
  expect(wiring.route(['services/default/web', 'pods/default/gone'])).toBeUndefined();
  expect(wiring.route(['nodes/node-1', 'pods/default/web-0'])?.points[0]?.x).toBe(layout.boxes.get('node:node-1')?.x);

  const crowd = draw(scene(BUNDLED));
  expect(crowd.lines).toEqual([['ready', false, BUNDLED]]);
  const cells = draw(scene(1000));
  expect(cells.wiring.route(['services/default/web', 'pods/default/web-999'])).toBeDefined();
});
