import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { Pane } from '../../components/pane.tsx';
import { useTranslate } from '../../i18n/translate.ts';
import { leavePane, useEntrance } from '../../session/panes.ts';
import { usePreferences } from '../../session/preferences.ts';
import { useTheme } from '../../theme/theme.ts';
import type { Screen, ScreenOptions } from './screen.ts';
import styles from './terminal.module.css';

/** A terminal with a shell and kubectl. */
export function TerminalPane() {
  return (
    <Pane id="terminal">
      <TerminalScreen />
    </Pane>
  );
}

function TerminalScreen() {
  const t = useTranslate();
  const theme = useTheme();
  const { textSize, screenReader } = usePreferences();
  const host = useRef<HTMLDivElement>(null);
  const [screen, setScreen] = useState<Screen>();
  const [failure, setFailure] = useState<unknown>();
  const label = t('pane.terminal');
  const options = useMemo<ScreenOptions & { readonly theme: string }>(
    () => ({ theme, fontSize: 13 * textSize, screenReader, label }),
    [theme, textSize, screenReader, label],
  );
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
    screen?.configure(options);
  }, [options, screen]);

  useEffect(() => {
    let over = false;
    let made: Screen | undefined;
    const load = async () => {
      const { Screen } = await import('./screen.ts');
      if (over || !host.current) return;
      made = new Screen(host.current, latest.current, () => leavePane('terminal'));
      setScreen(made);
    };
    load().catch(setFailure);
    return () => {
      over = true;
      made?.dispose();
      setScreen(undefined);
    };
  }, []);
  useEntrance(
    'terminal',
    useCallback(() => screen?.focus(), [screen]),
  );
  if (failure !== undefined) throw failure;
  return <div ref={host} className={styles.screen} />;
}
