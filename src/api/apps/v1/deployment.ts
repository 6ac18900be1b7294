import type { FieldError } from '#apimachinery/field-error.ts';
import { intOrPercentValue, isValidPercent, type IntOrString, percentValue } from '#apimachinery/int-or-string.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { formatLabelSelector, labelSelectorTerms } from '#apimachinery/selectors.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { forbiddenField, GoValue, goQuote, invalidField, notSupported, required } from '#apimachinery/validation.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import { fill, fillZero, replace } from '../../fill.ts';
import { validateStandardFinalizers } from '../../finalizers.ts';
import { goIntOrString } from '../../go-text.ts';
import type {
  Deployment,
  DeploymentSpec,
  DeploymentStatus,
  DeploymentStrategy,
  RollingUpdateDeployment,
} from '../../generated/types.ts';
import { validateNonnegative } from '../../nonnegative.ts';
import {
  defaultPodTemplate,
  podPrefixWarnings,
  podTemplateNotModelled,
  podTemplateWarnings,
  templateColumns,
  withoutDisabledTemplateFields,
} from '../../core/v1/pod-template-spec.ts';
import { validateImmutableSelector, validateSelectorAndTemplate, withoutTerminatingReplicas } from './replica-set.ts';

/** Follows SetDefaults_Deployment, v1.33. */
function defaults(deployment: Deployment): Deployment {
  let spec: DeploymentSpec = deployment.spec ?? ({} as DeploymentSpec);
  spec = fill(spec, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 });
  let strategy = fillZero(spec.strategy ?? {}, { type: 'RollingUpdate' });
  if (strategy.type === 'RollingUpdate') {
    const rollingUpdate = fill(strategy.rollingUpdate ?? {}, { maxUnavailable: '25%', maxSurge: '25%' });
    strategy = replace(strategy, 'rollingUpdate', rollingUpdate);
  }
  spec = replace(spec, 'strategy', strategy);
  return replace(deployment, 'spec', replace(spec, 'template', defaultPodTemplate(spec.template ?? {})));
}

/** A count or a percentage, as updates of workloads take it. */
export function validatePositiveIntOrPercent(value: IntOrString, path: string, errors: FieldError[]): void {
  if (typeof value === 'number') validateNonnegative(value, path, errors);
  else for (const message of isValidPercent(value)) errors.push(invalidField(path, goIntOrString(value), message));
}

/** A percentage is one of a whole. */
export function validateNotMoreThan100Percent(value: IntOrString, path: string, errors: FieldError[]): void {
  if ((percentValue(value) ?? 0) > 100) {
    errors.push(invalidField(path, goIntOrString(value), 'must not be greater than 100%'));
  }
}

function validateRollingUpdate(
  { maxUnavailable = 0, maxSurge = 0 }: RollingUpdateDeployment,
  path: string,
  errors: FieldError[],
): void {
  validatePositiveIntOrPercent(maxUnavailable, `${path}.maxUnavailable`, errors);
  validatePositiveIntOrPercent(maxSurge, `${path}.maxSurge`, errors);
  if (intOrPercentValue(maxUnavailable) === 0 && intOrPercentValue(maxSurge) === 0) {
    const message = 'may not be 0 when `maxSurge` is 0';
    errors.push(invalidField(`${path}.maxUnavailable`, goIntOrString(maxUnavailable), message));
  }
  validateNotMoreThan100Percent(maxUnavailable, `${path}.maxUnavailable`, errors);
}

function validateStrategy({ type = '', rollingUpdate }: DeploymentStrategy, errors: FieldError[]): void {
  const path = 'spec.strategy';
  if (type === 'Recreate') {
    if (!rollingUpdate) return;
    const message = "may not be specified when strategy `type` is 'Recreate'";
    errors.push(forbiddenField(`${path}.rollingUpdate`, message));
  } else if (type === 'RollingUpdate') {
    if (rollingUpdate) validateRollingUpdate(rollingUpdate, `${path}.rollingUpdate`, errors);
    else errors.push(required(`${path}.rollingUpdate`, 'this should be defaulted and never be nil'));
  } else {
    // Upstream prints an address of its memory here.
    const pointer = `(*apps.RollingUpdateDeployment)(${rollingUpdate ? '0xc000000000' : 'nil'})`;
    const go = new GoValue(`apps.DeploymentStrategy{Type:${goQuote(type)}, RollingUpdate:${pointer}}`);
    errors.push(notSupported(path, go, ['Recreate', 'RollingUpdate']));
  }
}

/** Follows ValidateDeployment of pkg/apis/apps/validation, v1.33. */
function validate({ metadata, spec }: Deployment): FieldError[] {
  const errors: FieldError[] = [];
  const { replicas, minReadySeconds = 0, revisionHistoryLimit, progressDeadlineSeconds } = spec;
  validateStandardFinalizers(metadata, errors);
  validateNonnegative(replicas, 'spec.replicas', errors);
  validateSelectorAndTemplate(spec, errors);
  validateStrategy(spec.strategy ?? {}, errors);
  validateNonnegative(minReadySeconds, 'spec.minReadySeconds', errors);
  validateNonnegative(revisionHistoryLimit, 'spec.revisionHistoryLimit', errors);
  if (progressDeadlineSeconds !== undefined) {
    const path = 'spec.progressDeadlineSeconds';
    validateNonnegative(progressDeadlineSeconds, path, errors);
    if (progressDeadlineSeconds <= minReadySeconds) {
      errors.push(invalidField(path, progressDeadlineSeconds, 'must be greater than minReadySeconds'));
    }
  }
  return errors;
}

function validateUpdate(next: Deployment, previous: Deployment): FieldError[] {
  const errors = validate(next);
  validateImmutableSelector(next.spec.selector, previous.spec.selector, errors);
  return errors;
}

const COUNTS = ['replicas', 'updatedReplicas', 'readyReplicas', 'availableReplicas', 'unavailableReplicas'] as const;

function validateStatusUpdate({ metadata, status = {} }: Deployment, previous: Deployment): FieldError[] {
  const errors: FieldError[] = [];
  validateStandardFinalizers(metadata, errors);
  validateStatus(status, errors);
  const { collisionCount = 0 } = status;
  if (collisionCount < (previous.status?.collisionCount ?? 0)) {
    errors.push(invalidField('status.collisionCount', collisionCount, 'cannot be decremented'));
  }
  return errors;
}

function validateStatus(status: DeploymentStatus, errors: FieldError[]): void {
  validateNonnegative(status.observedGeneration, 'status.observedGeneration', errors);
  for (const field of COUNTS) validateNonnegative(status[field], `status.${field}`, errors);
  validateNonnegative(status.terminatingReplicas, 'status.terminatingReplicas', errors);
  validateNonnegative(status.collisionCount, 'status.collisionCount', errors);
  const { replicas = 0, readyReplicas = 0, availableReplicas = 0 } = status;
  for (const field of ['updatedReplicas', 'readyReplicas', 'availableReplicas'] as const) {
    const value = status[field] ?? 0;
    if (value > replicas) errors.push(invalidField(`status.${field}`, value, 'cannot be greater than status.replicas'));
  }
  if (availableReplicas > readyReplicas) {
    errors.push(invalidField('status.availableReplicas', availableReplicas, 'cannot be greater than readyReplicas'));
  }
}

function withTemplate(deployment: Deployment, previous: Deployment | undefined): Deployment {
  const { spec } = deployment;
  const template = withoutDisabledTemplateFields(spec.template, previous?.spec.template);
  return replace(deployment, 'spec', replace(spec, 'template', template));
}

/** Deployments. Follows pkg/registry/apps/deployment/strategy.go, v1.33. */
export const deployments = defineResource<Deployment>({
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  singular: 'deployment',
  shortNames: ['deploy'],
  categories: ['all'],
  scope: 'Namespaced',
  schema: 'io.k8s.api.apps.v1.Deployment',
  defaults,
  validate,
  validateUpdate,
  notModelled: ({ spec }) => podTemplateNotModelled(spec.template),
  strategy: {
    prepareForCreate: (deployment) => ({
      ...withTemplate(deployment, undefined),
      metadata: { ...deployment.metadata, generation: 1 },
      status: {},
    }),
    // Annotations count too: they are copied to the ReplicaSets.
    prepareForUpdate(given, previous) {
      const next = { ...withTemplate(given, previous), status: previous.status };
      const isSame =
        semanticEqual(next.spec, previous.spec) &&
        semanticEqual(next.metadata.annotations, previous.metadata.annotations);
      if (isSame) return next;
      return { ...next, metadata: { ...next.metadata, generation: (previous.metadata.generation ?? 0) + 1 } };
    },
    warnings(deployment, previous) {
      if (previous && previous.metadata.generation === deployment.metadata.generation) return [];
      const warnings = podTemplateWarnings(deployment.spec.template);
      return previous ? warnings : [...podPrefixWarnings(deployment.metadata.name), ...warnings];
    },
  },
  resetFields: { status: ['spec', 'metadata.labels'] },
  subresources: {
    status: {
      prepareForUpdate: (next, previous) => ({
        ...next,
        metadata: replace(next.metadata, 'labels', previous.metadata.labels),
        spec: previous.spec,
        status: withoutTerminatingReplicas(next.status, previous.status),
      }),
      validateUpdate: validateStatusUpdate,
    },
  },
  ownColumns: true,
  columns: [
    nameColumn,
    {
      name: 'Ready',
      type: 'string',
      cell: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
    },
    { name: 'Up-to-date', type: 'string', cell: ({ status }) => status?.updatedReplicas ?? 0 },
    { name: 'Available', type: 'string', cell: ({ status }) => status?.availableReplicas ?? 0 },
    ageColumn,
    ...templateColumns<Deployment>(({ spec }) => spec.template),
    {
      name: 'Selector',
      type: 'string',
      priority: 1,
      cell: ({ spec }) => formatLabelSelector(labelSelectorTerms(spec.selector) ?? []),
    },
  ],
});
