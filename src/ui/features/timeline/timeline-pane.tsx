import { useVirtualizer, defaultRangeExtractor, type Range } from '@tanstack/react-virtual';
import { ArrowDown, Crosshair, ListFilter, Search, X } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { useCallback, useEffect, useId, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { objectKey } from '../../cluster-store/kube-object.ts';
import { Button, IconButton } from '../../components/button.tsx';
import { Menu, MenuItem, MenuSeparator } from '../../components/menu.tsx';
import menu from '../../components/menu.module.css';
import { Pane } from '../../components/pane.tsx';
import { useTranslate, type PlainKey } from '../../i18n/translate.ts';
import { useEntrance } from '../../session/panes.ts';
import { usePreferences } from '../../session/preferences.ts';
import { useSelection, useSession, useTrace } from '../../session/session.ts';
import { timeOfDay } from '../clock/clock-format.ts';
import { DEFAULT_GROUPS, EntryReader, filterEntries, GROUPS, type Entry, type Group } from './timeline-entries.ts';
import { useTimelineFilter } from './timeline-filter.ts';
import styles from './timeline.module.css';

const GROUP_NAMES = {
  requests: 'group.requests',
  reads: 'group.reads',
  writes: 'group.writes',
  deliveries: 'group.deliveries',
  decisions: 'group.decisions',
  work: 'group.work',
  connections: 'group.connections',
  faults: 'group.faults',
  events: 'group.events',
  queues: 'group.queues',
  heartbeats: 'group.heartbeats',
} as const satisfies Record<Group, PlainKey>;

/** What happened, the newest below; each entry leads to its causes. */
export function TimelinePane() {
  const t = useTranslate();
  const { groups, text, actor, toggle, only } = useTimelineFilter();
  const tools = (
    <>
      <label className={styles.search}>
        <Search aria-hidden="true" />
        <input
          type="search"
          aria-label={t('timeline.filter')}
          placeholder={t('timeline.filter')}
          value={text}
          onChange={(event) => only({ text: event.target.value })}
        />
      </label>
      <OnlySelected />
      <Menu
        trigger={
          <IconButton label={t('timeline.shown')}>
            <ListFilter />
          </IconButton>
        }
      >
        <DropdownMenu.Label className={menu.label}>{t('timeline.shown')}</DropdownMenu.Label>
        {GROUPS.map((group) => (
          <DropdownMenu.CheckboxItem
            key={group}
            asChild
            checked={groups.has(group)}
            onCheckedChange={() => toggle(group)}
            onSelect={(event) => event.preventDefault()}
          >
            <MenuItem checked={groups.has(group)}>{t(GROUP_NAMES[group])}</MenuItem>
          </DropdownMenu.CheckboxItem>
        ))}
        <MenuSeparator />
        <DropdownMenu.Label className={menu.label}>{t('timeline.component')}</DropdownMenu.Label>
        <ActorChoices actor={actor} onChoose={(chosen) => only({ actor: chosen })} />
      </Menu>
    </>
  );
  return (
    <Pane id="timeline" tools={tools}>
      <Chips />
      <Entries />
    </Pane>
  );
}

/** Narrows the timeline to the object that is selected. */
function OnlySelected() {
  const t = useTranslate();
  const { object, only } = useTimelineFilter();
  const selected = useSelection(({ current }) =>
    current?.type === 'object' ? objectKey(current.resource.plural, current.namespace, current.name) : undefined,
  );
  const on = selected !== undefined && object === selected;
  return (
    <IconButton
      label={selected === undefined ? t('timeline.onlySelected') : t('timeline.only', { name: shortName(selected) })}
      aria-pressed={on}
      disabled={selected === undefined}
      onClick={() => only({ object: on ? undefined : selected })}
    >
      <Crosshair />
    </IconButton>
  );
}

const shortName = (key: string) => key.split('/').at(-1) ?? key;

/** The filters that differ from how it usually is, each of which can be taken away. */
function Chips() {
  const t = useTranslate();
  const { groups, text, actor, object, toggle, only, clear } = useTimelineFilter();
  const chips: { readonly key: string; readonly name: string; readonly remove: () => void }[] = [];
  if (object !== undefined) chips.push({ key: 'object', name: object, remove: () => only({ object: undefined }) });
  if (actor !== undefined) chips.push({ key: 'actor', name: actor, remove: () => only({ actor: undefined }) });
  if (text.trim() !== '') chips.push({ key: 'text', name: `“${text.trim()}”`, remove: () => only({ text: '' }) });
  for (const group of GROUPS) {
    const name = t(GROUP_NAMES[group]);
    if (groups.has(group) && !DEFAULT_GROUPS.has(group))
      chips.push({ key: group, name: `+ ${name}`, remove: () => toggle(group) });
    if (!groups.has(group) && DEFAULT_GROUPS.has(group))
      chips.push({ key: group, name: `− ${name}`, remove: () => toggle(group) });
  }
  if (chips.length === 0) return null;
  return (
    <ul className={styles.chips} aria-label={t('timeline.filters')}>
      {chips.map(({ key, name, remove }) => (
        <li key={key}>
          <button
            type="button"
            aria-label={t('timeline.remove', { name })}
            title={t('timeline.remove', { name })}
            onClick={remove}
          >
            <span>{name}</span>
            <X aria-hidden="true" />
          </button>
        </li>
      ))}
      {chips.length > 1 && (
        <li>
          <button type="button" className={styles.clear} onClick={clear}>
            {t('timeline.clear')}
          </button>
        </li>
      )}
    </ul>
  );
}

function ActorChoices({
  actor,
  onChoose,
}: {
  readonly actor: string | undefined;
  readonly onChoose: (actor: string | undefined) => void;
}) {
  const t = useTranslate();
  const { trace } = useSession();
  const actors = useMemo(() => {
    const reader = new EntryReader();
    return [...new Set(trace.state.getState().spans.map((span) => reader.read(span).view.actor))].sort();
  }, [trace]);
  return (
    <DropdownMenu.RadioGroup
      value={actor ?? ''}
      onValueChange={(value) => onChoose(value || undefined)}
      aria-label={t('timeline.component')}
    >
      {['', ...actors].map((name) => (
        <DropdownMenu.RadioItem key={name} value={name} asChild>
          <MenuItem checked={(actor ?? '') === name}>{name || t('timeline.everybody')}</MenuItem>
        </DropdownMenu.RadioItem>
      ))}
    </DropdownMenu.RadioGroup>
  );
}

const CALM_MS = 120;

/** A number that changes when spans have arrived, but only a few times a second. */
function useCalmVersion(): number {
  const { trace } = useSession();
  const [version, setVersion] = useState(0);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      timer = undefined;
      setVersion(trace.state.getState().version);
    };
    look();
    const stop = trace.state.subscribe(() => {
      timer ??= setTimeout(look, CALM_MS);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [trace]);
  return version;
}

const ROW_REM = 1.5;

function Entries() {
  const t = useTranslate();
  const listId = useId();
  const scroller = useRef<HTMLDivElement>(null);
  const version = useCalmVersion();
  const { groups, text, actor, object } = useTimelineFilter();
  const dropped = useTrace((trace) => trace.dropped);
  const { trace } = useSession();
  const reader = useMemo(() => new EntryReader(), []);
  const entries = useMemo(() => {
    void version;
    return filterEntries(trace.state.getState().spans, reader, { groups, text, actor, object });
  }, [trace, version, reader, groups, text, actor, object]);

  const selected = useSelection((state) => (state.current?.type === 'span' ? state.current.id : undefined));
  const select = useSelection((state) => state.select);
  const [active, setActive] = useState<number>();
  const activeAt = active === undefined ? -1 : entries.findIndex((entry) => entry.span.id === active);
  /** Whether the newest is in view, and so stays. */
  const [following, setFollowing] = useState(true);

  const rowHeight = ROW_REM * 16 * usePreferences((preferences) => preferences.textSize);
  // Its functions are read anew in every render, and nothing here is memoised by a compiler.
  // oxlint-disable-next-line react/incompatible-library
  const virtual = useVirtualizer({
    count: entries.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    getItemKey: (at) => entries[at]?.span.id ?? at,
    // The active entry is always there, so that aria-activedescendant has something to name.
    rangeExtractor: (range: Range) => {
      const shown = defaultRangeExtractor(range);
      return activeAt >= 0 && !shown.includes(activeAt) ? [...shown, activeAt].sort((a, b) => a - b) : shown;
    },
  });
  useLayoutEffect(() => {
    if (following && scroller.current) scroller.current.scrollTop = entries.length * rowHeight;
  }, [following, entries, rowHeight]);

  useEntrance(
    'timeline',
    useCallback(() => scroller.current?.focus(), []),
  );

  const open = (entry: Entry | undefined) => {
    if (!entry) return;
    setActive(entry.span.id);
    select({ type: 'span', id: entry.span.id });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const last = entries.length - 1;
    const from = activeAt < 0 ? entries.length : activeAt;
    const moves: Record<string, number> = {
      ArrowUp: from - 1,
      ArrowDown: from + 1,
      PageUp: from - 10,
      PageDown: from + 10,
      Home: 0,
      End: last,
    };
    const goal = moves[event.key];
    if (goal !== undefined && last >= 0) {
      event.preventDefault();
      const at = Math.min(last, Math.max(0, goal));
      setActive(entries[at]?.span.id);
      setFollowing(at === last);
      virtual.scrollToIndex(at);
    } else if ((event.key === 'Enter' || event.key === ' ') && activeAt >= 0) {
      event.preventDefault();
      open(entries[activeAt]);
    }
  };

  return (
    <>
      {dropped > 0 && <p className={styles.note}>{t('timeline.dropped', { count: dropped })}</p>}
      {entries.length === 0 && <p className={styles.empty}>{t('timeline.empty')}</p>}
      <div
        ref={scroller}
        className={styles.list}
        role="listbox"
        aria-label={t('timeline.list')}
        aria-activedescendant={activeAt >= 0 ? `${listId}-${active}` : undefined}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onScroll={({ currentTarget }) => {
          const below = entries.length * rowHeight - currentTarget.scrollTop - currentTarget.clientHeight;
          setFollowing(below < rowHeight);
        }}
      >
        <div className={styles.sizer} style={{ height: virtual.getTotalSize() }} role="presentation">
          {virtual.getVirtualItems().map((item) => {
            const entry = entries[item.index];
            if (!entry) return null;
            const { span, view } = entry;
            return (
              <div
                key={span.id}
                id={`${listId}-${span.id}`}
                role="option"
                aria-selected={selected === span.id}
                aria-setsize={entries.length}
                aria-posinset={item.index + 1}
                data-active={active === span.id || undefined}
                data-failed={view.failed || undefined}
                className={styles.entry}
                style={
                  { transform: `translateY(${item.start}px)`, '--tone': `var(--${view.tone})` } as React.CSSProperties
                }
                onClick={() => open(entry)}
              >
                <span className={styles.time}>{timeOfDay(span.start)}</span>
                <span className={styles.actor} title={view.actor}>
                  <i aria-hidden="true" />
                  <span>{view.actor}</span>
                </span>
                <span className={styles.what} title={`${view.verb} ${view.target}`}>
                  {view.verb && <b>{view.verb}</b>} {view.target}
                </span>
                <span className={styles.result}>
                  <span>{view.result}</span>
                  {view.step && <span className={styles.step}>{view.step}</span>}
                </span>
              </div>
            );
          })}
        </div>
      </div>
      {!following && entries.length > 0 && (
        <Button className={styles.latest} onClick={() => setFollowing(true)}>
          <ArrowDown />
          {t('timeline.latest')}
        </Button>
      )}
    </>
  );
}
