import type { Detail } from './graph-detail.ts';
import { routeThrough, type Box, type Point, type Route } from './geometry.ts';

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
}

export interface Viewport {
  readonly width: number;
  readonly height: number;
}

export interface GraphLayout {
  /** Nodes in a row; the hint for the next layout. */
  readonly columns: number;
  /** By `frame`, `queue`, a component's name, or `node:<name>`. */
  readonly boxes: ReadonlyMap<string, Box>;
  /** From each party to kube-apiserver, and from there to etcd. By the party: `kubectl`, `etcd`, `node:<name>` … */
  readonly routes: ReadonlyMap<string, Route>;
  readonly width: number;
  readonly height: number;
}

const POD_SIZES: Readonly<
  Record<'card' | 'chip' | 'cell', { readonly width: number; readonly height: number; readonly gap: number }>
> = {
  card: { width: 124, height: 38, gap: 6 },
  chip: { width: 66, height: 20, gap: 4 },
  cell: { width: 11, height: 11, gap: 3 },
};
/** The cluster's own Pods are small, whatever the detail. */
const SYSTEM_POD = { width: 14, height: 14, gap: 5 };
export const NODE_HEAD = 34;
const NODE_PADDING = 10;
const QUEUE_HEAD = 22;
const NODE_WIDTH = 2 * NODE_PADDING + 2 * POD_SIZES.card.width + POD_SIZES.card.gap;
const COUNT_NODE_WIDTH = 146;
const GAP = 18;
const NODE_GAP = 20;
const FRAME_PADDING = 14;
const FRAME_HEAD = 24;
const QUEUE_HEIGHT = QUEUE_HEAD + POD_SIZES.card.height + 10;
const ACTOR_HEIGHT = 46;
const HUB_HEIGHT = 44;
const YOU_WIDTH = 88;
const ETCD_WIDTH = 124;
const MIN_WIDTH = 490;
const MAX_ZOOM = 1.35;
/** A change of columns moves every Node: it has to be worth it. */
const WORTH_MOVING = 1.12;

const perRow = (width: number, item: { readonly width: number; readonly gap: number }) =>
  Math.max(1, Math.floor((width + item.gap) / (item.width + item.gap)));

/** How many Pods stand beside each other in a Node. */
export const podsPerRow = (detail: 'card' | 'chip' | 'cell') =>
  perRow(NODE_WIDTH - 2 * NODE_PADDING, POD_SIZES[detail]);
const systemPerRow = perRow(NODE_WIDTH - 2 * NODE_PADDING, SYSTEM_POD);

function stacked(count: number, inRow: number, item: { readonly height: number; readonly gap: number }): number {
  const rows = Math.ceil(count / inRow);
  return rows === 0 ? 0 : rows * (item.height + item.gap) - item.gap;
}

function nodeHeight(detail: Detail, node: NodeLoad): number {
  if (detail === 'count') return NODE_HEAD + 30;
  const size = POD_SIZES[detail];
  // At least a row, so that the first Pod that arrives moves nothing.
  const pods = stacked(Math.max(node.pods, 1), podsPerRow(detail), size);
  const system = stacked(node.systemPods, systemPerRow, SYSTEM_POD);
  return NODE_HEAD + pods + (system ? system + SYSTEM_POD.gap + 3 : 0) + NODE_PADDING;
}

interface Rows {
  readonly width: number;
  readonly heights: readonly number[];
}

function rowsFor(input: LayoutInput, columns: number): Rows {
  const nodeWidth = input.detail === 'count' ? COUNT_NODE_WIDTH : NODE_WIDTH;
  const heights: number[] = [];
  input.nodes.forEach((node, at) => {
    const row = Math.floor(at / columns);
    heights[row] = Math.max(heights[row] ?? 0, nodeHeight(input.detail, node));
  });
  return { width: Math.max(MIN_WIDTH, columns * (nodeWidth + NODE_GAP) - NODE_GAP), heights };
}

const TOP_HEIGHT = FRAME_HEAD + QUEUE_HEIGHT + GAP + ACTOR_HEIGHT + GAP + HUB_HEIGHT + FRAME_PADDING;

function totalHeight({ heights }: Rows): number {
  return TOP_HEIGHT + heights.reduce((sum, height) => sum + height + NODE_GAP, GAP);
}

/** The number of Nodes in a row with which the whole is drawn largest; the present one unless another is clearly better. */
export function chooseColumns(input: LayoutInput, viewport: Viewport, current = 0): number {
  const zoomOf = (columns: number) => {
    const rows = rowsFor(input, columns);
    return Math.min(viewport.width / rows.width, viewport.height / totalHeight(rows), MAX_ZOOM);
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
 * Places everything. The control plane is a band on top: Pods that wait, above the scheduler and the controllers, above
 * kube-apiserver, which is a bar over which everybody meets, with etcd behind it. Nodes stand below in rows.
 */
export function layoutGraph(input: LayoutInput, columns: number): GraphLayout {
  const rows = rowsFor(input, columns);
  const boxes = new Map<string, Box>();
  const frame: Box = { x: YOU_WIDTH + GAP, y: 0, width: rows.width - YOU_WIDTH - GAP, height: TOP_HEIGHT };
  const left = frame.x + FRAME_PADDING;
  const inside = frame.width - 2 * FRAME_PADDING;
  const queue: Box = { x: left, y: FRAME_HEAD, width: inside, height: QUEUE_HEIGHT };
  const actorsY = queue.y + queue.height + GAP;
  const actorWidth = Math.min(180, (inside - GAP) / 2);
  const hub: Box = {
    x: left,
    y: actorsY + ACTOR_HEIGHT + GAP,
    width: inside - ETCD_WIDTH - 2 * GAP,
    height: HUB_HEIGHT,
  };
  const etcd: Box = { x: left + inside - ETCD_WIDTH, y: hub.y, width: ETCD_WIDTH, height: HUB_HEIGHT };
  const scheduler: Box = { x: left, y: actorsY, width: actorWidth, height: ACTOR_HEIGHT };
  const controllers: Box = { x: left + inside - actorWidth, y: actorsY, width: actorWidth, height: ACTOR_HEIGHT };
  const you: Box = { x: 0, y: hub.y, width: YOU_WIDTH, height: HUB_HEIGHT };
  boxes.set('frame', frame);
  boxes.set('queue', queue);
  boxes.set('kube-scheduler', scheduler);
  boxes.set('kube-controller-manager', controllers);
  boxes.set('kube-apiserver', hub);
  boxes.set('etcd', etcd);
  boxes.set('kubectl', you);
  boxes.set('legend', { x: 0, y: 2, width: YOU_WIDTH, height: you.y - 20 });

  const routes = new Map<string, Route>();
  const hubLeft = hub.x + 12;
  const hubRight = hub.x + hub.width - 12;
  const hubBottom = hub.y + hub.height;
  const clamp = (x: number) => Math.min(hubRight, Math.max(hubLeft, x));
  routes.set('kubectl', routeThrough({ x: you.x + you.width, y: centre(you).y }, { x: hub.x, y: centre(hub).y }));
  routes.set('etcd', routeThrough({ x: hub.x + hub.width, y: centre(hub).y }, { x: etcd.x, y: centre(etcd).y }));
  routes.set(
    'queue',
    routeThrough({ x: centre(scheduler).x, y: queue.y + queue.height }, { x: centre(scheduler).x, y: scheduler.y }),
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

  const nodeWidth = input.detail === 'count' ? COUNT_NODE_WIDTH : NODE_WIDTH;
  const inRow = Math.min(columns, Math.max(1, input.nodes.length));
  const indent = (rows.width - (inRow * (nodeWidth + NODE_GAP) - NODE_GAP)) / 2;
  const busY = TOP_HEIGHT + GAP / 2;
  let y = TOP_HEIGHT + GAP;
  input.nodes.forEach((node, at) => {
    const row = Math.floor(at / columns);
    const column = at % columns;
    if (column === 0 && row > 0) y += (rows.heights[row - 1] as number) + NODE_GAP;
    const box: Box = {
      x: indent + column * (nodeWidth + NODE_GAP),
      y,
      width: nodeWidth,
      height: rows.heights[row] as number,
    };
    boxes.set(`node:${node.name}`, box);
    const port = { x: box.x + 26, y: box.y };
    const up = clamp(port.x);
    if (row === 0) {
      routes.set(
        `node:${node.name}`,
        routeThrough(port, { x: port.x, y: busY }, { x: up, y: busY }, { x: up, y: hubBottom }),
      );
      return;
    }
    // From a lower row: up the gutter to the left of the column, where the lines of that column lie on each other.
    const gutter = box.x - NODE_GAP / 2;
    const above = box.y - NODE_GAP / 2;
    const rise = clamp(gutter);
    routes.set(
      `node:${node.name}`,
      routeThrough(
        port,
        { x: port.x, y: above },
        { x: gutter, y: above },
        { x: gutter, y: busY },
        { x: rise, y: busY },
        { x: rise, y: hubBottom },
      ),
    );
  });
  return { columns, boxes, routes, width: rows.width, height: totalHeight(rows) };
}

/** Where the Pod with this place stands in its Node. */
export function podBox(node: Box, detail: 'card' | 'chip' | 'cell', slot: number): Box {
  const size = POD_SIZES[detail];
  const inRow = podsPerRow(detail);
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
  return {
    x: node.x + NODE_PADDING + (slot % systemPerRow) * step,
    y: node.y + node.height - NODE_PADDING - SYSTEM_POD.height - Math.floor(slot / systemPerRow) * step,
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
    const rows = Math.max(1, Math.floor((queue.height - QUEUE_HEAD - 6 + size.gap) / (size.height + size.gap)));
    return rows * perRow(queue.width - 2 * NODE_PADDING, size);
  };
  for (const detail of ['card', 'chip', 'cell'] as const) {
    if (waiting <= fit(detail)) return { detail, places: waiting };
  }
  return { detail: 'cell', places: fit('cell') };
}

export function queueBox(queue: Box, detail: 'card' | 'chip' | 'cell', slot: number): Box {
  const size = POD_SIZES[detail];
  const inRow = perRow(queue.width - 2 * NODE_PADDING, size);
  return {
    x: queue.x + NODE_PADDING + (slot % inRow) * (size.width + size.gap),
    y: queue.y + QUEUE_HEAD + Math.floor(slot / inRow) * (size.height + size.gap),
    width: size.width,
    height: size.height,
  };
}
