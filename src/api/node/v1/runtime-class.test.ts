import { expect, test } from 'vitest';
import { createErrors, decoded, updateErrors } from '#testing/kind.ts';
import { runtimeClasses } from './runtime-class.ts';

test('what a class is refused for', () => {
  const check = (manifest: string, ...errors: string[]) =>
    expect(createErrors(runtimeClasses, `metadata: {name: a}\n${manifest}`)).toEqual(errors);
  check('handler: runc\noverhead: {podFixed: {cpu: 250m, memory: 10Mi}}');
  check(
    'handler: Run.C',
    `handler: Invalid value: "Run.C": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`,
  );
  check(
    'handler: runc\noverhead: {podFixed: {cpu: "-1"}}',
    'overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0',
  );
  check(
    'handler: runc\nscheduling: {tolerations: [{key: a, operator: Exists}, {key: a, operator: Exists, effect: Some}, {key: a, operator: Exists}]}',
    'scheduling.tolerations.tolerations[1].effect: Unsupported value: "Some": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
    'scheduling.tolerations[2]: Duplicate value: core.Toleration{Key:"a", Operator:"Exists", Value:"", Effect:"", TolerationSeconds:(*int64)(nil)}',
  );
});

test('the handler stays, and old labels of nodes are told of', () => {
  expect(updateErrors(runtimeClasses, 'metadata: {name: a}\nhandler: b', 'metadata: {name: a}\nhandler: c')).toEqual([
    'handler: Invalid value: "c": field is immutable',
  ]);
  const old = 'metadata: {name: a}\nhandler: b\nscheduling: {nodeSelector: {beta.kubernetes.io/os: linux}}';
  expect(runtimeClasses.strategy?.warnings?.(decoded(runtimeClasses, old), undefined)).toEqual([
    'scheduling.nodeSelector: deprecated since v1.14; use "kubernetes.io/os" instead',
  ]);
});
