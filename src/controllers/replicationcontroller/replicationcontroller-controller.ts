import { labelSelectorTerms } from '#apimachinery/selectors.ts';
import { replicationControllers } from '#api/core/v1/replication-controller.ts';
import { replicaController } from '../replicaset/replica-controller.ts';

/** Keeps the Pods of ReplicationControllers at their number. Follows pkg/controller/replication, v1.33. */
export const replicationControllerController = replicaController({
  name: 'replicationcontroller-controller',
  component: 'replication-controller',
  resource: replicationControllers,
  selector: ({ spec }) => labelSelectorTerms({ matchLabels: spec?.selector ?? {} }),
});
