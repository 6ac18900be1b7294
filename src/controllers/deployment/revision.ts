import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import type { Deployment, LabelSelector, PodTemplateSpec, ReplicaSet } from '#api/generated/types.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import { maxSurge } from './replicas.ts';

// Which ReplicaSet stands for which revision. Follows pkg/controller/deployment/util, v1.33.

export const REVISION = 'deployment.kubernetes.io/revision';
const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas';
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';
export const TEMPLATE_HASH = 'pod-template-hash';
const MAX_HISTORY_LENGTH = 2000;

const NOT_COPIED = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  'deprecated.deployment.rollback.to',
]);

type Annotations = Readonly<Record<string, string>>;

/** The older first; those of the same second by name. */
export function byCreation(a: ReplicaSet, b: ReplicaSet): number {
  const { creationTimestamp: createdA = '', name: nameA = '' } = a.metadata;
  const { creationTimestamp: createdB = '', name: nameB = '' } = b.metadata;
  if (createdA !== createdB) return createdA < createdB ? -1 : 1;
  return nameA < nameB ? -1 : nameA > nameB ? 1 : 0;
}

/** The lower revision first. */
export function byRevision(a: ReplicaSet, b: ReplicaSet): number {
  const difference = (revisionOf(a) ?? Number.NaN) - (revisionOf(b) ?? Number.NaN);
  return difference || byCreation(a, b);
}

/** 0 for none; undefined for what is no number. */
export function revisionOf({ metadata: { annotations } }: ReplicaSet): number | undefined {
  const text = annotations?.[REVISION];
  if (text === undefined) return 0;
  return /^[+-]?\d+$/.test(text) ? Number(text) : undefined;
}

export function maxRevision(replicaSets: readonly ReplicaSet[]): number {
  return Math.max(0, ...replicaSets.map((replicaSet) => revisionOf(replicaSet) ?? 0));
}

/** Whether two templates are the same but for the label that names the template's hash. */
export function equalIgnoreHash(a: PodTemplateSpec | undefined, b: PodTemplateSpec | undefined): boolean {
  const metadata = (template: PodTemplateSpec | undefined) => ({
    ...template?.metadata,
    labels: { ...template?.metadata?.labels, [TEMPLATE_HASH]: undefined },
  });
  return semanticEqual(a?.spec, b?.spec) && semanticEqual(metadata(a), metadata(b));
}

/** Of the ReplicaSets with the Deployment's template the oldest. */
export function findNewReplicaSet(deployment: Deployment, replicaSets: readonly ReplicaSet[]): ReplicaSet | undefined {
  return replicaSets
    .toSorted(byCreation)
    .find((replicaSet) => equalIgnoreHash(replicaSet.spec.template, deployment.spec.template));
}

/** The annotations of the new ReplicaSet: the Deployment's, and its revision. Returns its argument when they stay. */
export function newReplicaSetAnnotations(
  deployment: Deployment,
  given: Annotations | undefined,
  newRevision: number,
): Annotations {
  const before = given ?? {};
  const changed: [string, string][] = [];
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {})) {
    if (!NOT_COPIED.has(key) && !(Object.hasOwn(before, key) && before[key] === value)) changed.push([key, value]);
  }
  const text = before[REVISION] ?? '';
  const oldRevision = text === '' ? 0 : /^[+-]?\d+$/.test(text) ? Number(text) : undefined;
  if (oldRevision !== undefined && oldRevision < newRevision) {
    changed.push([REVISION, String(newRevision)]);
    const history = text === '' ? undefined : appendHistory(before[REVISION_HISTORY] ?? '', text);
    if (history !== undefined) changed.push([REVISION_HISTORY, history]);
  }
  return changed.length ? Object.fromEntries([...Object.entries(before), ...changed]) : before;
}

/** Earlier revisions of a ReplicaSet that is rolled back to, as many as there is room for. */
function appendHistory(history: string, revision: string): string | undefined {
  if (history === '') return revision;
  const kept = history.split(',');
  let length = history.length + revision.length + 1;
  while (length > MAX_HISTORY_LENGTH && kept.length > 0) length -= (kept.shift() as string).length + 1;
  return length <= MAX_HISTORY_LENGTH ? [...kept, revision].join(',') : undefined;
}

/** Annotations with the sizes of the Deployment, from which a scaling is told from a rollout. */
export function withReplicasAnnotations(deployment: Deployment, given: Annotations | undefined): Annotations {
  const replicas = deployment.spec.replicas ?? 1;
  const desired = String(replicas);
  const most = String(replicas + maxSurge(deployment));
  if (given?.[DESIRED_REPLICAS] === desired && given[MAX_REPLICAS] === most) return given;
  return { ...given, [DESIRED_REPLICAS]: desired, [MAX_REPLICAS]: most };
}

/** A selector with one more label. */
export function withMatchLabel(selector: LabelSelector, key: string, value: string): LabelSelector {
  return { ...selector, matchLabels: { ...selector.matchLabels, [key]: value } };
}

const SAFE = 'bcdfghjklmnpqrstvwxz2456789';

/**
 * The hash that tells templates apart, in characters that spell no words. Differs from upstream: FNV-1a of the template's
 * JSON with sorted keys, not of what Go prints of it, so that names of ReplicaSets are other ones.
 */
export function podTemplateHash(template: PodTemplateSpec, collisionCount: number | undefined): string {
  const text = sortedJson(template) + (collisionCount === undefined ? '' : `#${collisionCount}`);
  let hash = 0x811c9dc5;
  for (const byte of encodeUtf8(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return String(hash).replace(/\d/g, (digit) => SAFE.charAt(digit.charCodeAt(0) % SAFE.length));
}

function sortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return String(JSON.stringify(value));
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined && member !== null)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${sortedJson(member)}`);
  return `{${members.join(',')}}`;
}
