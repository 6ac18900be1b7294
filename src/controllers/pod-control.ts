import type { ApiObject, OwnerReference, ResourceDefinition } from '#apimachinery/resource.ts';
import { StatusError } from '#apimachinery/status-error.ts';
import type { Pod, PodTemplateSpec } from '#api/generated/types.ts';
import { pods } from '#api/core/v1/pod.ts';
import { podCondition } from '#api/core/v1/pod-status.ts';
import { parseTime } from '#base/clock.ts';
import type { EventRecorder } from '#client/event-recorder.ts';
import { nameOf } from '#client/key.ts';
import { referenceTo } from '#client/object-reference.ts';
import { ReconcileError, type ReconcileContext } from './define-controller.ts';
import { isNamespaceTerminating } from './namespace-terminating.ts';

// What controllers that own Pods have in common. Follows pkg/controller/controller_utils.go, v1.33.

/** Neither ended nor being deleted. */
export function isPodActive({ metadata, status }: Pod): boolean {
  return status?.phase !== 'Succeeded' && status?.phase !== 'Failed' && !metadata.deletionTimestamp;
}

/** Whether the Pod has been ready for so long. `now` in ms. */
export function isPodAvailable(pod: Pod, minReadySeconds: number, now: number): boolean {
  const ready = podCondition(pod, 'Ready');
  if (ready?.status !== 'True') return false;
  if (minReadySeconds === 0) return true;
  const since = ready.lastTransitionTime ? parseTime(ready.lastTransitionTime) : Number.NaN;
  return since + minReadySeconds * 1000 < now;
}

const MAX_NAME = 253;

/** The Pod that a template makes for an owner, without a name. */
export function podFromTemplate(template: PodTemplateSpec, owner: ApiObject, controllerRef: OwnerReference): Pod {
  const { namespace, name = '' } = owner.metadata;
  const { labels, annotations, finalizers } = template.metadata ?? {};
  return {
    metadata: {
      generateName: name.length < MAX_NAME ? `${name}-` : name,
      namespace,
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
      ...(finalizers ? { finalizers } : {}),
      ownerReferences: [controllerRef],
    },
    spec: template.spec ?? { containers: [] },
  };
}

/** Creates and deletes Pods for owners of one kind, and says so in Events about the owner. */
export class PodControl<T extends ApiObject> {
  readonly #resource: ResourceDefinition<T>;
  readonly #events: EventRecorder;

  constructor(resource: ResourceDefinition<T>, events: EventRecorder) {
    this.#resource = resource;
    this.#events = events;
  }

  async create({ client, span }: ReconcileContext, owner: T, pod: Pod): Promise<void> {
    if (!Object.keys(pod.metadata.labels ?? {}).length) {
      throw new ReconcileError('unable to create pods, no labels');
    }
    const about = referenceTo(this.#resource, owner);
    try {
      const created = await client.create(pods, pod);
      this.#events.event(about, 'Normal', 'SuccessfulCreate', `Created pod: ${created.metadata.name}`, span);
    } catch (error) {
      if (error instanceof StatusError && !isNamespaceTerminating(error)) {
        this.#events.event(about, 'Warning', 'FailedCreate', `Error creating: ${error.message}`, span);
      }
      throw error;
    }
  }

  /** Throws NotFound when it is gone already. */
  async delete({ client, span }: ReconcileContext, owner: T, pod: Pod): Promise<void> {
    const about = referenceTo(this.#resource, owner);
    const { name } = pod.metadata;
    try {
      await client.delete(pods, nameOf(pod));
    } catch (error) {
      if (!(error instanceof StatusError) || error.reason === 'NotFound') throw error;
      this.#events.event(about, 'Warning', 'FailedDelete', `Error deleting: ${error.message}`, span);
      throw new ReconcileError(`unable to delete pods: ${error.message}`);
    }
    this.#events.event(about, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`, span);
  }
}
