import { Activity, FileCode2, ListTree, Network, SquareTerminal } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Group, Panel, Separator, useDefaultLayout } from 'react-resizable-panels';
import styles from './app.module.css';
import { Button } from './components/button.tsx';
import { Confirm } from './components/confirm.tsx';
import { ErrorBoundary } from './components/error-boundary.tsx';
import { StaleNotice } from './components/faults.tsx';
import { Header } from './components/header.tsx';
import { PANE_TITLES } from './components/pane.tsx';
import { Shortcuts } from './components/shortcuts.tsx';
import { EditorPane } from './features/editor/editor-pane.tsx';
import { GraphPane } from './features/graph/graph-pane.tsx';
import { InspectorPane } from './features/inspector/inspector-pane.tsx';
import { TerminalPane } from './features/terminal/terminal-pane.tsx';
import { TimelinePane } from './features/timeline/timeline-pane.tsx';
import { useTranslate } from './i18n/translate.ts';
import { enterPane, PANES, usePaneKeys, usePanes } from './session/panes.ts';
import { storage } from './session/preferences.ts';
import { SessionContext, useFaults, useSessions } from './session/session.ts';
import { useDocumentSettings } from './theme/theme.ts';

/** The whole page. `restart` starts a new cluster in place of the present one. */
export function App({ restart }: { readonly restart: () => void }) {
  const t = useTranslate();
  const { running, crash } = useSessions();
  const [help, setHelp] = useState(false);
  const [asking, setAsking] = useState(false);
  useDocumentSettings();
  usePaneKeys();
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const typing = (event.target as HTMLElement).closest(
        'input, textarea, select, [contenteditable="true"], .monaco-editor, .xterm',
      );
      if (event.key === '?' && !typing) setHelp(true);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);

  return (
    <ErrorBoundary fallback={(message) => <Fault message={message} />}>
      <SessionContext value={running}>
        <div className={styles.app}>
          <Header onHelp={() => setHelp(true)} onRestart={() => setAsking(true)} />
          {crash !== undefined && (
            <div className={styles.banner} role="alert">
              <div>
                <strong>{t('crash.title')}</strong>
                <pre>{crash}</pre>
              </div>
              <Button look="primary" onClick={restart}>
                {t('crash.restart')}
              </Button>
            </div>
          )}
          {running && crash === undefined && <StaleNotice />}
          {running ? <Workbench key={running.number} /> : <div className={styles.workbench} />}
          <PaneTabs />
          <Shortcuts open={help} onClose={() => setHelp(false)} />
          <Confirm
            open={asking}
            title={t('restart.title')}
            text={t('restart.text')}
            action={t('crash.restart')}
            onConfirm={restart}
            onClose={() => setAsking(false)}
          />
        </div>
      </SessionContext>
    </ErrorBoundary>
  );
}

/** What is left when even the page around the panes fails. */
function Fault({ message }: { readonly message: string }) {
  return (
    <main className="boot" role="alert">
      <h1>Tabernetes</h1>
      <p>The page has failed. 页面出现故障。</p>
      <pre>{message}</pre>
      <p>
        <Button look="primary" onClick={() => location.reload()}>
          Reload 刷新
        </Button>
      </p>
    </main>
  );
}

/** Without them nothing new is known. */
const STORES: ReadonlySet<string> = new Set(['kube-apiserver', 'etcd']);

const ROWS = ['top', 'bottom'];
const TOP = ['editor', 'graph', 'inspector'];
const BOTTOM = ['terminal', 'timeline'];

function Workbench() {
  const t = useTranslate();
  const rows = useDefaultLayout({ id: 'rows', storage });
  const top = useDefaultLayout({ id: 'top', storage });
  const bottom = useDefaultLayout({ id: 'bottom', storage });
  const stale = useFaults((targets) => targets.some(({ target, state }) => STORES.has(target) && state !== 'running'));
  const resize = { className: styles.separator, 'aria-label': t('pane.resize') };
  return (
    <main className={styles.workbench} data-stale={stale || undefined}>
      <Group id="rows" orientation="vertical" {...rows}>
        <Panel id={ROWS[0]} defaultSize="65%" minSize={140}>
          <Group id="top" orientation="horizontal" {...top}>
            <Panel id={TOP[0]} defaultSize="27%" minSize={180}>
              <EditorPane />
            </Panel>
            <Separator {...resize} />
            <Panel id={TOP[1]} defaultSize="44%" minSize={220}>
              <GraphPane />
            </Panel>
            <Separator {...resize} />
            <Panel id={TOP[2]} defaultSize="29%" minSize={200}>
              <InspectorPane />
            </Panel>
          </Group>
        </Panel>
        <Separator {...resize} />
        <Panel id={ROWS[1]} defaultSize="35%" minSize={110}>
          <Group id="bottom" orientation="horizontal" {...bottom}>
            <Panel id={BOTTOM[0]} defaultSize="56%" minSize={240}>
              <TerminalPane />
            </Panel>
            <Separator {...resize} />
            <Panel id={BOTTOM[1]} defaultSize="44%" minSize={220}>
              <TimelinePane />
            </Panel>
          </Group>
        </Panel>
      </Group>
    </main>
  );
}

const TAB_ICONS = {
  editor: FileCode2,
  graph: Network,
  inspector: ListTree,
  terminal: SquareTerminal,
  timeline: Activity,
};

/** Where panes are stacked: which one shows. */
function PaneTabs() {
  const t = useTranslate();
  const active = usePanes((panes) => panes.active);
  return (
    <nav className={styles.tabs} aria-label={t('pane.all')}>
      {PANES.map((pane) => {
        const Icon = TAB_ICONS[pane];
        return (
          <button key={pane} type="button" aria-pressed={active === pane} onClick={() => enterPane(pane)}>
            <Icon aria-hidden="true" />
            {t(PANE_TITLES[pane])}
          </button>
        );
      })}
    </nav>
  );
}
