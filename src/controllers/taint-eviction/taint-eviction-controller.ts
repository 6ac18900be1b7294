import { jsonEqual } from '#apimachinery/equal.ts';
import { StatusError } from '#apimachinery/status-error.ts';
import type { Node, Pod, Taint } from '#api/generated/types.ts';
import { nodes } from '#api/core/v1/node.ts';
import { pods } from '#api/core/v1/pod.ts';
import { withPodCondition } from '#api/core/v1/pod-status.ts';
import { podStatusPatch } from '#api/core/v1/pod-status-patch.ts';
import type { Timer } from '#base/clock.ts';
import type { SpanId } from '#base/tracer.ts';
import type { EventRecorder } from '#client/event-recorder.ts';
import { byNodeName, type Lister } from '#client/indexer.ts';
import { keyOf, nameOfKey } from '#client/key.ts';
import type { WorkQueue } from '#client/work-queue.ts';
import { type ControllerDeps, defineController, type ReconcileContext, type Reconciler } from '../define-controller.ts';
import { planEviction, tolerationMs } from './eviction-plan.ts';

const TRIES = 5;
const RETRY_MS = 10;

const EVICTED = {
  type: 'DisruptionTarget',
  status: 'True',
  reason: 'DeletionByTaintManager',
  message: 'Taint manager: deleting due to NoExecute taint',
};

/**
 * Deletes Pods from Nodes with NoExecute taints that they do not tolerate, or not for so long. Follows
 * pkg/controller/tainteviction, v1.33.
 */
export const taintEvictionController = defineController({
  name: 'taint-eviction-controller',
  serviceAccount: 'node-controller',
  workers: 8,
  create: (deps) => new TaintEviction(deps),
});

interface Planned {
  readonly startMs: number;
  /** Absent once the eviction is under way. */
  readonly timer?: Timer;
}

class TaintEviction implements Reconciler {
  readonly #deps: ControllerDeps;
  readonly #nodes: Lister<Node>;
  readonly #pods: Lister<Pod>;
  readonly #events: EventRecorder;
  readonly #evictions: WorkQueue;
  readonly #planned = new Map<string, Planned>();

  constructor(deps: ControllerDeps) {
    this.#deps = deps;
    const { queue, watch, addQueue } = deps;
    this.#events = deps.recorder();
    this.#nodes = watch(nodes, {
      add: (node, span) => {
        if (noExecuteTaints(node).length > 0) queue.add(keyOf(node), span);
      },
      update: (previous, node, span) => {
        if (!jsonEqual(noExecuteTaints(previous), noExecuteTaints(node))) queue.add(keyOf(node), span);
      },
    });
    const podQueue = addQueue('taint-eviction-controller-pods', { workers: 8 }, async ({ span }, key) =>
      this.#consider(key, span),
    );
    const changed = (pod: Pod, span: SpanId) => {
      const key = keyOf(pod);
      if (this.#planned.has(key) || this.#taintsFor(pod).length > 0) podQueue.add(key, span);
    };
    this.#pods = watch(
      pods,
      {
        add: changed,
        update: (previous, pod, span) => {
          const same =
            previous.spec.nodeName === pod.spec.nodeName && jsonEqual(previous.spec.tolerations, pod.spec.tolerations);
          if (!same) changed(pod, span);
        },
        delete: (pod, span) => {
          if (this.#planned.has(keyOf(pod))) podQueue.add(keyOf(pod), span);
        },
      },
      byNodeName,
    );
    this.#evictions = addQueue('taint-eviction-controller-evictions', { workers: 8 }, (ctx, key) =>
      this.#evict(ctx, key),
    );
  }

  /** The taints of a Node have changed. */
  async reconcile({ span }: ReconcileContext, { name }: { readonly name: string }): Promise<void> {
    for (const pod of this.#pods.byIndex(byNodeName, name)) this.#consider(keyOf(pod), span);
  }

  #consider(key: string, cause: SpanId): void {
    const pod = this.#pods.getByKey(key);
    const now = this.#deps.process.clock.now();
    const taints = pod ? this.#taintsFor(pod) : [];
    if (!pod || taints.length === 0) {
      this.#cancel(key, cause);
      return;
    }
    const plan = planEviction(tolerationMs(taints, pod.spec.tolerations ?? []), this.#planned.get(key), now);
    if (plan.do === 'nothing') return;
    this.#cancel(key, cause);
    if (plan.do === 'evict') {
      this.#planned.set(key, { startMs: now });
      this.#evictions.add(key, cause);
    } else if (plan.do === 'schedule') {
      const { process } = this.#deps;
      const timer = process.clock.afterFunc(plan.dueMs - now, `evict ${key}`, () => {
        this.#planned.set(key, { startMs: plan.startMs });
        this.#evictions.add(key, process.tracer.instant('timer', 'taint-eviction-controller', `evict ${key}`, cause));
      });
      this.#planned.set(key, { startMs: plan.startMs, timer });
    }
  }

  /** Takes an eviction back; says so if it was still to come. */
  #cancel(key: string, cause: SpanId): void {
    const planned = this.#planned.get(key);
    this.#planned.delete(key);
    if (!planned?.timer) return;
    planned.timer.stop();
    this.#say(key, `Cancelling deletion of Pod ${key}`, cause);
  }

  async #evict({ client, span }: ReconcileContext, key: string): Promise<void> {
    const { clock } = this.#deps.process;
    this.#say(key, `Marking for deletion Pod ${key}`, span);
    for (let tries = 1; ; tries++) {
      try {
        const pod = await client.get(pods, nameOfKey(key));
        const status = withPodCondition(pod.status ?? {}, EVICTED, clock.now());
        await client.patchStatus(pods, pod, podStatusPatch(pod, status));
        await client.delete(pods, nameOfKey(key));
        break;
      } catch (error) {
        if (!(error instanceof StatusError)) throw error;
        if (tries === TRIES) break;
      }
      await clock.sleep(RETRY_MS);
    }
    this.#planned.delete(key);
  }

  #taintsFor({ spec: { nodeName } }: Pod): readonly Taint[] {
    const node = nodeName ? this.#nodes.getByKey(nodeName) : undefined;
    return node ? noExecuteTaints(node) : [];
  }

  #say(key: string, message: string, cause: SpanId): void {
    const about = { kind: 'Pod', ...nameOfKey(key), apiVersion: 'v1' };
    this.#events.event(about, 'Normal', 'TaintManagerEviction', message, cause);
  }
}

const NONE: readonly Taint[] = [];

function noExecuteTaints({ spec: { taints } }: Node): readonly Taint[] {
  return taints?.some(({ effect }) => effect === 'NoExecute')
    ? taints.filter(({ effect }) => effect === 'NoExecute')
    : NONE;
}
