import type { FieldError } from '#apimachinery/field-error.ts';
import { validateAnnotations, validateLabels } from '#apimachinery/label-validation.ts';
import { forbiddenField, isDNS1123Label, notSupported } from '#apimachinery/validation.ts';
import type { TableColumn } from '#apimachinery/resource.ts';
import { replace } from '../../fill.ts';
import type { Container, Pod, PodSpec, PodTemplateSpec } from '../../generated/types.ts';
import { defaultPodSpec } from './pod-defaults.ts';
import { podNotModelled } from './pod-not-modelled.ts';
import { withoutDisabledFields } from './pod-strategy.ts';
import { validatePodSpec } from './pod-validation.ts';
import { validatePodAnnotations } from './pod-validation-annotations.ts';
import { validateProfileAnnotations } from './pod-validation-security.ts';
import { containersWithPath, podWarnings } from './pod-warnings.ts';

// What all kinds that make Pods ask of the template. Follows pkg/apis/core/validation and pkg/api/pod, v1.33.

const NO_SPEC: PodSpec = { containers: [] };

/** The specification in a template; an absent one is empty. */
export const templateSpec = (template: PodTemplateSpec | undefined): PodSpec => template?.spec ?? NO_SPEC;

/** The template with the defaults of its specification. */
export function defaultPodTemplate(template: PodTemplateSpec): PodTemplateSpec {
  return replace(template, 'spec', defaultPodSpec(templateSpec(template)));
}

/** The template without the fields of features that are off, except where it has them already. */
export function withoutDisabledTemplateFields(
  template: PodTemplateSpec,
  previous: PodTemplateSpec | undefined,
): PodTemplateSpec {
  return replace(template, 'spec', withoutDisabledFields(templateSpec(template), previous?.spec));
}

/** Follows ValidatePodTemplateSpec, v1.33. */
export function validatePodTemplateSpec(template: PodTemplateSpec, path: string, errors: FieldError[]): void {
  const { labels, annotations } = template.metadata ?? {};
  const spec = templateSpec(template);
  validateLabels(labels, `${path}.labels`, errors);
  validateAnnotations(annotations, `${path}.annotations`, errors);
  validatePodAnnotations(annotations, spec, errors, `${path}.annotations`);
  validatePodSpec(spec, undefined, `${path}.spec`, errors);
  validateProfileAnnotations(spec, containersWithPath(spec, `${path}.spec`), annotations, `${path}.spec`, errors);
  if (spec.ephemeralContainers?.length) {
    errors.push(forbiddenField(`${path}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'));
  }
}

/** What a template needs so that its Pods can be replicas of a kind: they run for ever. */
export function validateReplicaTemplate(
  template: PodTemplateSpec,
  kind: string,
  path: string,
  errors: FieldError[],
): void {
  validatePodTemplateSpec(template, path, errors);
  const { restartPolicy, activeDeadlineSeconds } = templateSpec(template);
  if (restartPolicy !== 'Always') {
    errors.push(notSupported(`${path}.spec.restartPolicy`, restartPolicy ?? '', ['Always']));
  }
  if (activeDeadlineSeconds !== undefined) {
    const message = `activeDeadlineSeconds in ${kind} is not Supported`;
    errors.push(forbiddenField(`${path}.spec.activeDeadlineSeconds`, message));
  }
}

/** Warnings for a template, which is at `spec.template` mostly. */
export function podTemplateWarnings(template: PodTemplateSpec | undefined, path = 'spec.template'): string[] {
  return template ? podWarnings(path, templateSpec(template), template.metadata) : [];
}

/** A warning for the name of an object whose Pods are named after it. */
export function podPrefixWarnings(name = ''): string[] {
  const messages = isDNS1123Label(name);
  return messages.length
    ? [
        `metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [${messages.join(' ')}]`,
      ]
    : [];
}

/** What the template at `spec.template` asks for that nothing here provides. */
export function podTemplateNotModelled(template: PodTemplateSpec | undefined): string[] {
  return podNotModelled({ spec: templateSpec(template) } as Pod).map((text) => `spec.template.${text}`);
}

const joined = (template: PodTemplateSpec | undefined, text: (container: Container) => string): string =>
  templateSpec(template).containers.map(text).join(',');

/** The columns Containers and Images of a kind with a template; shown with `-o wide` by default. */
export function templateColumns<T>(
  template: (object: T) => PodTemplateSpec | undefined,
  priority = 1,
): TableColumn<T>[] {
  return [
    { name: 'Containers', type: 'string', priority, cell: (object) => joined(template(object), ({ name }) => name) },
    {
      name: 'Images',
      type: 'string',
      priority,
      cell: (object) => joined(template(object), ({ image }) => image ?? ''),
    },
  ];
}
