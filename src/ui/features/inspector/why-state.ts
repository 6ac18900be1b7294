import type { KubeObject, ObjectKey } from '../../cluster-store/kube-object.ts';
import type { Translate } from '../../i18n/translate.ts';
import { mention } from './why-sentences.ts';

/** One reason for the state that an object is in. */
export interface Reason {
  readonly tone: 'ok' | 'pending' | 'bad' | 'done';
  /** A sentence of the page, with mentions of objects. */
  readonly text: string;
  /** What the cluster itself says, word for word. */
  readonly said?: string;
}

export interface EndpointView {
  readonly addresses: readonly string[];
  readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean; readonly terminating?: boolean };
  readonly nodeName?: string;
  readonly targetRef?: { readonly kind?: string; readonly namespace?: string; readonly name?: string };
}

/** What is known of the rest of the cluster. */
export interface Surroundings {
  readonly pods: readonly KubeObject[];
  readonly nodes: readonly KubeObject[];
  /** A switch that is not as it should be: its state. */
  readonly fault: (target: string) => string | undefined;
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}
interface ContainerState {
  readonly reason?: string;
  readonly message?: string;
  readonly exitCode?: number;
}
interface ContainerStatus {
  readonly name: string;
  readonly ready?: boolean;
  readonly started?: boolean;
  readonly restartCount?: number;
  readonly state?: {
    readonly waiting?: ContainerState;
    readonly terminated?: ContainerState;
    readonly running?: object;
  };
  readonly lastState?: { readonly terminated?: ContainerState };
}

const conditionsOf = (object: KubeObject) => (object.status?.['conditions'] ?? []) as readonly Condition[];
export const conditionOf = (object: KubeObject, type: string): Condition | undefined =>
  conditionsOf(object).find((condition) => condition.type === type);
const sayingOf = ({ reason, message }: { readonly reason?: string; readonly message?: string }) =>
  [reason, message].filter(Boolean).join(': ');
const numberIn = (record: Readonly<Record<string, unknown>> | undefined, name: string) => Number(record?.[name] ?? 0);

/** Whether an object's labels have all that a plain selector names. */
export function selects(
  selector: Readonly<Record<string, string>> | undefined,
  { metadata: { labels = {} } }: KubeObject,
): boolean {
  const wanted = Object.entries(selector ?? {});
  return wanted.length > 0 && wanted.every(([name, value]) => labels[name] === value);
}

export const isReady = (pod: KubeObject): boolean => conditionOf(pod, 'Ready')?.status === 'True';
const keyOf = (plural: string, { metadata: { namespace, name } }: KubeObject): ObjectKey =>
  namespace ? `${plural}/${namespace}/${name}` : `${plural}/${name}`;

/** Why the object is in the state that it is in; the worst first. Nothing when nothing is known to be said. */
export function stateReasons(
  t: Translate,
  plural: string,
  object: KubeObject,
  around: Surroundings,
): readonly Reason[] {
  const reasons = leaving(t, object);
  switch (plural) {
    case 'pods':
      return [...reasons, ...podReasons(t, object, around)];
    case 'services':
      return [...reasons, ...serviceReasons(t, object, around)];
    case 'nodes':
      return [...reasons, ...nodeReasons(t, object, around)];
    case 'deployments':
    case 'replicasets':
    case 'replicationcontrollers':
    case 'daemonsets':
      return [...reasons, ...workloadReasons(t, plural, object, around)];
    default:
      return [
        ...reasons,
        ...conditionsOf(object)
          .filter(({ status, message }) => status === 'True' && message)
          .map((condition): Reason => ({ tone: 'pending', text: condition.type, said: sayingOf(condition) })),
      ];
  }
}

function leaving(t: Translate, object: KubeObject): readonly Reason[] {
  const { deletionTimestamp, finalizers = [] } = object.metadata;
  if (!deletionTimestamp) return [];
  const text =
    finalizers.length > 0 ? t('state.finalizers', { finalizers: finalizers.join(', ') }) : t('state.terminating');
  return [{ tone: 'pending', text }];
}

/** The Pod's own reasons: why it waits, fails, is not ready. */
export function podReasons(t: Translate, pod: KubeObject, { fault, nodes }: Surroundings): readonly Reason[] {
  const { spec = {}, status = {} } = pod;
  const { namespace = '', name = '' } = pod.metadata;
  const reasons: Reason[] = [];
  const own = fault(`pods/${namespace}/${name}`);
  if (own) reasons.push({ tone: 'bad', text: t('state.podFault', { state: own }) });
  const phase = status['phase'];
  if (phase === 'Succeeded') return [...reasons, { tone: 'done', text: t('state.succeeded') }];
  if (phase === 'Failed') {
    const said = sayingOf(status as { readonly reason?: string; readonly message?: string });
    reasons.push({ tone: 'bad', text: t('state.failed'), ...(said ? { said } : {}) });
  }
  const node = spec['nodeName'] as string | undefined;
  if (!node) {
    const scheduled = conditionOf(pod, 'PodScheduled');
    if (fault('kube-scheduler')) return [...reasons, { tone: 'bad', text: t('state.noScheduler') }];
    return [
      ...reasons,
      scheduled?.message
        ? { tone: 'pending', text: t('state.unschedulable'), said: scheduled.message }
        : { tone: 'pending', text: t('state.unscheduled') },
    ];
  }
  reasons.push(...hostReasons(t, node, nodes, fault));
  const statuses = ['initContainerStatuses', 'containerStatuses'].flatMap((list) =>
    ((status[list] ?? []) as readonly ContainerStatus[]).map((container) => ({ ...container, list })),
  );
  for (const container of statuses) reasons.push(...containerReasons(t, pod, container, container.list));
  if (statuses.length === 0 && phase === 'Pending')
    reasons.push({ tone: 'pending', text: t('state.kubelet', { node }) });
  const ready = conditionOf(pod, 'Ready');
  if (ready?.status === 'True') return [...reasons, { tone: 'ok', text: t('state.podReady') }];
  if (reasons.length === 0 && ready) {
    const said = sayingOf(ready);
    reasons.push({ tone: 'pending', text: t('state.notReady'), ...(said ? { said } : {}) });
  }
  return reasons;
}

function hostReasons(
  t: Translate,
  node: string,
  nodes: readonly KubeObject[],
  fault: Surroundings['fault'],
): readonly Reason[] {
  const power = fault(`nodes/${node}`);
  const named = mention(`nodes/${node}`);
  if (power === 'off') return [{ tone: 'bad', text: t('state.nodeOff', { node: named }) }];
  if (power === 'unplugged') return [{ tone: 'bad', text: t('state.nodeUnplugged', { node: named }) }];
  if (fault(`kubelets/${node}`)) return [{ tone: 'bad', text: t('state.kubeletStopped', { node: named }) }];
  const host = nodes.find(({ metadata }) => metadata.name === node);
  return host && !isReady(host) ? [{ tone: 'bad', text: t('state.nodeNotReady', { node: named }) }] : [];
}

function containerReasons(t: Translate, pod: KubeObject, container: ContainerStatus, list: string): readonly Reason[] {
  const { name, state = {}, lastState, ready, started } = container;
  const { waiting, terminated } = state;
  const init = list === 'initContainerStatuses';
  if (waiting) {
    const last = lastState?.terminated;
    const text =
      last && waiting.reason === 'CrashLoopBackOff'
        ? t('state.crashLoop', { container: name, code: last.exitCode ?? 0, reason: last.reason ?? 'Error' })
        : t('state.waiting', { container: name, reason: waiting.reason ?? 'Waiting' });
    const calm = /^(ContainerCreating|PodInitializing)$/.test(waiting.reason ?? '');
    return [{ tone: calm ? 'pending' : 'bad', text, ...(waiting.message ? { said: waiting.message } : {}) }];
  }
  if (terminated && !(init && terminated.exitCode === 0)) {
    return [
      {
        tone: terminated.exitCode === 0 ? 'done' : 'bad',
        text: t('state.ended', { container: name, code: terminated.exitCode ?? 0, reason: terminated.reason ?? '' }),
        ...(terminated.message ? { said: terminated.message } : {}),
      },
    ];
  }
  if (init || ready)
    return init && state.running ? [{ tone: 'pending', text: t('state.init', { container: name }) }] : [];
  const declared = ((pod.spec?.['containers'] ?? []) as readonly Readonly<Record<string, unknown>>[]).find(
    (candidate) => candidate['name'] === name,
  );
  const probe = started === false && declared?.['startupProbe'] ? 'startupProbe' : 'readinessProbe';
  const asked = declared?.[probe];
  return [
    asked
      ? { tone: 'pending', text: t('state.probe', { container: name, probe, what: probeText(asked) }) }
      : { tone: 'pending', text: t('state.containerNotReady', { container: name }) },
  ];
}

/** A probe as people say it: `GET :80/ready`, `tcp :6379`, `exec cat /tmp/ok`. */
export function probeText(probe: unknown): string {
  const { httpGet, tcpSocket, exec, grpc } = probe as {
    readonly httpGet?: { readonly port?: string | number; readonly path?: string };
    readonly tcpSocket?: { readonly port?: string | number };
    readonly exec?: { readonly command?: readonly string[] };
    readonly grpc?: { readonly port?: number };
  };
  if (httpGet) return `GET :${httpGet.port ?? ''}${httpGet.path ?? '/'}`;
  if (tcpSocket) return `tcp :${tcpSocket.port ?? ''}`;
  if (exec) return `exec ${exec.command?.join(' ') ?? ''}`;
  return grpc ? `grpc :${grpc.port ?? ''}` : '';
}

/** Whether a Service has somebody to answer, and if not, why. */
export function serviceReasons(t: Translate, service: KubeObject, { pods, fault }: Surroundings): readonly Reason[] {
  const { spec = {}, status = {} } = service;
  const { namespace } = service.metadata;
  const type = spec['type'];
  if (type === 'ExternalName') {
    return [{ tone: 'ok', text: t('state.externalName', { name: (spec['externalName'] ?? '') as string }) }];
  }
  const reasons: Reason[] = [];
  const ingress = (status['loadBalancer'] as { readonly ingress?: readonly unknown[] } | undefined)?.ingress ?? [];
  if (type === 'LoadBalancer' && ingress.length === 0) {
    const controller = fault('controllers/service-lb-controller') ?? fault('kube-controller-manager');
    reasons.push({ tone: 'pending', text: t(controller ? 'state.noLoadBalancerController' : 'state.noLoadBalancer') });
  }
  const selector = spec['selector'] as Readonly<Record<string, string>> | undefined;
  if (!selector || Object.keys(selector).length === 0) {
    return [...reasons, { tone: 'pending', text: t('state.noSelector') }];
  }
  const words = Object.entries(selector)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
  const chosen = pods.filter((pod) => pod.metadata.namespace === namespace && selects(selector, pod));
  if (chosen.length === 0) return [...reasons, { tone: 'bad', text: t('state.noPods', { selector: words }) }];
  const ready = chosen.filter((pod) => isReady(pod) && !pod.metadata.deletionTimestamp);
  const counts = { ready: ready.length, total: chosen.length };
  if (ready.length === 0) reasons.push({ tone: 'bad', text: t('state.noReadyPods', counts) });
  else reasons.push({ tone: ready.length === chosen.length ? 'ok' : 'pending', text: t('state.readyPods', counts) });
  for (const pod of chosen.filter((candidate) => !ready.includes(candidate)).slice(0, MAX_PODS)) {
    reasons.push({ tone: 'pending', text: t('state.podOut', { pod: mention(keyOf('pods', pod)) }) });
  }
  return reasons;
}

const MAX_PODS = 5;

function nodeReasons(t: Translate, node: KubeObject, { fault }: Surroundings): readonly Reason[] {
  const name = node.metadata.name ?? '';
  const reasons: Reason[] = [...hostReasons(t, name, [], fault)];
  const ready = conditionOf(node, 'Ready');
  if (ready && ready.status !== 'True') {
    const text = ready.status === 'Unknown' ? t('state.nodeSilent') : t('state.nodeSaysNot');
    reasons.push({ tone: 'bad', text, said: sayingOf(ready) });
  }
  for (const condition of conditionsOf(node)) {
    if (condition.type.endsWith('Pressure') && condition.status === 'True')
      reasons.push({ tone: 'bad', text: condition.type, said: sayingOf(condition) });
  }
  if (node.spec?.['unschedulable']) reasons.push({ tone: 'pending', text: t('state.cordoned') });
  const taints = (node.spec?.['taints'] ?? []) as readonly { readonly key: string; readonly effect: string }[];
  for (const { key, effect } of taints) {
    if (key !== 'node.kubernetes.io/unschedulable')
      reasons.push({ tone: 'pending', text: t('state.taint', { taint: `${key}:${effect}` }) });
  }
  if (ready?.status === 'True') reasons.push({ tone: 'ok', text: t('state.nodeReady') });
  return reasons;
}

/** The Pods of an owner, by its uid, those of its ReplicaSets included. */
export function podsOf(plural: string, owner: KubeObject, pods: readonly KubeObject[]): readonly KubeObject[] {
  const { uid, name = '', namespace } = owner.metadata;
  const refOf = (pod: KubeObject) => pod.metadata.ownerReferences?.find(({ controller }) => controller);
  if (plural !== 'deployments') return pods.filter((pod) => refOf(pod)?.uid === uid);
  // A Deployment's Pods are those of its ReplicaSets, which carry its name and a hash.
  return pods.filter((pod) => {
    const ref = refOf(pod);
    const hash = pod.metadata.labels?.['pod-template-hash'];
    return pod.metadata.namespace === namespace && ref?.kind === 'ReplicaSet' && hash && ref.name === `${name}-${hash}`;
  });
}

function workloadReasons(t: Translate, plural: string, owner: KubeObject, around: Surroundings): readonly Reason[] {
  const { spec = {}, status = {} } = owner;
  const reasons: Reason[] = [];
  const controllers: Readonly<Record<string, string>> = {
    deployments: 'deployment-controller',
    replicasets: 'replicaset-controller',
    replicationcontrollers: 'replicationcontroller-controller',
    daemonsets: 'daemonset-controller',
  };
  const controller = controllers[plural] ?? '';
  if (around.fault('kube-controller-manager') || around.fault(`controllers/${controller}`)) {
    reasons.push({ tone: 'bad', text: t('state.controllerStopped', { controller }) });
  }
  const daemons = plural === 'daemonsets';
  const wanted = daemons ? numberIn(status, 'desiredNumberScheduled') : Number(spec['replicas'] ?? 1);
  const ready = numberIn(status, daemons ? 'numberReady' : 'readyReplicas');
  reasons.push({
    tone: ready >= wanted ? 'ok' : ready === 0 ? 'bad' : 'pending',
    text: t('state.replicas', { ready, wanted }),
  });
  if (spec['paused']) reasons.push({ tone: 'pending', text: t('state.paused') });
  const updated = numberIn(status, daemons ? 'updatedNumberScheduled' : 'updatedReplicas');
  if ((plural === 'deployments' || daemons) && updated < wanted) {
    reasons.push({ tone: 'pending', text: t('state.rolling', { updated, wanted }) });
  }
  for (const condition of conditionsOf(owner)) {
    const bad = condition.type === 'ReplicaFailure' ? condition.status === 'True' : condition.status === 'False';
    if (bad) reasons.push({ tone: 'bad', text: condition.type, said: sayingOf(condition) });
  }
  const troubled = podsOf(plural, owner, around.pods).filter((pod) => !isReady(pod) && !pod.metadata.deletionTimestamp);
  for (const pod of troubled.slice(0, MAX_PODS)) {
    const [why] = podReasons(t, pod, around);
    if (why) reasons.push({ ...why, text: t('state.ofPod', { pod: mention(keyOf('pods', pod)), why: why.text }) });
  }
  return reasons;
}
