import type { Edge, Node } from '@xyflow/react';
import type { Route } from './geometry.ts';
import { chooseDetail, MAX_NODES, type Detail } from './graph-detail.ts';
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
import type { GraphModel, NodeItem, PodItem } from './graph-model.ts';
import { assignSlots, type Slots } from './graph-slots.ts';
import type { Box } from './geometry.ts';
import type { ComponentName } from '../../session/selection.ts';

export type PodLook = 'card' | 'chip' | 'cell' | 'system';

export type FrameNode = Node<
  { readonly kind: 'frame' | 'queue' | 'legend'; readonly waiting: number; readonly hidden: number },
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
export type PodNode = Node<{ readonly pod: PodItem; readonly look: PodLook }, 'pod'>;
export type GraphNode = FrameNode | ActorNode | MachineNode | PodNode;
export type RouteEdge = Edge<{ readonly route: Route }, 'route'>;

export interface GraphElements {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly RouteEdge[];
  readonly layout: GraphLayout;
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

  compose(model: GraphModel, viewport: Viewport): GraphElements {
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

    put(element('frame', 'frame', box('frame'), 0, { kind: 'frame', waiting: 0, hidden: 0 }));
    put(element('legend', 'frame', box('legend'), 0, { kind: 'legend', waiting: 0, hidden: 0 }));
    for (const name of ACTORS) put(element(name, 'actor', box(name), 2, { name }));
    put(
      element('queue', 'frame', queue, 1, {
        kind: 'queue',
        waiting: model.waiting.length,
        hidden: model.waiting.length - wait.places,
      }),
    );
    // A queue moves up.
    model.waiting.slice(0, wait.places).forEach((pod, place) => {
      put(element(pod.key, 'pod', queueBox(queue, wait.detail, place), 4, { pod, look: wait.detail }));
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
          if (pod) put(element(pod.key, 'pod', podBox(nodeBox, detail, slot), 4, { pod, look: detail }));
        });
      }
      if (detail !== 'count') {
        slots.get(`${node.name} system`)?.forEach((key, slot) => {
          const pod = key === undefined ? undefined : pods.get(key);
          if (pod) put(element(pod.key, 'pod', systemPodBox(nodeBox, slot), 4, { pod, look: 'system' }));
        });
      }
    }
    this.#nodes = next;
    return { nodes: [...next.values()], edges: this.#edges, layout, hiddenNodes: model.nodes.length - shown.length };
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
