import { assert } from '#base/assert.ts';
import type { SpanId } from '#base/tracer.ts';
import type { Pod } from '#api/generated/types.ts';
import type { Client } from '#client/client.ts';
import type { ReadyNodeInfo } from '../node-info.ts';
import { type PodInfo, priorityOf } from '../pod-info.ts';
import type { CycleState } from './cycle-state.ts';
import type { FilterStatuses } from './filter-statuses.ts';
import { MAX_NODE_SCORE, type Plugin, type PostFilterResult, type Queued } from './plugin.ts';
import { errorStatus, isRejected, type Status, statusMessage } from './status.ts';

/** A plugin in its place, with the weight of its score. */
export interface EnabledPlugin {
  readonly plugin: Plugin;
  readonly weight: number;
}

/** Scores of one cycle: for each plugin that scored, one weighted number for each node. */
export interface Scores {
  readonly plugins: readonly string[];
  /** By plugin, then by node. */
  readonly weighted: readonly (readonly number[])[];
  readonly totals: readonly number[];
}

/** The Pods that wait for a Node to become free of others. */
export interface Nominated {
  podsOn(node: string): readonly PodInfo[];
}

/** Runs plugins at their extension points, in order. Follows scheduler/framework/runtime/framework.go, v1.33. */
export class Framework {
  readonly profile: string;
  readonly plugins: readonly Plugin[];
  readonly #weights: ReadonlyMap<string, number>;
  readonly #preEnqueue: readonly Plugin[];
  readonly #preFilter: readonly Plugin[];
  readonly #filter: readonly Plugin[];
  readonly #score: readonly Plugin[];
  readonly less: (a: Queued, b: Queued) => boolean;

  constructor(profile: string, enabled: readonly EnabledPlugin[]) {
    this.profile = profile;
    this.plugins = enabled.map(({ plugin }) => plugin);
    this.#weights = new Map(enabled.map(({ plugin, weight }) => [plugin.name, weight]));
    this.#preEnqueue = this.plugins.filter(({ preEnqueue }) => preEnqueue);
    this.#preFilter = this.plugins.filter(({ preFilter }) => preFilter);
    this.#filter = this.plugins.filter(({ filter }) => filter);
    this.#score = this.plugins.filter(({ score }) => score);
    const sorters = this.plugins.filter(({ less }) => less);
    assert(sorters.length === 1, 'exactly one plugin orders the queue');
    this.less = (a, b) => (sorters[0] as Required<Plugin>).less(a, b);
  }

  /** The first plugin's veto, named. */
  preEnqueue(pod: Pod): Status | undefined {
    for (const plugin of this.#preEnqueue) {
      const status = (plugin as Required<Plugin>).preEnqueue(pod);
      if (status) return named(status, plugin);
    }
    return undefined;
  }

  /** The Nodes that need to be looked at (all, if there is no set), or why none does; and who narrowed them down. */
  preFilter(
    state: CycleState,
    pod: PodInfo,
  ): { readonly nodeNames?: ReadonlySet<string>; readonly status?: Status; readonly narrowedBy: readonly string[] } {
    let nodeNames: Set<string> | undefined;
    const narrowedBy: string[] = [];
    for (const plugin of this.#preFilter) {
      const result = (plugin as Required<Plugin>).preFilter(state, pod);
      if (!result) continue;
      const { status, nodeNames: names } = result;
      if (status?.code === 'Skip') state.skipFilter.add(plugin.name);
      else if (status) return { status: named(status, plugin), narrowedBy };
      if (!names) continue;
      narrowedBy.push(plugin.name);
      nodeNames = nodeNames ? new Set([...nodeNames].filter((name) => names.has(name))) : new Set(names);
      if (nodeNames.size > 0) continue;
      const message =
        narrowedBy.length === 1
          ? `node(s) didn't satisfy plugin ${narrowedBy[0]}`
          : `node(s) didn't satisfy plugin(s) [${narrowedBy.join(' ')}] simultaneously`;
      return { status: { code: 'UnschedulableAndUnresolvable', reasons: [message], plugin: plugin.name }, narrowedBy };
    }
    return { ...(nodeNames ? { nodeNames } : {}), narrowedBy };
  }

  /** The first plugin's refusal, named. */
  filter(state: CycleState, pod: PodInfo, node: ReadyNodeInfo): Status | undefined {
    const filters = (state.filters ??= this.#filter.filter(({ name }) => !state.skipFilter.has(name)));
    for (const plugin of filters) {
      const status = (plugin as Required<Plugin>).filter(state, pod, node);
      if (status) return named(status, plugin);
    }
    return undefined;
  }

  /**
   * The same, counting in Pods of equal or higher priority that are nominated to the Node: the Pod must fit with them
   * and, since they may never come, without them.
   */
  filterWithNominated(state: CycleState, pod: PodInfo, node: ReadyNodeInfo, nominated: Nominated): Status | undefined {
    const waiting = nominated.podsOn(node.name);
    const others =
      waiting.length === 0
        ? waiting
        : waiting.filter((other) => other.uid !== pod.uid && priorityOf(other.pod) >= priorityOf(pod.pod));
    if (others.length > 0) {
      const copy = node.clone() as ReadyNodeInfo;
      const stateCopy = state.clone();
      for (const other of others) {
        copy.add(other);
        this.podAdded(stateCopy, pod, other, copy);
      }
      const status = this.filter(stateCopy, pod, copy);
      if (status) return status;
    }
    return this.filter(state, pod, node);
  }

  podAdded(state: CycleState, pod: PodInfo, added: PodInfo, node: ReadyNodeInfo): void {
    for (const plugin of this.#preFilter)
      if (!state.skipFilter.has(plugin.name)) plugin.podAdded?.(state, pod, added, node);
  }

  podRemoved(state: CycleState, pod: PodInfo, removed: PodInfo, node: ReadyNodeInfo): void {
    for (const plugin of this.#preFilter)
      if (!state.skipFilter.has(plugin.name)) plugin.podRemoved?.(state, pod, removed, node);
  }

  postFilter(state: CycleState, pod: PodInfo, statuses: FilterStatuses, cause: SpanId): PostFilterResult {
    let nominate: string | undefined;
    const reasons: string[] = [];
    for (const plugin of this.plugins) {
      const result = plugin.postFilter?.(state, pod, statuses, cause);
      if (!result) continue;
      if (!result.status || !isRejected(result.status)) return result;
      if (result.nominate !== undefined) nominate = result.nominate;
      reasons.push(statusMessage(result.status));
    }
    return { status: { code: 'Unschedulable', reasons }, ...(nominate === undefined ? {} : { nominate }) };
  }

  /** Scores nodes that fit; weighted. */
  score(state: CycleState, pod: PodInfo, nodes: readonly ReadyNodeInfo[]): Scores {
    const plugins: string[] = [];
    const weighted: number[][] = [];
    const totals = nodes.map(() => 0);
    for (const plugin of this.#score) {
      const status = plugin.preScore?.(state, pod, nodes);
      if (status?.code === 'Skip') continue;
      const scores = nodes.map((node) => (plugin as Required<Plugin>).score(state, pod, node));
      plugin.normalize?.(state, scores, nodes);
      const weight = this.#weights.get(plugin.name) ?? 1;
      for (let i = 0; i < scores.length; i++) {
        const score = scores[i] as number;
        if (!(score >= 0 && score <= MAX_NODE_SCORE)) assert(false, `${plugin.name} scores ${score}`);
        scores[i] = score * weight;
        totals[i] = (totals[i] as number) + score * weight;
      }
      plugins.push(plugin.name);
      weighted.push(scores);
    }
    return { plugins, weighted, totals };
  }

  reserve(state: CycleState, pod: PodInfo, node: string): Status | undefined {
    for (const plugin of this.plugins) {
      const status = plugin.reserve?.(state, pod, node);
      if (status) return named(status, plugin);
    }
    return undefined;
  }

  unreserve(state: CycleState, pod: PodInfo, node: string): void {
    for (const plugin of this.plugins.toReversed()) plugin.unreserve?.(state, pod, node);
  }

  permit(state: CycleState, pod: PodInfo, node: string): Status | undefined {
    for (const plugin of this.plugins) {
      const status = plugin.permit?.(state, pod, node);
      if (status) return named(status, plugin);
    }
    return undefined;
  }

  async bind(state: CycleState, pod: PodInfo, node: string, client: Client): Promise<Status | undefined> {
    for (const plugin of this.plugins) {
      const status = await plugin.preBind?.(state, pod, node, client);
      if (status) return named(status, plugin);
    }
    for (const plugin of this.plugins) {
      if (!plugin.bind) continue;
      const status = await plugin.bind(state, pod, node, client);
      if (status?.code === 'Skip') continue;
      return status?.code === 'Error'
        ? named(errorStatus(`running Bind plugin "${plugin.name}": ${statusMessage(status)}`), plugin)
        : status && named(status, plugin);
    }
    return errorStatus('no bind plugin binds the pod');
  }

  postBind(state: CycleState, pod: PodInfo, node: string): void {
    for (const plugin of this.plugins) plugin.postBind?.(state, pod, node);
  }
}

function named(status: Status, { name }: Plugin): Status {
  return status.plugin === name ? status : { ...status, plugin: name };
}
