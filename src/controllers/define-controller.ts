import type { ApiBackend } from '#apimachinery/api-request.ts';
import type { ApiObject, NamespacedName, ResourceDefinition } from '#apimachinery/resource.ts';
import type { Clock } from '#base/clock.ts';
import type { Process } from '#base/pump.ts';
import type { SpanId } from '#base/tracer.ts';
import type { Client } from '#client/client.ts';
import type { EventRecorder } from '#client/event-recorder.ts';
import type { Index, Lister } from '#client/indexer.ts';
import type { EventHandlers } from '#client/informer.ts';
import type { RateLimiter } from '#client/rate-limiter.ts';
import type { WorkQueue } from '#client/work-queue.ts';
import type { Secret, ServiceAccount } from '#api/generated/types.ts';

/** What one reconcile may use. */
export interface ReconcileContext {
  /** Bound to this reconcile: what it writes is caused by it. */
  readonly client: Client;
  /** The reconcile's span; the cause of Events and of requeues. */
  readonly span: SpanId;
}

export interface ReconcileResult {
  /** Look at the key again after so many milliseconds, also when nothing changes. */
  readonly requeueAfterMs?: number;
}

/** Thrown by a reconcile that could not do all its work and wants its key back later; the message tells why. */
export class ReconcileError extends Error {
  override readonly name = 'ReconcileError';
}

/** Makes one object, or what it owns, as it should be. */
export interface Reconciler {
  reconcile(ctx: ReconcileContext, key: NamespacedName): Promise<ReconcileResult | void>;
}

export interface QueueOptions {
  readonly workers?: number;
  readonly limiter?: (clock: Clock) => RateLimiter;
  /** Failures of one key after which it is given up until something changes; default: never. */
  readonly maxRetries?: number;
}

/** On which terms a certificate is signed; times in ms since the epoch. */
export interface CertificateTerms {
  /** A PKCS #10 request as PEM in base64, as objects hold it. */
  readonly request: string;
  /** Of `digital signature`, `key encipherment` and `client auth`. */
  readonly usages: readonly string[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** What the cluster is set to, as flags of kube-controller-manager do. */
export interface ControllerConfig {
  /** The PEM certificate of the cluster's authority. */
  readonly rootCA: string;
  /** Signs with the authority's key, and returns PEM. Undefined: nobody has the key, and requests stay as they are. */
  readonly signCertificate?: (terms: CertificateTerms) => string;
  /** Signs the token of a `kubernetes.io/service-account-token` Secret. */
  readonly signLegacyToken: (serviceAccount: ServiceAccount, secret: Secret) => string;
  /** Such as `10.244.0.0/16`; Nodes get parts of it. */
  readonly clusterCIDR: string;
  readonly nodeCIDRMaskSize: number;
  readonly serviceCIDR?: string;
  /** Addresses of the cloud's load balancers, such as `192.168.100.0/24`. Undefined: there is no such cloud. */
  readonly loadBalancerCIDR?: string;
  readonly nodeMonitorPeriodMs: number;
  readonly nodeMonitorGracePeriodMs: number;
  readonly nodeStartupGracePeriodMs: number;
  /** Nodes per second that are tainted NoExecute in a zone that is healthy, and in a large one that is not. */
  readonly nodeEvictionRate: number;
  readonly secondaryNodeEvictionRate: number;
  readonly largeClusterSizeThreshold: number;
  readonly unhealthyZoneThreshold: number;
  /** Terminated Pods that are kept; 0 keeps all. */
  readonly terminatedPodGCThreshold: number;
}

/** The defaults of v1.33; what has none must be given. */
export const defaultControllerConfig: Omit<ControllerConfig, 'rootCA' | 'signLegacyToken' | 'clusterCIDR'> = {
  nodeCIDRMaskSize: 24,
  nodeMonitorPeriodMs: 5_000,
  nodeMonitorGracePeriodMs: 50_000,
  nodeStartupGracePeriodMs: 60_000,
  nodeEvictionRate: 0.1,
  secondaryNodeEvictionRate: 0.01,
  largeClusterSizeThreshold: 50,
  unhealthyZoneThreshold: 0.55,
  terminatedPodGCThreshold: 12_500,
};

/** What a controller is made of. All of it ends with the controller's process. */
export interface ControllerDeps {
  readonly process: Process;
  /** The controller's own client, without a cause; reconciles use that of their context. */
  readonly client: Client;
  readonly config: ControllerConfig;
  /** All resources that are served. */
  readonly resources: readonly ResourceDefinition[];
  /** The controller's own queue. */
  readonly queue: WorkQueue;
  /** Records Events as this component; the controller's name by default. */
  recorder(component?: string): EventRecorder;
  /** Follows a resource; the informer is shared with the other controllers. Workers start when all have synced. */
  watch<T extends ApiObject>(
    resource: ResourceDefinition<T>,
    handlers?: EventHandlers<T>,
    ...indices: Index<T>[]
  ): Lister<T>;
  /**
   * Follows a resource that has come while the controller runs, with an informer of its own. Returns what ends that: for
   * the handlers everything is deleted then.
   */
  follow<T extends ApiObject>(resource: ResourceDefinition<T>, handlers: EventHandlers<T>): () => void;
  /** One more queue with workers of its own, whose keys mean what the controller wants. */
  addQueue(
    name: string,
    options: QueueOptions,
    reconcile: (ctx: ReconcileContext, key: string) => Promise<ReconcileResult | void>,
  ): WorkQueue;
  /**
   * Looks every `ms`, from the start of the workers on, outside of tasks: `look` may only read, and queue what needs
   * work. `cause` makes the span of this tick; a tick that does not ask for it leaves no trace.
   */
  every(ms: number, name: string, look: (cause: () => SpanId) => void): void;
}

/** One controller of kube-controller-manager. */
export interface ControllerDefinition<T extends ApiObject = ApiObject> extends QueueOptions {
  /** As `--controllers` names it; also the component in the trace. */
  readonly name: string;
  /** The service account in kube-system that it acts as; `name` by default. Empty: kube-controller-manager itself. */
  readonly serviceAccount?: string;
  /** Every change of these objects queues their key. */
  readonly for?: ResourceDefinition<T>;
  /** Every change of these objects queues the key of the controlling owner, where that is of the kind `for`. */
  readonly owns?: readonly ResourceDefinition[];
  create(deps: ControllerDeps): Reconciler;
}

/** Declares a controller. The only way to do so; it exists for type inference. */
export function defineController<T extends ApiObject>(definition: ControllerDefinition<T>): ControllerDefinition<T> {
  return definition;
}

/** What kube-controller-manager is started with. */
export interface ControllerManagerOptions {
  readonly backend: ApiBackend;
  readonly resources: readonly ResourceDefinition[];
  readonly config: ControllerConfig;
}
