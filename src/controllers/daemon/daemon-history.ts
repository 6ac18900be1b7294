import type { JsonObject, JsonValue } from '#apimachinery/json.ts';
import { labelSelectorTerms, matchesLabels } from '#apimachinery/selectors.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { isStatus } from '#apimachinery/status-error.ts';
import { controllerRevisions } from '#api/apps/v1/controller-revision.ts';
import { daemonSets } from '#api/apps/v1/daemon-set.ts';
import { pods } from '#api/core/v1/pod.ts';
import type { ControllerRevision, DaemonSet, Pod, PodTemplateSpec } from '#api/generated/types.ts';
import type { Lister } from '#client/indexer.ts';
import { nameOf } from '#client/key.ts';
import { claim, controllerRefTo } from '../controller-ref.ts';
import { ReconcileError, type ReconcileContext } from '../define-controller.ts';
import { podTemplateHash } from '../deployment/revision.ts';
import { REVISION_HASH } from './daemon-pod.ts';

// The templates that a DaemonSet has had, as ControllerRevisions. Follows pkg/controller/daemon/update.go, v1.33.

/** The revision of the present template, and the others. */
export interface DaemonHistory {
  readonly current: ControllerRevision;
  readonly old: readonly ControllerRevision[];
}

/** The hash by which a revision's Pods are known. */
export const hashOf = ({ metadata }: ControllerRevision): string => metadata.labels?.[REVISION_HASH] ?? '';

/** Objects with sorted keys, as Go writes maps. */
function sorted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([key, member]) => [key, member === undefined ? member : sorted(member)]));
}

/** The strategic merge patch that brings a DaemonSet back to this template. */
function templatePatch(template: PodTemplateSpec): JsonObject {
  return sorted({ spec: { template: { ...template, $patch: 'replace' } } } as unknown as JsonValue) as JsonObject;
}

/** By the data of a revision the template that it was found to be of; both are shared by all who hold them. */
const matched = new WeakMap<object, PodTemplateSpec>();

/** Whether a revision is of the DaemonSet's present template. */
function isCurrent({ spec: { template } }: DaemonSet, { data }: ControllerRevision): boolean {
  if (typeof data !== 'object' || data === null) return false;
  if (matched.get(data) === template) return true;
  if (!semanticEqual(data, templatePatch(template))) return false;
  matched.set(data, template);
  return true;
}

const maxRevision = (revisions: readonly ControllerRevision[]): number =>
  revisions.reduce((max, { revision }) => Math.max(max, revision), 0);

/**
 * Finds a DaemonSet's revisions, adopting and releasing some, and sees to it that there is exactly one of the present
 * template, with the highest number. `owned`: its Pods, asked for only to label them anew.
 */
export async function constructHistory(
  { client }: ReconcileContext,
  daemonSet: DaemonSet,
  lister: Lister<ControllerRevision>,
  owned: () => Iterable<Pod>,
): Promise<DaemonHistory> {
  const selector = labelSelectorTerms(daemonSet.spec.selector);
  const claimed = await claim({
    client,
    ownerResource: daemonSets,
    owner: daemonSet,
    resource: controllerRevisions,
    lister,
    matches: ({ metadata }) => selector !== undefined && matchesLabels(selector, metadata.labels),
  });
  const current: ControllerRevision[] = [];
  const old: ControllerRevision[] = [];
  for (const revision of claimed) {
    const { metadata } = revision;
    const labelled = hashOf(revision)
      ? revision
      : await client.update(controllerRevisions, {
          ...revision,
          metadata: { ...metadata, labels: { ...metadata.labels, [REVISION_HASH]: metadata.name ?? '' } },
        });
    (isCurrent(daemonSet, labelled) ? current : old).push(labelled);
  }
  const number = maxRevision(old) + 1;
  const [first] = current;
  if (!first) return { current: await snapshot(client, daemonSet, number), old };
  const kept = current.reduce((best, next) => (next.revision >= best.revision ? next : best), first);
  for (const duplicate of current) {
    if (duplicate === kept) continue;
    const hash = hashOf(kept);
    for (const pod of owned()) {
      if (pod.metadata.labels?.[REVISION_HASH] === hash) continue;
      const patch = { metadata: { labels: { [REVISION_HASH]: hash } } };
      await client.patch(pods, nameOf(pod), 'application/merge-patch+json', patch);
    }
    await client.delete(controllerRevisions, nameOf(duplicate));
  }
  if (kept.revision < number) await client.update(controllerRevisions, { ...kept, revision: number });
  return { current: kept, old };
}

type Client = ReconcileContext['client'];

/** Records the present template. */
async function snapshot(client: Client, daemonSet: DaemonSet, revision: number): Promise<ControllerRevision> {
  const { metadata, spec, status } = daemonSet;
  const hash = podTemplateHash(spec.template, status?.collisionCount);
  const name = `${metadata.name}-${hash}`;
  const wanted: ControllerRevision = {
    metadata: {
      name,
      namespace: metadata.namespace,
      labels: { ...spec.template.metadata?.labels, [REVISION_HASH]: hash },
      annotations: metadata.annotations,
      ownerReferences: [controllerRefTo(daemonSets, daemonSet)],
    },
    data: templatePatch(spec.template),
    revision,
  };
  try {
    return await client.create(controllerRevisions, wanted);
  } catch (error) {
    if (!isStatus(error, 'AlreadyExists')) throw error;
    const existing = await client.get(controllerRevisions, { namespace: metadata.namespace, name });
    if (isCurrent(daemonSet, existing)) return existing;
    // Another template has the same hash: the next one is made with another number.
    const fresh = await client.get(daemonSets, nameOf(daemonSet));
    const { collisionCount = 0 } = fresh.status ?? {};
    if (fresh.status?.collisionCount !== status?.collisionCount) {
      throw new ReconcileError(
        `found a stale collision count (${status?.collisionCount ?? 0}, expected ${collisionCount}) of DaemonSet "${metadata.name}" while processing; will retry until it is updated`,
      );
    }
    if (fresh.status) {
      await client.updateStatus(daemonSets, {
        ...fresh,
        status: { ...fresh.status, collisionCount: collisionCount + 1 },
      });
    }
    throw error;
  }
}

/** Deletes the oldest revisions beyond the limit, but none that a Pod is still of. */
export async function cleanUpHistory(
  { client }: ReconcileContext,
  { spec: { revisionHistoryLimit = 10 } }: DaemonSet,
  old: readonly ControllerRevision[],
  owned: () => Iterable<Pod>,
): Promise<void> {
  let surplus = old.length - revisionHistoryLimit;
  if (surplus <= 0) return;
  const live = new Set([...owned()].map(({ metadata }) => metadata.labels?.[REVISION_HASH]));
  for (const revision of old.toSorted((a, b) => a.revision - b.revision)) {
    if (surplus <= 0) break;
    if (live.has(hashOf(revision))) continue;
    await client.delete(controllerRevisions, nameOf(revision));
    surplus--;
  }
}
