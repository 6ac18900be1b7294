import type { ObjectKey } from '../../cluster-store/kube-object.ts';
import { routeThrough, type Box, type Point, type Route } from './geometry.ts';
import { NODE_HEAD, type GraphLayout } from './graph-layout.ts';

/** Where something that can be at the end of a line is drawn. */
export interface Place {
  readonly box: Box;
  /** The box of the Node that it is in, or that it is itself; without one it stands above the Nodes. */
  readonly node?: Box;
  /** That Node's name. */
  readonly nodeName?: string;
}

/** Finds what is drawn by its key: a Service, a workload, a Pod, a Node as `node:<name>`, a component. */
export type Locate = (key: string) => Place | undefined;

/** Lines of several owners run beside each other. */
export const TRACKS = 4;
const TRACK_STEP = 3;
const FIRST_GUTTER = 11;
const FIRST_BUS = 6;
const RAIL = 3;
const LANE_GAP = 26;
const ATTACH = 12;
const ATTACH_STEP = 5;

interface Attached {
  /** From the object outwards, up to where it joins what others use too. */
  readonly points: readonly Point[];
  /** The gutter of the Node's column that it leaves by; none for what stands above. */
  readonly gutter: number | undefined;
}

/**
 * The ways from object to object: down from a lane to the bus above the Nodes, along it to the gutter beside a column,
 * down that, and along a rail above the Pods' row. Every way is the way back of the opposite one.
 */
export class GraphWiring {
  readonly #layout: GraphLayout;
  readonly #locate: Locate;
  readonly #routes = new Map<string, Route | undefined>();

  constructor(layout: GraphLayout, locate: Locate) {
    this.#layout = layout;
    this.#locate = locate;
  }

  place(key: string): Place | undefined {
    return this.#locate(key);
  }

  /** The Node in which a Pod is drawn. */
  nodeOf(pod: ObjectKey): string | undefined {
    return this.#locate(pod)?.nodeName;
  }

  /** The way through all of them in turn; undefined when one is not drawn. */
  route(stations: readonly ObjectKey[], track = 0): Route | undefined {
    const id = `${track} ${stations.join(' ')}`;
    if (this.#routes.has(id)) return this.#routes.get(id);
    const points: Point[] = [];
    let complete = stations.length > 1;
    for (let at = 1; at < stations.length && complete; at++) {
      const leg = this.#leg(stations[at - 1] as string, stations[at] as string, track);
      if (leg) points.push(...leg);
      else complete = false;
    }
    const route = complete ? routeThrough(...points) : undefined;
    this.#routes.set(id, route);
    return route;
  }

  #leg(from: string, to: string, track: number): readonly Point[] | undefined {
    const [start, end] = [this.#attach(from, track), this.#attach(to, track)];
    if (!start || !end) return undefined;
    const back = end.points.toReversed();
    if (start.gutter !== undefined && start.gutter === end.gutter) return [...start.points, ...back];
    const bus = this.#layout.bus + FIRST_BUS + TRACK_STEP * 1.4 * track;
    const onBus = ({ points }: Attached): Point => ({ x: (points.at(-1) as Point).x, y: bus });
    return [...start.points, onBus(start), onBus(end), ...back];
  }

  #attach(key: string, track: number): Attached | undefined {
    const place = this.#locate(key);
    if (!place) return undefined;
    const { box, node } = place;
    if (!node) {
      // A Pod that waits is not on the network.
      if (key.startsWith('pods/')) return undefined;
      const lanes = this.#layout.boxes.get('services') as Box;
      const bottom = box.y + box.height;
      // Who is above the lanes comes down between them.
      const x = bottom < lanes.y ? lanes.x - LANE_GAP / 2 : box.x + box.width / 2 + (track - 1.5) * TRACK_STEP;
      return { points: [{ x, y: bottom }], gutter: undefined };
    }
    const gutter = node.x - FIRST_GUTTER - TRACK_STEP * track;
    if (box === node) {
      const y = node.y + NODE_HEAD / 2;
      return {
        points: [
          { x: node.x, y },
          { x: gutter, y },
        ],
        gutter,
      };
    }
    const x = box.x + Math.min(ATTACH + ATTACH_STEP * track, box.width / 2);
    const rail = box.y - Math.min(RAIL, Math.max(1.5, (box.height - 8) / 2));
    return {
      points: [
        { x, y: box.y },
        { x, y: rail },
        { x: gutter, y: rail },
      ],
      gutter,
    };
  }
}
