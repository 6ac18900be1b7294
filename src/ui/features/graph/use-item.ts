import { useEffect, type PointerEvent } from 'react';
import { objectKey } from '../../cluster-store/kube-object.ts';
import { sameSelection, type Selection } from '../../session/selection.ts';
import { useFaults, useSelection } from '../../session/session.ts';
import { HOME, useGraphFocus } from './graph-focus.ts';

/** What makes a button of the graph one: chosen by click or Enter, reached by arrows, lit when it belongs to what is looked at. */
export function useItem(id: string, selection: Selection) {
  const current = useSelection((state) => sameSelection(state.current, selection));
  const select = useSelection((state) => state.select);
  const focused = useGraphFocus((focus) => focus.id === id);
  const moveTo = useGraphFocus((focus) => focus.moveTo);
  const key =
    selection.type === 'object' ? objectKey(selection.resource.plural, selection.namespace, selection.name) : undefined;
  const lit = useGraphFocus((focus) => key !== undefined && focus.light?.lit.has(key));
  useEffect(() => {
    return () => {
      const focus = useGraphFocus.getState();
      if (focus.id === id) moveTo(HOME);
      if (focus.hovered === key) focus.hover(undefined);
    };
  }, [id, key, moveTo]);
  return {
    type: 'button' as const,
    'data-graph-item': id,
    'data-lit': lit || undefined,
    'aria-current': current || undefined,
    tabIndex: focused ? 0 : -1,
    onFocus: () => moveTo(id),
    onClick: () => select(selection),
    onPointerEnter: (event: PointerEvent) => {
      if (event.pointerType === 'mouse') useGraphFocus.getState().hover(key);
    },
    onPointerLeave: () => useGraphFocus.getState().hover(undefined),
  };
}

/** How something that can be made to fail is, when it does not run normally. */
export function useFault(target: string): string | undefined {
  return useFaults((targets) => {
    const state = targets.find((candidate) => candidate.target === target)?.state;
    return state === 'running' ? undefined : state;
  });
}
