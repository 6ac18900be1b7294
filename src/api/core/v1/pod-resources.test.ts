import { expect, test } from 'vitest';
import { decoded } from '#testing/kind.ts';
import { pods } from './pod.ts';
import { configMapNames, secretNames } from './pod-references.ts';
import { podLimits, podRequests } from './pod-resources.ts';
import { withPodCondition } from './pod-status.ts';

test('what a Pod asks for: its containers together, or starting them, and the overhead', () => {
  const check = (spec: string, requests: object, limits: object) => {
    const pod = decoded(pods, `spec:\n  ${spec}`);
    expect([podRequests(pod), podLimits(pod)]).toEqual([requests, limits]);
  };
  const resources = (fields: string) => `name: a, image: x, resources: {${fields}}`;
  check('containers: [{name: a, image: x}]', {}, {});
  check(
    `containers: [{${resources('requests: {cpu: 100m}, limits: {memory: 1Gi}')}}, {${resources('requests: {cpu: 1}')}}]`,
    { cpu: '1100m', memory: '1Gi' },
    { memory: '1Gi' },
  );
  check(
    `initContainers: [{${resources('requests: {cpu: 3}')}}]\n  containers: [{${resources('requests: {cpu: 1, memory: 1Mi}')}}]`,
    { cpu: '3', memory: '1Mi' },
    {},
  );
  check(
    `initContainers: [{restartPolicy: Always, ${resources('requests: {cpu: 1}')}}, {${resources('requests: {cpu: 2}')}}]\n  containers: [{${resources('requests: {cpu: 1}')}}]`,
    { cpu: '3' },
    {},
  );
  check(
    `overhead: {cpu: 250m, memory: 1Mi}\n  containers: [{${resources('limits: {cpu: 1}')}}]`,
    { cpu: '1250m', memory: '1Mi' },
    { cpu: '1250m' },
  );
});

test('the names of what a Pod needs', () => {
  const pod = decoded(
    pods,
    `spec:
  imagePullSecrets: [{name: pull}]
  initContainers: [{name: i, image: x, envFrom: [{secretRef: {name: s1}}, {configMapRef: {name: c1}}]}]
  containers: [{name: a, image: x, env: [{name: A, valueFrom: {secretKeyRef: {name: s1, key: k}}}, {name: B, valueFrom: {configMapKeyRef: {name: c2, key: k}}}]}]
  volumes: [{name: v, secret: {secretName: s2}}, {name: w, projected: {sources: [{configMap: {name: c3}}, {secret: {name: s3}}]}}]`,
  );
  expect(secretNames(pod)).toEqual(['pull', 's1', 's2', 's3']);
  expect(configMapNames(pod)).toEqual(['c1', 'c2', 'c3']);
});

test('a condition moves its time only when its status changes', () => {
  const first = withPodCondition({}, { type: 'Ready', status: 'False', reason: 'A' }, 0);
  const condition = { type: 'Ready', lastProbeTime: null, lastTransitionTime: '1970-01-01T00:00:00Z' };
  expect(first.conditions).toEqual([{ ...condition, status: 'False', reason: 'A' }]);
  expect(withPodCondition(first, { type: 'Ready', status: 'False', reason: 'A' }, 5000)).toBe(first);
  const explained = withPodCondition(first, { type: 'Ready', status: 'False', message: 'm' }, 5000);
  expect(explained.conditions).toEqual([{ ...condition, status: 'False', message: 'm' }]);
  const ready = withPodCondition(explained, { type: 'Ready', status: 'True' }, 5000);
  expect(ready.conditions).toEqual([{ ...condition, status: 'True', lastTransitionTime: '1970-01-01T00:00:05Z' }]);
});
