import { expect, test } from 'vitest';
import { createErrors, decoded, prepared, updateErrors } from '#testing/kind.ts';
import { jobs } from './job.ts';

const job = (spec: string, template = 'restartPolicy: Never') => `
metadata: {name: pi, uid: u-1}
spec:
  template:
    spec: {${template ? `${template}, ` : ''}containers: [{name: pi, image: perl}]}
${spec}`;

test('defaults, labels and the selector', () => {
  const { metadata, spec } = prepared(jobs, job(''));
  expect(spec).toMatchObject({
    backoffLimit: 6,
    completionMode: 'NonIndexed',
    completions: 1,
    manualSelector: false,
    parallelism: 1,
    podReplacementPolicy: 'TerminatingOrFailed',
    suspend: false,
    selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': 'u-1' } },
  });
  expect(spec.template.metadata?.labels).toEqual({
    'batch.kubernetes.io/controller-uid': 'u-1',
    'batch.kubernetes.io/job-name': 'pi',
    'controller-uid': 'u-1',
    'job-name': 'pi',
  });
  expect(metadata.labels).toEqual(spec.template.metadata?.labels);
  expect(decoded(jobs, job('  parallelism: 2')).spec.completions).toBeUndefined();
  const given = decoded(jobs, job(''));
  expect(jobs.defaults?.(given)).toBe(given);
});

const check = (spec: string, ...errors: string[]) =>
  test(spec.trim(), () => expect(createErrors(jobs, job(spec))).toEqual(errors));
check('');
check(
  '  completions: -1\n  backoffLimit: -2',
  'spec.completions: Invalid value: -1: must be greater than or equal to 0',
  'spec.backoffLimit: Invalid value: -2: must be greater than or equal to 0',
);
check(
  '  completionMode: Indexed\n  parallelism: 1',
  'spec.completions: Required value: when completion mode is Indexed',
);
check(
  '  completionMode: Sorted',
  'spec.completionMode: Unsupported value: "Sorted": supported values: "NonIndexed", "Indexed"',
);
check(
  '  maxFailedIndexes: 1',
  'spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified',
  'spec.maxFailedIndexes: Invalid value: 1: requires indexed completion mode',
);
check(
  '  podFailurePolicy: {rules: [{action: Stop, onExitCodes: {operator: In, values: [2, 0, 2]}}, {action: Count}]}',
  'spec.podFailurePolicy.rules[0].action: Unsupported value: "Stop": supported values: "Count", "FailIndex", "FailJob", "Ignore"',
  'spec.podFailurePolicy.rules[0].onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator',
  'spec.podFailurePolicy.rules[0].onExitCodes.values[2]: Duplicate value: 2',
  'spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: []int32{2, 0, 2}: must be ordered',
  'spec.podFailurePolicy.rules[1]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required',
);
check(
  '  completionMode: Indexed\n  completions: 3\n  successPolicy: {rules: [{succeededIndexes: "0-1,1", succeededCount: 4}]}',
  'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "0-1,1": error parsing succeededIndexes: non-increasing order, previous: 1, current: 1',
  'spec.successPolicy.rules[0].succeededCount: Invalid value: 4: must be less than or equal to 3 (the number of specified completions)',
  'spec.successPolicy.rules[0].succeededCount: Invalid value: 4: must be less than or equal to 0 (the number of indexes in the specified succeededIndexes field)',
);

test('Pods that are restarted for ever never complete', () =>
  expect(createErrors(jobs, job('', ''))).toEqual([
    'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
  ]));

test('a template stays', () => {
  const generated = `
  selector: {matchLabels: {batch.kubernetes.io/controller-uid: u-1}}
  template:
    metadata: {labels: {batch.kubernetes.io/controller-uid: u-1, batch.kubernetes.io/job-name: pi, controller-uid: u-1, job-name: pi}}
    spec: {restartPolicy: Never, containers: [{name: pi, image: IMAGE}]}`;
  const next = `metadata: {name: pi, uid: u-1}\nspec:${generated}`;
  expect(updateErrors(jobs, job(''), next.replace('IMAGE', 'perl'))).toEqual([]);
  const [error, ...rest] = updateErrors(jobs, job(''), next.replace('IMAGE', 'perl:5'));
  expect(rest).toEqual([]);
  expect(error).toMatch(/^spec.template: Invalid value: core.PodTemplateSpec\{ObjectMeta:.*: field is immutable$/);
});

const status = (conditions: string, more = '') =>
  `metadata: {name: pi, uid: u-1}\nspec: {completions: 1}\nstatus: {startTime: "2025-01-01T00:00:00Z", conditions: [${conditions}]${more}}`;
const statusErrors = (from: string, to: string) =>
  jobs.subresources?.status
    ?.validateUpdate(decoded(jobs, to), decoded(jobs, from))
    .map(({ field, text }) => `${field}: ${text}`);

test('status', () => {
  const done = status(
    '{type: SuccessCriteriaMet, status: "True"}, {type: Complete, status: "True"}',
    ', completionTime: "2025-01-01T00:01:00Z", succeeded: 1',
  );
  expect(statusErrors(status(''), done)).toEqual([]);
  expect(statusErrors(status(''), status('{type: Complete, status: "True"}'))).toEqual([
    'status.completionTime: Required value: completionTime is required for Complete jobs',
    'status.conditions: Invalid value: cannot set Complete=True condition without the SuccessCriteriaMet=true condition',
  ]);
  expect(statusErrors(done, status(''))).toContain(
    'status.conditions: Invalid value: cannot disable the terminal Complete=True condition',
  );
});
