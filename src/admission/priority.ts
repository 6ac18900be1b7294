import { pods } from '#api/core/v1/pod.ts';
import type { Pod, PodSpec, PriorityClass } from '#api/generated/types.ts';
import { priorityClasses } from '#api/scheduling/v1/priority-class.ts';
import type { AdmissionAttributes, AdmissionPlugin, RequestContext } from '#apiserver/contract.ts';
import { admissionForbidden } from './forbidden.ts';

/** Turns the names of priority classes into numbers, and keeps one class the default. Follows plugin/pkg/admission/priority, v1.33. */
export const priority: AdmissionPlugin = {
  name: 'Priority',
  resources: [pods, priorityClasses],
  admit(attributes, context) {
    const { resource, subresource, operation, object, oldObject } = attributes;
    if (resource !== pods || subresource || !object) return object;
    if (operation === 'CREATE') return withPriority(attributes, object as Pod, context);
    return operation === 'UPDATE' ? withOldPriority(object as Pod, oldObject as Pod) : object;
  },
  validate(attributes, context) {
    const { resource, subresource, operation, object } = attributes;
    if (resource !== priorityClasses || subresource || !(object as PriorityClass | undefined)?.globalDefault) {
      return;
    }
    const current = defaultClass(context);
    if (current && (operation === 'CREATE' || current.metadata.name !== object?.metadata.name)) {
      const name = current.metadata.name ?? '';
      const why = `PriorityClass ${name} is already marked as default. Only one default can exist`;
      throw admissionForbidden(attributes, why);
    }
  },
};

/** Of several default classes the one of the lowest value counts. */
function defaultClass(context: RequestContext): PriorityClass | undefined {
  let lowest: PriorityClass | undefined;
  for (const one of context.readAll(priorityClasses)) {
    if (one.globalDefault && (!lowest || one.value < lowest.value)) lowest = one;
  }
  return lowest;
}

function withPriority(attributes: AdmissionAttributes, pod: Pod, context: RequestContext): Pod {
  const { spec } = pod;
  const named = spec.priorityClassName;
  const found = named ? context.read(priorityClasses, undefined, named) : defaultClass(context);
  if (named && !found) throw admissionForbidden(attributes, `no PriorityClass with name ${named} was found`);
  const value = found?.value ?? 0;
  const policy = found ? found.preemptionPolicy : 'PreemptLowerPriority';
  const mismatch = (what: string, given: unknown, computed: unknown) =>
    admissionForbidden(
      attributes,
      `the ${what} (${String(given)}) must not be provided in pod spec; priority admission controller computed ${String(computed)} from the given PriorityClass name`,
    );
  if (spec.priority !== undefined && spec.priority !== value) {
    throw mismatch('integer value of priority', spec.priority, value);
  }
  if (policy && spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy) {
    throw mismatch('string value of PreemptionPolicy', spec.preemptionPolicy, policy);
  }
  const next: { -readonly [K in keyof PodSpec]: PodSpec[K] } = { ...spec, priority: value };
  const className = named || found?.metadata.name;
  if (className) next.priorityClassName = className;
  if (policy) next.preemptionPolicy = policy;
  return { ...pod, spec: next };
}

function withOldPriority(pod: Pod, old: Pod): Pod {
  const { priority: value, preemptionPolicy } = old.spec;
  const lacks = {
    ...(pod.spec.priority === undefined && value !== undefined ? { priority: value } : {}),
    ...(pod.spec.preemptionPolicy === undefined && preemptionPolicy ? { preemptionPolicy } : {}),
  };
  return Object.keys(lacks).length === 0 ? pod : { ...pod, spec: { ...pod.spec, ...lacks } };
}
