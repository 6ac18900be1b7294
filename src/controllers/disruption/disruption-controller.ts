import { deployments } from '#api/apps/v1/deployment.ts';
import { replicaSets } from '#api/apps/v1/replica-set.ts';
import { statefulSets } from '#api/apps/v1/stateful-set.ts';
import { pods } from '#api/core/v1/pod.ts';
import { isPodTerminal, podCondition, withPodCondition } from '#api/core/v1/pod-status.ts';
import { replicationControllers } from '#api/core/v1/replication-controller.ts';
import type { OwnerReference, Pod, PodDisruptionBudget } from '#api/generated/types.ts';
import { guards, withDisruptionCondition } from '#api/policy/v1/disruption-budget-status.ts';
import { podDisruptionBudgets } from '#api/policy/v1/pod-disruption-budget.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import { isStatus, StatusError } from '#apimachinery/status-error.ts';
import { goQuote } from '#apimachinery/validation.ts';
import { parseTime } from '#base/clock.ts';
import type { SpanId } from '#base/tracer.ts';
import type { Lister } from '#client/indexer.ts';
import { controllerOf, keyOf } from '#client/key.ts';
import { referenceTo } from '#client/object-reference.ts';
import { defineController, type ReconcileContext, ReconcileError } from '../define-controller.ts';
import { expectedOf, needsScale, planBudget } from './disruption-plan.ts';

/** After so long a Pod that was to go and did not is no target of a disruption any more, ms. */
const STALE_MS = 120_000;

/** How many Pods the controllers of these want, and whether some have none. */
interface Scale {
  readonly total: number;
  readonly hasUnmanaged: boolean;
}

/** A kind that Pods can belong to, with what it wants. */
type Scaled = ApiObject & { readonly spec?: { readonly replicas?: number } };

/**
 * Keeps the status of PodDisruptionBudgets, which evictions are decided by. Follows pkg/controller/disruption, v1.33.
 */
export const disruptionController = defineController({
  name: 'disruption-controller',
  create({ process, queue, watch, recorder, addQueue, resources }) {
    const events = recorder('controllermanager');
    const now = () => process.clock.now();

    const cleanUp = addQueue('disruption-stale-pod-disruption', {}, async ({ client, span }, key) => {
      const pod = podLister.getByKey(key);
      const wait = pod && staleAfterMs(pod, now());
      if (!pod || wait === undefined) return;
      if (wait > 0) {
        cleanUp.addAfter(key, wait, span);
        return;
      }
      const status = withPodCondition(pod.status ?? {}, { type: 'DisruptionTarget', status: 'False' }, now());
      await client.updateStatus(pods, { ...pod, status });
    });

    const budgets = watch(podDisruptionBudgets, {
      add: (budget, span) => queue.add(keyOf(budget), span),
      update: (_, budget, span) => queue.add(keyOf(budget), span),
    });
    const lookAtBudget = (pod: Pod, span: SpanId) => {
      if (budgets.size === 0) return;
      const found = budgets.list(pod.metadata.namespace).filter((budget) => guards(budget, pod));
      const [budget] = found;
      if (!budget) return;
      if (found.length > 1) {
        const { namespace = '', name = '' } = pod.metadata;
        const which = `Pod ${goQuote(namespace)}/${goQuote(name)} matches multiple PodDisruptionBudgets.`;
        const message = `${which}  Chose ${goQuote(budget.metadata.name ?? '')} arbitrarily.`;
        events.event(referenceTo(pods, pod), 'Warning', 'MultiplePodDisruptionBudgets', message, span);
      }
      queue.add(keyOf(budget), span);
    };
    const look = (pod: Pod, span: SpanId) => {
      lookAtBudget(pod, span);
      const wait = staleAfterMs(pod, now());
      if (wait !== undefined) cleanUp.addAfter(keyOf(pod), wait, span);
    };
    const podLister = watch(pods, { add: look, update: (_, pod, span) => look(pod, span), delete: lookAtBudget });
    const deploymentLister = watch(deployments);
    const replicaSetLister = watch(replicaSets);
    const listers: ReadonlyMap<string, Lister<Scaled>> = new Map<string, Lister<Scaled>>([
      ['ReplicationController', watch(replicationControllers)],
      ['ReplicaSet.apps', replicaSetLister],
      ['StatefulSet.apps', watch(statefulSets)],
    ]);

    /** What the Pod's controller, or the Deployment behind it, is and wants. Throws when that is not known. */
    const ownerOf = (owner: OwnerReference, pod: Pod): { readonly uid: string; readonly replicas: number } => {
      const { namespace } = pod.metadata;
      const kind = kindOf(owner);
      const found = ownedBy(listers.get(kind), namespace, owner);
      if (found) {
        const above = kind === 'ReplicaSet.apps' ? controllerOf(found) : undefined;
        const isDeployed = above && kindOf(above) === 'Deployment.apps';
        return scaleOf((isDeployed && ownedBy(deploymentLister, namespace, above)) || found);
      }
      if (!listers.has(kind)) {
        const resource = resources.find((one) => kindOf({ kind: one.kind, apiVersion: groupVersion(one) }) === kind);
        if (!resource)
          throw new ReconcileError(
            `no matches for kind ${goQuote(owner.kind)} in version ${goQuote(owner.apiVersion)}`,
          );
        const { group, plural } = resource;
        if (kind !== 'Deployment.apps')
          throw new ReconcileError(`${group ? `${plural}.${group}` : plural} does not implement the scale subresource`);
        const deployment = ownedBy(deploymentLister, namespace, owner);
        if (deployment) return scaleOf(deployment);
      }
      throw new ReconcileError(`found no controllers for pod ${goQuote(pod.metadata.name ?? '')}`);
    };

    const scaleOfAll = (all: readonly Pod[]): Scale => {
      const scales = new Map<string, number>();
      const seen = new Set<string>();
      let hasUnmanaged = false;
      for (const pod of all) {
        const owner = controllerOf(pod);
        if (!owner) {
          hasUnmanaged = true;
          continue;
        }
        if (seen.has(owner.uid)) continue;
        seen.add(owner.uid);
        const { uid, replicas } = ownerOf(owner, pod);
        scales.set(uid, replicas);
      }
      return { total: [...scales.values()].reduce((sum, one) => sum + one, 0), hasUnmanaged };
    };

    const sync = async ({ client, span }: ReconcileContext, budget: PodDisruptionBudget) => {
      const say = (type: 'Normal' | 'Warning', reason: string, message: string) =>
        events.event(referenceTo(podDisruptionBudgets, budget), type, reason, message, span);
      const own = podLister.list(budget.metadata.namespace).filter((pod) => guards(budget, pod));
      if (own.length === 0) say('Normal', 'NoPods', 'No matching pods found');
      let scale: Scale = { total: 0, hasUnmanaged: false };
      try {
        if (needsScale(budget)) scale = scaleOfAll(own);
      } catch (error) {
        if (!(error instanceof ReconcileError)) throw error;
        const message = `Failed to calculate the number of expected pods: ${error.message}`;
        say('Warning', 'CalculateExpectedPodCountFailed', message);
        throw error;
      }
      if (scale.hasUnmanaged) say('Warning', 'UnmanagedPods', unmanaged(budget));
      const plan = planBudget(budget, own, expectedOf(budget, own, scale.total), now());
      for (const pod of plan.notDeleted) {
        // Upstream names the namespace twice.
        const { namespace = '' } = budget.metadata;
        const message = `Pod was expected by PDB ${namespace}/${namespace} to be deleted but it wasn't`;
        events.event(referenceTo(pods, pod), 'Warning', 'NotDeleted', message, span);
      }
      if (plan.status) await client.updateStatus(podDisruptionBudgets, { ...budget, status: plan.status });
      return plan.recheckAfterMs;
    };

    return {
      async reconcile(ctx, key) {
        const budget = budgets.get(key);
        if (!budget) return;
        try {
          const recheckAfterMs = await sync(ctx, budget);
          if (recheckAfterMs !== undefined) return { requeueAfterMs: recheckAfterMs + 1 };
        } catch (error) {
          const isKnown = error instanceof ReconcileError || error instanceof StatusError;
          if (!isKnown || isStatus(error, 'Conflict')) throw error;
          // Nothing may be evicted that was not counted.
          const { status = NOTHING } = budget;
          const failed = { status: 'False', reason: 'SyncFailed', message: error.message };
          const next = withDisruptionCondition({ ...status, disruptionsAllowed: 0 }, now(), failed);
          await ctx.client.updateStatus(podDisruptionBudgets, { ...budget, status: next });
        }
      },
    };
  },
});

const NOTHING = { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 } as const;

const groupVersion = ({ group, version }: ResourceDefinition) => (group ? `${group}/${version}` : version);

/** `ReplicaSet.apps`; Deployments and ReplicaSets of old belong to apps. */
function kindOf({ kind, apiVersion }: Pick<OwnerReference, 'kind' | 'apiVersion'>): string {
  const slash = apiVersion.indexOf('/');
  const group = slash < 0 ? '' : apiVersion.slice(0, slash);
  return group === '' ? kind : `${kind}.${group === 'extensions' ? 'apps' : group}`;
}

function ownedBy<T extends ApiObject>(
  lister: Lister<T> | undefined,
  namespace: string | undefined,
  { name, uid }: OwnerReference,
): T | undefined {
  const found = lister?.get({ namespace, name });
  return found?.metadata.uid === uid ? found : undefined;
}

const scaleOf = ({ metadata, spec }: Scaled) => ({ uid: metadata.uid ?? '', replicas: spec?.replicas ?? 1 });

/** How long until a Pod that is to be disrupted, but does not go, is left alone; undefined if it is no such Pod. */
function staleAfterMs(pod: Pod, now: number): number | undefined {
  if (pod.metadata.deletionTimestamp) return undefined;
  const condition = podCondition(pod, 'DisruptionTarget');
  if (condition?.status !== 'True' || condition.reason === 'TerminationByKubelet' || isPodTerminal(pod)) {
    return undefined;
  }
  return Math.max(0, parseTime(condition.lastTransitionTime ?? '') + STALE_MS - now);
}

function unmanaged({ spec }: PodDisruptionBudget): string {
  const { matchLabels = {}, matchExpressions = [] } = spec?.selector ?? {};
  const labels = Object.keys(matchLabels)
    .sort()
    .map((key) => `${key}: ${matchLabels[key]},`);
  const expressions = matchExpressions.map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],}`,
  );
  const list = expressions.map((one) => `${one},`).join('');
  const selector = `&LabelSelector{MatchLabels:map[string]string{${labels.join('')}},MatchExpressions:[]LabelSelectorRequirement{${list}},}`;
  return `Pods selected by this PodDisruptionBudget (selector: ${selector}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`;
}
