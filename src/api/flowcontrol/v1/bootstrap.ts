import type {
  FlowcontrolV1Subject,
  FlowSchema,
  PolicyRulesWithSubjects,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
  ResourcePolicyRule,
} from '../../generated/types.ts';

// What every API server begins with. Follows apiserver/pkg/apis/flowcontrol/bootstrap, v1.33.

/** Objects that are kept as they are made, as long as this annotation says so. */
export const AUTO_UPDATE = 'apf.kubernetes.io/autoupdate-spec';

const ALL = ['*'];
const metadata = (name: string) => ({ name, annotations: { [AUTO_UPDATE]: 'true' }, generation: 1 });

const level = (name: string, spec: PriorityLevelConfigurationSpec): PriorityLevelConfiguration => ({
  metadata: metadata(name),
  spec,
  status: {},
});
const limited = (name: string, shares: number, lendablePercent: number, queues: number, handSize: number) =>
  level(name, {
    type: 'Limited',
    limited: {
      nominalConcurrencyShares: shares,
      limitResponse: { type: 'Queue', queuing: { queues, handSize, queueLengthLimit: 50 } },
      lendablePercent,
    },
  });

/** The levels that must be there and as they are; but an administrator may write `exempt` of the first one. */
export const mandatoryPriorityLevels: readonly PriorityLevelConfiguration[] = [
  level('exempt', { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } }),
  level('catch-all', {
    type: 'Limited',
    limited: { nominalConcurrencyShares: 5, limitResponse: { type: 'Reject' }, lendablePercent: 0 },
  }),
];

/** The levels that administrators may change. */
export const suggestedPriorityLevels: readonly PriorityLevelConfiguration[] = [
  limited('system', 30, 33, 64, 6),
  limited('node-high', 40, 25, 64, 6),
  limited('leader-election', 10, 0, 16, 4),
  limited('workload-high', 40, 50, 128, 6),
  limited('workload-low', 100, 90, 128, 6),
  limited('global-default', 20, 50, 128, 6),
];

const groups = (...names: string[]) => names.map((name): FlowcontrolV1Subject => ({ kind: 'Group', group: { name } }));
const users = (...names: string[]) => names.map((name): FlowcontrolV1Subject => ({ kind: 'User', user: { name } }));
const systemAccounts = (...names: string[]) =>
  names.map(
    (name): FlowcontrolV1Subject => ({
      kind: 'ServiceAccount',
      serviceAccount: { namespace: 'kube-system', name },
    }),
  );
const EVERYBODY = groups('system:unauthenticated', 'system:authenticated');
const everything = (subjects: readonly FlowcontrolV1Subject[]): PolicyRulesWithSubjects => ({
  subjects,
  resourceRules: [{ verbs: ALL, apiGroups: ALL, resources: ALL, clusterScope: true, namespaces: ALL }],
  nonResourceRules: [{ verbs: ALL, nonResourceURLs: ALL }],
});
const namespaced = (group: string, ...resources: string[]): ResourcePolicyRule => ({
  verbs: ['get', 'create', 'update'],
  apiGroups: [group],
  resources,
  namespaces: ALL,
});
const LEASES = namespaced('coordination.k8s.io', 'leases');

function schema(
  name: string,
  priorityLevel: string,
  matchingPrecedence: number,
  distinguisher: string | undefined,
  rule: PolicyRulesWithSubjects,
): FlowSchema {
  return {
    metadata: metadata(name),
    spec: {
      priorityLevelConfiguration: { name: priorityLevel },
      matchingPrecedence,
      ...(distinguisher === undefined ? {} : { distinguisherMethod: { type: distinguisher } }),
      rules: [rule],
    },
    status: {},
  };
}

/** The schemas that must be there and as they are. */
export const mandatoryFlowSchemas: readonly FlowSchema[] = [
  schema('exempt', 'exempt', 1, undefined, everything(groups('system:masters'))),
  schema('catch-all', 'catch-all', 10_000, 'ByUser', everything(EVERYBODY)),
];

/** The schemas that administrators may change. */
export const suggestedFlowSchemas: readonly FlowSchema[] = [
  schema('system-nodes', 'system', 500, 'ByUser', everything(groups('system:nodes'))),
  schema('system-node-high', 'node-high', 400, 'ByUser', {
    subjects: groups('system:nodes'),
    resourceRules: [
      { verbs: ALL, apiGroups: [''], resources: ['nodes', 'nodes/status'], clusterScope: true, namespaces: ALL },
      { ...LEASES, verbs: ALL },
    ],
  }),
  schema('probes', 'exempt', 2, undefined, {
    subjects: EVERYBODY,
    nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }],
  }),
  schema('system-leader-election', 'leader-election', 100, 'ByUser', {
    subjects: [...users('system:kube-controller-manager', 'system:kube-scheduler'), ...systemAccounts('*')],
    resourceRules: [LEASES],
  }),
  schema('workload-leader-election', 'leader-election', 200, 'ByUser', {
    subjects: systemAccounts('*'),
    resourceRules: [namespaced('', 'endpoints', 'configmaps'), LEASES],
  }),
  schema('endpoint-controller', 'workload-high', 150, 'ByUser', {
    subjects: [
      ...users('system:kube-controller-manager'),
      ...systemAccounts('endpoint-controller', 'endpointslicemirroring-controller'),
    ],
    resourceRules: [namespaced('', 'endpoints')],
  }),
  schema(
    'kube-controller-manager',
    'workload-high',
    800,
    'ByNamespace',
    everything(users('system:kube-controller-manager')),
  ),
  schema('kube-scheduler', 'workload-high', 800, 'ByNamespace', everything(users('system:kube-scheduler'))),
  schema('kube-system-service-accounts', 'workload-high', 900, 'ByNamespace', everything(systemAccounts('*'))),
  schema('service-accounts', 'workload-low', 9000, 'ByUser', everything(groups('system:serviceaccounts'))),
  schema('global-default', 'global-default', 9900, 'ByUser', everything(EVERYBODY)),
];
