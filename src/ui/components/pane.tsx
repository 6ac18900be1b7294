import { Maximize2, Minimize2 } from 'lucide-react';
import type { KeyboardEvent, ReactNode } from 'react';
import { useTranslate, type PlainKey } from '../i18n/translate.ts';
import { enterPane, usePanes, type PaneId } from '../session/panes.ts';
import { Button, IconButton } from './button.tsx';
import { ErrorBoundary } from './error-boundary.tsx';
import styles from './pane.module.css';

export const PANE_TITLES = {
  editor: 'pane.editor',
  graph: 'pane.graph',
  inspector: 'pane.inspector',
  terminal: 'pane.terminal',
  timeline: 'pane.timeline',
} as const satisfies Record<PaneId, PlainKey>;

interface PaneProps {
  readonly id: PaneId;
  readonly tools?: ReactNode;
  readonly children: ReactNode;
}

/** One of the page's regions: a head with its name and tools, and a body whose faults stay within. */
export function Pane({ id, tools, children }: PaneProps) {
  const t = useTranslate();
  const maximized = usePanes((panes) => panes.maximized === id);
  const active = usePanes((panes) => panes.active === id);
  const toggle = usePanes((panes) => panes.toggleMaximized);
  const activate = usePanes((panes) => panes.activate);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && event.target === event.currentTarget) {
      event.preventDefault();
      enterPane(id);
    }
  };
  return (
    <section
      role="region"
      aria-label={t(PANE_TITLES[id])}
      data-pane={id}
      data-active={active}
      tabIndex={-1}
      className={maximized ? `${styles.pane} ${styles.maximized}` : styles.pane}
      onKeyDown={onKeyDown}
      onFocus={() => active || activate(id)}
    >
      <header className={styles.head}>
        <h2>{t(PANE_TITLES[id])}</h2>
        <div className={styles.tools}>
          {tools}
          <IconButton
            label={t(maximized ? 'pane.restore' : 'pane.maximize')}
            aria-pressed={maximized}
            onClick={() => toggle(id)}
            data-wide-only
          >
            {maximized ? <Minimize2 /> : <Maximize2 />}
          </IconButton>
        </div>
      </header>
      <div className={styles.body}>
        <ErrorBoundary
          fallback={(message, again) => (
            <div className={styles.fault} role="alert">
              <p>{t('pane.fault')}</p>
              <pre>{message}</pre>
              <Button onClick={again}>{t('pane.again')}</Button>
            </div>
          )}
        >
          {children}
        </ErrorBoundary>
      </div>
      <div className={styles.hint} aria-hidden="true">
        {t('pane.hint')}
      </div>
    </section>
  );
}
