import type { Node, Pod } from '#api/generated/types.ts';
import type { SpanId } from '#base/tracer.ts';
import type { Client } from '#client/client.ts';
import type { ReadyNodeInfo } from '../node-info.ts';
import type { PodInfo } from '../pod-info.ts';
import type { ClusterEvent } from './cluster-event.ts';
import type { CycleState } from './cycle-state.ts';
import type { FilterStatuses } from './filter-statuses.ts';
import type { Status } from './status.ts';

export const MAX_NODE_SCORE = 100;

/** A Pod in the scheduling queue, as `less` sees it. */
export interface Queued {
  readonly info: PodInfo;
  /** When it was queued (again), ms. */
  readonly timestamp: number;
  /** Tells apart what was queued at the same instant. */
  readonly sequence: number;
}

/** Events that may make Pods schedulable that this plugin turned down. */
export interface EventInterest {
  readonly on: readonly ClusterEvent[];
  /** Whether the event may help this Pod; without it, it always may. One of the objects is absent for Add and Delete. */
  helps?(pod: PodInfo, previous: Pod | Node | undefined, next: Pod | Node | undefined): boolean;
}

export interface PreFilterResult {
  /** Only these Nodes need to be looked at. */
  readonly nodeNames?: ReadonlySet<string>;
  readonly status?: Status;
}

export interface PostFilterResult {
  readonly status?: Status;
  /** The Node to nominate for the Pod; empty: none any more. Undefined keeps what is. */
  readonly nominate?: string;
}

/**
 * One scheduler plugin: it implements the extension points that it needs. All but `preBind` and `bind` are synchronous:
 * a cycle is one turn. Order and meaning follow scheduler/framework/interface.go, v1.33.
 */
export interface Plugin {
  readonly name: string;
  readonly events?: readonly EventInterest[];
  /** Before the Pod may enter the active queue. */
  preEnqueue?(pod: Pod): Status | undefined;
  /** Queue order; one plugin has it. */
  less?(a: Queued, b: Queued): boolean;
  preFilter?(state: CycleState, pod: PodInfo): PreFilterResult | undefined;
  /** Keeps preFilter's data right when a dry run adds or removes a Pod. */
  podAdded?(state: CycleState, pod: PodInfo, added: PodInfo, node: ReadyNodeInfo): void;
  podRemoved?(state: CycleState, pod: PodInfo, removed: PodInfo, node: ReadyNodeInfo): void;
  filter?(state: CycleState, pod: PodInfo, node: ReadyNodeInfo): Status | undefined;
  /** When no Node fits. `cause` is the decision's span. */
  postFilter?(state: CycleState, pod: PodInfo, statuses: FilterStatuses, cause: SpanId): PostFilterResult;
  preScore?(state: CycleState, pod: PodInfo, nodes: readonly ReadyNodeInfo[]): Status | undefined;
  score?(state: CycleState, pod: PodInfo, node: ReadyNodeInfo): number;
  /** Brings the scores into [0, 100], in place. */
  normalize?(state: CycleState, scores: number[], nodes: readonly ReadyNodeInfo[]): void;
  reserve?(state: CycleState, pod: PodInfo, node: string): Status | undefined;
  unreserve?(state: CycleState, pod: PodInfo, node: string): void;
  permit?(state: CycleState, pod: PodInfo, node: string): Status | undefined;
  preBind?(state: CycleState, pod: PodInfo, node: string, client: Client): Promise<Status | undefined>;
  /** Status `Skip`: some other plugin binds this Pod. */
  bind?(state: CycleState, pod: PodInfo, node: string, client: Client): Promise<Status | undefined>;
  postBind?(state: CycleState, pod: PodInfo, node: string): void;
}
