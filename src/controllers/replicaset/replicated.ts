import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import type { LabelSelectorTerms } from '#apimachinery/selectors.ts';
import type { PodTemplateSpec, ReplicaSetStatus } from '#api/generated/types.ts';

/** What ReplicaSets and ReplicationControllers have in common. */
export interface Replicated extends ApiObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly minReadySeconds?: number;
    readonly template?: PodTemplateSpec;
  };
  readonly status?: ReplicaSetStatus;
}

/** A kind that keeps Pods at a number. */
export interface ReplicatedKind<T extends Replicated> {
  /** As `--controllers` names the controller. */
  readonly name: string;
  /** The service account that it acts as, and the source of its Events. */
  readonly component: string;
  readonly resource: ResourceDefinition<T>;
  /** Undefined: nothing is selected. */
  selector(object: T): LabelSelectorTerms | undefined;
}
