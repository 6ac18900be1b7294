import type { TraceSpan } from '#hosts/control.ts';
import { objectKey, type ObjectKey } from './kube-object.ts';

/** Who takes part: a component that the graph draws, a Node as `node:<name>`, or a Pod as `pods/<namespace>/<name>`. */
export type Party = string;

export type SpanKind =
  | 'input'
  | 'request'
  | 'write'
  | 'delivery'
  | 'take'
  | 'reconcile'
  | 'timer'
  | 'decision'
  | 'work'
  | 'connection';

/** The colour a span is shown in: one for each meaning. */
export type SpanTone = 'request' | 'write' | 'delivery' | 'decision' | 'work' | 'connection';

/** One of the five steps in which a Pod is created. */
export type CreationStep = 1 | 2 | 3 | 4 | 5;

/** A span in words and places. The words are those of Kubernetes, in English in every language. */
export interface SpanView {
  readonly tone: SpanTone;
  /** Who did it; for a delivery, who was told. */
  readonly party: Party;
  /** The component by its own name. */
  readonly actor: string;
  readonly verb: string;
  /** What it was done to. */
  readonly target: string;
  /** How it ended, as far as that is more than "well". */
  readonly result: string;
  readonly failed: boolean;
  readonly object: ObjectKey | undefined;
  /** Other objects that it is about: what a connection went to. */
  readonly related: readonly ObjectKey[];
  readonly step: CreationStep | undefined;
  /** Leases and Node status that only say that all is as before. */
  readonly heartbeat: boolean;
}

const TONES: Readonly<Record<SpanKind, SpanTone>> = {
  input: 'request',
  request: 'request',
  write: 'write',
  delivery: 'delivery',
  take: 'delivery',
  timer: 'delivery',
  reconcile: 'work',
  decision: 'decision',
  work: 'work',
  connection: 'connection',
};

const STORAGE_NAMES: Readonly<Record<string, string>> = {
  minions: 'nodes',
  'services/specs': 'services',
  'services/endpoints': 'endpoints',
};
const CLUSTER_SCOPED: ReadonlySet<string> = new Set([
  'nodes',
  'namespaces',
  'persistentvolumes',
  'priorityclasses',
  'clusterroles',
  'clusterrolebindings',
  'storageclasses',
  'csinodes',
  'runtimeclasses',
  'ingressclasses',
]);

/** The attribute as a text; empty when it is not there. */
export function attribute(span: TraceSpan, name: string): string {
  const value = span.attributes[name];
  return value === undefined ? '' : Array.isArray(value) ? value.join(', ') : String(value);
}

/** The object behind an etcd key such as `/registry/pods/default/nginx`. */
export function objectOfKey(
  key: string,
): { readonly resource: string; readonly namespace: string; readonly name: string } | undefined {
  const parts = key.split('/').slice(2);
  // Keys of API groups with a dot in their name carry the group: `/registry/apps.example.com/widgets/…`.
  if (parts[0]?.includes('.')) parts.shift();
  if (parts[0] === 'services') parts.splice(0, 2, `services/${parts[1]}`);
  const [prefix = '', ...rest] = parts;
  const resource = STORAGE_NAMES[prefix] ?? prefix;
  if (rest.length === 1 && rest[0]) return { resource, namespace: '', name: rest[0] };
  if (rest.length === 2 && rest[1]) return { resource, namespace: rest[0] ?? '', name: rest[1] };
  return undefined;
}

/** What the keys in the queue of a controller name. */
const RECONCILED: Readonly<Record<string, string>> = {
  'daemonset-controller': 'daemonsets',
  'deployment-controller': 'deployments',
  'endpoints-controller': 'services',
  'endpointslice-controller': 'services',
  'endpointslicemirroring-controller': 'endpoints',
  'namespace-controller': 'namespaces',
  'replicaset-controller': 'replicasets',
  'replicationcontroller-controller': 'replicationcontrollers',
  'service-lb-controller': 'services',
};

function nodeNamed(text: string): string | undefined {
  return (
    /^system:node:(.+)$/.exec(text)?.[1] ?? /^(?:kubelet|kube-proxy|cri|containerd)[/ :]([\w.-]+)$/.exec(text)?.[1]
  );
}

/** The party behind a component's, user's or user agent's name. */
export function partyOf(component: string, user = '', userAgent = ''): Party {
  const node = nodeNamed(user) ?? nodeNamed(component);
  if (node) return `node:${node}`;
  const name = userAgent.split('/')[0] || component;
  if (/^(kubectl|you|page|tabernetes)/.test(name)) return 'kubectl';
  if (name === 'etcd') return 'etcd';
  if (/apiserver|^admission|^registry/.test(name)) return 'kube-apiserver';
  if (/scheduler/.test(name)) return 'kube-scheduler';
  if (/^(kubelet|kube-proxy)$/.test(name)) return `node:${user.replace(/^system:node:/, '')}`;
  if (/controller|-manager|collector|publisher|^(garbage|namespace|serviceaccount|token|pod-gc|node-)/.test(name))
    return 'kube-controller-manager';
  return userAgent ? 'kubectl' : 'kube-controller-manager';
}

const HEARTBEAT_RESOURCES: ReadonlySet<string> = new Set(['leases']);

/** What is known of a span's parents: whether they were heartbeats, and of which step of a creation. */
export interface Known {
  readonly heartbeats: ReadonlySet<number>;
  readonly steps: ReadonlyMap<number, CreationStep>;
}

/** Views spans in the order in which they happened, and so knows of each what it follows from. Bounded in memory. */
export class SpanReader implements Known {
  readonly heartbeats = new Set<number>();
  readonly steps = new Map<number, CreationStep>();

  view(span: TraceSpan): SpanView {
    const view = viewSpan(span, this);
    if (view.heartbeat) this.heartbeats.add(span.id);
    if (view.step) this.steps.set(span.id, view.step);
    for (const known of [this.heartbeats, this.steps]) {
      if (known.size > MAX_KNOWN) known.delete(known.keys().next().value as number);
    }
    return view;
  }
}

const MAX_KNOWN = 50_000;

/** A span as the page tells it. Without what is known of its parents it may miss its step, or that it is a heartbeat. */
export function viewSpan(span: TraceSpan, known?: Known): SpanView {
  const kind = span.kind as SpanKind;
  if (kind === 'connection') return viewConnection(span);
  if (isFault(span)) return viewFault(span);
  const user = attribute(span, 'user');
  const userAgent = attribute(span, 'userAgent');
  const stored = kind === 'write' ? objectOfKey(attribute(span, 'key')) : undefined;
  const resource = stored?.resource ?? attribute(span, 'resource');
  const namespace = stored?.namespace ?? attribute(span, 'namespace');
  const name = stored?.name ?? attribute(span, 'name');
  const subresource = attribute(span, 'subresource');
  const [plural = ''] = resource.split('/');
  const scoped = CLUSTER_SCOPED.has(plural) ? '' : namespace;
  const scheduling = kind === 'decision' && /scheduler/.test(span.component);
  // The scheduler's decision is about the Pod that it is named after, a kubelet's work about the Pod that it says.
  const pod = attribute(span, 'pod');
  const podKey =
    scheduling && /^[^/\s]+\/[^/\s]+$/.test(span.name)
      ? span.name
      : kind === 'work' && pod
        ? `${namespace}/${pod}`
        : '';
  const reconciled = kind === 'reconcile' || kind === 'take' ? RECONCILED[span.component] : undefined;
  const object = podKey
    ? `pods/${podKey}`
    : reconciled
      ? `${reconciled}/${span.name}`
      : plural && name
        ? objectKey(plural, scoped || undefined, name)
        : undefined;
  const code = Number(attribute(span, 'code') || 0);
  const error = attribute(span, 'error');
  const party = partyOf(span.component, user, userAgent);
  const verb = attribute(span, 'verb') || attribute(span, 'operation') || attribute(span, 'type');
  const full = [resource, subresource].filter(Boolean).join('/');
  const named = name ? ` ${scoped ? `${scoped}/` : ''}${name}` : '';
  const heartbeat =
    HEARTBEAT_RESOURCES.has(plural) ||
    verb === 'BOOKMARK' ||
    (kind === 'work' && PROBE.test(span.name) && attribute(span, 'result') !== 'failure') ||
    (plural === 'nodes' &&
      (kind === 'write' || kind === 'delivery' || subresource === 'status' || resource.endsWith('/status')) &&
      verb !== 'create') ||
    (known !== undefined && span.parents.length > 0 && span.parents.every((parent) => known.heartbeats.has(parent)));
  let target = full && kind !== 'work' && kind !== 'input' ? `${full}${named}` : span.name;
  const probeFailed = kind === 'work' && PROBE.test(span.name) && attribute(span, 'result') === 'failure';
  let result = probeFailed ? 'failure' : error;
  if (kind === 'request') result = code >= 400 ? `${code}${error ? ` ${error}` : ''}` : code ? String(code) : error;
  if (kind === 'write') {
    if (!object) target = attribute(span, 'key') || span.name;
    result = span.attributes['revision'] === undefined ? '' : `rev ${attribute(span, 'revision')}`;
  }
  if (kind === 'delivery')
    result = span.attributes['revision'] === undefined ? '' : `rev ${attribute(span, 'revision')}`;
  if (kind === 'decision') {
    const node = attribute(span, 'node');
    if (scheduling) target = object ? object.slice('pods/'.length) : span.name;
    result = node ? `→ ${node}` : attribute(span, 'message') || attribute(span, 'reason') || error;
    if (span.attributes['wanted'] !== undefined) result = `${attribute(span, 'had')} → ${attribute(span, 'wanted')}`;
  }
  return {
    tone: TONES[kind] ?? 'work',
    party,
    actor: actorName(span, kind, userAgent, party),
    verb: verb || KIND_VERBS[kind] || '',
    target,
    result,
    failed:
      code >= 400 ||
      Boolean(error) ||
      probeFailed ||
      (scheduling && !attribute(span, 'node') && span.end !== undefined),
    object,
    related: [],
    // The cluster's own Pods are not what people follow.
    step:
      (podKey || namespace).startsWith('kube-') || (kind === 'decision' && !scheduling)
        ? undefined
        : creationStepOf(span, kind, plural, subresource || resource.split('/')[1] || '', verb, party, known),
    heartbeat,
  };
}

/** Whether somebody made something fail, or run again. */
export const isFault = (span: TraceSpan): boolean =>
  span.kind === 'input' && span.attributes['target'] !== undefined && span.attributes['state'] !== undefined;

function viewFault(span: TraceSpan): SpanView {
  const target = attribute(span, 'target');
  const state = attribute(span, 'state');
  const [kind = '', ...names] = target.split('/');
  const object =
    kind === 'pods' || kind === 'nodes' ? target : /^kube(let|-proxie)s$/.test(kind) ? `nodes/${names[0]}` : undefined;
  return {
    tone: 'request',
    party: 'kubectl',
    actor: span.component,
    verb: state === 'running' ? 'start' : state,
    target,
    result: '',
    failed: state !== 'running',
    object,
    related: [],
    step: undefined,
    heartbeat: false,
  };
}

/** A connection over the virtual network: who dialled what, and what came of it. */
function viewConnection(span: TraceSpan): SpanView {
  const { component, name } = span;
  const outcome = attribute(span, 'outcome');
  const status = Number(attribute(span, 'status') || 0);
  const rcode = attribute(span, 'rcode');
  const service = attribute(span, 'service');
  const to = attribute(span, 'target');
  const endpoint = to.split('/').at(-1) || attribute(span, 'endpoint');
  const query = attribute(span, 'query');
  const path = attribute(span, 'path');
  const connected = outcome === '' || outcome === 'connected';
  const answer = status ? String(status) : rcode && rcode !== 'NOERROR' ? rcode : connected ? '' : outcome;
  return {
    tone: 'connection',
    party: component.startsWith('nodes/') ? `node:${component.slice('nodes/'.length)}` : component,
    actor: component.split('/').at(-1) ?? component,
    verb: query ? 'DNS' : attribute(span, 'method') || attribute(span, 'protocol') || 'TCP',
    target:
      query ||
      [service ? `services/${service}` : name, path !== '/' && path, endpoint && `→ ${endpoint}`]
        .filter(Boolean)
        .join(' '),
    result: answer,
    failed: !connected || status >= 500 || rcode === 'SERVFAIL',
    object: component,
    related: [...(to ? [to] : []), ...(service ? [`services/${service}`] : [])],
    step: undefined,
    heartbeat: span.attributes['probe'] === true,
  };
}

const KIND_VERBS: Partial<Record<SpanKind, string>> = {
  decision: 'decide',
  take: 'take',
  reconcile: 'reconcile',
  timer: 'timer',
};

function actorName(span: TraceSpan, kind: SpanKind, userAgent: string, party: Party): string {
  const agent = userAgent.split('/')[0] ?? '';
  if (party.startsWith('node:')) {
    return `${/proxy/.test(agent || span.component) ? 'kube-proxy' : 'kubelet'} ${party.slice('node:'.length)}`;
  }
  if (party === 'kube-scheduler') return party;
  return ((kind === 'request' || kind === 'delivery') && agent) || span.component;
}

/** A kubelet's look at a container; over and over. */
const PROBE = / probe of /;

/** A write belongs to the step of its request (the first one is the second step), a delivery to the step it begins. */
function creationStepOf(
  span: TraceSpan,
  kind: SpanKind,
  plural: string,
  subresource: string,
  verb: string,
  party: Party,
  known: Known | undefined,
): CreationStep | undefined {
  const byNode = party.startsWith('node:');
  if (kind === 'decision') return 3;
  if (kind === 'work' && byNode)
    return PROBE.test(span.name) ? undefined : span.name.startsWith('write status') ? 5 : 4;
  if (plural !== 'pods') return undefined;
  const cause = span.parents.map((parent) => known?.steps.get(parent)).find((step) => step !== undefined);
  switch (kind) {
    case 'request':
      if (verb === 'create' && subresource === 'binding') return 3;
      if (verb === 'create' && !subresource) return 1;
      return byNode && subresource === 'status' ? 5 : undefined;
    case 'write':
      return cause === 1 ? 2 : cause;
    case 'delivery':
      if (cause === 2 && party === 'kube-scheduler') return 3;
      return cause === 3 && byNode ? 4 : undefined;
    default:
      return undefined;
  }
}
