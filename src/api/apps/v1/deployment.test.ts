import { describe, expect, test } from 'vitest';
import { createErrors, decoded, prepared, texts, updateErrors } from '#testing/kind.ts';
import { deployments } from './deployment.ts';

const web = (spec: string, labels = 'app: web') => `
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {${labels}}}
    spec: {containers: [{name: nginx, image: nginx}]}
${spec}`;

test('defaults', () => {
  const { spec } = decoded(deployments, web(''));
  expect(spec).toMatchObject({
    replicas: 1,
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
    template: { spec: { restartPolicy: 'Always', dnsPolicy: 'ClusterFirst', terminationGracePeriodSeconds: 30 } },
  });
  expect(spec?.template.spec?.enableServiceLinks).toBeUndefined();
  const recreate = decoded(deployments, web('  strategy: {type: Recreate}'));
  expect(recreate.spec?.strategy).toEqual({ type: 'Recreate' });
  expect(deployments.defaults?.(recreate)).toBe(recreate);
});

const NO_LABELS = 'Invalid value: map[string]string(nil): `selector` does not match template `labels`';

describe('validation', () => {
  const check = (spec: string, ...errors: string[]) =>
    test(spec.trim(), () => expect(createErrors(deployments, web(spec))).toEqual(errors));
  check('');
  check('  replicas: -1', 'spec.replicas: Invalid value: -1: must be greater than or equal to 0');
  check(
    '  minReadySeconds: 5\n  progressDeadlineSeconds: 5',
    'spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds',
  );
  check(
    '  strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}',
    'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: intstr.IntOrString{Type:0, IntVal:0, StrVal:""}: may not be 0 when `maxSurge` is 0',
  );
  check(
    '  strategy: {rollingUpdate: {maxSurge: half, maxUnavailable: 120%}}',
    `spec.strategy.rollingUpdate.maxSurge: Invalid value: intstr.IntOrString{Type:1, IntVal:0, StrVal:"half"}: a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')`,
    'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: intstr.IntOrString{Type:1, IntVal:0, StrVal:"120%"}: must not be greater than 100%',
  );
  check(
    '  strategy: {type: Recreate, rollingUpdate: {}}',
    "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
  );
  check(
    '  strategy: {type: Slow}',
    'spec.strategy: Unsupported value: apps.DeploymentStrategy{Type:"Slow", RollingUpdate:(*apps.RollingUpdateDeployment)(nil)}: supported values: "Recreate", "RollingUpdate"',
  );
  test('labels that the selector does not match', () =>
    expect(createErrors(deployments, web('', 'app: other'))).toEqual([
      'spec.template.metadata.labels: Invalid value: map[string]string{"app":"other"}: `selector` does not match template `labels`',
    ]));
  test('no selector', () =>
    expect(
      createErrors(deployments, 'metadata: {name: web}\nspec: {template: {spec: {containers: [{name: a, image: b}]}}}'),
    ).toEqual(['spec.selector: Required value', `spec.template.metadata.labels: ${NO_LABELS}`]));
  test('Pods that end', () =>
    expect(
      createErrors(
        deployments,
        web('').replace('spec: {containers', 'spec: {restartPolicy: Never, activeDeadlineSeconds: 1, containers'),
      ),
    ).toEqual([
      'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
      'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported',
    ]));
});

test('the selector stays', () => {
  const other = web('')
    .replace('matchLabels: {app: web}', 'matchLabels: {app: web, tier: a}')
    .replace('{app: web}}\n    spec', '{app: web, tier: a}}\n    spec');
  expect(updateErrors(deployments, web(''), other)).toEqual([
    'spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string{"app":"web", "tier":"a"}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: field is immutable',
  ]);
});

test('generation counts changes of the spec and of annotations', () => {
  const update = (next: string) =>
    deployments.strategy?.prepareForUpdate?.(decoded(deployments, next), prepared(deployments, web('')), { now: 0 })
      .metadata.generation;
  expect(update(web('  replicas: 2'))).toBe(2);
  expect(update(web('').replace('name: web}', 'name: web, annotations: {a: b}}'))).toBe(2);
  expect(update(web('').replace('name: web}', 'name: web, labels: {a: b}}'))).toBeUndefined();
});

test('status counts', () => {
  const previous = prepared(deployments, web(''));
  const status = { replicas: 1, readyReplicas: 2, availableReplicas: 3, collisionCount: 0 };
  expect(
    texts(
      deployments.subresources?.status?.validateUpdate(
        { ...previous, status },
        { ...previous, status: { collisionCount: 1 } },
      ),
    ),
  ).toEqual([
    'status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas',
    'status.availableReplicas: Invalid value: 3: cannot be greater than status.replicas',
    'status.availableReplicas: Invalid value: 3: cannot be greater than readyReplicas',
    'status.collisionCount: Invalid value: 0: cannot be decremented',
  ]);
});

test('columns', () => {
  const cells = deployments.columns?.map(({ name, cell }) => [
    name,
    cell({ ...prepared(deployments, web('  replicas: 3')), status: { readyReplicas: 2, updatedReplicas: 1 } }, 0),
  ]);
  expect(cells).toEqual([
    ['Name', 'web'],
    ['Ready', '2/3'],
    ['Up-to-date', 1],
    ['Available', 0],
    ['Age', '<unknown>'],
    ['Containers', 'nginx'],
    ['Images', 'nginx'],
    ['Selector', 'app=web'],
  ]);
});
