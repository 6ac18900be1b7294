import type { NodeProps } from '@xyflow/react';
import { Boxes, CalendarClock, Database, Server, SquareTerminal, Workflow } from 'lucide-react';
import { memo } from 'react';
import type { FaultTarget } from '#hosts/control.ts';
import { PODS, NODES } from '../../cluster-store/kube-object.ts';
import type { SpanTone } from '../../cluster-store/span-view.ts';
import type { Tone } from '../../cluster-store/status-tone.ts';
import { useTranslate, type PlainKey } from '../../i18n/translate.ts';
import type { ComponentName } from '../../session/selection.ts';
import { useFaults } from '../../session/session.ts';
import { useStateName } from '../../components/switches.tsx';
import type { ActorNode, FrameNode, MachineNode, PodLook, PodNode } from './graph-elements.ts';
import { useGraphFocus } from './graph-focus.ts';
import type { PodItem } from './graph-model.ts';
import { Handles, Name } from './graph-parts.tsx';
import { Switches } from './graph-switch.tsx';
import { useFault, useItem } from './use-item.ts';
import styles from './graph.module.css';

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
  if (data.kind === 'queue') {
    return (
      <div className={styles.queue}>
        {data.count === 0 && t('graph.queue')}
        {data.hidden > 0 && <span>{t('graph.more', { count: data.hidden })}</span>}
        <Handles />
      </div>
    );
  }
  const services = data.kind === 'services';
  return (
    <div className={styles.lane}>
      {t(services ? 'graph.services' : 'graph.workloads')}
      {data.hidden > 0 && <span>{t('graph.more', { count: data.hidden })}</span>}
      {data.count === 0 && <p>{t(services ? 'graph.noServices' : 'graph.noWorkloads')}</p>}
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
  ['connection', 'kind.connection'],
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
  const fault = useFault(name);
  const stopped = useFaults((targets) => (name === 'kube-controller-manager' ? stoppedControllers(targets) : ''));
  return (
    <div className={styles.host}>
      <button
        {...item}
        className={`${styles.item} ${styles.actor} ${name === 'kube-apiserver' ? styles.hub : ''}`}
        data-component={name}
        data-status={name === 'kubectl' ? undefined : (fault ?? 'running')}
        data-fault={fault}
      >
        <Icon aria-hidden="true" />
        <span>
          {name === 'kubectl' ? t('graph.you') : name.replace('kube-controller-manager', 'controller-manager')}
          {!fault && stopped ? (
            <small className={styles.bad}>
              {t('graph.stoppedOf', { count: stopped.split('/')[0] ?? '', all: stopped.split('/')[1] ?? '' })}
            </small>
          ) : (
            <small>{t(note)}</small>
          )}
        </span>
      </button>
      {name !== 'kubectl' && <Switches target={name} name={name} states={STOP} item={name} />}
      <Handles />
    </div>
  );
});

const STOP = ['stopped'] as const;
const CUT = ['off', 'unplugged'] as const;
const UNWELL = ['hang', 'crash', 'slow', 'unready'] as const;

/** Of the controllers, how many are stopped one by one; empty when none is. A text, so that it is compared by value. */
function stoppedControllers(targets: readonly FaultTarget[]): string {
  const controllers = targets.filter(({ target }) => target.startsWith('controllers/'));
  const stopped = controllers.filter(({ state }) => state !== 'running').length;
  return stopped > 0 ? `${stopped}/${controllers.length}` : '';
}

export const Machine = memo(function Machine({ data: { node, detail, inside } }: NodeProps<MachineNode>) {
  const t = useTranslate();
  const { name, status, tone } = node;
  const item = useItem(`node:${name}`, { type: 'object', resource: NODES, name });
  const object = status === undefined ? {} : { 'data-object': node.key, 'data-status': status };
  const fault = useFault(node.key);
  const kubelet = useFault(`kubelets/${name}`);
  const proxy = useFault(`kube-proxies/${name}`);
  const stated = useStateName();
  const parts = fault ? [] : [kubelet && 'kubelet', proxy && 'kube-proxy'].filter(Boolean);
  return (
    <div
      className={styles.machine}
      data-tone={tone}
      data-fault={fault}
      data-missing={status === undefined || undefined}
    >
      <button
        {...item}
        {...object}
        className={`${styles.item} ${styles.machineHead}`}
        data-fault={fault}
        aria-label={[`Node ${name}`, status ?? t('graph.gone'), fault && stated(fault)].filter(Boolean).join(', ')}
      >
        <span className={styles.machineTitle}>
          <i className={styles.dot} data-tone={tone} />
          {name}
          {parts.length > 0 && (
            <span className={styles.bad}>
              {parts.join(', ')} {stated('stopped')}
            </span>
          )}
          <em className={tone === 'bad' ? styles.bad : undefined}>{status ?? t('graph.gone')}</em>
        </span>
      </button>
      {status !== undefined && <Switches target={node.key} name={name} states={CUT} item={`node:${name}`} />}
      <Handles />
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

export const PodElement = memo(function PodElement({ data: { pod, look, stem, revision, old } }: NodeProps<PodNode>) {
  return (
    <>
      <Pod pod={pod} look={look} stem={stem} revision={revision} old={old} />
      <PodSwitches pod={pod} look={look} />
    </>
  );
});

/** A Pod that is chosen, or that somebody made unwell, has its switches. */
function PodSwitches({ pod: { key, name }, look }: { readonly pod: PodItem; readonly look: PodLook }) {
  const chosen = useGraphFocus((focus) => focus.id === key);
  if (look === 'system' && !chosen) return null;
  return <Switches target={key} name={name} states={UNWELL} item={key} onlyBroken={!chosen || look === 'chip'} />;
}

interface PodProps {
  readonly pod: PodItem;
  readonly look: PodLook;
  readonly stem?: string;
  readonly revision?: string;
  readonly old?: boolean;
}

const Pod = memo(function Pod({ pod, look, stem, revision, old }: PodProps) {
  const t = useTranslate();
  const { key, namespace, name, status, ready, tone, nodeName } = pod;
  const item = useItem(key, { type: 'object', resource: PODS, namespace, name });
  const fault = useFault(key);
  const dark = useFault(`nodes/${nodeName}`);
  const stated = useStateName();
  const where = nodeName ? t('graph.on', { node: nodeName }) : t('graph.waits');
  const words = look === 'card' || look === 'chip';
  const label = [`Pod ${namespace}/${name}`, status, where, fault && stated(fault)].filter(Boolean).join(', ');
  return (
    <button
      {...item}
      className={`${styles.item} ${styles.pod} ${styles[look]}`}
      data-object={key}
      data-status={status}
      data-tone={tone}
      data-fault={fault}
      data-dark={dark}
      aria-label={label}
      title={look === 'card' ? undefined : `${namespace}/${name}\n${status} ${ready}`}
    >
      {words && <i className={styles.dot} data-tone={tone} />}
      {look === 'card' && (
        <div>
          <Name name={name} stem={stem} />
          <small>
            <span>{tone === 'ok' ? `${status} ${ready}` : status}</span>
            {revision && <span data-old={old || undefined}>{t('graph.revision', { number: revision })}</span>}
          </small>
        </div>
      )}
      {look === 'chip' && <Name name={name} stem={stem} />}
    </button>
  );
});
