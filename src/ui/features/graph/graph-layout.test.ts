import { expect, test } from 'vitest';
import { pointAlong, routeThrough, type Box } from './geometry.ts';
import {
  chooseColumns,
  layoutGraph,
  podBox,
  podsPerRow,
  queueBox,
  queueDetail,
  systemPodBox,
  type LayoutInput,
} from './graph-layout.ts';

const input = (nodes: number, pods = 2, detail: LayoutInput['detail'] = 'card'): LayoutInput => ({
  detail,
  nodes: Array.from({ length: nodes }, (_, at) => ({ name: `node-${at}`, pods, systemPods: 3 })),
  waiting: 0,
  workloads: { places: pods, system: 2 },
  services: { places: 1, system: 2 },
});
const overlap = (a: Box, b: Box) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
const inside = (inner: Box, outer: Box) =>
  inner.x >= outer.x &&
  inner.y >= outer.y &&
  inner.x + inner.width <= outer.x + outer.width &&
  inner.y + inner.height <= outer.y + outer.height;

test.each([
  [4, 2],
  [1, 0],
  [9, 30],
  [40, 5],
])('with %i Nodes of %i Pods nothing overlaps and everything is within', (nodes, pods) => {
  const load = input(nodes, pods);
  const layout = layoutGraph(load, chooseColumns(load, { width: 620, height: 545 }));
  const { frame, ...rest } = Object.fromEntries(layout.boxes) as Record<string, Box>;
  const boxes = Object.entries(rest);
  for (const [name, box] of boxes) {
    expect(inside(box, { x: 0, y: 0, width: layout.width, height: layout.height }), name).toBe(true);
    for (const [other, otherBox] of boxes)
      if (other > name) expect(overlap(box, otherBox), `${name} on ${other}`).toBe(false);
    const controlPlane = !/^(node:.*|kubectl|legend|workloads|services)$/.test(name);
    expect(inside(box, frame as Box), name).toBe(controlPlane);
  }
  for (let slot = 0; slot < pods; slot++) {
    const node = layout.boxes.get('node:node-0') as Box;
    expect(inside(podBox(node, 'card', slot), node)).toBe(true);
    for (let system = 0; system < 3; system++)
      expect(overlap(podBox(node, 'card', slot), systemPodBox(node, system))).toBe(false);
  }
});

test('only kube-apiserver reaches etcd, and everybody reaches kube-apiserver', () => {
  const layout = layoutGraph(input(4), 2);
  const hub = layout.boxes.get('kube-apiserver') as Box;
  const etcd = layout.boxes.get('etcd') as Box;
  const grown = (box: Box) => ({ x: box.x - 1, y: box.y - 1, width: box.width + 2, height: box.height + 2 });
  const touches = (box: Box, at: { x: number; y: number }) => inside({ ...at, width: 0, height: 0 }, grown(box));
  for (const [party, route] of layout.routes) {
    const [start, end] = [pointAlong(route, 0), pointAlong(route, 1)];
    expect(touches(etcd, start) || touches(etcd, end), party).toBe(party === 'etcd');
    if (party !== 'queue') expect(touches(hub, start) || touches(hub, end), party).toBe(true);
  }
});

test('the shape of the pane decides the number of columns, which changes only when it is worth it', () => {
  expect(chooseColumns(input(4), { width: 1600, height: 500 })).toBe(4);
  expect(chooseColumns(input(4), { width: 390, height: 700 })).toBe(1);
  expect(chooseColumns(input(4), { width: 620, height: 545 })).toBe(2);
  const grown = { width: 700, height: 545 };
  expect(chooseColumns(input(4), grown, 2)).toBe(2);
  expect(chooseColumns(input(1), { width: 620, height: 545 }, 2)).toBe(1);
});

test('Pods that wait get smaller until they fit', () => {
  const queue = layoutGraph(input(4), 2).boxes.get('queue') as Box;
  for (const waiting of [1, 3, 10, 60, 5000]) {
    const { detail, places } = queueDetail(queue, waiting);
    expect(places).toBeLessThanOrEqual(waiting);
    if (places > 0) expect(inside(queueBox(queue, detail, places - 1), queue), `${waiting} as ${detail}`).toBe(true);
  }
  expect(queueDetail(queue, 1).detail).toBe('card');
  expect(queueDetail(queue, 5000).detail).toBe('cell');
});

test('a route has rounded corners and even speed', () => {
  const route = routeThrough({ x: 0, y: 0 }, { x: 0, y: 30 }, { x: 70, y: 30 });
  expect(route.path).toBe('M0 0L0 22Q0 30 8 30L70 30');
  expect(pointAlong(route, 0.3)).toEqual({ x: 0, y: 30 });
  expect(pointAlong(route, 0.65)).toEqual({ x: 35, y: 30 });
  expect(podsPerRow('card')).toBe(2);
});
