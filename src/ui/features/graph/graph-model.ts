import type { Row } from '../../cluster-store/table.ts';
import { nodeTone, podTone, type Tone } from '../../cluster-store/status-tone.ts';
import { isSystem } from './graph-namespaces.ts';
import { controllerOf } from './graph-workloads.ts';

/** A Pod as the graph draws it. */
export interface PodItem {
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  /** Empty while no Node is chosen. */
  readonly nodeName: string;
  readonly status: string;
  readonly ready: string;
  readonly tone: Tone;
  /** Belongs to the cluster itself. */
  readonly system: boolean;
  /** The object that keeps it: `replicasets/default/web-5d9c`; empty for one of its own. */
  readonly owner: string;
}

/** A Node as the graph draws it. One that Pods name and that is not there has no status. */
export interface NodeItem {
  readonly key: string;
  readonly name: string;
  readonly status?: string;
  readonly tone: Tone;
  readonly controlPlane: boolean;
}

export interface GraphModel {
  /** Sorted: control plane first, then by name with numbers as numbers. */
  readonly nodes: readonly NodeItem[];
  readonly podsByNode: ReadonlyMap<string, readonly PodItem[]>;
  /** Pods without a Node, oldest first. */
  readonly waiting: readonly PodItem[];
  readonly podCount: number;
}

const CONTROL_PLANE_LABEL = 'node-role.kubernetes.io/control-plane';

function byName(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

/** Items are reused while their row is the same object, so that what did not change is not drawn again. */
export class GraphModeller {
  readonly #pods = new WeakMap<Row, PodItem>();
  readonly #nodes = new WeakMap<Row, NodeItem>();

  /** With a namespace, of users' Pods only those in it. */
  model(pods: Iterable<Row>, nodes: Iterable<Row>, namespace?: string): GraphModel {
    const nodeItems = Array.from(nodes, (row) => this.#node(row));
    const podsByNode = new Map<string, PodItem[]>();
    for (const node of nodeItems) podsByNode.set(node.name, []);
    const waiting: PodItem[] = [];
    let podCount = 0;
    for (const row of pods) {
      const pod = this.#pod(row);
      if (namespace !== undefined && pod.namespace !== namespace && !pod.system) continue;
      podCount++;
      if (!pod.nodeName) {
        waiting.push(pod);
        continue;
      }
      const there = podsByNode.get(pod.nodeName);
      if (there) there.push(pod);
      else {
        podsByNode.set(pod.nodeName, [pod]);
        nodeItems.push({ key: `nodes/${pod.nodeName}`, name: pod.nodeName, tone: 'bad', controlPlane: false });
      }
    }
    nodeItems.sort((a, b) => Number(b.controlPlane) - Number(a.controlPlane) || byName(a.name, b.name));
    return { nodes: nodeItems, podsByNode, waiting, podCount };
  }

  #pod(row: Row): PodItem {
    let item = this.#pods.get(row);
    if (!item) {
      const { namespace = '', name = '' } = row.object.metadata;
      const ready = row.cells[1] ?? '';
      const status = row.status ?? '';
      item = {
        key: row.key,
        namespace,
        name,
        nodeName: (row.object.spec?.['nodeName'] as string | undefined) ?? '',
        status,
        ready,
        tone: podTone(status, ready),
        system: isSystem(namespace),
        owner: controllerOf(row.object),
      };
      this.#pods.set(row, item);
    }
    return item;
  }

  #node(row: Row): NodeItem {
    let item = this.#nodes.get(row);
    if (!item) {
      const { name = '', labels = {} } = row.object.metadata;
      const status = row.status ?? '';
      item = {
        key: row.key,
        name,
        status,
        tone: nodeTone(status),
        controlPlane: Object.hasOwn(labels, CONTROL_PLANE_LABEL),
      };
      this.#nodes.set(row, item);
    }
    return item;
  }
}
