import type { FieldError } from '#apimachinery/field-error.ts';
import { compareQuantities } from '#apimachinery/quantity.ts';
import {
  forbiddenField,
  invalidField,
  isDNS1123Label,
  isValidPathSegmentName,
  notSupported,
  required,
} from '#apimachinery/validation.ts';
import { goQuantity, validateContainerResourceName } from '../../core/v1/resource-names.ts';
import type {
  CrossVersionObjectReference,
  HorizontalPodAutoscalerSpec,
  HPAScalingRules,
  MetricIdentifier,
  MetricSpec,
  MetricTarget,
} from '../../generated/types.ts';

// Follows pkg/apis/autoscaling/validation, v1.33.

const MAX_PERIOD = 1800;
const MAX_WINDOW = 3600;
const TYPES = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource'];
const TARGETS = ['Utilization', 'Value', 'AverageValue'];

function validateReference(
  reference: CrossVersionObjectReference | undefined,
  path: string,
  errors: FieldError[],
): void {
  for (const field of ['kind', 'name'] as const) {
    const value = reference?.[field];
    if (!value) errors.push(required(`${path}.${field}`));
    else
      for (const message of isValidPathSegmentName(value))
        errors.push(invalidField(`${path}.${field}`, value, message));
  }
}

function validateIdentifier({ name }: Partial<MetricIdentifier>, path: string, errors: FieldError[]): void {
  if (!name) errors.push(required(`${path}.name`, 'must specify a metric name'));
  else for (const message of isValidPathSegmentName(name)) errors.push(invalidField(`${path}.name`, name, message));
}

function validateTarget(target: Partial<MetricTarget>, path: string, errors: FieldError[]): void {
  const { type = '', averageUtilization } = target;
  if (!type) errors.push(required(`${path}.type`, 'must specify a metric target type'));
  if (!TARGETS.includes(type)) {
    errors.push(invalidField(`${path}.type`, type, 'must be either Utilization, Value, or AverageValue'));
  }
  for (const field of ['value', 'averageValue'] as const) {
    const value = target[field];
    if (value !== undefined && compareQuantities(value, '0') <= 0) {
      errors.push(invalidField(`${path}.${field}`, goQuantity(String(value)), 'must be positive'));
    }
  }
  if (averageUtilization !== undefined && averageUtilization < 1) {
    errors.push(invalidField(`${path}.averageUtilization`, averageUtilization, 'must be greater than 0'));
  }
}

const NO_TARGET: Partial<MetricTarget> = {};

function validateUsage(target: Partial<MetricTarget>, path: string, errors: FieldError[]): void {
  validateTarget(target, path, errors);
  const { averageUtilization, averageValue } = target;
  if (averageUtilization === undefined && averageValue === undefined) {
    const message = 'must set either a target raw value or a target utilization';
    errors.push(required(`${path}.averageUtilization`, message));
  }
  if (averageUtilization !== undefined && averageValue !== undefined) {
    const message = 'may not set both a target raw value and a target utilization';
    errors.push(forbiddenField(`${path}.averageValue`, message));
  }
}

/** By the field of a metric its rules, in upstream's order. */
const SOURCES: readonly (readonly [
  field: Exclude<keyof MetricSpec, 'type'>,
  validate: (metric: MetricSpec, path: string, errors: FieldError[]) => void,
])[] = [
  [
    'object',
    ({ object }, path, errors) => {
      const target: Partial<MetricTarget> = object?.target ?? NO_TARGET;
      validateReference(object?.describedObject, `${path}.describedObject`, errors);
      validateIdentifier(object?.metric ?? {}, `${path}.metric`, errors);
      validateTarget(target, `${path}.target`, errors);
      if (target.value !== undefined || target.averageValue !== undefined) return;
      errors.push(required(`${path}.target.averageValue`, 'must set either a target value or averageValue'));
    },
  ],
  [
    'external',
    ({ external }, path, errors) => {
      const target: Partial<MetricTarget> = external?.target ?? NO_TARGET;
      validateIdentifier(external?.metric ?? {}, `${path}.metric`, errors);
      validateTarget(target, `${path}.target`, errors);
      if (target.value === undefined && target.averageValue === undefined) {
        const message = 'must set either a target value for metric or a per-pod target';
        errors.push(required(`${path}.target.averageValue`, message));
      }
      if (target.value !== undefined && target.averageValue !== undefined) {
        const message = 'may not set both a target value for metric and a per-pod target';
        errors.push(forbiddenField(`${path}.target.value`, message));
      }
    },
  ],
  [
    'pods',
    ({ pods }, path, errors) => {
      validateIdentifier(pods?.metric ?? {}, `${path}.metric`, errors);
      validateTarget(pods?.target ?? NO_TARGET, `${path}.target`, errors);
      if (pods?.target?.averageValue !== undefined) return;
      errors.push(required(`${path}.target.averageValue`, 'must specify a positive target averageValue'));
    },
  ],
  [
    'resource',
    ({ resource }, path, errors) => {
      if (!resource?.name) errors.push(required(`${path}.name`, 'must specify a resource name'));
      validateUsage(resource?.target ?? NO_TARGET, `${path}.target`, errors);
    },
  ],
  [
    'containerResource',
    ({ containerResource: source }, path, errors) => {
      if (!source?.name) errors.push(required(`${path}.name`, 'must specify a resource name'));
      else validateContainerResourceName(source.name, `${path}.name`, errors);
      if (!source?.container) errors.push(required(`${path}.container`, 'must specify a container'));
      else {
        for (const message of isDNS1123Label(source.container)) {
          errors.push(invalidField(`${path}.container`, source.container, message));
        }
      }
      validateUsage(source?.target ?? NO_TARGET, `${path}.target`, errors);
    },
  ],
];

function validateMetric(metric: MetricSpec, path: string, errors: FieldError[]): void {
  const { type = '' }: Partial<MetricSpec> = metric;
  const unsupported = () => errors.push(notSupported(`${path}.type`, type, TYPES));
  if (!type) errors.push(required(`${path}.type`, 'must specify a metric source type'));
  if (!TYPES.includes(type)) unsupported();
  const present = SOURCES.filter(([field]) => metric[field] !== undefined);
  const [first] = present;
  if (first) first[1](metric, `${path}.${first[0]}`, errors);
  const expected = TYPES.includes(type) ? `${type.slice(0, 1).toLowerCase()}${type.slice(1)}` : '';
  if (!expected) unsupported();
  else if (!present.some(([field]) => field === expected)) {
    errors.push(required(`${path}.${expected}`, 'must populate information for the given metric source'));
  }
  if (present.length === 1) return;
  for (const [field] of present) {
    if (field === expected) continue;
    errors.push(forbiddenField(`${path}.${field}`, 'must populate the given metric source only'));
  }
}

function validateRules(rules: HPAScalingRules | undefined, path: string, errors: FieldError[]): void {
  if (!rules) return;
  const { stabilizationWindowSeconds: window = 0, selectPolicy, policies = [], tolerance } = rules;
  const wrongWindow = (message: string) =>
    errors.push(invalidField(`${path}.stabilizationWindowSeconds`, window, message));
  if (window < 0) wrongWindow('must be greater than or equal to zero');
  if (window > MAX_WINDOW) wrongWindow(`must be less than or equal to ${MAX_WINDOW}`);
  if (selectPolicy !== undefined && !['Disabled', 'Max', 'Min'].includes(selectPolicy)) {
    errors.push(notSupported(`${path}.selectPolicy`, selectPolicy, ['Disabled', 'Max', 'Min']));
  }
  if (!policies.length) errors.push(required(`${path}.policies`, 'must specify at least one Policy'));
  policies.forEach(({ type, value, periodSeconds }, i) => {
    const at = `${path}.policies[${i}]`;
    if (type !== 'Pods' && type !== 'Percent') errors.push(notSupported(`${at}.type`, type ?? '', ['Percent', 'Pods']));
    if ((value ?? 0) <= 0) errors.push(invalidField(`${at}.value`, value ?? 0, 'must be greater than zero'));
    const wrongPeriod = (message: string) =>
      errors.push(invalidField(`${at}.periodSeconds`, periodSeconds ?? 0, message));
    if ((periodSeconds ?? 0) <= 0) wrongPeriod('must be greater than zero');
    if (periodSeconds > MAX_PERIOD) wrongPeriod(`must be less than or equal to ${MAX_PERIOD}`);
  });
  if (tolerance !== undefined && compareQuantities(tolerance, '0') < 0) {
    errors.push(invalidField(`${path}.tolerance`, String(tolerance), 'must be greater than or equal to 0'));
  }
}

/** A new specification, or one that changes. HPAScaleToZero is off: one replica is the least. */
export function validateAutoscalerSpec(spec: HorizontalPodAutoscalerSpec, errors: FieldError[]): void {
  const {
    minReplicas,
    maxReplicas = 0,
    scaleTargetRef,
    metrics = [],
    behavior,
  }: Partial<HorizontalPodAutoscalerSpec> = spec;
  if (minReplicas !== undefined && minReplicas < 1) {
    errors.push(invalidField('spec.minReplicas', minReplicas, 'must be greater than or equal to 1'));
  }
  if (maxReplicas < 1) errors.push(invalidField('spec.maxReplicas', maxReplicas, 'must be greater than 0'));
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    const message = 'must be greater than or equal to `minReplicas`';
    errors.push(invalidField('spec.maxReplicas', maxReplicas, message));
  }
  validateReference(scaleTargetRef, 'spec.scaleTargetRef', errors);
  metrics.forEach((metric, i) => validateMetric(metric, `spec.metrics[${i}]`, errors));
  if (minReplicas === 0 && !metrics.some(({ type }) => type === 'Object' || type === 'External')) {
    const message = 'must specify at least one Object or External metric to support scaling to zero replicas';
    errors.push(forbiddenField('spec.metrics', message));
  }
  validateRules(behavior?.scaleUp, 'spec.behavior.scaleUp', errors);
  validateRules(behavior?.scaleDown, 'spec.behavior.scaleDown', errors);
}
