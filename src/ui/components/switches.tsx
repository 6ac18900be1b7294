import { useState } from 'react';
import type { FaultTarget } from '#hosts/control.ts';
import { messageOf } from '../cluster-store/cluster-store.ts';
import { useTranslate, type PlainKey } from '../i18n/translate.ts';
import { useFaults, useSession, type RunningSession } from '../session/session.ts';
import styles from './switches.module.css';

/** What each state of a target means, by the target's kind. */
const CONSEQUENCES: Readonly<Record<string, Readonly<Record<string, PlainKey>>>> = {
  'kube-apiserver': { stopped: 'fault.apiserver' },
  etcd: { stopped: 'fault.etcd' },
  'kube-scheduler': { stopped: 'fault.scheduler' },
  'kube-controller-manager': { stopped: 'fault.manager' },
  controllers: { stopped: 'fault.controller' },
  kubelets: { stopped: 'fault.kubelet' },
  'kube-proxies': { stopped: 'fault.proxy' },
  coredns: { stopped: 'fault.dns' },
  nodes: { off: 'fault.off', unplugged: 'fault.unplugged' },
  pods: { hang: 'fault.hang', crash: 'fault.crash', slow: 'fault.slow', unready: 'fault.unready' },
};

const STATES: Readonly<Record<string, PlainKey>> = {
  running: 'fault.state.running',
  stopped: 'fault.state.stopped',
  off: 'fault.state.off',
  unplugged: 'fault.state.unplugged',
  hang: 'fault.state.hang',
  crash: 'fault.state.crash',
  slow: 'fault.state.slow',
  unready: 'fault.state.unready',
};

const kindOf = (target: string) => target.split('/')[0] ?? target;

/** How a target is called: the names of its own, or for a node's parts what they are. */
export function useTargetName(): (target: string) => string {
  const t = useTranslate();
  return (target) => {
    const [kind = '', ...names] = target.split('/');
    const name = names.at(-1) ?? '';
    if (kind === 'kubelets') return t('fault.kubeletOf', { node: name });
    if (kind === 'kube-proxies') return t('fault.proxyOf', { node: name });
    if (kind === 'nodes') return t('fault.nodeNamed', { node: name });
    if (kind === 'pods') return `Pod ${names[0] === 'default' ? name : names.join('/')}`;
    if (kind === 'controllers') return name;
    return kind === 'coredns' ? 'CoreDNS' : kind;
  };
}

/** How a state is called. */
export function useStateName(): (state: string) => string {
  const t = useTranslate();
  return (state) => {
    const key = STATES[state];
    return key ? t(key) : state;
  };
}

const POD_STATES = ['running', 'hang', 'crash', 'slow', 'unready'] as const;

/** The switch of one target, with a sentence about what it does. Nothing where there is no such target. */
export function Switch({
  target,
  label,
  quiet = false,
}: {
  readonly target: string;
  readonly label?: string;
  /** Only what is wrong is explained. */
  readonly quiet?: boolean;
}) {
  const t = useTranslate();
  const { control } = useSession();
  const named = useTargetName();
  const stated = useStateName();
  const listed = useFaults((targets) => targets.find((candidate) => candidate.target === target));
  const [asked, setAsked] = useState<string>();
  const [problem, setProblem] = useState<string>();
  /** The state that is pointed at. */
  const [peeked, setPeeked] = useState<string>();
  // Of Pods only those are listed that do not run normally.
  const found: FaultTarget | undefined =
    listed ?? (kindOf(target) === 'pods' ? { target, state: 'running', states: POD_STATES } : undefined);
  if (!found) return null;
  const shown = asked ?? found.state;
  const set = (state: string) => {
    setAsked(state);
    setProblem(undefined);
    control
      .setFault(target, state)
      .catch((error: unknown) => setProblem(messageOf(error)))
      .finally(() => setAsked(undefined));
  };
  const name = label ?? named(target);
  const key = CONSEQUENCES[kindOf(target)]?.[shown];
  const hints = found.states.flatMap((state) => CONSEQUENCES[kindOf(target)]?.[state] ?? []);
  const two = found.states.length === 2;
  const peek = peeked && peeked !== shown ? CONSEQUENCES[kindOf(target)]?.[peeked] : undefined;
  return (
    <div className={styles.switch} data-fault={target} data-state={shown}>
      <div className={styles.line}>
        <span className={styles.name}>{name}</span>
        {asked !== undefined && asked !== found.state && <small>{t('fault.waiting')}</small>}
        {two ? (
          <button
            type="button"
            role="switch"
            aria-checked={shown === 'running'}
            aria-label={name}
            className={styles.toggle}
            title={stated(shown)}
            onClick={() => set(shown === 'running' ? (found.states[1] as string) : 'running')}
          >
            <i aria-hidden="true" />
          </button>
        ) : (
          <div className={styles.choices} role="radiogroup" aria-label={name}>
            {found.states.map((state) => (
              <label
                key={state}
                data-chosen={shown === state || undefined}
                data-bad={state !== 'running' || undefined}
                onMouseEnter={() => setPeeked(state)}
                onMouseLeave={() => setPeeked(undefined)}
                onFocus={() => setPeeked(state)}
                onBlur={() => setPeeked(undefined)}
              >
                <input
                  type="radio"
                  name={`fault-${target}`}
                  value={state}
                  checked={shown === state}
                  onChange={() => set(state)}
                />
                {stated(state)}
              </label>
            ))}
          </div>
        )}
      </div>
      {problem !== undefined ? (
        <p className={styles.problem} role="alert">
          {problem}
        </p>
      ) : peek ? (
        <p>{t('fault.ifChosen', { state: stated(peeked as string), what: t(peek) })}</p>
      ) : key ? (
        <p className={styles.consequence}>{t(key)}</p>
      ) : (
        !quiet && <p>{two && hints[0] ? t('fault.ifStopped', { what: t(hints[0]) }) : t('fault.point')}</p>
      )}
    </div>
  );
}

/** The targets that do not run normally; not those that only share the fate of what they run in. */
export function useBroken(): readonly FaultTarget[] {
  const targets = useFaults((all) => all);
  const states = new Map(targets.map(({ target, state }) => [target, state]));
  return targets.filter(({ target, state }) => {
    if (state === 'running') return false;
    const [kind = '', name = ''] = target.split('/');
    if (kind === 'controllers') return states.get('kube-controller-manager') === 'running';
    return !((kind === 'kubelets' || kind === 'kube-proxies') && states.get(`nodes/${name}`) === 'off');
  });
}

/** In which order things are started again: what others need comes first. */
const ORDER = ['etcd', 'kube-apiserver', 'nodes', 'kubelets', 'kube-controller-manager', 'controllers'];

/** Sets all that is broken running again, what others need first. */
export async function startAll({ control, faults }: Pick<RunningSession, 'control' | 'faults'>): Promise<void> {
  const rank = ({ target }: FaultTarget) => {
    const at = ORDER.indexOf(kindOf(target));
    return at < 0 ? ORDER.length : at;
  };
  const broken = faults.getState().targets.filter(({ state }) => state !== 'running');
  const inOrder = broken.toSorted((a, b) => rank(a) - rank(b));
  // Inputs are taken in the order in which they are made; what cannot be started stays in the list.
  await Promise.allSettled(inOrder.map(({ target }) => control.setFault(target, 'running')));
}
