import type { FieldError } from '#apimachinery/field-error.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { formatLabelSelector, labelSelectorTerms } from '#apimachinery/selectors.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { nameColumn } from '../../columns.ts';
import { replace } from '../../fill.ts';
import { validateStandardFinalizers } from '../../finalizers.ts';
import type { PodTemplate } from '../../generated/types.ts';
import {
  defaultPodTemplate,
  podTemplateWarnings,
  templateColumns,
  validatePodTemplateSpec,
  withoutDisabledTemplateFields,
} from './pod-template-spec.ts';

function validate({ metadata, template = {} }: PodTemplate): FieldError[] {
  const errors: FieldError[] = [];
  validateStandardFinalizers(metadata, errors);
  validatePodTemplateSpec(template, 'template', errors);
  return errors;
}

function labelsText({ template }: PodTemplate): string {
  const terms = labelSelectorTerms({ matchLabels: template?.metadata?.labels ?? {} }) ?? [];
  return formatLabelSelector(terms) || '<none>';
}

/** PodTemplates: templates that stand by themselves. Follows pkg/registry/core/podtemplate/strategy.go, v1.33. */
export const podTemplates = defineResource<PodTemplate>({
  group: '',
  version: 'v1',
  kind: 'PodTemplate',
  plural: 'podtemplates',
  singular: 'podtemplate',
  scope: 'Namespaced',
  schema: 'io.k8s.api.core.v1.PodTemplate',
  defaults: (object) => replace(object, 'template', defaultPodTemplate(object.template ?? {})),
  validate,
  validateUpdate: validate,
  strategy: {
    prepareForCreate: (object) => ({
      ...object,
      metadata: { ...object.metadata, generation: 1 },
      template: withoutDisabledTemplateFields(object.template ?? {}, undefined),
    }),
    prepareForUpdate(object, previous) {
      const next = { ...object, template: withoutDisabledTemplateFields(object.template ?? {}, previous.template) };
      if (semanticEqual(next.template, previous.template)) return next;
      return { ...next, metadata: { ...next.metadata, generation: (previous.metadata.generation ?? 0) + 1 } };
    },
    warnings: (object) => podTemplateWarnings(object.template, 'template'),
  },
  ownColumns: true,
  columns: [
    nameColumn,
    ...templateColumns<PodTemplate>(({ template }) => template, 0),
    { name: 'Pod Labels', type: 'string', cell: labelsText },
  ],
});
