import type { Detail } from './graph-detail.ts';
import { routeThrough, type Box, type Point, type Route } from './geometry.ts';
import { laneHeight, type LaneLoad } from './graph-lanes.ts';

/** What the layout needs to know of a Node: how many places it draws, of which kind. */
interface NodeLoad {
  readonly name: string;
  readonly pods: number;
  readonly systemPods: number;
}

export interface LayoutInput {
  readonly detail: Detail;
  readonly nodes: readonly NodeLoad[];
  readonly waiting: number;
  readonly workloads: LaneLoad;
  readonly services: LaneLoad;
}

export interface Viewport {
  readonly width: number;
  readonly height: number;
}

export interface GraphLayout {
  /** Nodes in a row; the hint for the next layout. */
  readonly columns: number;
  /** By `frame`, `queue`, `workloads`, `services`, a component's name, or `node:<name>`. */
  readonly boxes: ReadonlyMap<string, Box>;
  /** From each party to kube-apiserver, and from there to etcd. By the party: `kubectl`, `etcd`, `node:<name>` … */
  readonly routes: ReadonlyMap<string, Route>;
  /** Between the lanes and the Nodes: where lines from objects to Pods begin, from top to bottom. */
  readonly bus: number;
  readonly width: number;
  readonly height: number;
}

const POD_SIZES: Readonly<
  Record<'card' | 'chip' | 'cell', { readonly width: number; readonly height: number; readonly gap: number }>
> = {
  card: { width: 132, height: 38, gap: 6 },
  chip: { width: 66, height: 20, gap: 4 },
  cell: { width: 11, height: 11, gap: 3 },
};
/** The cluster's own Pods are small, whatever the detail. */
const SYSTEM_POD = { width: 14, height: 14, gap: 5 };
export const NODE_HEAD = 34;
const NODE_PADDING = 10;
const QUEUE_PADDING = 6;
const NODE_WIDTH = 2 * NODE_PADDING + 2 * POD_SIZES.card.width + POD_SIZES.card.gap;
const COUNT_NODE_WIDTH = 146;
const GAP = 12;
/** Between Nodes beside each other: room for lines. */
const GUTTER = 26;
const ROW_GAP = 20;
/** Between the lanes and the Nodes: room for the lines of several Services, and for those to kube-apiserver. */
const BUS_SPACE = 30;
const API_GUTTER = 7;
const FRAME_PADDING = 12;
const FRAME_HEAD = 24;
const QUEUE_HEIGHT = POD_SIZES.card.height + 2 * QUEUE_PADDING;
const ACTOR_HEIGHT = 44;
const HUB_HEIGHT = 42;
const YOU_WIDTH = 80;
const SCHEDULER_WIDTH = 146;
const CONTROLLERS_WIDTH = 168;
const ETCD_WIDTH = 124;
const MIN_WIDTH = 490;
export const MAX_ZOOM = 1.35;
/** Lines run to the left of the first column too. */
export const MARGIN_LEFT = 22;
/** A change of columns moves every Node: it has to be worth it. */
const WORTH_MOVING = 1.12;

const perRow = (width: number, item: { readonly width: number; readonly gap: number }) =>
  Math.max(1, Math.floor((width + item.gap) / (item.width + item.gap)));

/** How many Pods stand beside each other in a Node of this width. */
export const podsPerRow = (detail: 'card' | 'chip' | 'cell', width = NODE_WIDTH) =>
  perRow(width - 2 * NODE_PADDING, POD_SIZES[detail]);
const systemPerRow = (width: number) => perRow(width - 2 * NODE_PADDING, SYSTEM_POD);

function stacked(count: number, inRow: number, item: { readonly height: number; readonly gap: number }): number {
  const rows = Math.ceil(count / inRow);
  return rows === 0 ? 0 : rows * (item.height + item.gap) - item.gap;
}

function nodeHeight(detail: Detail, node: NodeLoad, width: number): number {
  if (detail === 'count') return NODE_HEAD + 30;
  const size = POD_SIZES[detail];
  // At least a row, so that the first Pod that arrives moves nothing.
  const pods = stacked(Math.max(node.pods, 1), podsPerRow(detail, width), size);
  const system = stacked(node.systemPods, systemPerRow(width), SYSTEM_POD);
  return NODE_HEAD + pods + (system ? system + SYSTEM_POD.gap + 3 : 0) + NODE_PADDING;
}

interface Rows {
  readonly width: number;
  readonly nodeWidth: number;
  readonly laneWidth: number;
  readonly laneHeight: number;
  readonly heights: readonly number[];
}

function rowsFor(input: LayoutInput, columns: number): Rows {
  const narrow = input.detail === 'count' ? COUNT_NODE_WIDTH : NODE_WIDTH;
  const width = Math.max(MIN_WIDTH, columns * (narrow + GUTTER) - GUTTER);
  const nodeWidth = columns === 1 ? width : narrow;
  const heights: number[] = [];
  input.nodes.forEach((node, at) => {
    const row = Math.floor(at / columns);
    heights[row] = Math.max(heights[row] ?? 0, nodeHeight(input.detail, node, nodeWidth));
  });
  const laneWidth = (width - GUTTER) / 2;
  return {
    width,
    nodeWidth,
    laneWidth,
    laneHeight: Math.max(laneHeight(laneWidth, input.workloads), laneHeight(laneWidth, input.services)),
    heights,
  };
}

/** The width inside the control plane's frame. */
const insideOf = (width: number) => width - YOU_WIDTH - GAP - 2 * FRAME_PADDING;

/** Between scheduler and controllers there is room for a Pod that waits; if not, the queue has a row of its own. */
const queueAbove = (width: number) =>
  insideOf(width) < SCHEDULER_WIDTH + CONTROLLERS_WIDTH + 2 * GAP + POD_SIZES.card.width + 2 * NODE_PADDING;

const topHeight = (width: number) =>
  FRAME_HEAD + (queueAbove(width) ? QUEUE_HEIGHT + GAP : 0) + ACTOR_HEIGHT + GAP + HUB_HEIGHT + FRAME_PADDING;

function totalHeight({ width, heights, laneHeight }: Rows): number {
  return (
    topHeight(width) + GAP + laneHeight + BUS_SPACE + heights.reduce((sum, height) => sum + height + ROW_GAP, -ROW_GAP)
  );
}

/** The number of Nodes in a row with which the whole is drawn largest; the present one unless another is clearly better. */
export function chooseColumns(input: LayoutInput, viewport: Viewport, current = 0): number {
  const zoomOf = (columns: number) => {
    const rows = rowsFor(input, columns);
    return Math.min(viewport.width / (rows.width + MARGIN_LEFT), viewport.height / totalHeight(rows), MAX_ZOOM);
  };
  const most = Math.max(1, input.nodes.length);
  const kept = current >= 1 && current <= most ? current : 0;
  let best = kept || 1;
  let bestZoom = kept ? zoomOf(kept) * WORTH_MOVING : 0;
  for (let columns = 1; columns <= Math.min(most, 24); columns++) {
    const zoom = zoomOf(columns);
    if (zoom > bestZoom + 1e-6) [best, bestZoom] = [columns, zoom];
  }
  return best;
}

const centre = (box: Box): Point => ({ x: box.x + box.width / 2, y: box.y + box.height / 2 });

/**
 * Places everything. The control plane is a band on top: Pods that wait, between the scheduler and the controllers, above
 * kube-apiserver, which is a bar over which everybody meets, with etcd behind it. Below are two lanes, of what keeps Pods
 * and of what leads to them, and the Nodes in rows. All lines to kube-apiserver pass between the lanes.
 */
export function layoutGraph(input: LayoutInput, columns: number): GraphLayout {
  const rows = rowsFor(input, columns);
  const boxes = new Map<string, Box>();
  const above = queueAbove(rows.width);
  const top = topHeight(rows.width);
  const frame: Box = { x: YOU_WIDTH + GAP, y: 0, width: rows.width - YOU_WIDTH - GAP, height: top };
  const left = frame.x + FRAME_PADDING;
  const inside = insideOf(rows.width);
  const right = left + inside;
  const actorsY = FRAME_HEAD + (above ? QUEUE_HEIGHT + GAP : 0);
  const scheduler: Box = { x: left, y: actorsY, width: SCHEDULER_WIDTH, height: ACTOR_HEIGHT };
  const controllers: Box = {
    x: right - CONTROLLERS_WIDTH,
    y: actorsY,
    width: CONTROLLERS_WIDTH,
    height: ACTOR_HEIGHT,
  };
  const queue: Box = above
    ? { x: left, y: FRAME_HEAD, width: inside, height: QUEUE_HEIGHT }
    : {
        x: left + SCHEDULER_WIDTH + GAP,
        y: actorsY - (QUEUE_HEIGHT - ACTOR_HEIGHT) / 2,
        width: inside - SCHEDULER_WIDTH - CONTROLLERS_WIDTH - 2 * GAP,
        height: QUEUE_HEIGHT,
      };
  const hub: Box = {
    x: left,
    y: actorsY + ACTOR_HEIGHT + GAP,
    width: inside - ETCD_WIDTH - 2 * GAP,
    height: HUB_HEIGHT,
  };
  const etcd: Box = { x: right - ETCD_WIDTH, y: hub.y, width: ETCD_WIDTH, height: HUB_HEIGHT };
  const you: Box = { x: 0, y: hub.y, width: YOU_WIDTH, height: HUB_HEIGHT };
  boxes.set('frame', frame);
  boxes.set('queue', queue);
  boxes.set('kube-scheduler', scheduler);
  boxes.set('kube-controller-manager', controllers);
  boxes.set('kube-apiserver', hub);
  boxes.set('etcd', etcd);
  boxes.set('kubectl', you);
  boxes.set('legend', { x: 0, y: 0, width: YOU_WIDTH, height: you.y - 2 });

  const routes = new Map<string, Route>();
  const hubLeft = hub.x + 12;
  const hubRight = hub.x + hub.width - 12;
  const hubBottom = hub.y + hub.height;
  const clamp = (x: number) => Math.min(hubRight, Math.max(hubLeft, x));
  routes.set('kubectl', routeThrough({ x: you.x + you.width, y: centre(you).y }, { x: hub.x, y: centre(hub).y }));
  routes.set('etcd', routeThrough({ x: hub.x + hub.width, y: centre(hub).y }, { x: etcd.x, y: centre(etcd).y }));
  routes.set(
    'queue',
    above
      ? routeThrough({ x: centre(scheduler).x, y: queue.y + queue.height }, { x: centre(scheduler).x, y: scheduler.y })
      : routeThrough({ x: queue.x, y: centre(queue).y }, { x: scheduler.x + scheduler.width, y: centre(queue).y }),
  );
  for (const [name, box] of [
    ['kube-scheduler', scheduler],
    ['kube-controller-manager', controllers],
  ] as const) {
    const from = { x: centre(box).x, y: box.y + box.height };
    const to = { x: clamp(from.x), y: hub.y };
    const bend = hub.y - GAP / 2;
    routes.set(name, routeThrough(from, { x: from.x, y: bend }, { x: to.x, y: bend }, to));
  }

  const lanesY = top + GAP;
  const lane = { y: lanesY, width: rows.laneWidth, height: rows.laneHeight };
  boxes.set('workloads', { ...lane, x: 0 });
  boxes.set('services', { ...lane, x: rows.width - rows.laneWidth });

  const { nodeWidth } = rows;
  const inRow = Math.min(columns, Math.max(1, input.nodes.length));
  const indent = (rows.width - (inRow * (nodeWidth + GUTTER) - GUTTER)) / 2;
  const bus = lanesY + rows.laneHeight;
  let y = bus + BUS_SPACE;
  const apiBus = y - API_GUTTER;
  const trunk = clamp(rows.width / 2);
  const home = [
    { x: trunk, y: apiBus },
    { x: trunk, y: hubBottom },
  ];
  input.nodes.forEach((node, at) => {
    const row = Math.floor(at / columns);
    const column = at % columns;
    if (column === 0 && row > 0) y += (rows.heights[row - 1] as number) + ROW_GAP;
    const box: Box = {
      x: indent + column * (nodeWidth + GUTTER),
      y,
      width: nodeWidth,
      height: rows.heights[row] as number,
    };
    boxes.set(`node:${node.name}`, box);
    const port = { x: box.x + 26, y: box.y };
    if (row === 0) {
      routes.set(`node:${node.name}`, routeThrough(port, { x: port.x, y: apiBus }, ...home));
      return;
    }
    // From a lower row: up the gutter to the left of the column, where the lines of that column lie on each other.
    const gutter = box.x - API_GUTTER;
    const over = box.y - ROW_GAP / 2;
    routes.set(
      `node:${node.name}`,
      routeThrough(port, { x: port.x, y: over }, { x: gutter, y: over }, { x: gutter, y: apiBus }, ...home),
    );
  });
  return { columns, boxes, routes, bus, width: rows.width, height: totalHeight(rows) };
}

/** Where the Pod with this place stands in its Node. */
export function podBox(node: Box, detail: 'card' | 'chip' | 'cell', slot: number): Box {
  const size = POD_SIZES[detail];
  const inRow = podsPerRow(detail, node.width);
  return {
    x: node.x + NODE_PADDING + (slot % inRow) * (size.width + size.gap),
    y: node.y + NODE_HEAD + Math.floor(slot / inRow) * (size.height + size.gap),
    width: size.width,
    height: size.height,
  };
}

/** Where one of the cluster's own Pods stands: in rows from the Node's bottom left. */
export function systemPodBox(node: Box, slot: number): Box {
  const step = SYSTEM_POD.width + SYSTEM_POD.gap;
  const inRow = systemPerRow(node.width);
  return {
    x: node.x + NODE_PADDING + (slot % inRow) * step,
    y: node.y + node.height - NODE_PADDING - SYSTEM_POD.height - Math.floor(slot / inRow) * step,
    width: SYSTEM_POD.width,
    height: SYSTEM_POD.height,
  };
}

/** The detail in which Pods that wait are drawn so that they fit into the queue, and how many fit. */
export function queueDetail(
  queue: Box,
  waiting: number,
): { readonly detail: 'card' | 'chip' | 'cell'; readonly places: number } {
  const fit = (detail: 'card' | 'chip' | 'cell') => {
    const size = POD_SIZES[detail];
    const rows = Math.max(1, Math.floor((queue.height - QUEUE_PADDING + size.gap) / (size.height + size.gap)));
    return rows * perRow(queue.width - 2 * QUEUE_PADDING, size);
  };
  for (const detail of ['card', 'chip', 'cell'] as const) {
    if (waiting <= fit(detail)) return { detail, places: waiting };
  }
  return { detail: 'cell', places: fit('cell') };
}

export function queueBox(queue: Box, detail: 'card' | 'chip' | 'cell', slot: number): Box {
  const size = POD_SIZES[detail];
  const inRow = perRow(queue.width - 2 * QUEUE_PADDING, size);
  const top = detail === 'card' ? QUEUE_PADDING : QUEUE_PADDING / 2;
  return {
    x: queue.x + QUEUE_PADDING + (slot % inRow) * (size.width + size.gap),
    y: queue.y + top + Math.floor(slot / inRow) * (size.height + size.gap),
    width: size.width,
    height: size.height,
  };
}
