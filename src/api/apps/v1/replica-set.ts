import type { FieldError } from '#apimachinery/field-error.ts';
import { validateLabelSelector } from '#apimachinery/label-validation.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { formatLabelSelector, labelSelectorTerms, matchesLabels, SelectorError } from '#apimachinery/selectors.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { invalidField, required } from '#apimachinery/validation.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import { fill, replace } from '../../fill.ts';
import { validateStandardFinalizers } from '../../finalizers.ts';
import { goLabelSelector, goMapOrNil } from '../../go-text.ts';
import type { LabelSelector, PodTemplateSpec, ReplicaSet, ReplicaSetStatus } from '../../generated/types.ts';
import { validateNonnegative } from '../../nonnegative.ts';
import {
  defaultPodTemplate,
  podPrefixWarnings,
  podTemplateNotModelled,
  podTemplateWarnings,
  templateColumns,
  validateReplicaTemplate,
  withoutDisabledTemplateFields,
} from '../../core/v1/pod-template-spec.ts';

const EMPTY: PodTemplateSpec = {};

/** Follows SetDefaults_ReplicaSet, v1.33. */
function defaults(replicaSet: ReplicaSet): ReplicaSet {
  const spec = fill(replicaSet.spec ?? {}, { replicas: 1 });
  const template = defaultPodTemplate(spec.template ?? EMPTY);
  return replace(replicaSet, 'spec', replace(spec, 'template', template));
}

/** The selector and the template of a ReplicaSet or of a Deployment. */
export function validateSelectorAndTemplate(
  { selector, template = EMPTY }: { readonly selector?: LabelSelector; readonly template?: PodTemplateSpec },
  errors: FieldError[],
): void {
  if (!selector) errors.push(required('spec.selector'));
  else {
    validateLabelSelector(selector, 'spec.selector', errors);
    if (!Object.keys(selector.matchLabels ?? {}).length && !selector.matchExpressions?.length) {
      const message = 'empty selector is invalid for deployment';
      errors.push(invalidField('spec.selector', goLabelSelector(selector), message));
    }
  }
  const { labels } = template.metadata ?? {};
  try {
    const terms = labelSelectorTerms(selector);
    if (!terms || !matchesLabels(terms, labels)) {
      const message = '`selector` does not match template `labels`';
      errors.push(invalidField('spec.template.metadata.labels', goMapOrNil(labels), message));
    }
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    errors.push(invalidField('spec.selector', goLabelSelector(selector), 'invalid label selector'));
    return;
  }
  validateReplicaTemplate(template, 'ReplicaSet', 'spec.template', errors);
}

/** A selector that was chosen stays. */
export function validateImmutableSelector(
  next: LabelSelector | undefined,
  previous: LabelSelector | undefined,
  errors: FieldError[],
): void {
  if (!semanticEqual(next, previous)) {
    errors.push(invalidField('spec.selector', goLabelSelector(next), 'field is immutable'));
  }
}

/** Follows ValidateReplicaSet of pkg/apis/apps/validation, v1.33. */
function validate({ metadata, spec }: ReplicaSet): FieldError[] {
  const errors: FieldError[] = [];
  validateStandardFinalizers(metadata, errors);
  validateNonnegative(spec.replicas, 'spec.replicas', errors);
  validateNonnegative(spec.minReadySeconds, 'spec.minReadySeconds', errors);
  validateSelectorAndTemplate(spec, errors);
  return errors;
}

function validateUpdate(next: ReplicaSet, previous: ReplicaSet): FieldError[] {
  const errors = validate(next);
  validateImmutableSelector(next.spec.selector, previous.spec.selector, errors);
  return errors;
}

const COUNTS = [
  'replicas',
  'fullyLabeledReplicas',
  'readyReplicas',
  'availableReplicas',
  'observedGeneration',
] as const;

/** The status of a ReplicaSet or of a ReplicationController. */
export function validateReplicaStatus(status: Partial<ReplicaSetStatus>, errors: FieldError[]): void {
  for (const field of COUNTS) validateNonnegative(status[field], `status.${field}`, errors);
  validateNonnegative(status.terminatingReplicas, 'status.terminatingReplicas', errors);
  const { replicas = 0, readyReplicas = 0, availableReplicas = 0 } = status;
  for (const field of ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'] as const) {
    const value = status[field] ?? 0;
    if (value > replicas) {
      errors.push(invalidField(`status.${field}`, value, 'cannot be greater than status.replicas'));
    }
  }
  if (availableReplicas > readyReplicas) {
    errors.push(invalidField('status.availableReplicas', availableReplicas, 'cannot be greater than readyReplicas'));
  }
}

/** DeploymentReplicaSetTerminatingReplicas is off: what is not there already is not recorded. */
export function withoutTerminatingReplicas<S extends { readonly terminatingReplicas?: number }>(
  status: S | undefined,
  previous: S | undefined,
): S | undefined {
  if (status?.terminatingReplicas === undefined || previous?.terminatingReplicas !== undefined) return status;
  const { terminatingReplicas: _, ...rest } = status;
  return rest as S;
}

/** A label selector as tables show it. */
export function selectorText(selector: LabelSelector | undefined): string {
  const terms = labelSelectorTerms(selector);
  return terms ? formatLabelSelector(terms) || '<none>' : '<none>';
}

/** ReplicaSets. Follows pkg/registry/apps/replicaset/strategy.go, v1.33. */
export const replicaSets = defineResource<ReplicaSet>({
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  plural: 'replicasets',
  singular: 'replicaset',
  shortNames: ['rs'],
  categories: ['all'],
  scope: 'Namespaced',
  schema: 'io.k8s.api.apps.v1.ReplicaSet',
  defaults,
  validate,
  validateUpdate,
  notModelled: ({ spec }) => podTemplateNotModelled(spec.template),
  strategy: {
    prepareForCreate: (replicaSet) => ({
      ...withTemplate(replicaSet, undefined),
      metadata: { ...replicaSet.metadata, generation: 1 },
      status: { replicas: 0 },
    }),
    prepareForUpdate(given, previous) {
      const next = { ...withTemplate(given, previous), status: previous.status };
      if (semanticEqual(next.spec, previous.spec)) return next;
      return { ...next, metadata: { ...next.metadata, generation: (previous.metadata.generation ?? 0) + 1 } };
    },
    warnings(replicaSet, previous) {
      if (previous && previous.metadata.generation === replicaSet.metadata.generation) return [];
      const warnings = podTemplateWarnings(replicaSet.spec.template);
      return previous ? warnings : [...podPrefixWarnings(replicaSet.metadata.name), ...warnings];
    },
  },
  subresources: {
    status: {
      prepareForUpdate: (next, previous) => ({
        ...next,
        spec: previous.spec,
        status: withoutTerminatingReplicas(next.status, previous.status),
      }),
      validateUpdate({ metadata, status = { replicas: 0 } }) {
        const errors: FieldError[] = [];
        validateStandardFinalizers(metadata, errors);
        validateReplicaStatus(status, errors);
        return errors;
      },
    },
  },
  selectableFields: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
  ownColumns: true,
  columns: [
    nameColumn,
    { name: 'Desired', type: 'integer', cell: ({ spec }) => spec.replicas ?? 0 },
    { name: 'Current', type: 'integer', cell: ({ status }) => status?.replicas ?? 0 },
    { name: 'Ready', type: 'integer', cell: ({ status }) => status?.readyReplicas ?? 0 },
    ageColumn,
    ...templateColumns<ReplicaSet>(({ spec }) => spec.template),
    { name: 'Selector', type: 'string', priority: 1, cell: ({ spec }) => selectorText(spec.selector) },
  ],
});

function withTemplate(replicaSet: ReplicaSet, previous: ReplicaSet | undefined): ReplicaSet {
  const { spec } = replicaSet;
  if (!spec.template) return replicaSet;
  const template = withoutDisabledTemplateFields(spec.template, previous?.spec.template);
  return replace(replicaSet, 'spec', replace(spec, 'template', template));
}
