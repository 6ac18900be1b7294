import { Eraser } from 'lucide-react';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { IconButton } from '../../components/button.tsx';
import { Pane } from '../../components/pane.tsx';
import { useTranslate } from '../../i18n/translate.ts';
import { leavePane, useEntrance } from '../../session/panes.ts';
import { usePreferences } from '../../session/preferences.ts';
import { useGraphAlive } from '../../session/session.ts';
import { useReducedMotion, useTheme } from '../../theme/theme.ts';
import type { Screen, ScreenOptions } from './screen.ts';
import styles from './terminal.module.css';

/** A shell with kubectl. */
export function TerminalPane() {
  const t = useTranslate();
  const [screen, setScreen] = useState<Screen>();
  const tools = (
    <IconButton label={t('terminal.clear')} disabled={!screen} onClick={() => screen?.clear()}>
      <Eraser />
    </IconButton>
  );
  return (
    <Pane id="terminal" tools={tools}>
      <TerminalScreen screen={screen} setScreen={setScreen} />
    </Pane>
  );
}

interface TerminalScreenProps {
  readonly screen: Screen | undefined;
  readonly setScreen: (screen: Screen | undefined) => void;
}

function TerminalScreen({ screen, setScreen }: TerminalScreenProps) {
  const t = useTranslate();
  const theme = useTheme();
  const still = useReducedMotion();
  const { textSize, screenReader } = usePreferences();
  const host = useRef<HTMLDivElement>(null);
  const [problem, setProblem] = useState<string>();
  const options = useMemo<ScreenOptions>(
    () => ({ theme, fontSize: 13 * textSize, screenReader, still, label: t('pane.terminal') }),
    [theme, textSize, screenReader, still, t],
  );
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
    screen?.setOptions(options);
  }, [screen, options]);

  const alive = useGraphAlive();
  useEffect(() => {
    if (!alive) return;
    let over = false;
    let opened: Screen | undefined;
    const open = async () => {
      const { openScreen } = await import('./screen.ts');
      if (over || !host.current) return;
      opened = await openScreen(host.current, latest.current, () => leavePane('terminal'));
      if (over) opened.dispose();
      else setScreen(opened);
    };
    open().catch((error: unknown) => setProblem(String(error)));
    return () => {
      over = true;
      opened?.dispose();
      setScreen(undefined);
    };
  }, [alive, setScreen]);

  useEntrance(
    'terminal',
    useCallback(() => screen?.focus(), [screen]),
  );
  return (
    <div className={`${styles.terminal} nokey`}>
      {!screen && <p className={styles.loading}>{problem ?? t('inspector.loading')}</p>}
      <div ref={host} className={styles.screen} />
    </div>
  );
}
