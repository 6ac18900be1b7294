import type { ResourceDefinition } from '#apimachinery/resource.ts';
import type { Process } from '#base/pump.ts';
import type { SpanId } from '#base/tracer.ts';
import type { Namespace, Pod } from '#api/generated/types.ts';
import type { Client } from '#client/client.ts';
import type { EventType } from '#client/event.ts';
import type { Lister } from '#client/indexer.ts';
import type { InformerFactory } from '#client/informer.ts';
import type { ObjectReference } from '#client/object-reference.ts';
import type { SchedulerCache } from '../cache.ts';
import type { ReadyNodeInfo } from '../node-info.ts';
import type { PodInfo } from '../pod-info.ts';
import type { CycleState } from './cycle-state.ts';
import type { Status } from './status.ts';

/** What plugins may use of the scheduler. */
export interface Handle {
  readonly process: Process;
  /** Without a cause. */
  readonly client: Client;
  readonly cache: SchedulerCache;
  readonly namespaces: Lister<Namespace>;
  readonly pods: Lister<Pod>;
  readonly informers: InformerFactory;
  readonly resources: readonly ResourceDefinition[];
  /** All filters, nominated Pods counted in: for dry runs. */
  filter(state: CycleState, pod: PodInfo, node: ReadyNodeInfo): Status | undefined;
  podAdded(state: CycleState, pod: PodInfo, added: PodInfo, node: ReadyNodeInfo): void;
  podRemoved(state: CycleState, pod: PodInfo, removed: PodInfo, node: ReadyNodeInfo): void;
  nominatedOn(node: string): readonly PodInfo[];
  /** Tries a Pod that waits again. */
  activate(pod: Pod, cause: SpanId): void;
  event(
    regarding: ObjectReference,
    related: ObjectReference | undefined,
    type: EventType,
    reason: string,
    action: string,
    note: string,
    cause: SpanId,
  ): void;
}
