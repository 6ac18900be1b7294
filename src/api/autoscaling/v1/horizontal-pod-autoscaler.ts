import { defineResource } from '#apimachinery/resource.ts';
import { fill, replace } from '../../fill.ts';
import type {
  AutoscalingV1HorizontalPodAutoscaler,
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerBehavior,
  HorizontalPodAutoscalerStatus,
  HPAScalingRules,
  MetricSpec,
  MetricStatus,
} from '../../generated/types.ts';
import { defaultMetrics, horizontalPodAutoscalers } from '../v2/horizontal-pod-autoscaler.ts';

// What v1 has no fields for is in annotations. Follows pkg/apis/autoscaling/v1/conversion.go, v1.33.

const METRICS = 'autoscaling.alpha.kubernetes.io/metrics';
const CURRENT_METRICS = 'autoscaling.alpha.kubernetes.io/current-metrics';
const CONDITIONS = 'autoscaling.alpha.kubernetes.io/conditions';
const BEHAVIOR = 'autoscaling.alpha.kubernetes.io/behavior';
const OWN = [METRICS, CURRENT_METRICS, CONDITIONS, BEHAVIOR];

type Json = Readonly<Record<string, unknown>>;
type Metric = Json & { readonly type?: string };

/** Fields by the names they have in an annotation, from those that they have in the object. */
const rename = (from: Json | undefined, names: Readonly<Record<string, string>>): Json =>
  Object.fromEntries(
    Object.entries(names).flatMap(([name, other]) => {
      const value = from?.[name];
      return value === undefined ? [] : [[other, value]];
    }),
  );

const part = (value: unknown, key: string): Json | undefined => (value as Json | undefined)?.[key] as Json | undefined;

/** By source: the fields of the old form that come from the metric, from its target and from its current value. */
const OLD: Readonly<Record<string, readonly [metric: Json, target: Json, current: Json]>> = {
  object: [
    { name: 'metricName', selector: 'selector' },
    { value: 'targetValue', averageValue: 'averageValue' },
    { value: 'currentValue', averageValue: 'averageValue' },
  ],
  pods: [
    { name: 'metricName', selector: 'selector' },
    { averageValue: 'targetAverageValue' },
    { averageValue: 'currentAverageValue' },
  ],
  resource: [
    {},
    { averageUtilization: 'targetAverageUtilization', averageValue: 'targetAverageValue' },
    { averageUtilization: 'currentAverageUtilization', averageValue: 'currentAverageValue' },
  ],
  containerResource: [
    {},
    { averageUtilization: 'targetAverageUtilization', averageValue: 'targetAverageValue' },
    { averageUtilization: 'currentAverageUtilization', averageValue: 'currentAverageValue' },
  ],
  external: [
    { name: 'metricName', selector: 'metricSelector' },
    { value: 'targetValue', averageValue: 'targetAverageValue' },
    { value: 'currentValue', averageValue: 'currentAverageValue' },
  ],
};

const reversed = (names: Json): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(names).map(([a, b]) => [b as string, a]));

function toOldMetric(metric: Metric, kind: 'target' | 'current'): Json {
  const sources = Object.entries(OLD).flatMap(([source, [names, target, current]]) => {
    const given = metric[source] as Json | undefined;
    if (!given) return [];
    const old = {
      ...(given.describedObject === undefined ? {} : { target: given.describedObject }),
      ...rename(given, { name: 'name', container: 'container' }),
      ...rename(part(given, 'metric'), names as Readonly<Record<string, string>>),
      ...rename(part(given, kind), (kind === 'target' ? target : current) as Readonly<Record<string, string>>),
    };
    return [[source, old]];
  });
  return { type: metric.type, ...Object.fromEntries(sources) };
}

function fromOldMetric(metric: Metric, kind: 'target' | 'current'): Json {
  const sources = Object.entries(OLD).flatMap(([source, [names, target, current]]) => {
    const old = metric[source] as Json | undefined;
    if (!old) return [];
    const values = rename(old, reversed(kind === 'target' ? target : current));
    const type =
      values.averageUtilization !== undefined
        ? 'Utilization'
        : values.averageValue !== undefined || source.endsWith('esource') || source === 'pods'
          ? 'AverageValue'
          : 'Value';
    const hasMetric = Object.keys(names).length > 0;
    return [
      [
        source,
        {
          ...(source === 'object' ? { describedObject: old.target } : {}),
          ...rename(old, { container: 'container' }),
          ...(hasMetric ? { metric: rename(old, reversed(names)) } : rename(old, { name: 'name' })),
          [kind]: kind === 'target' ? { type, ...values } : values,
        },
      ],
    ];
  });
  return { type: metric.type, ...Object.fromEntries(sources) };
}

const isCPU = ({ type, resource }: MetricSpec) =>
  type === 'Resource' && resource?.name === 'cpu' && resource.target.averageUtilization !== undefined;

/** The rules under the names of Go's fields, as this annotation has them. */
const toGoRules = (rules: HPAScalingRules | undefined) =>
  rules
    ? {
        StabilizationWindowSeconds: rules.stabilizationWindowSeconds ?? null,
        SelectPolicy: rules.selectPolicy ?? null,
        Policies:
          rules.policies?.map(({ type, value, periodSeconds }) => ({
            Type: type,
            Value: value,
            PeriodSeconds: periodSeconds,
          })) ?? null,
        Tolerance: rules.tolerance ?? null,
      }
    : null;

function fromGoRules(given: unknown): HPAScalingRules | undefined {
  if (!given) return undefined;
  const rules = given as Json;
  const policies = rules.Policies as readonly Json[] | null | undefined;
  return {
    ...(typeof rules.StabilizationWindowSeconds === 'number'
      ? { stabilizationWindowSeconds: rules.StabilizationWindowSeconds }
      : {}),
    ...(typeof rules.SelectPolicy === 'string' ? { selectPolicy: rules.SelectPolicy } : {}),
    ...(policies
      ? {
          policies: policies.map(({ Type, Value, PeriodSeconds }) => ({
            type: typeof Type === 'string' ? Type : '',
            value: Number(Value ?? 0),
            periodSeconds: Number(PeriodSeconds ?? 0),
          })),
        }
      : {}),
    ...(typeof rules.Tolerance === 'string' ? { tolerance: rules.Tolerance } : {}),
  };
}

/** The stored form in this version's. */
export function fromV2(autoscaler: HorizontalPodAutoscaler): AutoscalingV1HorizontalPodAutoscaler {
  const { metadata, spec, status } = autoscaler;
  const { metrics = [], behavior, minReplicas, maxReplicas, scaleTargetRef } = spec;
  const { currentMetrics, conditions, ...rest } = status ?? { desiredReplicas: 0 };
  const others = metrics.filter((metric) => !isCPU(metric));
  const target = metrics.find(isCPU)?.resource?.target.averageUtilization;
  const used = currentMetrics?.findLast(
    ({ type, resource }) =>
      type === 'Resource' && resource?.name === 'cpu' && resource.current.averageUtilization !== undefined,
  )?.resource?.current.averageUtilization;
  const kept = Object.entries(metadata.annotations ?? {}).filter(([key]) => !OWN.includes(key));
  const add = (key: string, value: unknown) => kept.push([key, JSON.stringify(value)]);
  if (others.length)
    add(
      METRICS,
      others.map((metric) => toOldMetric(metric as unknown as Metric, 'target')),
    );
  if (currentMetrics?.length) {
    add(
      CURRENT_METRICS,
      currentMetrics.map((metric) => toOldMetric(metric as unknown as Metric, 'current')),
    );
  }
  if (behavior) add(BEHAVIOR, { ScaleUp: toGoRules(behavior.scaleUp), ScaleDown: toGoRules(behavior.scaleDown) });
  if (conditions?.length) {
    add(
      CONDITIONS,
      conditions.map(({ type, status: value, lastTransitionTime = null, reason, message }) => ({
        type,
        status: value,
        lastTransitionTime,
        ...(reason ? { reason } : {}),
        ...(message ? { message } : {}),
      })),
    );
  }
  return {
    ...autoscaler,
    apiVersion: 'autoscaling/v1',
    metadata: metadata.annotations || kept.length ? { ...metadata, annotations: Object.fromEntries(kept) } : metadata,
    spec: {
      scaleTargetRef,
      ...(minReplicas === undefined ? {} : { minReplicas }),
      maxReplicas,
      ...(target === undefined ? {} : { targetCPUUtilizationPercentage: target }),
    },
    status: {
      ...rest,
      currentReplicas: status?.currentReplicas ?? 0,
      desiredReplicas: status?.desiredReplicas ?? 0,
      ...(used === undefined ? {} : { currentCPUUtilizationPercentage: used }),
    },
  };
}

/** What an annotation says; nothing when it is no such thing, as upstream forgives it. */
function parsed<T>(text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}

/** This version's form in the stored one. */
export function toV2(autoscaler: AutoscalingV1HorizontalPodAutoscaler): HorizontalPodAutoscaler {
  const { metadata, spec, status } = autoscaler;
  const { annotations } = metadata;
  const { targetCPUUtilizationPercentage: target, ...rest } = spec;
  const { currentCPUUtilizationPercentage: used, ...counts } = status ?? { desiredReplicas: 0 };
  const others = parsed<readonly Metric[]>(annotations?.[METRICS])?.map((metric) => fromOldMetric(metric, 'target'));
  const cpu: MetricSpec[] =
    target === undefined
      ? []
      : [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: target } } }];
  const metrics = [...((others ?? []) as unknown as MetricSpec[]), ...cpu];
  const rules = parsed<Json>(annotations?.[BEHAVIOR]);
  const behavior: HorizontalPodAutoscalerBehavior | undefined =
    rules && (rules.ScaleUp || rules.ScaleDown)
      ? { scaleUp: fromGoRules(rules.ScaleUp), scaleDown: fromGoRules(rules.ScaleDown) }
      : undefined;
  const current =
    (parsed<readonly Metric[]>(annotations?.[CURRENT_METRICS])?.map((metric) => fromOldMetric(metric, 'current')) as
      | readonly MetricStatus[]
      | undefined) ??
    (used === undefined
      ? undefined
      : [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: used } } }]);
  const conditions = parsed<HorizontalPodAutoscalerStatus['conditions']>(annotations?.[CONDITIONS]);
  const kept = Object.entries(annotations ?? {}).filter(([key]) => !OWN.includes(key));
  const { annotations: _, ...others_ } = metadata;
  return {
    ...autoscaler,
    apiVersion: 'autoscaling/v2',
    metadata: kept.length ? { ...others_, annotations: Object.fromEntries(kept) } : others_,
    spec: { ...rest, metrics: metrics.length ? metrics : defaultMetrics, ...(behavior ? { behavior } : {}) },
    status: {
      ...counts,
      currentMetrics: (current ?? null) as unknown as readonly MetricStatus[],
      desiredReplicas: counts.desiredReplicas ?? 0,
      ...(conditions ? { conditions } : {}),
    },
  };
}

type V1 = AutoscalingV1HorizontalPodAutoscaler;

/** HorizontalPodAutoscalers as the first version has them. Their rules are those of the stored form. */
export const horizontalPodAutoscalersV1 = defineResource<V1>({
  group: 'autoscaling',
  version: 'v1',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  singular: 'horizontalpodautoscaler',
  shortNames: ['hpa'],
  categories: ['all'],
  scope: 'Namespaced',
  schema: 'io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler',
  storedAs: {
    resource: horizontalPodAutoscalers as never,
    toStored: toV2,
    fromStored: (object) => fromV2(object as HorizontalPodAutoscaler),
  },
  defaults: (autoscaler) =>
    replace(autoscaler, 'spec', fill(autoscaler.spec ?? ({} as V1['spec']), { minReplicas: 1 })),
  validate: (autoscaler) => horizontalPodAutoscalers.validate?.(toV2(autoscaler)) ?? [],
  validateUpdate: (next, previous) => horizontalPodAutoscalers.validateUpdate?.(toV2(next), toV2(previous)) ?? [],
  notModelled: (autoscaler) => horizontalPodAutoscalers.notModelled?.(toV2(autoscaler)) ?? [],
  strategy: {
    prepareForCreate: (autoscaler) => ({ ...autoscaler, status: { currentReplicas: 0, desiredReplicas: 0 } }),
    prepareForUpdate: (next, previous) => ({ ...next, status: previous.status }),
  },
  subresources: {
    status: {
      prepareForUpdate: (next, previous) => ({ ...next, spec: previous.spec }),
      validateUpdate: (next, previous) =>
        horizontalPodAutoscalers.subresources?.status?.validateUpdate(toV2(next), toV2(previous)) ?? [],
    },
  },
  ownColumns: true,
  columns: horizontalPodAutoscalers.columns?.map((column) => ({
    ...column,
    cell: (autoscaler: V1, now: number) => column.cell(toV2(autoscaler), now),
  })),
});
