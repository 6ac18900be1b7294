import type { EnabledPlugin } from './framework/framework.ts';
import type { Handle } from './framework/handle.ts';
import { defaultBinder } from './plugins/default-binder.ts';
import { defaultPreemption } from './plugins/default-preemption.ts';
import { imageLocality } from './plugins/image-locality.ts';
import { interPodAffinity } from './plugins/inter-pod-affinity.ts';
import { nodeAffinity } from './plugins/node-affinity.ts';
import { nodeName } from './plugins/node-name.ts';
import { nodePorts } from './plugins/node-ports.ts';
import { nodeResourcesBalancedAllocation } from './plugins/node-resources-balanced-allocation.ts';
import { nodeResourcesFit } from './plugins/node-resources-fit.ts';
import { nodeUnschedulable } from './plugins/node-unschedulable.ts';
import { podTopologySpread } from './plugins/pod-topology-spread.ts';
import { prioritySort } from './plugins/priority-sort.ts';
import { schedulingGates } from './plugins/scheduling-gates.ts';
import { taintToleration } from './plugins/taint-toleration.ts';
import { volumeBinding } from './plugins/volume-binding.ts';

/**
 * The plugins of the default profile in upstream's order, with their weights. Follows
 * scheduler/apis/config/v1/default_plugins.go, v1.33, without VolumeRestrictions, NodeVolumeLimits and
 * VolumeZone.
 */
export function defaultPlugins(handle: Handle): readonly EnabledPlugin[] {
  return [
    { plugin: schedulingGates, weight: 1 },
    { plugin: prioritySort, weight: 1 },
    { plugin: nodeUnschedulable, weight: 1 },
    { plugin: nodeName, weight: 1 },
    { plugin: taintToleration, weight: 3 },
    { plugin: nodeAffinity, weight: 2 },
    { plugin: nodePorts, weight: 1 },
    { plugin: nodeResourcesFit, weight: 1 },
    { plugin: volumeBinding(handle), weight: 1 },
    { plugin: podTopologySpread(handle), weight: 2 },
    { plugin: interPodAffinity(handle), weight: 2 },
    { plugin: defaultPreemption(handle), weight: 1 },
    { plugin: nodeResourcesBalancedAllocation, weight: 1 },
    { plugin: imageLocality(handle), weight: 1 },
    { plugin: defaultBinder, weight: 1 },
  ];
}
