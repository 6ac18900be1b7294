import type { ObjectKey } from '../../cluster-store/kube-object.ts';
import { attribute, isFault } from '../../cluster-store/span-view.ts';
import type { Translate } from '../../i18n/translate.ts';
import { scoresOf } from './scheduler-scores.ts';
import type { Act, Actor } from './why-chain.ts';

const KINDS: Readonly<Record<string, string>> = {
  configmaps: 'ConfigMap',
  controllerrevisions: 'ControllerRevision',
  daemonsets: 'DaemonSet',
  deployments: 'Deployment',
  endpoints: 'Endpoints',
  endpointslices: 'EndpointSlice',
  events: 'Event',
  leases: 'Lease',
  namespaces: 'Namespace',
  nodes: 'Node',
  pods: 'Pod',
  priorityclasses: 'PriorityClass',
  replicasets: 'ReplicaSet',
  replicationcontrollers: 'ReplicationController',
  secrets: 'Secret',
  serviceaccounts: 'ServiceAccount',
  services: 'Service',
};

/** Controllers by what they look after; others by their name without `-controller`. */
const CONTROLLERS: Readonly<Record<string, string>> = {
  'daemonset-controller': 'DaemonSet',
  'deployment-controller': 'Deployment',
  'endpoints-controller': 'Endpoints',
  'endpointslice-controller': 'EndpointSlice',
  'endpointslicemirroring-controller': 'EndpointSlice mirroring',
  'namespace-controller': 'Namespace',
  'replicaset-controller': 'ReplicaSet',
  'replicationcontroller-controller': 'ReplicationController',
  'serviceaccount-controller': 'ServiceAccount',
};

const OPEN = '\u2068';
const MIDDLE = '\u2063';
const CLOSE = '\u2069';

/** An object in a sentence, in a form that {@link partsOf} finds again. */
export function mention(key: ObjectKey): string {
  const [plural = '', ...names] = key.split('/');
  const name = names.at(-1) ?? '';
  const namespace = names.length > 1 && names[0] !== 'default' ? `${names[0]}/` : '';
  return `${OPEN}${key}${MIDDLE}${KINDS[plural] ?? plural} ${namespace}${name}${CLOSE}`;
}

export interface Part {
  readonly text: string;
  /** The object that is named here. */
  readonly object?: ObjectKey;
}

/** A sentence in parts, so that the objects in it can be opened. */
export function partsOf(sentence: string): readonly Part[] {
  return sentence
    .split(OPEN)
    .flatMap((piece): Part[] => {
      const [key, rest] = piece.split(MIDDLE);
      if (rest === undefined) return [{ text: piece }];
      const [text = '', after = ''] = rest.split(CLOSE);
      return [{ text, object: key ?? '' }, { text: after }];
    })
    .filter(({ text }) => text !== '');
}

/** A sentence as text alone. */
export const plainText = (sentence: string): string =>
  partsOf(sentence)
    .map(({ text }) => text)
    .join('');

export function actorName(t: Translate, actor: Actor): string {
  switch (actor.type) {
    case 'person':
      return actor.program === 'tabernetes-page' ? t('why.you') : t('why.youWith', { program: actor.program });
    case 'kubelet':
      return t('why.kubelet', { node: actor.node });
    case 'controller':
      return t('why.controller', { kind: CONTROLLERS[actor.name] ?? actor.name.replace(/-controller$/, '') });
    case 'component':
      return actor.name === 'kube-apiserver' ? t('why.apiServer') : actor.name;
  }
}

const MAX_FIELDS = 3;

function fieldList(t: Translate, fields: readonly string[]): string {
  const shown = fields.slice(0, MAX_FIELDS).join(', ');
  return fields.length > MAX_FIELDS ? t('why.andMore', { fields: shown, count: fields.length - MAX_FIELDS }) : shown;
}

/** Who did what: one sentence. */
export function actSentence(t: Translate, act: Act): string {
  const { change } = act;
  const who = actorName(t, act.actor);
  const fault = act.spans.find(isFault);
  if (fault) return t('why.fault', { target: attribute(fault, 'target'), state: attribute(fault, 'state') });
  if (!act.object) return t('why.acted', { who });
  const object = mention(act.object);
  switch (change.type) {
    case 'created':
      return t('why.created', { who, object });
    case 'deleted':
      return t('why.deleted', { who, object });
    case 'deleting':
      return t('why.deleting', { who, object });
    case 'ready':
      return t('why.ready', { who, object });
    case 'unready':
      return t('why.unready', { who, object });
    case 'scaled':
      return t('why.scaled', { who, object, from: change.from, to: change.to });
    case 'image':
      return t('why.image', { who, object, from: change.from, to: change.to });
    case 'phase':
      return t('why.phase', { who, object, to: change.to });
    case 'bound':
      return t('why.bound', { who, object, node: mention(`nodes/${change.to}`) });
    case 'spec':
    case 'metadata':
      return t('why.changed', { who, object, fields: fieldList(t, change.fields) });
    case 'status':
      return t('why.status', { who, object, fields: fieldList(t, change.fields) });
    case 'unknown':
      return t('why.wrote', { who, object });
  }
}

/** What moved whoever acted, as far as it was recorded; empty when nothing was. */
export function reasonSentence(t: Translate, act: Act): string {
  const { decision, looksAfter, change, actor } = act;
  if (decision?.attributes['wanted'] !== undefined) {
    const owner = mention(
      `${attribute(decision, 'resource')}/${attribute(decision, 'namespace')}/${attribute(decision, 'name')}`,
    );
    return t('why.wanted', { owner, wanted: attribute(decision, 'wanted'), had: attribute(decision, 'had') });
  }
  if (change.type === 'bound' && decision) {
    const scores = scoresOf(decision);
    const feasible = scores.filter(({ total }) => total !== undefined).length;
    if (scores.length > 0) return t('why.feasible', { feasible, evaluated: scores.length });
  }
  if (looksAfter && change.type === 'created' && actor.type === 'controller' && actor.name === 'deployment-controller')
    return t('why.template', { owner: mention(looksAfter) });
  return looksAfter ? t('why.lookedAfter', { owner: mention(looksAfter) }) : '';
}

/** One sentence after the other; Chinese ones need no space between them. */
export const joinSentences = (sentences: readonly string[]): string =>
  sentences.filter(Boolean).reduce((all, sentence) => `${all}${!all || all.endsWith('。') ? '' : ' '}${sentence}`, '');

/** The whole in two or three sentences: what was done last, what moved it, and with what it began. */
export function headline(t: Translate, chain: readonly Act[]): string {
  const [first] = chain;
  if (!first) return '';
  const last = chain.at(-1) as Act;
  const sentences = [actSentence(t, first), reasonSentence(t, first)];
  if (last !== first) sentences.push(t('why.began', { sentence: actSentence(t, last) }));
  return joinSentences(sentences);
}
