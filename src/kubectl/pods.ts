import type { JsonObject } from '#apimachinery/json.ts';
import { goQuote } from '#apimachinery/validation.ts';
import type { Invocation } from './command.ts';
import { asError } from './errors.ts';
import { kindOf, list, number, object, objects, strings, text } from './fields.ts';
import { ResourceClient } from './resource-client.ts';
import { TimeoutError, within } from './waiting.ts';

/** Names the container that commands use when none is named. */
const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container';

/** What a Pod has of containers, in the order in which kubectl looks for one. */
const CONTAINERS = [
  ['containers', ''],
  ['initContainers', ' (init)'],
  ['ephemeralContainers', ' (ephem)'],
] as const;

export function hasContainer(pod: JsonObject, name: string): boolean {
  return CONTAINERS.some(([field]) => objects(pod, 'spec', field).some((each) => text(each, 'name') === name));
}

/** `a, b, c (init)` */
function containerNames(pod: JsonObject): string {
  return (['containers', 'ephemeralContainers', 'initContainers'] as const)
    .flatMap((field) => {
      const suffix = CONTAINERS.find(([each]) => each === field)?.[1] ?? '';
      return objects(pod, 'spec', field).map((each) => `${text(each, 'name')}${suffix}`);
    })
    .join(', ');
}

/** The container that an annotation of the Pod names; empty without one. */
export function annotatedContainer(pod: JsonObject): string {
  return strings(pod, 'metadata', 'annotations').get(DEFAULT_CONTAINER) ?? '';
}

/** The Pod's first container. Where there are more, a line on stderr says that it was chosen, unless `quiet`. */
export function firstContainer(invocation: Invocation, pod: JsonObject, quiet: boolean): string {
  const containers = objects(pod, 'spec', 'containers');
  const name = text(containers[0], 'name');
  const others = list(pod, 'spec', 'initContainers').length + list(pod, 'spec', 'ephemeralContainers').length;
  if (!quiet && (containers.length > 1 || others > 0)) {
    invocation.complain(`Defaulted container ${goQuote(name)} out of: ${containerNames(pod)}`);
  }
  return name;
}

/** `*v1.Deployment`, as messages call the type of an object. */
export function goTypeOf(value: JsonObject): string {
  const { version, kind } = kindOf(value);
  return `*${version}.${kind}`;
}

const WITH_LABEL_SELECTOR = new Set(['ReplicaSet', 'StatefulSet', 'DaemonSet', 'Deployment', 'Job']);

/** The selector of the Pods of a workload or a Service. Follows polymorphichelpers.SelectorsForObject, v1.33. */
export function podSelectorOf(value: JsonObject): string {
  const { kind } = kindOf(value);
  const pairs = (labels: ReadonlyMap<string, string>) => [...labels].map(([key, label]) => `${key}=${label}`);
  if (WITH_LABEL_SELECTOR.has(kind)) {
    const expressions = objects(value, 'spec', 'selector', 'matchExpressions').map((each) => {
      const key = text(each, 'key');
      const values = `(${list(each, 'values').map(String).join(',')})`;
      switch (text(each, 'operator')) {
        case 'In':
          return `${key} in ${values}`;
        case 'NotIn':
          return `${key} notin ${values}`;
        case 'Exists':
          return key;
        default:
          return `!${key}`;
      }
    });
    return [...pairs(strings(value, 'spec', 'selector', 'matchLabels')), ...expressions].join(',');
  }
  if (kind === 'ReplicationController' || kind === 'Service') {
    const labels = strings(value, 'spec', 'selector');
    if (kind === 'Service' && labels.size === 0) {
      throw new Error(`invalid service '${text(value, 'metadata', 'name')}': Service is defined without a selector`);
    }
    return pairs(labels).join(',');
  }
  throw new Error(`selector for ${goTypeOf(value)} not implemented`);
}

/** The Pods of a workload, the best one first; waits for the first when there is none. Throws an error after the timeout. */
export async function podsOf(
  invocation: Invocation,
  value: JsonObject,
  timeoutMs: number,
  order: (a: JsonObject, b: JsonObject) => number,
): Promise<readonly JsonObject[]> {
  const labelSelector = podSelectorOf(value);
  const resource = await (await invocation.mapper()).forKind('', 'Pod', 'v1');
  const client = new ResourceClient(await invocation.client(), resource, text(value, 'metadata', 'namespace'));
  const found = await client.list({ labelSelector });
  const pods = objects(found, 'items');
  if (pods.length > 0) return [...pods].sort(order);
  const stream = await client.watch({ labelSelector, resourceVersion: text(found, 'metadata', 'resourceVersion') });
  const deadline = timeoutMs === 0 ? Number.POSITIVE_INFINITY : invocation.now() + timeoutMs;
  try {
    for (;;) {
      const event = await within(invocation, deadline - invocation.now(), stream.next());
      if (!event) throw new Error('watch closed before UntilWithoutRetry timeout');
      if (event.type === 'ADDED' || event.type === 'MODIFIED') return [event.object];
    }
  } catch (error) {
    throw error instanceof TimeoutError ? new Error('timed out waiting for the condition') : error;
  } finally {
    stream.close();
  }
}

const PHASES = ['Running', 'Unknown', 'Pending'];
const rankOf = (pod: JsonObject) => Math.max(0, PHASES.indexOf(text(pod, 'status', 'phase')));

const readyOf = (pod: JsonObject) =>
  objects(pod, 'status', 'conditions').find(
    (each) => text(each, 'type') === 'Ready' && text(each, 'status') === 'True',
  );

const restartsOf = (pod: JsonObject) =>
  Math.max(0, ...objects(pod, 'status', 'containerStatuses').map((each) => number(each, 'restartCount')));

/** Times compared as text: all are in UTC and of one length. No time comes last. */
const byTime = (a: string, b: string) => (a === b ? 0 : a === '' ? 1 : b === '' ? -1 : a < b ? -1 : 1);

/**
 * Which Pod of several is shown or joined: one on a node, running, ready, for long. `restarted`: then one that has been
 * restarted often (for logs), else one that has not. Follows kubectl/pkg/util/podutils, v1.33.
 */
export const bestPod =
  (restarted: boolean) =>
  (a: JsonObject, b: JsonObject): number => {
    const placed = (pod: JsonObject) => (text(pod, 'spec', 'nodeName') === '' ? 1 : 0);
    const [readyA, readyB] = [readyOf(a), readyOf(b)];
    return (
      placed(a) - placed(b) ||
      rankOf(a) - rankOf(b) ||
      Number(!readyA) - Number(!readyB) ||
      byTime(text(readyA, 'lastTransitionTime'), text(readyB, 'lastTransitionTime')) ||
      (restartsOf(b) - restartsOf(a)) * (restarted ? 1 : -1) ||
      byTime(text(a, 'metadata', 'creationTimestamp'), text(b, 'metadata', 'creationTimestamp'))
    );
  };

/** The metadata that says which Pod it is. */
export function podKey(pod: JsonObject): { readonly name: string; readonly namespace: string } {
  const metadata = object(pod, 'metadata');
  return { name: text(metadata, 'name'), namespace: text(metadata, 'namespace') };
}

/** The path of a Pod's subresource. */
export function podPath(pod: JsonObject, subresource: string): string {
  const { name, namespace } = podKey(pod);
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/${subresource}`;
}

/** The container that is meant when none is named. Follows podcmd.FindOrDefaultContainerByName, v1.33. */
export function defaultContainer(invocation: Invocation, pod: JsonObject, quiet: boolean): string {
  const annotated = annotatedContainer(pod);
  return annotated !== '' && hasContainer(pod, annotated) ? annotated : firstContainer(invocation, pod, quiet);
}

/** The Pod itself, or one of a workload. */
export async function attachablePod(invocation: Invocation, value: JsonObject): Promise<JsonObject> {
  const { kind, group } = kindOf(value);
  if (kind === 'Pod' && group === '') return value;
  try {
    podSelectorOf(value);
  } catch (error) {
    throw new Error(`cannot attach to ${goTypeOf(value)}: ${asError(error).message}`);
  }
  const timeout = invocation.flags.duration('pod-running-timeout');
  return (await podsOf(invocation, value, timeout, bestPod(false)))[0] as JsonObject;
}
