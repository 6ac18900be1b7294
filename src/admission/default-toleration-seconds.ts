import { pods } from '#api/core/v1/pod.ts';
import type { Pod, Toleration } from '#api/generated/types.ts';
import { deepFreeze } from '#apimachinery/json.ts';
import type { AdmissionPlugin } from '#apiserver/contract.ts';

const toleration = (key: string): Toleration =>
  deepFreeze({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 });
const DEFAULTS = [toleration('node.kubernetes.io/not-ready'), toleration('node.kubernetes.io/unreachable')];

/**
 * Pods stay five minutes on a node that is not ready or cannot be reached, unless they say otherwise.
 * Follows plugin/pkg/admission/defaulttolerationseconds, v1.33.
 */
export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  resources: [pods],
  admit({ subresource, operation, object }) {
    const isWrite = operation === 'CREATE' || operation === 'UPDATE';
    if (subresource || !isWrite || !object) return object;
    const pod = object as Pod;
    const { tolerations = [] } = pod.spec;
    const missing = DEFAULTS.filter(
      ({ key }) =>
        !tolerations.some((own) => (!own.key || own.key === key) && (!own.effect || own.effect === 'NoExecute')),
    );
    if (missing.length === 0) return pod;
    return { ...pod, spec: { ...pod.spec, tolerations: [...tolerations, ...missing] } } as Pod;
  },
};
