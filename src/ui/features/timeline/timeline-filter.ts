import { create } from 'zustand';
import { recall, remember } from '../../session/preferences.ts';
import { DEFAULT_GROUPS, GROUPS, type Filter, type Group } from './timeline-entries.ts';

interface FilterState extends Filter {
  readonly toggle: (group: Group) => void;
  readonly only: (change: Partial<Pick<Filter, 'text' | 'actor' | 'object'>>) => void;
  readonly clear: () => void;
}

interface Remembered {
  readonly groups?: unknown;
  readonly text?: unknown;
  readonly actor?: unknown;
}

function read(value: unknown): Pick<Filter, 'groups' | 'text' | 'actor'> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { groups, text, actor } = value as Remembered;
  return {
    groups: Array.isArray(groups) ? new Set(GROUPS.filter((group) => groups.includes(group))) : DEFAULT_GROUPS,
    text: typeof text === 'string' ? text : '',
    actor: typeof actor === 'string' ? actor : undefined,
  };
}

const NOTHING = { groups: DEFAULT_GROUPS, text: '', actor: undefined, object: undefined } as const;

/** What the timeline shows. Remembered, but for the object: the next cluster does not have it. */
export const useTimelineFilter = create<FilterState>((set, get) => {
  const change = (next: Partial<Filter>) => {
    set(next);
    const { groups, text, actor } = get();
    remember('timeline', { groups: [...groups], text, ...(actor === undefined ? {} : { actor }) });
  };
  return {
    ...NOTHING,
    ...recall('timeline', read),
    toggle: (group) => {
      const groups = new Set(get().groups);
      if (!groups.delete(group)) groups.add(group);
      change({ groups });
    },
    only: change,
    clear: () => change(NOTHING),
  };
});
