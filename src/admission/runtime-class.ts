import { pods } from '#api/core/v1/pod.ts';
import type { Pod, RuntimeClass, Toleration } from '#api/generated/types.ts';
import { runtimeClasses } from '#api/node/v1/runtime-class.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { goQuote } from '#apimachinery/validation.ts';
import type { AdmissionAttributes, AdmissionPlugin, RequestContext } from '#apiserver/contract.ts';
import { admissionForbidden } from './forbidden.ts';

/** Gives Pods the overhead and the nodes of their runtime class. Follows plugin/pkg/admission/runtimeclass, v1.33. */
export const runtimeClass: AdmissionPlugin = {
  name: 'RuntimeClass',
  resources: [pods],
  admit(attributes, context) {
    if (!isNewPod(attributes)) return attributes.object;
    const pod = attributes.object as Pod;
    const found = classOf(attributes, pod, context);
    if (!found) return pod;
    const { overhead, scheduling } = found;
    const spec = { ...pod.spec };
    if (overhead) {
      const { podFixed } = overhead;
      if (Object.keys(spec.overhead ?? {}).length > 0 && !semanticEqual(podFixed, spec.overhead)) {
        throw mismatch(attributes);
      }
      if (podFixed) spec.overhead = podFixed;
      else delete spec.overhead;
    }
    if (scheduling) {
      const { nodeSelector = {} } = spec;
      for (const [key, value] of Object.entries(scheduling.nodeSelector ?? {})) {
        const own = Object.hasOwn(nodeSelector, key) ? nodeSelector[key] : value;
        if (own === value) continue;
        const why = `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`;
        throw admissionForbidden(attributes, why);
      }
      if (scheduling.nodeSelector) spec.nodeSelector = { ...nodeSelector, ...scheduling.nodeSelector };
      spec.tolerations = mergeTolerations([...(spec.tolerations ?? []), ...(scheduling.tolerations ?? [])]);
    }
    return { ...pod, spec };
  },
  validate(attributes, context) {
    if (!isNewPod(attributes)) return;
    const pod = attributes.object as Pod;
    const found = classOf(attributes, pod, context);
    if (found?.overhead) {
      if (!semanticEqual(found.overhead.podFixed, pod.spec.overhead)) throw mismatch(attributes);
    } else if (pod.spec.overhead) {
      const why = 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead';
      throw admissionForbidden(attributes, why);
    }
  },
};

const isNewPod = ({ operation, subresource, object }: AdmissionAttributes) =>
  operation === 'CREATE' && !subresource && object !== undefined;

const mismatch = (attributes: AdmissionAttributes) =>
  admissionForbidden(attributes, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");

function classOf(attributes: AdmissionAttributes, pod: Pod, context: RequestContext): RuntimeClass | undefined {
  const { runtimeClassName } = pod.spec;
  if (runtimeClassName === undefined) return undefined;
  const found = context.read(runtimeClasses, undefined, runtimeClassName);
  if (!found) throw admissionForbidden(attributes, `pod rejected: RuntimeClass ${goQuote(runtimeClassName)} not found`);
  return found;
}

/** Those that no other one covers; of equal ones the first. Follows pkg/util/tolerations, v1.33. */
function mergeTolerations(all: readonly Toleration[]): readonly Toleration[] {
  const merged: Toleration[] = [];
  all.forEach((one, i) => {
    const covered =
      merged.some((other) => covers(other, one)) ||
      all.slice(i + 1).some((other) => !semanticEqual(one, other) && covers(other, one));
    if (!covered) merged.push(one);
  });
  return merged;
}

/** Whether `wide` tolerates all that `one` does. */
function covers(wide: Toleration, one: Toleration): boolean {
  if (semanticEqual(wide, one)) return true;
  if ((wide.key ?? '') !== (one.key ?? '') && (wide.key || wide.operator !== 'Exists')) return false;
  if (wide.effect && wide.effect !== one.effect) return false;
  if (wide.effect === 'NoExecute' && wide.tolerationSeconds !== undefined) {
    if (one.tolerationSeconds === undefined || one.tolerationSeconds > wide.tolerationSeconds) return false;
  }
  if (wide.operator === 'Exists') return true;
  return one.operator === 'Equal' && (wide.value ?? '') === (one.value ?? '');
}
