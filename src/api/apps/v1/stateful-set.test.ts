import { expect, test } from 'vitest';
import { createErrors, decoded, updateErrors } from '#testing/kind.ts';
import { statefulSets } from './stateful-set.ts';

const db = (spec: string) => `
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: pg, image: postgres}]}
${spec}`;

test('defaults', () => {
  const { spec } = decoded(statefulSets, db('  volumeClaimTemplates: [{metadata: {name: data}}]'));
  expect(spec).toMatchObject({
    replicas: 1,
    podManagementPolicy: 'OrderedReady',
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
    persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
    revisionHistoryLimit: 10,
    volumeClaimTemplates: [{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', status: { phase: 'Pending' } }],
  });
});

const check = (spec: string, ...errors: string[]) =>
  test(spec.trim(), () => expect(createErrors(statefulSets, db(spec))).toEqual(errors));
check('');
check('  replicas: -1', 'spec.replicas: Invalid value: -1: must be greater than or equal to 0');
check(
  '  podManagementPolicy: Random',
  `spec.podManagementPolicy: Invalid value: "Random": must be 'OrderedReady' or 'Parallel'`,
);
check(
  '  updateStrategy: {type: OnDelete, rollingUpdate: {partition: 1}}',
  "spec.updateStrategy.rollingUpdate: Invalid value: apps.RollingUpdateStatefulSetStrategy{Partition:1, MaxUnavailable:(*intstr.IntOrString)(nil)}: only allowed for updateStrategy 'RollingUpdate'",
);

test('what may change', () => {
  expect(updateErrors(statefulSets, db(''), db('  replicas: 3\n  minReadySeconds: 2'))).toEqual([]);
  expect(updateErrors(statefulSets, db(''), db('').replace('serviceName: db', 'serviceName: other'))).toEqual([
    "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
  ]);
});
