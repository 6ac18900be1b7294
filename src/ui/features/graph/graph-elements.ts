import type { Edge, Node } from '@xyflow/react';
import type { Route } from './geometry.ts';
import { chooseDetail, MAX_NODES, type Detail } from './graph-detail.ts';
import { laneBox, laneDetail, lanePlaces, laneSystem, laneSystemBox, type LaneDetail } from './graph-lanes.ts';
import type { GraphScene } from './graph-light.ts';
import { trackAt } from './graph-lines.ts';
import {
  chooseColumns,
  layoutGraph,
  podBox,
  queueBox,
  queueDetail,
  systemPodBox,
  type GraphLayout,
  type Viewport,
} from './graph-layout.ts';
import type { NodeItem, PodItem } from './graph-model.ts';
import type { ServiceItem } from './graph-services.ts';
import { assignSlots, type Slots } from './graph-slots.ts';
import { GraphWiring, type Place } from './graph-wiring.ts';
import type { WorkloadItem } from './graph-workloads.ts';
import type { Box } from './geometry.ts';
import type { ObjectKey } from '../../cluster-store/kube-object.ts';
import type { ComponentName } from '../../session/selection.ts';

export type PodLook = 'card' | 'chip' | 'cell' | 'system';

export type FrameNode = Node<
  {
    readonly kind: 'frame' | 'queue' | 'legend' | 'workloads' | 'services';
    /** How many it holds, but for the cluster's own. */
    readonly count: number;
    /** How many of them are not drawn. */
    readonly hidden: number;
  },
  'frame'
>;
export type ActorNode = Node<{ readonly name: ComponentName }, 'actor'>;
export type MachineNode = Node<
  {
    readonly node: NodeItem;
    readonly detail: Detail;
    /** Pods that are drawn inside as cells or told as a number. */
    readonly inside: readonly (PodItem | undefined)[];
  },
  'machine'
>;
export type PodNode = Node<
  {
    readonly pod: PodItem;
    readonly look: PodLook;
    /** The name of what keeps it, which its own begins with. */
    readonly stem: string;
    /** Of its Deployment. */
    readonly revision: string;
    /** An earlier revision than the newest. */
    readonly old: boolean;
  },
  'pod'
>;
/** The cluster's own are `quiet`: a name, or a cell. */
export type LaneLook = LaneDetail | 'quiet' | 'quietCell';
export type ServiceNode = Node<{ readonly service: ServiceItem; readonly look: LaneLook }, 'service'>;
export type WorkloadNode = Node<{ readonly workload: WorkloadItem; readonly look: LaneLook }, 'workload'>;
export type GraphNode = FrameNode | ActorNode | MachineNode | PodNode | ServiceNode | WorkloadNode;
export type RouteEdge = Edge<{ readonly route: Route }, 'route'>;

export interface GraphElements {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly RouteEdge[];
  readonly layout: GraphLayout;
  /** Where everything is, and the ways between. A new value when anything may have moved. */
  readonly wiring: GraphWiring;
  readonly trackOf: (key: ObjectKey) => number;
  /** Nodes of the cluster that are not drawn. */
  readonly hiddenNodes: number;
}

const ACTORS = ['kubectl', 'kube-apiserver', 'etcd', 'kube-scheduler', 'kube-controller-manager'] as const;

/**
 * From the model to what React Flow draws, step by step: detail, places, layout, elements. It remembers the last
 * result, so that nothing moves without need and what did not change is the same value as before.
 */
export class GraphComposer {
  #detail: Detail = 'card';
  #slots: Slots = new Map();
  #layout: GraphLayout | undefined;
  #layoutKey = '';
  #nodes = new Map<string, GraphNode>();
  #edges: readonly RouteEdge[] = [];

  compose({ model, services, workloads }: GraphScene, viewport: Viewport): GraphElements {
    const detail = (this.#detail = chooseDetail(model, this.#detail));
    const shown = model.nodes.slice(0, MAX_NODES);
    const groups = new Map<string, readonly string[]>();
    for (const node of shown) {
      const pods = model.podsByNode.get(node.name) ?? [];
      groups.set(
        node.name,
        pods.filter((pod) => !pod.system).map((pod) => pod.key),
      );
      groups.set(
        `${node.name} system`,
        pods.filter((pod) => pod.system).map((pod) => pod.key),
      );
    }
    const lanes = { workloads: workloads.items, services: services.items };
    for (const [lane, items] of Object.entries(lanes)) {
      const own = items.filter(({ system }) => !system);
      groups.set(
        lane,
        own.map(({ key }) => key),
      );
      groups.set(
        `${lane} system`,
        items.filter(({ system }) => system).map(({ key }) => key),
      );
    }
    const slots = (this.#slots = assignSlots(this.#slots, groups));
    const places = (group: string) => slots.get(group)?.length ?? 0;
    const input = {
      detail,
      nodes: shown.map(({ name }) => ({
        name,
        pods: places(name),
        systemPods: detail === 'count' ? 0 : places(`${name} system`),
      })),
      waiting: model.waiting.length,
      workloads: { places: places('workloads'), system: places('workloads system') },
      services: { places: places('services'), system: places('services system') },
    };
    const columns = chooseColumns(input, viewport, this.#layout?.columns);
    const layoutKey = JSON.stringify([input, columns]);
    if (!this.#layout || layoutKey !== this.#layoutKey) {
      this.#layout = layoutGraph(input, columns);
      this.#layoutKey = layoutKey;
      this.#edges = keptEdges(this.#edges, edgesOf(this.#layout, shown));
    }
    const layout = this.#layout;
    const box = (name: string) => layout.boxes.get(name) as Box;

    const pods = new Map<string, PodItem>();
    for (const there of model.podsByNode.values()) for (const pod of there) pods.set(pod.key, pod);
    const queue = box('queue');
    const wait = queueDetail(queue, model.waiting.length);
    const next = new Map<string, GraphNode>();
    const put = (node: GraphNode) => next.set(node.id, this.#kept(node));

    put(element('frame', 'frame', box('frame'), 0, { kind: 'frame', count: 0, hidden: 0 }));
    put(element('legend', 'frame', box('legend'), 0, { kind: 'legend', count: 0, hidden: 0 }));
    for (const name of ACTORS) put(element(name, 'actor', box(name), 2, { name }));
    put(
      element('queue', 'frame', queue, 1, {
        kind: 'queue',
        count: model.waiting.length,
        hidden: model.waiting.length - wait.places,
      }),
    );
    const podData = (pod: PodItem, look: PodLook) => {
      const revision = workloads.revisionOf.get(pod.owner);
      const top = workloads.deploymentOf.get(pod.owner) ?? pod.owner;
      const stem = top.slice(top.lastIndexOf('/') + 1);
      return { pod, look, stem, revision: revision?.revision ?? '', old: revision?.old ?? false };
    };
    for (const [lane, items] of Object.entries(lanes) as ['workloads' | 'services', typeof lanes.services][]) {
      const laneAt = box(lane);
      const byKey = new Map<ObjectKey, (typeof items)[number]>(items.map((item) => [item.key, item]));
      const detail = laneDetail(laneAt.width, places(lane));
      const hidden = Math.max(0, places(lane) - lanePlaces(laneAt.width));
      put(element(lane, 'frame', laneAt, 0, { kind: lane, count: places(lane), hidden }));
      const type = lane === 'services' ? 'service' : 'workload';
      const show = (key: string | undefined, at: Box, look: LaneLook) => {
        const item = key === undefined ? undefined : byKey.get(key);
        if (item) put(element(item.key, type, at, 4, { [type]: item, look }));
      };
      slots
        .get(lane)
        ?.slice(0, lanePlaces(laneAt.width))
        .forEach((key, slot) => show(key, laneBox(laneAt, detail, slot), detail));
      const system = laneSystem(laneAt.width, places(`${lane} system`));
      slots
        .get(`${lane} system`)
        ?.slice(0, system.places)
        .forEach((key, slot) =>
          show(key, laneSystemBox(laneAt, system.look, slot), system.look === 'chip' ? 'quiet' : 'quietCell'),
        );
    }
    // A queue moves up.
    model.waiting.slice(0, wait.places).forEach((pod, place) => {
      put(element(pod.key, 'pod', queueBox(queue, wait.detail, place), 4, podData(pod, wait.detail)));
    });
    for (const node of shown) {
      const nodeBox = box(`node:${node.name}`);
      const drawn = detail === 'card' || detail === 'chip';
      const inside = drawn
        ? []
        : (slots.get(node.name) ?? []).map((key) => (key === undefined ? undefined : pods.get(key)));
      put(element(`node:${node.name}`, 'machine', nodeBox, 1, { node, detail, inside }));
      if (drawn) {
        slots.get(node.name)?.forEach((key, slot) => {
          const pod = key === undefined ? undefined : pods.get(key);
          if (pod) put(element(pod.key, 'pod', podBox(nodeBox, detail, slot), 4, podData(pod, detail)));
        });
      }
      if (detail !== 'count') {
        slots.get(`${node.name} system`)?.forEach((key, slot) => {
          const pod = key === undefined ? undefined : pods.get(key);
          if (pod) put(element(pod.key, 'pod', systemPodBox(nodeBox, slot), 4, podData(pod, 'system')));
        });
      }
    }
    this.#nodes = next;
    const wiring = new GraphWiring(layout, locator(next, layout, slots, shown, detail, workloads.deploymentOf));
    const trackOf = (key: ObjectKey) => {
      const at = slots.get('services')?.indexOf(key) ?? -1;
      return trackAt(at >= 0 ? at : TRACK_OF_OTHERS);
    };
    return {
      nodes: [...next.values()],
      edges: this.#edges,
      layout,
      wiring,
      trackOf,
      hiddenNodes: model.nodes.length - shown.length,
    };
  }

  /** The element as it was, if nothing about it changed. */
  #kept(node: GraphNode): GraphNode {
    const before = this.#nodes.get(node.id);
    const same =
      before &&
      before.type === node.type &&
      before.position.x === node.position.x &&
      before.position.y === node.position.y &&
      before.width === node.width &&
      before.height === node.height &&
      sameValues(before.data, node.data);
    return same ? before : node;
  }
}

const TRACK_OF_OTHERS = 3;

/** Finds what is drawn. Pods that are cells or counted inside their Node are found there, when somebody asks. */
function locator(
  elements: ReadonlyMap<string, GraphNode>,
  layout: GraphLayout,
  slots: Slots,
  machines: readonly NodeItem[],
  detail: Detail,
  deploymentOf: ReadonlyMap<ObjectKey, ObjectKey>,
): (key: string) => Place | undefined {
  let inside: Map<ObjectKey, Place> | undefined;
  const cells = () => {
    inside = new Map();
    for (const { name } of machines) {
      const node = layout.boxes.get(`node:${name}`) as Box;
      for (const group of [name, `${name} system`]) {
        slots.get(group)?.forEach((key, slot) => {
          if (key !== undefined)
            inside?.set(key, { box: detail === 'cell' ? podBox(node, 'cell', slot) : node, node, nodeName: name });
        });
      }
    }
    return inside;
  };
  const find = (key: string): Place | undefined => {
    if (key.startsWith('nodes/')) return find(`node:${key.slice('nodes/'.length)}`);
    const element = elements.get(key);
    if (!element) {
      const deployment = deploymentOf.get(key);
      if (deployment) return find(deployment);
      return detail === 'card' || detail === 'chip' ? undefined : (inside ?? cells()).get(key);
    }
    const { position, width = 0, height = 0 } = element;
    const box = { ...position, width, height };
    if (element.type === 'machine') {
      const node = layout.boxes.get(key) as Box;
      return { box: node, node };
    }
    const nodeName = element.type === 'pod' ? element.data.pod.nodeName : '';
    const node = nodeName ? layout.boxes.get(`node:${nodeName}`) : undefined;
    return node ? { box, node, nodeName } : { box };
  };
  return find;
}

function sameValues(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(b).every((key) => {
    const [x, y] = [a[key], b[key]];
    return (
      x === y ||
      (Array.isArray(x) && Array.isArray(y) && x.length === y.length && x.every((item, at) => item === y[at]))
    );
  });
}

function element<Type extends GraphNode['type'], Data>(id: string, type: Type, box: Box, zIndex: number, data: Data) {
  return {
    id,
    type,
    position: { x: box.x, y: box.y },
    width: box.width,
    height: box.height,
    zIndex,
    data,
  } as GraphNode;
}

/** The new edges, with those as they were that did not change. */
function keptEdges(before: readonly RouteEdge[], next: readonly RouteEdge[]): readonly RouteEdge[] {
  const byId = new Map(before.map((edge) => [edge.id, edge]));
  const kept = next.map((edge) => {
    const old = byId.get(edge.id);
    return old?.data?.route.path === edge.data?.route.path && old ? old : edge;
  });
  return kept.length === before.length && kept.every((edge, at) => edge === before[at]) ? before : kept;
}

function edgesOf(layout: GraphLayout, nodes: readonly NodeItem[]): readonly RouteEdge[] {
  const edge = (party: string, source: string, target: string): RouteEdge[] => {
    const route = layout.routes.get(party);
    return route
      ? [
          {
            id: `route:${party}`,
            type: 'route',
            source,
            target,
            data: { route },
            focusable: false,
            // The lines are there for the eye; who meets whom is said by what they join.
            domAttributes: { 'aria-hidden': true },
            selectable: false,
          },
        ]
      : [];
  };
  return [
    ...edge('kubectl', 'kubectl', 'kube-apiserver'),
    ...edge('etcd', 'kube-apiserver', 'etcd'),
    ...edge('kube-scheduler', 'kube-scheduler', 'kube-apiserver'),
    ...edge('kube-controller-manager', 'kube-controller-manager', 'kube-apiserver'),
    ...edge('queue', 'queue', 'kube-scheduler'),
    ...nodes.flatMap(({ name }) => edge(`node:${name}`, `node:${name}`, 'kube-apiserver')),
  ];
}
