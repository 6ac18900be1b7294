import { Handle, Position, type NodeProps } from '@xyflow/react';
import { Boxes, CalendarClock, Database, Server, SquareTerminal, Workflow } from 'lucide-react';
import { memo, useEffect } from 'react';
import { PODS, NODES } from '../../cluster-store/kube-object.ts';
import type { SpanTone } from '../../cluster-store/span-view.ts';
import type { Tone } from '../../cluster-store/status-tone.ts';
import { useTranslate, type PlainKey } from '../../i18n/translate.ts';
import { sameSelection, type ComponentName, type Selection } from '../../session/selection.ts';
import { useSelection } from '../../session/session.ts';
import type { ActorNode, FrameNode, MachineNode, PodLook, PodNode } from './graph-elements.ts';
import { HOME, useGraphFocus } from './graph-focus.ts';
import type { PodItem } from './graph-model.ts';
import styles from './graph.module.css';

/** Edges are drawn along routes of our own; React Flow needs places to hang them on all the same. */
function Handles() {
  return (
    <>
      <Handle type="source" position={Position.Top} className={styles.handle} isConnectable={false} />
      <Handle type="target" position={Position.Bottom} className={styles.handle} isConnectable={false} />
    </>
  );
}

/** What makes a button of the graph one: chosen by click or Enter, reached by arrows. */
function useItem(id: string, selection: Selection) {
  const current = useSelection((state) => sameSelection(state.current, selection));
  const select = useSelection((state) => state.select);
  const focused = useGraphFocus((focus) => focus.id === id);
  const moveTo = useGraphFocus((focus) => focus.moveTo);
  useEffect(() => {
    return () => {
      if (useGraphFocus.getState().id === id) moveTo(HOME);
    };
  }, [id, moveTo]);
  return {
    type: 'button' as const,
    'data-graph-item': id,
    'aria-current': current || undefined,
    tabIndex: focused ? 0 : -1,
    onFocus: () => moveTo(id),
    onClick: () => select(selection),
  };
}

export const Frame = memo(function Frame({ data }: NodeProps<FrameNode>) {
  const t = useTranslate();
  if (data.kind === 'legend') return <Legend />;
  if (data.kind === 'frame') {
    return (
      <div className={styles.frame}>
        {t('graph.controlPlane')}
        <Handles />
      </div>
    );
  }
  return (
    <div className={styles.queue}>
      <span>{t('graph.queue')}</span>
      {data.hidden > 0 && <span>{t('graph.more', { count: data.hidden })}</span>}
      <Handles />
    </div>
  );
});

const LEGEND: readonly (readonly [tone: SpanTone, text: PlainKey])[] = [
  ['request', 'kind.request'],
  ['write', 'kind.write'],
  ['delivery', 'kind.delivery'],
  ['decision', 'kind.decision'],
  ['work', 'kind.work'],
];

/** What the colours of dots and pulses mean. */
function Legend() {
  const t = useTranslate();
  return (
    <ul className={styles.legend} aria-label={t('graph.legend')}>
      {LEGEND.map(([tone, text]) => (
        <li key={tone}>
          <i style={{ background: `var(--${tone})` }} />
          {t(text)}
        </li>
      ))}
    </ul>
  );
}

const ACTORS: Readonly<Record<ComponentName, { readonly icon: typeof Server; readonly note: PlainKey }>> = {
  kubectl: { icon: SquareTerminal, note: 'actor.kubectl' },
  'kube-apiserver': { icon: Workflow, note: 'actor.kube-apiserver' },
  etcd: { icon: Database, note: 'actor.etcd' },
  'kube-scheduler': { icon: CalendarClock, note: 'actor.kube-scheduler' },
  'kube-controller-manager': { icon: Boxes, note: 'actor.kube-controller-manager' },
};

export const Actor = memo(function Actor({ data: { name } }: NodeProps<ActorNode>) {
  const t = useTranslate();
  const item = useItem(name, { type: 'component', name });
  const { icon: Icon, note } = ACTORS[name];
  return (
    <button
      {...item}
      className={`${styles.item} ${styles.actor} ${name === 'kube-apiserver' ? styles.hub : ''}`}
      data-component={name}
    >
      <Icon aria-hidden="true" />
      <span>
        {name === 'kubectl' ? t('graph.you') : name.replace('kube-controller-manager', 'controller-manager')}
        <small>{t(note)}</small>
      </span>
      <Handles />
    </button>
  );
});

export const Machine = memo(function Machine({ data: { node, detail, inside } }: NodeProps<MachineNode>) {
  const t = useTranslate();
  const { name, status, tone } = node;
  const item = useItem(`node:${name}`, { type: 'object', resource: NODES, name });
  const object = status === undefined ? {} : { 'data-object': node.key, 'data-status': status };
  return (
    <div className={styles.machine} data-tone={tone} data-missing={status === undefined || undefined}>
      <button
        {...item}
        {...object}
        className={`${styles.item} ${styles.machineHead}`}
        aria-label={`Node ${name}, ${status ?? t('graph.gone')}`}
      >
        <span className={styles.machineTitle}>
          <i className={styles.dot} data-tone={tone} />
          {name}
          <em className={tone === 'bad' ? styles.bad : undefined}>{status ?? t('graph.gone')}</em>
        </span>
        <Handles />
      </button>
      {detail === 'cell' && (
        <div className={styles.cells}>
          {inside.map((pod, slot) =>
            pod ? <Pod key={pod.key} pod={pod} look="cell" /> : <span key={slot} className={styles.cell} />,
          )}
        </div>
      )}
      {detail === 'count' && <Counts pods={inside} />}
    </div>
  );
});

const TONES: readonly Tone[] = ['ok', 'pending', 'bad', 'done', 'leaving'];

function Counts({ pods }: { readonly pods: readonly (PodItem | undefined)[] }) {
  const t = useTranslate();
  const counts = TONES.map((tone) => ({ tone, count: pods.filter((pod) => pod?.tone === tone).length })).filter(
    ({ count }) => count > 0,
  );
  return (
    <div className={styles.counts}>
      {counts.length === 0
        ? t('pods.count', { count: 0 })
        : counts.map(({ tone, count }) => (
            <span key={tone}>
              <i className={styles.dot} data-tone={tone} />
              {count}
            </span>
          ))}
    </div>
  );
}

export const PodElement = memo(function PodElement({ data: { pod, look } }: NodeProps<PodNode>) {
  return (
    <>
      <Pod pod={pod} look={look} />
      <Handles />
    </>
  );
});

const Pod = memo(function Pod({ pod, look }: { readonly pod: PodItem; readonly look: PodLook }) {
  const t = useTranslate();
  const { key, namespace, name, status, ready, tone, nodeName } = pod;
  const item = useItem(key, { type: 'object', resource: PODS, namespace, name });
  const where = nodeName ? t('graph.on', { node: nodeName }) : t('graph.waits');
  const words = look === 'card' || look === 'chip';
  return (
    <button
      {...item}
      className={`${styles.item} ${styles.pod} ${styles[look]}`}
      data-object={key}
      data-status={status}
      data-tone={tone}
      aria-label={`Pod ${namespace}/${name}, ${status}, ${where}`}
      title={look === 'card' ? undefined : `${namespace}/${name}\n${status} ${ready}`}
    >
      {words && <i className={styles.dot} data-tone={tone} />}
      {look === 'card' && (
        <div>
          <Name name={name} />
          <small>{tone === 'ok' ? `${status} ${ready}` : status}</small>
        </div>
      )}
      {look === 'chip' && <Name name={name} />}
    </button>
  );
});

/** A name of which the end is seen too, however little room there is. */
function Name({ name }: { readonly name: string }) {
  const cut = name.length > 12 ? name.length - 6 : name.length;
  return (
    <strong className={styles.name}>
      <span>{name.slice(0, cut)}</span>
      <span>{name.slice(cut)}</span>
    </strong>
  );
}
