import { jsonEqual } from '#apimachinery/equal.ts';
import type { Pod, Service } from '#api/generated/types.ts';
import { isPodReady, isPodTerminal, podCondition } from '#api/core/v1/pod-status.ts';
import type { SpanId } from '#base/tracer.ts';
import { pods } from '#api/core/v1/pod.ts';
import { services } from '#api/core/v1/service.ts';
import type { Lister } from '#client/indexer.ts';
import { keyOf, nameOfKey } from '#client/key.ts';
import type { ControllerDeps } from '../define-controller.ts';

type Labels = Readonly<Record<string, string>>;

/** What one selected Pod stands for; T is what a controller makes of it. */
interface Member<T> {
  /** Since when the Pod is ready, or is not. */
  readonly triggerTime: string;
  /** Undefined: the Pod has no place among the endpoints. */
  readonly value: T | undefined;
}

/** The Pods of one Service as its controller knows them, and which of them it has to look at again. */
export class SelectedPods<T> {
  readonly selector: Labels;
  /** Whether the last sync carried out all it had to, and neither the Service nor its endpoints have changed since. */
  settled = false;
  readonly #members = new Map<string, Member<T>>();
  readonly #changed = new Set<string>();
  #known: boolean;

  /** `known`: the Service has had another selector before. */
  constructor(selector: Labels, known: boolean) {
    this.selector = selector;
    this.#known = known;
  }

  /** Has the Pods of these keys looked at again. */
  mark(podKey: string): void {
    this.#changed.add(podKey);
  }

  /** Has all Pods looked at again. */
  markAll(): void {
    for (const key of this.#members.keys()) this.#changed.add(key);
  }

  /** What the Pods stand for, in the order in which they came. */
  *values(): Iterable<T> {
    for (const { value } of this.#members.values()) if (value !== undefined) yield value;
  }

  /**
   * Takes in what changed. `triggerTime` is the first of the times at which what changed did so, for the annotation
   * `endpoints.kubernetes.io/last-change-trigger-time`; empty: nothing is known to have changed. Follows
   * staging/src/k8s.io/endpointslice/util/trigger_time_tracker.go, v1.33.
   */
  refresh(
    service: Service,
    pods: Lister<Pod>,
    valueOf: (pod: Pod) => T | undefined,
  ): { readonly changed: boolean; readonly triggerTime: string } {
    let changed = false;
    let triggerTime = '';
    for (const key of this.#changed) {
      const before = this.#members.get(key);
      const pod = pods.getByKey(key);
      if (!pod || !isSelected(this.selector, pod.metadata.labels)) {
        this.#members.delete(key);
        changed ||= before?.value !== undefined;
        continue;
      }
      const time = podCondition(pod, 'Ready')?.lastTransitionTime ?? '';
      if (time > (before?.triggerTime ?? '') && (triggerTime === '' || time < triggerTime)) triggerTime = time;
      const value = valueOf(pod);
      const same = jsonEqual(before?.value, value);
      changed ||= !same;
      this.#members.set(key, { triggerTime: time, value: same ? before?.value : value });
    }
    this.#changed.clear();
    if (!this.#known) triggerTime = service.metadata.creationTimestamp ?? '';
    this.#known = true;
    return { changed, triggerTime };
  }
}

interface Selecting<T> {
  readonly services: Map<string, SelectedPods<T>>;
  /** By the Pods' labels, which Pods of one template share as a value. */
  matches: WeakMap<Labels, ReadonlyMap<string, SelectedPods<T>>>;
}

const NO_LABELS: Labels = Object.freeze({});

/**
 * Follows Services and Pods, knows which Service selects which Pods, and queues a Service when it changes or when something
 * about its Pods does that its endpoints show: a Pod that no Service selects costs a look into a map, one that is selected
 * O(its Services). Follows staging/src/k8s.io/endpointslice/util/controller_utils.go, v1.33. Differs from upstream: Pods
 * without an address queue nothing.
 */
export class ServicePods<T> {
  readonly services: Lister<Service>;
  readonly pods: Lister<Pod>;
  readonly #deps: ControllerDeps;
  readonly #namespaces = new Map<string, Selecting<T>>();

  constructor(deps: ControllerDeps) {
    this.#deps = deps;
    this.pods = deps.watch(pods, {
      add: (pod, span) => this.#podChanged(undefined, pod, span),
      update: (previous, pod, span) => this.#podChanged(previous, pod, span),
      delete: (pod, span) => this.#podChanged(pod, undefined, span),
    });
    const put = (service: Service, span: SpanId) => {
      this.#putService(service);
      deps.queue.add(keyOf(service), span);
    };
    this.services = deps.watch(services, {
      add: put,
      update: (_, service, span) => put(service, span),
      delete: (service, span) => {
        this.#removeService(service);
        deps.queue.add(keyOf(service), span);
      },
    });
  }

  /** The Pods of a Service; undefined if it selects none by itself: no selector, or an external name. */
  of(serviceKey: string): SelectedPods<T> | undefined {
    return this.#namespaces.get(nameOfKey(serviceKey).namespace ?? '')?.services.get(serviceKey);
  }

  #putService(service: Service): void {
    const { namespace = '' } = service.metadata;
    const { selector, type } = service.spec;
    const key = keyOf(service);
    if (!selector || !hasSelector(service) || type === 'ExternalName') {
      this.#removeService(service);
      return;
    }
    const selecting = this.#namespaces.get(namespace) ?? { services: new Map(), matches: new WeakMap() };
    this.#namespaces.set(namespace, selecting);
    const known = selecting.services.get(key);
    if (known && jsonEqual(known.selector, selector)) {
      known.settled = false;
      known.markAll();
      return;
    }
    const selected = new SelectedPods<T>(selector, known !== undefined);
    selecting.services.set(key, selected);
    selecting.matches = new WeakMap();
    for (const pod of this.pods.list(namespace)) {
      if (isSelected(selector, pod.metadata.labels)) selected.mark(keyOf(pod));
    }
  }

  #removeService(service: Service): void {
    const { namespace = '' } = service.metadata;
    const selecting = this.#namespaces.get(namespace);
    if (!selecting?.services.delete(keyOf(service))) return;
    selecting.matches = new WeakMap();
    if (selecting.services.size === 0) this.#namespaces.delete(namespace);
  }

  /** A Pod was added (no `previous`), has changed, or is gone (no `pod`). */
  #podChanged(previous: Pod | undefined, pod: Pod | undefined, span: SpanId): void {
    const last = (pod ?? previous) as Pod;
    const selecting = this.#namespaces.get(last.metadata.namespace ?? '');
    if (!selecting || !((previous && hasEndpoint(previous)) || (pod && hasEndpoint(pod)))) return;
    const before = previous && this.#matching(selecting, previous);
    const now = pod && this.#matching(selecting, pod);
    if (before === now && previous && pod && !isEndpointChanged(previous, pod)) return;
    const podKey = keyOf(last);
    for (const matching of before === now ? [now] : [before, now]) {
      if (!matching) continue;
      for (const [serviceKey, selected] of matching) {
        selected.mark(podKey);
        this.#deps.queue.add(serviceKey, span);
      }
    }
  }

  #matching(selecting: Selecting<T>, { metadata: { labels = NO_LABELS } }: Pod): ReadonlyMap<string, SelectedPods<T>> {
    const known = selecting.matches.get(labels);
    if (known) return known;
    const found = new Map<string, SelectedPods<T>>();
    for (const [key, selected] of selecting.services) {
      if (isSelected(selected.selector, labels)) found.set(key, selected);
    }
    selecting.matches.set(labels, found);
    return found;
  }
}

function isSelected(selector: Labels, labels: Labels = NO_LABELS): boolean {
  for (const key in selector) if (!Object.hasOwn(labels, key) || labels[key] !== selector[key]) return false;
  return true;
}

/** Whether a Service says which Pods are behind it. An empty selector is none. */
export function hasSelector({ spec: { selector } }: Service): boolean {
  return selector !== undefined && Object.keys(selector).length > 0;
}

/** Whether a Pod can be an endpoint at all, terminating or not. */
export function hasEndpoint(pod: Pod): boolean {
  return !isPodTerminal(pod) && Boolean(pod.status?.podIP || pod.status?.podIPs?.length);
}

function isEndpointChanged(previous: Pod, pod: Pod): boolean {
  return (
    previous.metadata.uid !== pod.metadata.uid ||
    previous.metadata.deletionTimestamp !== pod.metadata.deletionTimestamp ||
    isPodReady(previous) !== isPodReady(pod) ||
    hasEndpoint(previous) !== hasEndpoint(pod) ||
    !jsonEqual(previous.status?.podIPs, pod.status?.podIPs)
  );
}
