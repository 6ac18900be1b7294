import { createStore, type StoreApi } from 'zustand/vanilla';
import type { ResourceType } from '../cluster-store/kube-object.ts';

/** The components that the graph draws as one: how they are called in traces and in `aria` names. */
export const COMPONENTS = ['kubectl', 'kube-apiserver', 'etcd', 'kube-scheduler', 'kube-controller-manager'] as const;
export type ComponentName = (typeof COMPONENTS)[number];

/** What the inspector shows. */
export type Selection =
  | { readonly type: 'object'; readonly resource: ResourceType; readonly namespace?: string; readonly name: string }
  | { readonly type: 'component'; readonly name: ComponentName }
  | { readonly type: 'span'; readonly id: number };

/** A part of the inspector that can be asked for along with a selection. */
export type InspectorTab = 'overview' | 'flow' | 'why' | 'yaml' | 'events' | 'logs';

export interface SelectionState {
  readonly current: Selection | undefined;
  readonly tab: InspectorTab;
  /** What was selected before, newest last. */
  readonly past: readonly Selection[];
  readonly select: (selection: Selection | undefined, tab?: InspectorTab) => void;
  readonly showTab: (tab: InspectorTab) => void;
  readonly back: () => void;
}

const MAX_PAST = 50;

export function sameSelection(a: Selection | undefined, b: Selection | undefined): boolean {
  if (!a || !b) return a === b;
  if (a.type === 'object' && b.type === 'object') {
    return (
      a.resource.plural === b.resource.plural &&
      a.resource.group === b.resource.group &&
      a.namespace === b.namespace &&
      a.name === b.name
    );
  }
  if (a.type === 'component' && b.type === 'component') return a.name === b.name;
  return a.type === 'span' && b.type === 'span' && a.id === b.id;
}

export function createSelectionStore(): StoreApi<SelectionState> {
  return createStore<SelectionState>((set) => ({
    current: undefined,
    tab: 'overview',
    past: [],
    select: (next, tab) =>
      set((state) => {
        if (sameSelection(state.current, next)) return tab ? { tab } : {};
        const past = state.current ? [...state.past, state.current].slice(-MAX_PAST) : state.past;
        return { current: next, past: next ? past : [], ...(tab ? { tab } : {}) };
      }),
    showTab: (tab) => set({ tab }),
    back: () => set(({ past }) => ({ current: past.at(-1), past: past.slice(0, -1) })),
  }));
}
