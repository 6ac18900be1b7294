import type { FieldError } from '#apimachinery/field-error.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import { fill, replace } from '../../fill.ts';
import { validateStandardFinalizers } from '../../finalizers.ts';
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerSpec,
  HorizontalPodAutoscalerStatus,
  HPAScalingRules,
  MetricSpec,
  MetricTarget,
  MetricValueStatus,
} from '../../generated/types.ts';
import { validateNonnegative } from '../../nonnegative.ts';
import { validateAutoscalerSpec } from './horizontal-pod-autoscaler-validation.ts';

/** What is aimed at when nothing is said: eighty percent of the CPU that was asked for. */
export const defaultMetrics: readonly MetricSpec[] = [
  { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
];

const SCALE_UP: HPAScalingRules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
};
const SCALE_DOWN: HPAScalingRules = {
  selectPolicy: 'Max',
  policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
};

/** Follows SetDefaults_HorizontalPodAutoscaler of pkg/apis/autoscaling/v2, v1.33. */
function defaults(autoscaler: HorizontalPodAutoscaler): HorizontalPodAutoscaler {
  let spec: HorizontalPodAutoscalerSpec = fill(autoscaler.spec ?? ({} as HorizontalPodAutoscalerSpec), {
    minReplicas: 1,
  });
  if (!spec.metrics?.length) spec = { ...spec, metrics: defaultMetrics };
  if (spec.behavior) {
    const behavior = replace(spec.behavior, 'scaleUp', fill(spec.behavior.scaleUp ?? {}, SCALE_UP));
    spec = replace(spec, 'behavior', replace(behavior, 'scaleDown', fill(behavior.scaleDown ?? {}, SCALE_DOWN)));
  }
  return replace(autoscaler, 'spec', spec);
}

function validate({ metadata, spec }: HorizontalPodAutoscaler): FieldError[] {
  const errors: FieldError[] = [];
  validateStandardFinalizers(metadata, errors);
  validateAutoscalerSpec(spec, errors);
  return errors;
}

/** HPAConfigurableTolerance is off: what was not there before is not taken. */
function withoutTolerance(
  given: HorizontalPodAutoscaler,
  previous: HorizontalPodAutoscaler | undefined,
): HorizontalPodAutoscaler {
  const { behavior } = given.spec;
  const { scaleUp, scaleDown } = previous?.spec.behavior ?? {};
  if (!behavior || scaleUp?.tolerance !== undefined || scaleDown?.tolerance !== undefined) return given;
  const without = (rules: HPAScalingRules | undefined) => {
    if (rules?.tolerance === undefined) return rules;
    const { tolerance: _, ...rest } = rules;
    return rest;
  };
  const cleared = replace(behavior, 'scaleUp', without(behavior.scaleUp));
  const next = replace(cleared, 'scaleDown', without(cleared.scaleDown));
  return replace(given, 'spec', replace(given.spec, 'behavior', next));
}

const UNKNOWN = '<unknown>';

function valueText(target: MetricTarget, current: MetricValueStatus | undefined): string {
  return target.averageValue === undefined
    ? `${current?.value ?? (current ? '0' : UNKNOWN)}/${target.value ?? '0'}`
    : `${current?.averageValue ?? UNKNOWN}/${target.averageValue} (avg)`;
}

function resourceText(name: string, target: MetricTarget, current: MetricValueStatus | undefined): string {
  if (target.averageValue !== undefined) {
    return `${name}: ${current ? (current.averageValue ?? '<nil>') : UNKNOWN}/${target.averageValue}`;
  }
  const percent = (value: number | undefined, otherwise: string) => (value === undefined ? otherwise : `${value}%`);
  return `${name}: ${percent(current?.averageUtilization, UNKNOWN)}/${percent(target.averageUtilization, '<auto>')}`;
}

function metricText(
  spec: MetricSpec,
  status: Partial<NonNullable<HorizontalPodAutoscalerStatus['currentMetrics']>[number]>,
) {
  const { external, pods, object, resource, containerResource } = spec;
  if (spec.type === 'External' && external) return valueText(external.target, status.external?.current);
  if (spec.type === 'Object' && object) return valueText(object.target, status.object?.current);
  if (spec.type === 'Pods' && pods) {
    const current = status.pods ? (status.pods.current.averageValue ?? '<nil>') : UNKNOWN;
    return `${current}/${pods.target.averageValue}`;
  }
  if (spec.type === 'Resource' && resource)
    return resourceText(resource.name, resource.target, status.resource?.current);
  if (spec.type === 'ContainerResource' && containerResource) {
    const { name, target } = containerResource;
    return resourceText(name, target, status.containerResource?.current);
  }
  return '<unknown type>';
}

/** Current and wanted values of the first two metrics. */
function metricsText({ spec, status }: HorizontalPodAutoscaler): string {
  const { metrics = [] } = spec;
  if (!metrics.length) return '<none>';
  const texts = metrics.map((metric, i) => metricText(metric, status?.currentMetrics?.[i] ?? {}));
  const shown = texts.slice(0, 2).join(', ');
  return texts.length > 2 ? `${shown} + ${texts.length - 2} more...` : shown;
}

/** HorizontalPodAutoscalers. Follows pkg/registry/autoscaling/horizontalpodautoscaler/strategy.go, v1.33. */
export const horizontalPodAutoscalers = defineResource<HorizontalPodAutoscaler>({
  group: 'autoscaling',
  version: 'v2',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  singular: 'horizontalpodautoscaler',
  shortNames: ['hpa'],
  categories: ['all'],
  scope: 'Namespaced',
  schema: 'io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler',
  defaults,
  validate,
  validateUpdate: validate,
  notModelled: () => ['spec: no controller scales here yet, and nothing measures Pods'],
  strategy: {
    prepareForCreate: (autoscaler) => ({
      ...withoutTolerance(autoscaler, undefined),
      status: { currentMetrics: null, desiredReplicas: 0 } as unknown as HorizontalPodAutoscalerStatus,
    }),
    prepareForUpdate: (given, previous) => ({ ...withoutTolerance(given, previous), status: previous.status }),
  },
  subresources: {
    status: {
      prepareForUpdate: (next, previous) => ({ ...next, spec: previous.spec }),
      validateUpdate({ metadata, status }) {
        const errors: FieldError[] = [];
        validateStandardFinalizers(metadata, errors);
        validateNonnegative(status?.currentReplicas, 'status.currentReplicas', errors);
        validateNonnegative(status?.desiredReplicas, 'status.desiredReplicas', errors);
        return errors;
      },
    },
  },
  ownColumns: true,
  columns: [
    nameColumn,
    {
      name: 'Reference',
      type: 'string',
      cell: ({ spec: { scaleTargetRef } }) => `${scaleTargetRef?.kind ?? ''}/${scaleTargetRef?.name ?? ''}`,
    },
    { name: 'Targets', type: 'string', cell: metricsText },
    { name: 'MinPods', type: 'string', cell: ({ spec }) => String(spec.minReplicas ?? '<unset>') },
    { name: 'MaxPods', type: 'integer', cell: ({ spec }) => spec.maxReplicas ?? 0 },
    { name: 'Replicas', type: 'integer', cell: ({ status }) => status?.currentReplicas ?? 0 },
    ageColumn,
  ],
});
