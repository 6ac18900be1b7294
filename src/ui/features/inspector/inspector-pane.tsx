import { ArrowLeft, X } from 'lucide-react';
import { useCallback, useRef } from 'react';
import { IconButton } from '../../components/button.tsx';
import { Pane } from '../../components/pane.tsx';
import { useTranslate } from '../../i18n/translate.ts';
import { useEntrance } from '../../session/panes.ts';
import { useSelection } from '../../session/session.ts';
import { BrowserView } from './browser-view.tsx';
import { ComponentView } from './component-view.tsx';
import { ObjectView } from './object-view.tsx';
import { SpanPanel } from './span-panel.tsx';
import styles from './inspector.module.css';

/** What is selected, in full. */
export function InspectorPane() {
  const t = useTranslate();
  const current = useSelection((state) => state.current);
  const past = useSelection((state) => state.past);
  const back = useSelection((state) => state.back);
  const select = useSelection((state) => state.select);
  const body = useRef<HTMLDivElement>(null);
  useEntrance(
    'inspector',
    useCallback(() => {
      const tab = body.current?.querySelector<HTMLElement>('[role="tab"][data-state="active"]');
      const first = tab ?? body.current?.querySelector<HTMLElement>('button, select, [tabindex="0"]');
      (first ?? body.current)?.focus();
    }, []),
  );
  const tools = current && (
    <>
      {past.length > 0 && (
        <IconButton label={t('inspector.back')} onClick={back}>
          <ArrowLeft />
        </IconButton>
      )}
      <IconButton label={t('inspector.clear')} onClick={() => select(undefined)}>
        <X />
      </IconButton>
    </>
  );
  return (
    <Pane id="inspector" tools={tools}>
      <div className={styles.inspector} ref={body} tabIndex={-1}>
        {!current && <BrowserView />}
        {current?.type === 'object' && (
          <ObjectView key={`${current.resource.plural}/${current.namespace}/${current.name}`} selection={current} />
        )}
        {current?.type === 'component' && <ComponentView key={current.name} name={current.name} />}
        {current?.type === 'span' && <SpanPanel key={current.id} id={current.id} />}
      </div>
    </Pane>
  );
}
