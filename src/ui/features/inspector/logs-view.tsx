import { useEffect, useId, useLayoutEffect, useRef, useState } from 'react';
import { messageOf } from '../../cluster-store/cluster-store.ts';
import { PODS, objectPath, type KubeObject } from '../../cluster-store/kube-object.ts';
import { Empty } from '../../components/parts.tsx';
import { useTranslate } from '../../i18n/translate.ts';
import { useCluster, useSession } from '../../session/session.ts';
import { podsOf } from './why-state.ts';
import styles from './inspector.module.css';

const MAX_LINES = 2000;

const namesOf = (pod: KubeObject, list: string) =>
  ((pod.spec?.[list] ?? []) as readonly { readonly name: string }[]).map(({ name }) => name);

/** A container's log, followed. */
export function LogsView({ pod }: { readonly pod: KubeObject }) {
  const t = useTranslate();
  const id = useId();
  const containers = [...namesOf(pod, 'containers'), ...namesOf(pod, 'initContainers')];
  const [chosen, setChosen] = useState<string>();
  const container = chosen ?? containers[0] ?? '';
  const statuses = ['containerStatuses', 'initContainerStatuses'].flatMap(
    (list) => (pod.status?.[list] ?? []) as readonly { readonly name: string; readonly containerID?: string }[],
  );
  // A container that starts anew has a log of its own.
  const life = statuses.find((status) => status.name === container)?.containerID ?? '';
  return (
    <>
      <div className={styles.bar}>
        <label htmlFor={id}>{t('logs.container')}</label>
        <select id={id} value={container} onChange={(event) => setChosen(event.target.value)}>
          {containers.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </div>
      <LogText key={`${container} ${life}`} pod={pod} container={container} />
    </>
  );
}

/** The log of one of the Pods that something keeps. */
export function WorkloadLogs({ plural, object }: { readonly plural: string; readonly object: KubeObject }) {
  const t = useTranslate();
  const id = useId();
  const [chosen, setChosen] = useState<string>();
  const pods = useCluster((state) => state.pods);
  const mine = podsOf(
    plural,
    object,
    [...pods.rows.values()].map((row) => row.object),
  );
  const pod = mine.find(({ metadata }) => metadata.name === chosen) ?? mine[0];
  if (!pod) return <Empty>{t('browser.none')}</Empty>;
  return (
    <>
      <div className={styles.bar}>
        <label htmlFor={id}>Pod</label>
        <select id={id} value={pod.metadata.name} onChange={(event) => setChosen(event.target.value)}>
          {mine.map(({ metadata }) => (
            <option key={metadata.name}>{metadata.name}</option>
          ))}
        </select>
        <span />
      </div>
      <LogsView key={pod.metadata.uid} pod={pod} />
    </>
  );
}

interface Log {
  readonly lines: readonly string[];
  readonly over: boolean;
  readonly problem?: string;
}

function LogText({ pod, container }: { readonly pod: KubeObject; readonly container: string }) {
  const t = useTranslate();
  const { lines, problem, over } = useLog(pod.metadata.namespace, pod.metadata.name ?? '', container);
  const text = useRef<HTMLPreElement>(null);
  /** Whether the newest line is in view, and so stays. */
  const following = useRef(true);
  useLayoutEffect(() => {
    const scroller = text.current?.parentElement;
    if (scroller && following.current) scroller.scrollTop = scroller.scrollHeight;
  }, [lines]);
  useEffect(() => {
    const scroller = text.current?.parentElement;
    if (!scroller) return;
    const onScroll = () => {
      following.current = scroller.scrollTop + scroller.clientHeight > scroller.scrollHeight - 24;
    };
    scroller.addEventListener('scroll', onScroll);
    return () => scroller.removeEventListener('scroll', onScroll);
  }, []);
  return (
    <>
      {problem !== undefined && <p className={styles.problem}>{problem}</p>}
      {lines.length === 0 && problem === undefined && <Empty>{t('logs.empty')}</Empty>}
      <pre className={styles.logs} ref={text} tabIndex={0} role="log" aria-label={t('logs.title', { container })}>
        {lines.join('\n')}
      </pre>
      {over && problem === undefined && lines.length > 0 && <p className={styles.explain}>{t('logs.over')}</p>}
    </>
  );
}

function useLog(namespace: string | undefined, name: string, container: string): Log {
  const { api } = useSession();
  const [log, setLog] = useState<Log>({ lines: [], over: false });
  useEffect(() => {
    const arrived: string[] = [];
    let frame = 0;
    const query = `container=${encodeURIComponent(container)}&follow=true&tailLines=${MAX_LINES}`;
    const stop = api.stream(
      `${objectPath(PODS, namespace, name)}/log?${query}`,
      {
        line: (line) => {
          arrived.push(line);
          frame ||= requestAnimationFrame(() => {
            frame = 0;
            const more = arrived.splice(0);
            setLog((before) => ({ ...before, lines: [...before.lines, ...more].slice(-MAX_LINES) }));
          });
        },
        end: (error) =>
          setLog((before) => ({
            ...before,
            over: true,
            ...(error === undefined ? {} : { problem: messageOf(error) }),
          })),
      },
      '*/*',
    );
    return () => {
      stop();
      cancelAnimationFrame(frame);
    };
  }, [api, namespace, name, container]);
  return log;
}
