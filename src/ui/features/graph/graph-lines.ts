import type { Edge } from '@xyflow/react';
import type { ObjectKey } from '../../cluster-store/kube-object.ts';
import type { Light } from './graph-light.ts';
import type { EndpointState, ServiceItem } from './graph-services.ts';
import { TRACKS, type GraphWiring } from './graph-wiring.ts';

/** Lines from one object to several, drawn as one: where they run together they are no darker. */
export type LineEdge = Edge<
  {
    readonly kind: 'endpoint' | 'owned';
    readonly state: EndpointState;
    readonly lit: boolean;
    readonly path: string;
    /** Dots where the lines arrive. */
    readonly ends: string;
    readonly to: readonly ObjectKey[];
  },
  'line'
>;

/** How many endpoints' lines are drawn without being asked for. */
const MAX_LINES = 72;
const MAX_SERVICES = 8;
/** From so many endpoints on, lines end at the Nodes. */
export const BUNDLED = 25;
const STATES: readonly EndpointState[] = ['terminating', 'unready', 'ready'];

/**
 * The lines from Services to the Pods that their EndpointSlices name, and from the workload that is looked at to its
 * Pods. The cluster's own Services have theirs when somebody asks, and all when there are too many for the eye.
 */
export function linesOf(
  services: readonly ServiceItem[],
  light: Light | undefined,
  wiring: GraphWiring,
  trackOf: (key: ObjectKey) => number,
  nodeOf: (pod: ObjectKey) => string | undefined,
): readonly LineEdge[] {
  const own = services.filter(({ system, endpoints }) => !system && endpoints.length > 0);
  const calm = own.length <= MAX_SERVICES && own.reduce((sum, { endpoints }) => sum + endpoints.length, 0) <= MAX_LINES;
  const lines: LineEdge[] = [];
  const draw = (
    from: ObjectKey,
    kind: 'endpoint' | 'owned',
    state: EndpointState,
    pods: readonly ObjectKey[],
    lit: boolean,
  ) => {
    const track = trackOf(from);
    const bundled = pods.length >= BUNDLED;
    const targets = new Set(bundled ? pods.map((pod) => `node:${nodeOf(pod)}`) : pods);
    const routes = [...targets].flatMap((target) => wiring.route([from, target], track) ?? []);
    if (routes.length === 0) return;
    lines.push({
      id: `line:${kind}:${from}:${state}${lit ? ':lit' : ''}`,
      type: 'line',
      source: from,
      target: from,
      zIndex: 3,
      focusable: false,
      selectable: false,
      domAttributes: { 'aria-hidden': true },
      data: {
        kind,
        state,
        lit,
        path: routes.map(({ path }) => path).join(''),
        ends: routes
          .map(({ points }) => {
            const { x, y } = points.at(-1) as { readonly x: number; readonly y: number };
            return `M${x - 2.5} ${y}a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0-5 0`;
          })
          .join(''),
        to: pods,
      },
    });
  };
  for (const service of services) {
    const asked = light?.services.has(service.key) ?? false;
    if (!asked && (service.system || !calm)) continue;
    const only = light?.services.get(service.key);
    for (const state of STATES) {
      const pods = service.endpoints.flatMap((endpoint) =>
        endpoint.state === state && endpoint.pod ? [endpoint.pod] : [],
      );
      const others = only && !service.system && calm ? pods.filter((pod) => !only.has(pod)) : [];
      draw(service.key, 'endpoint', state, others, false);
      draw(service.key, 'endpoint', state, only ? pods.filter((pod) => only.has(pod)) : pods, asked);
    }
  }
  const owners = new Map<ObjectKey, ObjectKey[]>();
  for (const [owner, pod] of light?.owned ?? []) {
    const pods = owners.get(owner);
    if (pods) pods.push(pod);
    else owners.set(owner, [pod]);
  }
  for (const [owner, pods] of owners) draw(owner, 'owned', 'ready', pods, true);
  return lines;
}

/** The track of an object's lines: objects beside each other have different ones. */
export const trackAt = (slot: number): number => slot % TRACKS;
