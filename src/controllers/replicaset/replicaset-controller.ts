import { labelSelectorTerms } from '#apimachinery/selectors.ts';
import { replicaSets } from '#api/apps/v1/replica-set.ts';
import { replicaController } from './replica-controller.ts';

/** Keeps the Pods of ReplicaSets at their number. */
export const replicaSetController = replicaController({
  name: 'replicaset-controller',
  component: 'replicaset-controller',
  resource: replicaSets,
  selector: ({ spec }) => labelSelectorTerms(spec?.selector),
});
