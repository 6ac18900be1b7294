import { useEffect } from 'react';
import { create } from 'zustand';
import { recall, remember } from './preferences.ts';

/** In the order in which F6 goes round them. */
export const PANES = ['editor', 'graph', 'inspector', 'terminal', 'timeline'] as const;
export type PaneId = (typeof PANES)[number];

interface PanesState {
  /** The pane in which the person works; the one that shows where panes are stacked. */
  readonly active: PaneId;
  readonly maximized: PaneId | undefined;
  readonly activate: (pane: PaneId) => void;
  readonly toggleMaximized: (pane: PaneId) => void;
}

export const usePanes = create<PanesState>((set) => ({
  active: recall('pane', (value) => PANES.find((pane) => pane === value)) ?? 'editor',
  maximized: undefined,
  activate: (pane) => {
    remember('pane', pane);
    set(({ maximized }) => ({
      active: pane,
      maximized: maximized === undefined || maximized === pane ? maximized : undefined,
    }));
  },
  toggleMaximized: (pane) =>
    set(({ maximized }) => ({ active: pane, maximized: maximized === pane ? undefined : pane })),
}));

const entrances = new Map<PaneId, () => void>();

/** The pane's own place for the keyboard to arrive at; without one it is the pane itself. */
export function useEntrance(pane: PaneId, enter: () => void): void {
  useEffect(() => {
    entrances.set(pane, enter);
    return () => {
      if (entrances.get(pane) === enter) entrances.delete(pane);
    };
  }, [pane, enter]);
}

const elementOf = (pane: PaneId) => document.querySelector<HTMLElement>(`[data-pane="${pane}"]`);

/** The pane that the keyboard is on its way to. */
let entering: PaneId | undefined;

/** Leads the keyboard into a pane. */
export function enterPane(pane: PaneId): void {
  entering = pane;
  usePanes.getState().activate(pane);
  // Where panes are stacked, it is drawn only now.
  requestAnimationFrame(() => {
    if (entering !== pane) return;
    entering = undefined;
    const enter = entrances.get(pane);
    if (enter) enter();
    else elementOf(pane)?.focus();
  });
}

/** Leads the keyboard out of a pane's content onto the pane, from where Tab, F6 and Enter work. */
export function leavePane(pane: PaneId): void {
  elementOf(pane)?.focus();
}

/** The pane that F6 leads to; from outside of all panes, the active one. */
export function nextPane(from: PaneId | undefined, step: 1 | -1, active: PaneId): PaneId {
  if (!from) return active;
  return PANES[(PANES.indexOf(from) + step + PANES.length) % PANES.length] as PaneId;
}

/** F6 and Shift+F6 go round the panes, from wherever the keyboard is. */
export function usePaneKeys(): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'F6' || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      event.stopPropagation();
      const within = document.activeElement?.closest<HTMLElement>('[data-pane]')?.dataset.pane as PaneId | undefined;
      enterPane(nextPane(entering ?? within, event.shiftKey ? -1 : 1, usePanes.getState().active));
    };
    window.addEventListener('keydown', onKey, { capture: true });
    return () => window.removeEventListener('keydown', onKey, { capture: true });
  }, []);
}
