import { ChevronDown, Power, RotateCcw } from 'lucide-react';
import { Popover } from 'radix-ui';
import { useTranslate } from '../i18n/translate.ts';
import { useFaults, useSession } from '../session/session.ts';
import { Button, IconButton } from './button.tsx';
import { startAll, Switch, useBroken, useStateName, useTargetName } from './switches.tsx';
import styles from './faults.module.css';

/** What is stopped now, with one click to start all again; behind it, every switch. */
export function Faults() {
  const t = useTranslate();
  const session = useSession();
  const broken = useBroken();
  const named = useTargetName();
  const stated = useStateName();
  const [first] = broken;
  const text =
    first && broken.length === 1
      ? `${named(first.target)}: ${stated(first.state)}`
      : t('fault.broken', { count: broken.length });
  const all = broken.map(({ target, state }) => `${named(target)}: ${stated(state)}`).join('\n');
  return (
    <div className={styles.faults} role="group" aria-label={t('fault.title')}>
      <Popover.Root>
        <Popover.Trigger asChild>
          {first ? (
            <Button className={styles.broken} title={all} aria-label={`${t('fault.title')}: ${text}`}>
              <Power />
              <span>{text}</span>
            </Button>
          ) : (
            <IconButton label={t('fault.title')}>
              <Power />
            </IconButton>
          )}
        </Popover.Trigger>
        <Popover.Portal>
          <Popover.Content className={styles.panel} sideOffset={6} collisionPadding={8} aria-label={t('fault.title')}>
            <Panel />
          </Popover.Content>
        </Popover.Portal>
      </Popover.Root>
      {first && (
        <IconButton label={t('fault.startAll')} onClick={() => void startAll(session)}>
          <RotateCcw />
        </IconButton>
      )}
      <span className="visually-hidden" role="status">
        {first ? all : ''}
      </span>
    </div>
  );
}

const CONTROL_PLANE = ['kube-apiserver', 'etcd', 'kube-scheduler', 'kube-controller-manager'];

function Panel() {
  const t = useTranslate();
  const session = useSession();
  const broken = useBroken();
  const targets = useFaults((all) => all).map(({ target }) => target);
  const starting = (prefix: string) => targets.filter((target) => target.startsWith(prefix));
  const nodes = starting('nodes/').map((target) => target.slice('nodes/'.length));
  return (
    <>
      <header className={styles.head}>
        <p>{t('fault.hint')}</p>
        {broken.length > 0 && (
          <Button onClick={() => void startAll(session)}>
            <RotateCcw />
            {t('fault.startAll')}
          </Button>
        )}
      </header>
      <Group title={t('fault.controlPlane')} targets={CONTROL_PLANE} open />
      <details>
        <summary>
          <ChevronDown aria-hidden="true" />
          {t('fault.controllers')}
        </summary>
        {starting('controllers/').map((target) => (
          <Switch key={target} target={target} quiet />
        ))}
      </details>
      <Group title={t('fault.network')} targets={['coredns']} open />
      {nodes.map((node) => (
        <details key={node}>
          <summary>
            <ChevronDown aria-hidden="true" />
            {t('fault.nodeNamed', { node })}
          </summary>
          <Switch target={`nodes/${node}`} label={t('fault.power')} quiet />
          <Switch target={`kubelets/${node}`} label="kubelet" quiet />
          <Switch target={`kube-proxies/${node}`} label="kube-proxy" quiet />
        </details>
      ))}
      {starting('pods/').length > 0 && <Group title="Pods" targets={starting('pods/')} open />}
    </>
  );
}

function Group({
  title,
  targets,
  open,
}: {
  readonly title: string;
  readonly targets: readonly string[];
  readonly open: boolean;
}) {
  return (
    <details open={open}>
      <summary>
        <ChevronDown aria-hidden="true" />
        {title}
      </summary>
      {targets.map((target) => (
        <Switch key={target} target={target} quiet />
      ))}
    </details>
  );
}

/** Told when the API server or its store is stopped: what the panes show is from before. Nothing otherwise. */
export function StaleNotice() {
  const t = useTranslate();
  const session = useSession();
  const named = useTargetName();
  const stopped = useFaults((targets) => targets).filter(
    ({ target, state }) => (target === 'kube-apiserver' || target === 'etcd') && state !== 'running',
  );
  if (stopped.length === 0) return null;
  const start = () => {
    for (const { target } of stopped) session.control.setFault(target, 'running').catch(() => {});
  };
  return (
    <div className={styles.stale} role="status">
      <Power aria-hidden="true" />
      <span>{t('fault.stale')}</span>
      <Button onClick={start}>
        {t('fault.start', { name: stopped.map(({ target }) => named(target)).join(', ') })}
      </Button>
    </div>
  );
}
