import { expect, test } from 'vitest';
import { limitRanges } from '#api/core/v1/limit-range.ts';
import { pods } from '#api/core/v1/pod.ts';
import type { PersistentVolumeClaim } from '#api/generated/types.ts';
import { decoded } from '#testing/kind.ts';
import { TestApi } from '#testing/test-api.ts';
import { claimErrors, limitRanger, podErrors, withDefaults } from './limit-ranger.ts';

const range = (limits: string) => {
  const object = decoded(limitRanges, `metadata: {name: r, namespace: default}\nspec: {limits: [${limits}]}`);
  return limitRanges.defaults?.(object) ?? object;
};
const pod = (resources: string, more = '') =>
  decoded(
    pods,
    `metadata: {name: web, namespace: default}\nspec: {containers: [{name: a, image: x, resources: ${resources}}]${more}}`,
  );

test('defaults of containers', () => {
  const check = (limits: string, resources: string, result: object, note?: string) => {
    const made = withDefaults(pod(resources), range(limits));
    expect(made.spec.containers[0]?.resources).toEqual(result);
    expect(made.metadata.annotations?.['kubernetes.io/limit-ranger']).toBe(note);
  };
  const item = '{type: Container, default: {cpu: 500m, memory: 128Mi}, defaultRequest: {cpu: 250m}}';
  check(
    item,
    '{}',
    { limits: { cpu: '500m', memory: '128Mi' }, requests: { cpu: '250m', memory: '128Mi' } },
    'LimitRanger plugin set: cpu, memory request for container a; cpu, memory limit for container a',
  );
  check(
    item,
    '{limits: {cpu: "1"}, requests: {cpu: "1", memory: 1Mi}}',
    { limits: { cpu: '1', memory: '128Mi' }, requests: { cpu: '1', memory: '1Mi' } },
    'LimitRanger plugin set: memory limit for container a',
  );
  check(
    '{type: Container, max: {cpu: "2"}, min: {memory: 1Mi}}',
    '{}',
    { limits: { cpu: '2' }, requests: { cpu: '2', memory: '1Mi' } },
    'LimitRanger plugin set: cpu, memory request for container a; cpu limit for container a',
  );
  check('{type: Pod, max: {cpu: "2"}}', '{}', {});
});

test('bounds', () => {
  const check = (limits: string, resources: string, errors: readonly string[], more?: string) =>
    expect(podErrors(range(limits), pod(resources, more))).toEqual(errors);
  const cpu = '{type: Container, max: {cpu: "1"}, min: {cpu: 100m}}';
  check(cpu, '{limits: {cpu: "2"}, requests: {cpu: 50m}}', [
    'minimum cpu usage per Container is 100m, but request is 50m',
    'maximum cpu usage per Container is 1, but limit is 2',
  ]);
  check(cpu, '{}', [
    'minimum cpu usage per Container is 100m.  No request is specified',
    'maximum cpu usage per Container is 1.  No limit is specified',
  ]);
  check(cpu, '{limits: {cpu: 50m}, requests: {cpu: "2"}}', [
    'minimum cpu usage per Container is 100m, but limit is 50m',
    'maximum cpu usage per Container is 1, but request is 2',
  ]);
  const ratio = '{type: Container, maxLimitRequestRatio: {cpu: "1.5"}}';
  check(ratio, '{limits: {cpu: "2"}, requests: {cpu: "1"}}', [
    'cpu max limit to request ratio per Container is 1500m, but provided ratio is 2.000000',
  ]);
  check(ratio, '{}', [
    'cpu max limit to request ratio per Container is 1500m, but no request is specified or request is 0',
  ]);
  check(
    '{type: Pod, max: {cpu: "1"}}',
    '{limits: {cpu: 600m}, requests: {cpu: 600m}}',
    ['maximum cpu usage per Pod is 1, but limit is 1600m'],
    ', initContainers: [{name: i, image: x, restartPolicy: Always, resources: {limits: {cpu: "1"}, requests: {cpu: 1m}}}]',
  );
});

test('a range without limits limits nothing', () => {
  for (const spec of ['{limits: null}', 'null']) {
    const empty = decoded(limitRanges, `metadata: {name: r}\nspec: ${spec}`);
    const given = pod('{}');
    expect(withDefaults(given, empty)).toBe(given);
    expect(podErrors(empty, given)).toEqual([]);
    expect(claimErrors(empty, { metadata: {}, spec: {} })).toEqual([]);
  }
});

test('claims', () => {
  const claim: PersistentVolumeClaim = { metadata: {}, spec: { resources: { requests: { storage: '5Gi' } } } };
  const check = (limits: string, errors: readonly string[]) =>
    expect(claimErrors(range(limits), claim)).toEqual(errors);
  check('{type: PersistentVolumeClaim, min: {storage: 1Gi}, max: {storage: 2Gi}}', [
    'maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 5Gi',
  ]);
  check('{type: PersistentVolumeClaim, min: {storage: 10Gi}}', [
    'minimum storage usage per PersistentVolumeClaim is 10Gi, but request is 5Gi',
  ]);
});

test('Pods are changed, then refused', async () => {
  const api = new TestApi('none', false, { admission: [limitRanger] });
  await api.do((client) => client.create(limitRanges, range('{type: Container, max: {cpu: "1"}}')));
  const made = await api.do((client) => client.create(pods, pod('{}')));
  expect(made.spec.containers[0]?.resources).toEqual({ limits: { cpu: '1' }, requests: { cpu: '1' } });
  await expect(api.do((client) => client.create(pods, pod('{limits: {cpu: "2"}}')))).rejects.toThrow(
    'pods "web" is forbidden: maximum cpu usage per Container is 1, but limit is 2',
  );
});
