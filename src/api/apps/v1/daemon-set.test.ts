import { describe, expect, test } from 'vitest';
import { createErrors, decoded, prepared, updateErrors } from '#testing/kind.ts';
import { controllerRevisions } from './controller-revision.ts';
import { daemonSets } from './daemon-set.ts';

const agent = (spec = '', metadata = 'name: agent', image = 'nginx') => `
metadata: {${metadata}}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: a, image: ${image}}]}
${spec}`;
const GENERATION = 'deprecated.daemonset.template.generation';

test('defaults', () => {
  const object = decoded(daemonSets, agent());
  expect(object.spec).toMatchObject({
    revisionHistoryLimit: 10,
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
    template: { spec: { restartPolicy: 'Always' } },
  });
  expect(daemonSets.defaults?.(object)).toBe(object);
  expect(decoded(daemonSets, agent('  updateStrategy: {type: OnDelete}')).spec.updateStrategy).toEqual({
    type: 'OnDelete',
  });
});

test('counts the generations of the template in an annotation', () => {
  const first = prepared(daemonSets, agent());
  expect(first.metadata).toMatchObject({ generation: 1, annotations: { [GENERATION]: '1' } });
  const update = (manifest: string) =>
    daemonSets.strategy?.prepareForUpdate?.(decoded(daemonSets, manifest), first, { now: 0 }).metadata;
  expect(update(agent('', `name: agent, annotations: {${GENERATION}: "7"}`))?.annotations).toEqual({
    [GENERATION]: '1',
  });
  expect(update(agent('', 'name: agent', 'nginx:2'))).toMatchObject({
    generation: 2,
    annotations: { [GENERATION]: '2' },
  });
  expect(() => decoded(daemonSets, agent('', `name: agent, annotations: {${GENERATION}: x}`))).toThrow(
    'strconv.ParseInt: parsing "x": invalid syntax',
  );
});

describe('validation', () => {
  const check = (spec: string, ...errors: string[]) =>
    test(spec.trim(), () => expect(createErrors(daemonSets, agent(spec))).toEqual(errors));
  const path = 'spec.updateStrategy';
  check('');
  check('  minReadySeconds: -1', 'spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0');
  check('  updateStrategy: {rollingUpdate: {maxSurge: 10%, maxUnavailable: 0}}');
  check(
    '  updateStrategy: {rollingUpdate: {maxSurge: 1}}',
    `${path}.rollingUpdate.maxSurge: Invalid value: intstr.IntOrString{Type:0, IntVal:1, StrVal:""}: may not be set when maxUnavailable is non-zero`,
  );
  check(
    '  updateStrategy: {rollingUpdate: {maxUnavailable: 0%}}',
    `${path}.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0`,
  );
  check(
    '  updateStrategy: {type: Fast}',
    `${path}: Unsupported value: apps.DaemonSetUpdateStrategy{Type:"Fast", RollingUpdate:(*apps.RollingUpdateDaemonSet)(nil)}: supported values: "RollingUpdate", "OnDelete"`,
  );
  test('the selector stays', () =>
    expect(updateErrors(daemonSets, agent(), agent().replaceAll('agent}', 'other}'))).toEqual([
      'spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string{"app":"other"}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: field is immutable',
    ]));
});

test('table', () => {
  const object = prepared(
    daemonSets,
    agent().replace('{containers', '{nodeSelector: {zone: b, disk: ssd}, containers'),
  );
  const cells = daemonSets.columns?.slice(1, 7).map(({ cell }) => cell(object, 0));
  expect(cells).toEqual([0, 0, 0, 0, 0, 'disk=ssd,zone=b']);
});

test('revisions', () => {
  const revision = (rest: string) => `metadata: {name: r}\n${rest}`;
  expect(createErrors(controllerRevisions, revision('revision: 1\ndata: {a: 1}'))).toEqual([]);
  expect(createErrors(controllerRevisions, revision('revision: -1'))).toEqual([
    'revision: Invalid value: -1: must be greater than or equal to 0',
    'data: Required value: data is mandatory',
  ]);
  expect(
    updateErrors(controllerRevisions, revision('revision: 1\ndata: {a: 1}'), revision('revision: 2\ndata: {}')),
  ).toEqual([
    'data: Invalid value: runtime.RawExtension{Raw:[]uint8{0x7b, 0x7d}, Object:runtime.Object(nil)}: field is immutable',
  ]);
});
