import type { FieldError } from '#apimachinery/field-error.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { formatLabelSelector, labelSelectorTerms, matchesLabels } from '#apimachinery/selectors.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { invalidField, required } from '#apimachinery/validation.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import { fill, replace } from '../../fill.ts';
import { validateStandardFinalizers } from '../../finalizers.ts';
import { goMapOrNil } from '../../go-text.ts';
import type { ReplicationController, ReplicationControllerSpec } from '../../generated/types.ts';
import { validateNonnegative } from '../../nonnegative.ts';
import { validateReplicaStatus } from '../../apps/v1/replica-set.ts';
import {
  defaultPodTemplate,
  podPrefixWarnings,
  podTemplateNotModelled,
  podTemplateWarnings,
  templateColumns,
  validateReplicaTemplate,
  withoutDisabledTemplateFields,
} from './pod-template-spec.ts';

/** Follows SetDefaults_ReplicationController, v1.33: without a selector, and without labels, those of the template do. */
function defaults(given: ReplicationController): ReplicationController {
  let spec: ReplicationControllerSpec = fill(given.spec ?? {}, { replicas: 1 });
  if (spec.template) spec = replace(spec, 'template', defaultPodTemplate(spec.template));
  const labels = spec.template?.metadata?.labels;
  let controller = given;
  if (labels) {
    if (!Object.keys(spec.selector ?? {}).length) spec = replace(spec, 'selector', labels);
    if (!Object.keys(controller.metadata.labels ?? {}).length) {
      controller = replace(controller, 'metadata', replace(controller.metadata, 'labels', labels));
    }
  }
  return replace(controller, 'spec', spec);
}

/** Follows ValidateReplicationController of pkg/apis/core/validation, v1.33. */
function validate({ metadata, spec }: ReplicationController): FieldError[] {
  const errors: FieldError[] = [];
  const { selector = {}, replicas, template } = spec;
  const hasSelector = Object.keys(selector).length > 0;
  validateStandardFinalizers(metadata, errors);
  validateNonnegative(spec.minReadySeconds, 'spec.minReadySeconds', errors);
  if (!hasSelector) errors.push(required('spec.selector'));
  if (replicas === undefined) errors.push(required('spec.replicas'));
  else validateNonnegative(replicas, 'spec.replicas', errors);
  if (!template) {
    errors.push(required('spec.template'));
    return errors;
  }
  const { labels } = template.metadata ?? {};
  if (hasSelector && !matchesLabels(labelSelectorTerms({ matchLabels: selector }) ?? [], labels)) {
    const message = '`selector` does not match template `labels`';
    errors.push(invalidField('spec.template.metadata.labels', goMapOrNil(labels), message));
  }
  validateReplicaTemplate(template, 'ReplicationController', 'spec.template', errors);
  return errors;
}

function withTemplate(
  controller: ReplicationController,
  previous: ReplicationController | undefined,
): ReplicationController {
  const { spec } = controller;
  if (!spec.template) return controller;
  const template = withoutDisabledTemplateFields(spec.template, previous?.spec.template);
  return replace(controller, 'spec', replace(spec, 'template', template));
}

function selectorText({ spec }: ReplicationController): string {
  const terms = labelSelectorTerms({ matchLabels: spec.selector ?? {} }) ?? [];
  return formatLabelSelector(terms) || '<none>';
}

/** ReplicationControllers. Follows pkg/registry/core/replicationcontroller/strategy.go, v1.33. */
export const replicationControllers = defineResource<ReplicationController>({
  group: '',
  version: 'v1',
  kind: 'ReplicationController',
  plural: 'replicationcontrollers',
  singular: 'replicationcontroller',
  shortNames: ['rc'],
  categories: ['all'],
  scope: 'Namespaced',
  schema: 'io.k8s.api.core.v1.ReplicationController',
  storagePrefix: 'controllers',
  defaults,
  validate,
  validateUpdate: validate,
  notModelled: ({ spec }) => podTemplateNotModelled(spec.template),
  strategy: {
    prepareForCreate: (controller) => ({
      ...withTemplate(controller, undefined),
      metadata: { ...controller.metadata, generation: 1 },
      status: { replicas: 0 },
    }),
    prepareForUpdate(given, previous) {
      const next = { ...withTemplate(given, previous), status: previous.status };
      if (semanticEqual(next.spec, previous.spec)) return next;
      return { ...next, metadata: { ...next.metadata, generation: (previous.metadata.generation ?? 0) + 1 } };
    },
    warnings(controller, previous) {
      if (previous && previous.metadata.generation === controller.metadata.generation) return [];
      const warnings = podTemplateWarnings(controller.spec.template);
      return previous ? warnings : [...podPrefixWarnings(controller.metadata.name), ...warnings];
    },
    defaultGarbageCollection: 'orphan',
  },
  subresources: {
    status: {
      prepareForUpdate: (next, previous) => ({ ...next, spec: previous.spec }),
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
    ...templateColumns<ReplicationController>(({ spec }) => spec.template),
    { name: 'Selector', type: 'string', priority: 1, cell: selectorText },
  ],
});
