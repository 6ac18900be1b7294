import { csrCleanerController } from './certificates/csr-cleaner-controller.ts';
import { csrSigningController } from './certificates/csr-signing-controller.ts';
import { clusterRoleAggregationController } from './clusterrole-aggregation/clusterrole-aggregation-controller.ts';
import { daemonSetController } from './daemon/daemonset-controller.ts';
import type { ControllerDefinition } from './define-controller.ts';
import { deploymentController } from './deployment/deployment-controller.ts';
import { disruptionController } from './disruption/disruption-controller.ts';
import { endpointsController } from './endpoints/endpoints-controller.ts';
import { endpointSliceController } from './endpointslice/endpointslice-controller.ts';
import { endpointSliceMirroringController } from './endpointslicemirroring/endpointslicemirroring-controller.ts';
import { garbageCollectorController } from './garbage-collector/garbage-collector-controller.ts';
import { namespaceController } from './namespace/namespace-controller.ts';
import { nodeIPAMController } from './node-ipam/node-ipam-controller.ts';
import { nodeLifecycleController } from './node-lifecycle/node-lifecycle-controller.ts';
import { podGarbageCollector } from './pod-garbage-collector/pod-garbage-collector.ts';
import { replicaSetController } from './replicaset/replicaset-controller.ts';
import { replicationControllerController } from './replicationcontroller/replicationcontroller-controller.ts';
import { resourceQuotaController } from './resourcequota/resourcequota-controller.ts';
import { rootCACertPublisher } from './root-ca-cert-publisher/root-ca-cert-publisher.ts';
import { serviceCIDRController } from './service-cidr/service-cidr-controller.ts';
import { serviceLBController } from './service-lb/service-lb-controller.ts';
import { serviceAccountController } from './serviceaccount/serviceaccount-controller.ts';
import { serviceAccountTokenController } from './serviceaccount-token/serviceaccount-token-controller.ts';
import { taintEvictionController } from './taint-eviction/taint-eviction-controller.ts';
import { pvProtectionController } from './volume-protection/pv-protection-controller.ts';
import { pvcProtectionController } from './volume-protection/pvc-protection-controller.ts';

/** All controllers of kube-controller-manager, by name. */
export const controllers: readonly ControllerDefinition[] = [
  csrCleanerController,
  csrSigningController,
  clusterRoleAggregationController,
  daemonSetController,
  deploymentController,
  disruptionController,
  endpointsController,
  endpointSliceController,
  endpointSliceMirroringController,
  garbageCollectorController,
  namespaceController,
  nodeIPAMController,
  nodeLifecycleController,
  pvProtectionController,
  pvcProtectionController,
  podGarbageCollector,
  replicaSetController,
  replicationControllerController,
  resourceQuotaController,
  rootCACertPublisher,
  serviceAccountController,
  serviceAccountTokenController,
  serviceCIDRController,
  serviceLBController,
  taintEvictionController,
];
