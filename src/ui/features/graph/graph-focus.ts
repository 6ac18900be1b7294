import { create } from 'zustand';
import type { ObjectKey } from '../../cluster-store/kube-object.ts';
import type { Light } from './graph-light.ts';

/** Which element of the graph Tab arrives at. Arrows move it; an element that goes gives it back to kube-apiserver. */
export const HOME = 'kube-apiserver';

interface GraphFocus {
  readonly id: string;
  readonly moveTo: (id: string) => void;
  /** The person has moved or zoomed the picture: then it is no more fitted to its pane by itself. */
  readonly held: boolean;
  readonly hold: (held: boolean) => void;
  /** The object under the pointer. */
  readonly hovered: ObjectKey | undefined;
  readonly hover: (key: ObjectKey | undefined) => void;
  /** What lights up: what belongs to the object under the pointer, or to the selected one. */
  readonly light: Light | undefined;
  readonly shine: (light: Light | undefined) => void;
  /** The only namespace of which users' objects are drawn. */
  readonly namespace: string | undefined;
  readonly show: (namespace: string | undefined) => void;
}

export const useGraphFocus = create<GraphFocus>((set) => ({
  id: HOME,
  moveTo: (id) => set({ id }),
  held: false,
  hold: (held) => set({ held }),
  hovered: undefined,
  hover: (hovered) => set({ hovered }),
  light: undefined,
  shine: (light) => set({ light }),
  namespace: undefined,
  show: (namespace) => set({ namespace }),
}));

export type Direction = 'left' | 'right' | 'up' | 'down';

interface Target {
  readonly id: string;
  readonly x: number;
  readonly y: number;
}

/** The nearest element in a direction: straight ahead counts more than aside. */
export function nearest(from: Target, all: readonly Target[], direction: Direction): string | undefined {
  let best: string | undefined;
  let bestCost = Number.POSITIVE_INFINITY;
  for (const target of all) {
    if (target.id === from.id) continue;
    const [dx, dy] = [target.x - from.x, target.y - from.y];
    const ahead = { left: -dx, right: dx, up: -dy, down: dy }[direction];
    const aside = Math.abs(direction === 'left' || direction === 'right' ? dy : dx);
    if (ahead <= 1 || aside > ahead * 4) continue;
    const cost = ahead + aside * 2;
    if (cost < bestCost) [best, bestCost] = [target.id, cost];
  }
  return best;
}
