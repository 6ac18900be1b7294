import { expect, test } from 'vitest';
import { createErrors, decoded, prepared } from '#testing/kind.ts';
import { fromV2, horizontalPodAutoscalersV1, toV2 } from '../v1/horizontal-pod-autoscaler.ts';
import { horizontalPodAutoscalers } from './horizontal-pod-autoscaler.ts';

const web = (spec: string) => `
metadata: {name: web}
spec: {maxReplicas: 5, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, ${spec}}`;

test('defaults', () =>
  expect(decoded(horizontalPodAutoscalers, web('behavior: {scaleUp: {selectPolicy: Min}}')).spec).toMatchObject({
    minReplicas: 1,
    metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }],
    behavior: {
      scaleUp: { selectPolicy: 'Min', stabilizationWindowSeconds: 0 },
      scaleDown: { selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] },
    },
  }));

const check = (spec: string, ...errors: string[]) =>
  test(spec, () => expect(createErrors(horizontalPodAutoscalers, web(spec))).toEqual(errors));
check('minReplicas: 2');
check('minReplicas: 6', 'spec.maxReplicas: Invalid value: 5: must be greater than or equal to `minReplicas`');
check(
  'metrics: [{type: Pods, resource: {name: cpu, target: {type: Value}}}]',
  'spec.metrics[0].resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization',
  'spec.metrics[0].pods: Required value: must populate information for the given metric source',
);
check(
  'behavior: {scaleUp: {policies: [{type: Some, value: 0, periodSeconds: 2000}]}}',
  'spec.behavior.scaleUp.policies[0].type: Unsupported value: "Some": supported values: "Percent", "Pods"',
  'spec.behavior.scaleUp.policies[0].value: Invalid value: 0: must be greater than zero',
  'spec.behavior.scaleUp.policies[0].periodSeconds: Invalid value: 2000: must be less than or equal to 1800',
);

test('both versions say the same', () => {
  const v2 = prepared(
    horizontalPodAutoscalers,
    web(
      'behavior: {scaleDown: {stabilizationWindowSeconds: 60}}, metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}, {type: Pods, pods: {metric: {name: rps}, target: {type: AverageValue, averageValue: 1k}}}]',
    ),
  );
  const v1 = fromV2(v2);
  expect(v1.spec.targetCPUUtilizationPercentage).toBe(50);
  expect(v1.metadata.annotations?.['autoscaling.alpha.kubernetes.io/metrics']).toBe(
    '[{"type":"Pods","pods":{"metricName":"rps","targetAverageValue":"1k"}}]',
  );
  const back = toV2(v1);
  expect(back.spec.behavior).toEqual(v2.spec.behavior);
  // The metric that v1 has a field for comes last, as upstream puts it.
  expect(back.spec.metrics).toEqual([...(v2.spec.metrics ?? [])].reverse());
  expect(back.metadata).toEqual(v2.metadata);
});

test('v1 without a target', () => {
  const v1 = decoded(horizontalPodAutoscalersV1, web(''));
  expect(toV2(v1).spec.metrics?.[0]?.resource?.target.averageUtilization).toBe(80);
  expect(createErrors(horizontalPodAutoscalersV1, web('minReplicas: 0'))).toEqual([
    'spec.minReplicas: Invalid value: 0: must be greater than or equal to 1',
    'spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas',
  ]);
});
