import { FastForward, Pause, Play, StepForward } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { useEffect } from 'react';
import { IconButton } from '../../components/button.tsx';
import { Menu, MenuItem } from '../../components/menu.tsx';
import menu from '../../components/menu.module.css';
import { useTranslate, type PlainKey } from '../../i18n/translate.ts';
import { useClock, useSession, useSessions } from '../../session/session.ts';
import { duration, timeOfDay, times } from './clock-format.ts';
import styles from './clock-controls.module.css';

const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 5, 10, 25, 50, 100] as const;

/** How far ahead can be skipped, and what then has had its time. */
const SKIPS: readonly { readonly ms: number; readonly text: string; readonly note?: PlainKey }[] = [
  { ms: 10_000, text: '+10 s' },
  { ms: 60_000, text: '+1 min', note: 'clock.skipNotReady' },
  { ms: 300_000, text: '+5 min', note: 'clock.skipEvicted' },
  { ms: 900_000, text: '+15 min' },
];

/** The cluster's clock: hold it, let it run, take one turn, skip ahead, and how fast it goes. */
export function ClockControls() {
  const t = useTranslate();
  const { control, clock } = useSession();
  const state = useClock((now) => now);
  const crashed = useSessions((sessions) => sessions.crash !== undefined);
  // A dead engine does not answer; the banner says so, not the button.
  const act = (answer: Promise<typeof state>) =>
    void answer.then(
      (next) => clock.setState({ state: next }),
      () => {},
    );
  const paused = state?.paused ?? false;
  const off = !state || crashed;
  useEffect(() => {
    document.documentElement.dataset.clock = paused ? 'paused' : 'running';
  }, [paused]);
  const step = async () => {
    if (!paused) await control.pause();
    return control.step();
  };
  return (
    <div className={styles.clock} role="group" aria-label={t('clock.title')}>
      <div className={styles.transport}>
        <IconButton
          label={t('clock.pause')}
          look="normal"
          aria-pressed={paused}
          disabled={off}
          onClick={() => act(control.pause())}
        >
          <Pause />
        </IconButton>
        <IconButton
          label={t('clock.play')}
          look="normal"
          aria-pressed={!paused}
          disabled={off}
          onClick={() => act(control.play())}
        >
          <Play />
        </IconButton>
        <IconButton
          label={t('clock.step')}
          title={t('clock.stepHint')}
          look="normal"
          disabled={off}
          onClick={() => act(step())}
        >
          <StepForward />
        </IconButton>
        <Menu
          trigger={
            <IconButton label={t('clock.skip')} look="normal" disabled={off}>
              <FastForward />
            </IconButton>
          }
        >
          <DropdownMenu.Label className={menu.label}>{t('clock.skipTitle')}</DropdownMenu.Label>
          {SKIPS.map(({ ms, text, note }) => (
            <DropdownMenu.Item key={ms} asChild onSelect={() => act(control.advance(ms))}>
              <MenuItem {...(note ? { note: t(note) } : {})}>{text}</MenuItem>
            </DropdownMenu.Item>
          ))}
        </Menu>
      </div>
      <select
        className={styles.speed}
        aria-label={t('clock.speed')}
        title={t('clock.speed')}
        disabled={off}
        value={state?.speed ?? 1}
        onChange={(event) => act(control.setSpeed(Number(event.target.value)))}
      >
        {[...new Set([...SPEEDS, state?.speed ?? 1])]
          .sort((a, b) => a - b)
          .map((speed) => (
            <option key={speed} value={speed}>
              {times(speed)}
            </option>
          ))}
      </select>
      {state && (
        <>
          <time className={styles.time} dateTime={new Date(state.now).toISOString()} title={t('clock.time')}>
            {timeOfDay(state.now, 1)} <small>UTC</small>
          </time>
          <Facts />
        </>
      )}
    </div>
  );
}

/** What is worth a word: a speed that is not held, what runs next, what waits. */
function Facts() {
  const t = useTranslate();
  const state = useClock((now) => now);
  if (!state) return null;
  const { paused, next, waitingInputs, attainedSpeed, speed, now, advancingTo } = state;
  const slow = !paused && advancingTo === undefined && attainedSpeed < speed * 0.9;
  return (
    <div className={styles.facts}>
      {advancingTo !== undefined && (
        <strong role="status">{t('clock.skipping', { left: duration(Math.max(0, advancingTo - now)) })}</strong>
      )}
      {waitingInputs > 0 && paused && <strong>{t('clock.waiting', { count: waitingInputs })}</strong>}
      {slow && <strong>{t('clock.attained', { speed: times(attainedSpeed) })}</strong>}
      {paused && next && advancingTo === undefined && (
        <span title={`${next.process}: ${next.name}`}>
          {t('clock.next', { due: duration(Math.max(0, next.due - now)), what: `${next.process} · ${next.name}` })}
        </span>
      )}
    </div>
  );
}
