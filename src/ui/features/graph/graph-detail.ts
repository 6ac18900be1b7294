import type { GraphModel } from './graph-model.ts';

/** How much is drawn of each Pod: a card with words, a chip with its name, a cell of colour, or a number for all. */
export type Detail = 'card' | 'chip' | 'cell' | 'count';

/** Up to how many Pods (the cluster's own apart) each detail goes. */
export const DETAIL_LIMITS = { card: 48, chip: 320, cell: 4000 } as const;

/** How many Nodes are drawn as groups; the rest is told as a number. */
export const MAX_NODES = 250;

/**
 * The detail for a cluster of this size. It stays with the present one until the number of Pods is well below its
 * limit, so that one Pod more or less does not redraw everything.
 */
export function chooseDetail(model: GraphModel, current: Detail): Detail {
  let pods = model.waiting.length;
  for (const there of model.podsByNode.values()) for (const pod of there) if (!pod.system) pods++;
  const crowded = model.nodes.length > MAX_NODES / 2;
  const fits = (detail: keyof typeof DETAIL_LIMITS, slack: number) => pods <= DETAIL_LIMITS[detail] * slack;
  const order: readonly Detail[] = ['card', 'chip', 'cell', 'count'];
  for (const detail of order) {
    if (detail === 'count') return 'count';
    if (crowded && detail !== 'cell') continue;
    const coarser = order.indexOf(current) > order.indexOf(detail);
    if (fits(detail, coarser ? 0.8 : 1)) return detail;
  }
  return 'count';
}
