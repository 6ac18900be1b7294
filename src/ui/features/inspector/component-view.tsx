import { useDeferredValue, useMemo } from 'react';
import { viewSpan } from '../../cluster-store/span-view.ts';
import { Section } from '../../components/parts.tsx';
import { Switch } from '../../components/switches.tsx';
import { useTranslate, type PlainKey } from '../../i18n/translate.ts';
import type { ComponentName } from '../../session/selection.ts';
import { useFaults, useSession, useTrace } from '../../session/session.ts';
import { SpanList } from './span-panel.tsx';
import styles from './inspector.module.css';

const TEXTS = {
  kubectl: 'about.kubectl',
  'kube-apiserver': 'about.kube-apiserver',
  etcd: 'about.etcd',
  'kube-scheduler': 'about.kube-scheduler',
  'kube-controller-manager': 'about.kube-controller-manager',
} as const satisfies Record<ComponentName, PlainKey>;

const SHOWN = 40;
/** How far back is looked for what a component did. */
const LOOK_BACK = 4000;

/** What a component is for, and what it did lately. */
export function ComponentView({ name }: { readonly name: ComponentName }) {
  const t = useTranslate();
  const { trace } = useSession();
  const version = useDeferredValue(useTrace((state) => Math.floor(state.version / 8)));
  const spans = useMemo(() => {
    void version;
    const found = [];
    const all = trace.state.getState().spans;
    for (let at = all.length - 1; at >= Math.max(0, all.length - LOOK_BACK) && found.length < SHOWN; at--) {
      const span = all[at];
      if (!span) continue;
      const view = viewSpan(span);
      // The API server takes part in every request; what it does itself is to answer them.
      const mine = name === 'kube-apiserver' ? span.kind === 'request' : view.party === name;
      if (mine && !view.heartbeat) found.push(span);
    }
    return found;
  }, [trace, version, name]);
  return (
    <div className={styles.panel} tabIndex={0}>
      <div className={styles.title}>
        <h3>{name === 'kubectl' ? t('graph.you') : name}</h3>
        {name === 'kubectl' && <small>kubectl</small>}
      </div>
      <Section>
        <p>{t(TEXTS[name])}</p>
      </Section>
      <ComponentSwitches name={name} />
      <Section title={t('component.lately')}>
        {spans.length > 0 ? <SpanList spans={spans} /> : <p className={styles.explain}>{t('component.quiet')}</p>}
      </Section>
    </div>
  );
}

const CONTROLLERS = 'controllers/';

/** Its own switch; of the controller manager also those of its controllers. */
function ComponentSwitches({ name }: { readonly name: ComponentName }) {
  const t = useTranslate();
  const targets = useFaults((all) => all);
  if (!targets.some(({ target }) => target === name)) return null;
  return (
    <>
      <Section title={t('fault.title')}>
        <Switch target={name} />
      </Section>
      {name === 'kube-controller-manager' && (
        <Section title={t('fault.controllers')}>
          {targets
            .filter(({ target }) => target.startsWith(CONTROLLERS))
            .map(({ target }) => (
              <Switch key={target} target={target} quiet />
            ))}
        </Section>
      )}
    </>
  );
}
