import { defineResource } from '#apimachinery/resource.ts';
import type { Pod } from '../../generated/types.ts';
import { podColumns, podRowConditions } from './pod-columns.ts';
import { defaultPod } from './pod-defaults.ts';
import { podNotModelled } from './pod-not-modelled.ts';
import {
  podStrategy,
  prepareEphemeralContainersUpdate,
  prepareResizeUpdate,
  prepareStatusUpdate,
} from './pod-strategy.ts';
import { validatePod } from './pod-validation.ts';
import { podStatusWarnings, validatePodStatusUpdate } from './pod-validation-status.ts';
import { validateEphemeralContainersUpdate, validatePodResize, validatePodUpdate } from './pod-validation-update.ts';

/** Pods. Binding, eviction, logs and exec are endpoints of the registry layer. */
export const pods = defineResource<Pod>({
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  singular: 'pod',
  shortNames: ['po'],
  categories: ['all'],
  scope: 'Namespaced',
  schema: 'io.k8s.api.core.v1.Pod',
  defaults: defaultPod,
  validate: validatePod,
  validateUpdate: validatePodUpdate,
  notModelled: podNotModelled,
  strategy: podStrategy,
  resetFields: { status: ['spec', 'metadata.deletionTimestamp', 'metadata.ownerReferences'] },
  subresources: {
    status: {
      prepareForUpdate: prepareStatusUpdate,
      validateUpdate: validatePodStatusUpdate,
      warnings: podStatusWarnings,
    },
    ephemeralcontainers: {
      prepareForUpdate: prepareEphemeralContainersUpdate,
      validateUpdate: validateEphemeralContainersUpdate,
    },
    resize: { prepareForUpdate: prepareResizeUpdate, validateUpdate: validatePodResize },
  },
  selectableFields: {
    'spec.nodeName': ({ spec }) => spec.nodeName ?? '',
    'spec.restartPolicy': ({ spec }) => spec.restartPolicy ?? '',
    'spec.schedulerName': ({ spec }) => spec.schedulerName ?? '',
    'spec.serviceAccountName': ({ spec }) => spec.serviceAccountName ?? '',
    'spec.hostNetwork': ({ spec }) => String(spec.hostNetwork ?? false),
    'status.phase': ({ status }) => status?.phase ?? '',
    'status.podIP': ({ status }) => status?.podIPs?.[0]?.ip ?? '',
    'status.nominatedNodeName': ({ status }) => status?.nominatedNodeName ?? '',
  },
  ownColumns: true,
  columns: podColumns,
  rowConditions: podRowConditions,
});
