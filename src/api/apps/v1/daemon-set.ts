import type { FieldError } from '#apimachinery/field-error.ts';
import { intOrPercentValue } from '#apimachinery/int-or-string.ts';
import { validateLabelSelector } from '#apimachinery/label-validation.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { labelSelectorTerms, matchesLabels, SelectorError } from '#apimachinery/selectors.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { badRequest } from '#apimachinery/status-error.ts';
import { GoValue, goQuote, invalidField, notSupported, required } from '#apimachinery/validation.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import { fill, fillZero, replace } from '../../fill.ts';
import { goIntOrString, goLabelSelector, goMapOrNil } from '../../go-text.ts';
import type {
  DaemonSet,
  DaemonSetSpec,
  DaemonSetStatus,
  DaemonSetUpdateStrategy,
  LabelSelector,
  PodTemplateSpec,
  RollingUpdateDaemonSet,
} from '../../generated/types.ts';
import { validateNonnegative } from '../../nonnegative.ts';
import {
  defaultPodTemplate,
  podTemplateNotModelled,
  podTemplateWarnings,
  templateColumns,
  templateSpec,
  validateReplicaTemplate,
  withoutDisabledTemplateFields,
} from '../../core/v1/pod-template-spec.ts';
import { validateNotMoreThan100Percent, validatePositiveIntOrPercent } from './deployment.ts';
import { selectorText, validateImmutableSelector } from './replica-set.ts';

/** The annotation that stands for the field spec.templateGeneration of older versions; every DaemonSet has it. */
const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

const EMPTY: PodTemplateSpec = {};

/** How often the template has changed, and one; undefined where nobody has counted. */
export function templateGeneration({ metadata: { annotations } }: DaemonSet): number | undefined {
  const text = annotations?.[TEMPLATE_GENERATION];
  return text === undefined || !/^[+-]?\d+$/.test(text) ? undefined : Number(text);
}

function withTemplateGeneration(daemonSet: DaemonSet, generation: number): DaemonSet {
  const { metadata } = daemonSet;
  const text = String(generation);
  if (metadata.annotations?.[TEMPLATE_GENERATION] === text) return daemonSet;
  return {
    ...daemonSet,
    metadata: { ...metadata, annotations: { ...metadata.annotations, [TEMPLATE_GENERATION]: text } },
  };
}

/** Follows SetDefaults_DaemonSet and Convert_v1_DaemonSet_To_apps_DaemonSet, v1.33. */
function defaults(daemonSet: DaemonSet): DaemonSet {
  const text = daemonSet.metadata.annotations?.[TEMPLATE_GENERATION];
  if (text !== undefined && templateGeneration(daemonSet) === undefined) {
    throw badRequest(
      `DaemonSet in version "v1" cannot be handled as a DaemonSet: strconv.ParseInt: parsing ${goQuote(text)}: invalid syntax`,
    );
  }
  let spec: DaemonSetSpec = fill(daemonSet.spec ?? ({} as DaemonSetSpec), { revisionHistoryLimit: 10 });
  let strategy = fillZero(spec.updateStrategy ?? {}, { type: 'RollingUpdate' });
  if (strategy.type === 'RollingUpdate') {
    const rollingUpdate = fill(strategy.rollingUpdate ?? {}, { maxUnavailable: 1, maxSurge: 0 });
    strategy = replace(strategy, 'rollingUpdate', rollingUpdate);
  }
  spec = replace(spec, 'updateStrategy', strategy);
  spec = replace(spec, 'template', defaultPodTemplate(spec.template ?? EMPTY));
  return withTemplateGeneration(replace(daemonSet, 'spec', spec), templateGeneration(daemonSet) ?? 0);
}

function validateRollingUpdate(
  { maxUnavailable = 0, maxSurge = 0 }: RollingUpdateDaemonSet,
  path: string,
  errors: FieldError[],
): void {
  validatePositiveIntOrPercent(maxUnavailable, `${path}.maxUnavailable`, errors);
  validatePositiveIntOrPercent(maxSurge, `${path}.maxSurge`, errors);
  validateNotMoreThan100Percent(maxUnavailable, `${path}.maxUnavailable`, errors);
  validateNotMoreThan100Percent(maxSurge, `${path}.maxSurge`, errors);
  const hasUnavailable = intOrPercentValue(maxUnavailable) !== 0;
  const hasSurge = intOrPercentValue(maxSurge) !== 0;
  if (hasUnavailable && hasSurge) {
    const message = 'may not be set when maxUnavailable is non-zero';
    errors.push(invalidField(`${path}.maxSurge`, goIntOrString(maxSurge), message));
  } else if (!hasUnavailable && !hasSurge) {
    errors.push(required(`${path}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'));
  }
}

function validateStrategy({ type = '', rollingUpdate }: DaemonSetUpdateStrategy, errors: FieldError[]): void {
  const path = 'spec.updateStrategy';
  if (type === 'OnDelete') return;
  if (type === 'RollingUpdate') {
    if (rollingUpdate) validateRollingUpdate(rollingUpdate, `${path}.rollingUpdate`, errors);
    else errors.push(required(`${path}.rollingUpdate`));
    return;
  }
  // Upstream prints an address of its memory here.
  const pointer = `(*apps.RollingUpdateDaemonSet)(${rollingUpdate ? '0xc000000000' : 'nil'})`;
  const go = new GoValue(`apps.DaemonSetUpdateStrategy{Type:${goQuote(type)}, RollingUpdate:${pointer}}`);
  errors.push(notSupported(path, go, ['RollingUpdate', 'OnDelete']));
}

function validateSelector(
  selector: LabelSelector | undefined,
  labels: Readonly<Record<string, string>> | undefined,
  errors: FieldError[],
): void {
  if (selector) validateLabelSelector(selector, 'spec.selector', errors);
  try {
    const terms = labelSelectorTerms(selector);
    if (!terms || !matchesLabels(terms, labels)) {
      const message = '`selector` does not match template `labels`';
      errors.push(invalidField('spec.template.metadata.labels', goMapOrNil(labels), message));
    }
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
  }
  if (selector && !Object.keys(selector.matchLabels ?? {}).length && !selector.matchExpressions?.length) {
    const message = 'empty selector is invalid for daemonset';
    errors.push(invalidField('spec.selector', goLabelSelector(selector), message));
  }
}

/** Follows ValidateDaemonSet of pkg/apis/apps/validation, v1.33. */
function validate({ spec }: DaemonSet): FieldError[] {
  const errors: FieldError[] = [];
  const template = spec.template ?? EMPTY;
  validateSelector(spec.selector, template.metadata?.labels, errors);
  validateReplicaTemplate(template, 'DaemonSet', 'spec.template', errors);
  validateNonnegative(spec.minReadySeconds, 'spec.minReadySeconds', errors);
  validateStrategy(spec.updateStrategy ?? {}, errors);
  validateNonnegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit', errors);
  return errors;
}

/** Upstream says everything twice. */
function validateUpdate(next: DaemonSet, previous: DaemonSet): FieldError[] {
  const errors = validate(next);
  errors.push(...errors);
  validateImmutableSelector(next.spec.selector, previous.spec.selector, errors);
  return errors;
}

const COUNTS = [
  'currentNumberScheduled',
  'numberMisscheduled',
  'desiredNumberScheduled',
  'numberReady',
  'observedGeneration',
  'updatedNumberScheduled',
  'numberAvailable',
  'numberUnavailable',
  'collisionCount',
] as const;

const NO_STATUS: DaemonSetStatus = {
  currentNumberScheduled: 0,
  numberMisscheduled: 0,
  desiredNumberScheduled: 0,
  numberReady: 0,
};

function validateStatusUpdate({ status = NO_STATUS }: DaemonSet, previous: DaemonSet): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of COUNTS) validateNonnegative(status[field], `status.${field}`, errors);
  const { collisionCount = 0 } = status;
  if (collisionCount < (previous.status?.collisionCount ?? 0)) {
    errors.push(invalidField('status.collisionCount', collisionCount, 'cannot be decremented'));
  }
  return errors;
}

function withTemplate(daemonSet: DaemonSet, previous: DaemonSet | undefined): DaemonSet {
  const { spec } = daemonSet;
  const template = withoutDisabledTemplateFields(spec.template ?? EMPTY, previous?.spec.template);
  return replace(daemonSet, 'spec', replace(spec, 'template', template));
}

/** A node selector as tables show it. */
function nodeSelectorText({ spec }: DaemonSet): string {
  const entries = Object.entries(templateSpec(spec.template).nodeSelector ?? {});
  const texts = entries.map(([key, value]) => `${key}=${value}`).sort();
  return texts.join(',') || '<none>';
}

/** DaemonSets. Follows pkg/registry/apps/daemonset/strategy.go, v1.33. */
export const daemonSets = defineResource<DaemonSet>({
  group: 'apps',
  version: 'v1',
  kind: 'DaemonSet',
  plural: 'daemonsets',
  singular: 'daemonset',
  shortNames: ['ds'],
  categories: ['all'],
  scope: 'Namespaced',
  schema: 'io.k8s.api.apps.v1.DaemonSet',
  defaults,
  validate,
  validateUpdate,
  notModelled: ({ spec }) => podTemplateNotModelled(spec.template),
  strategy: {
    prepareForCreate(given) {
      const next = withTemplateGeneration(withTemplate(given, undefined), Math.max(1, templateGeneration(given) ?? 0));
      return { ...next, metadata: { ...next.metadata, generation: 1 }, status: NO_STATUS };
    },
    prepareForUpdate(given, previous) {
      const next = { ...withTemplate(given, previous), status: previous.status };
      const generation = templateGeneration(previous) ?? 0;
      const isSameTemplate = semanticEqual(next.spec.template, previous.spec.template);
      const counted = withTemplateGeneration(next, isSameTemplate ? generation : generation + 1);
      if (isSameTemplate && semanticEqual(next.spec, previous.spec)) return counted;
      return { ...counted, metadata: { ...counted.metadata, generation: (previous.metadata.generation ?? 0) + 1 } };
    },
    warnings(daemonSet, previous) {
      if (previous && templateGeneration(previous) === templateGeneration(daemonSet)) return [];
      return podTemplateWarnings(daemonSet.spec.template);
    },
  },
  subresources: {
    status: {
      prepareForUpdate: (next, previous) =>
        withTemplateGeneration({ ...next, spec: previous.spec }, templateGeneration(previous) ?? 0),
      validateUpdate: validateStatusUpdate,
    },
  },
  ownColumns: true,
  columns: [
    nameColumn,
    { name: 'Desired', type: 'integer', cell: ({ status }) => status?.desiredNumberScheduled ?? 0 },
    { name: 'Current', type: 'integer', cell: ({ status }) => status?.currentNumberScheduled ?? 0 },
    { name: 'Ready', type: 'integer', cell: ({ status }) => status?.numberReady ?? 0 },
    { name: 'Up-to-date', type: 'integer', cell: ({ status }) => status?.updatedNumberScheduled ?? 0 },
    { name: 'Available', type: 'integer', cell: ({ status }) => status?.numberAvailable ?? 0 },
    { name: 'Node Selector', type: 'string', cell: nodeSelectorText },
    ageColumn,
    ...templateColumns<DaemonSet>(({ spec }) => spec.template),
    { name: 'Selector', type: 'string', priority: 1, cell: ({ spec }) => selectorText(spec.selector) },
  ],
});
