import type { FieldError } from '#apimachinery/field-error.ts';
import { intOrPercentValue } from '#apimachinery/int-or-string.ts';
import { validateAnnotations, validateLabelSelector, validateLabels } from '#apimachinery/label-validation.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { labelSelectorTerms, matchesLabels, SelectorError } from '#apimachinery/selectors.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import {
  forbiddenField,
  GoValue,
  goQuote,
  invalidField,
  isDNS1123Label,
  nameValidator,
  notSupported,
  required,
} from '#apimachinery/validation.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import { fill, fillZero, mapShared, replace } from '../../fill.ts';
import { validateStandardFinalizers } from '../../finalizers.ts';
import { goIntOrString, goLabelSelector, goMapOrNil } from '../../go-text.ts';
import type {
  PersistentVolumeClaim,
  RollingUpdateStatefulSetStrategy,
  StatefulSet,
  StatefulSetSpec,
  StatefulSetStatus,
  StatefulSetUpdateStrategy,
} from '../../generated/types.ts';
import { validateNonnegative } from '../../nonnegative.ts';
import { claimSpecWarnings, defaultClaim } from '../../core/v1/persistent-volume-claim.ts';
import {
  defaultPodTemplate,
  podTemplateNotModelled,
  podTemplateWarnings,
  templateColumns,
  templateSpec,
  withoutDisabledTemplateFields,
} from '../../core/v1/pod-template-spec.ts';
import { validatePodAnnotations } from '../../core/v1/pod-validation-annotations.ts';
import { validateNotMoreThan100Percent, validatePositiveIntOrPercent } from './deployment.ts';

const defaultTemplate = (claim: PersistentVolumeClaim): PersistentVolumeClaim =>
  fill(defaultClaim(claim), { apiVersion: 'v1', kind: 'PersistentVolumeClaim' });

/** Follows SetDefaults_StatefulSet, v1.33. */
function defaults(statefulSet: StatefulSet): StatefulSet {
  let spec: StatefulSetSpec = statefulSet.spec ?? ({} as StatefulSetSpec);
  spec = fillZero(spec, { podManagementPolicy: 'OrderedReady' });
  let strategy: StatefulSetUpdateStrategy = spec.updateStrategy ?? {};
  if (!strategy.type) strategy = { rollingUpdate: {}, ...strategy, type: 'RollingUpdate' };
  if (strategy.type === 'RollingUpdate' && strategy.rollingUpdate) {
    strategy = replace(strategy, 'rollingUpdate', fill(strategy.rollingUpdate, { partition: 0 }));
  }
  spec = replace(spec, 'updateStrategy', strategy);
  const retention = fillZero(spec.persistentVolumeClaimRetentionPolicy ?? {}, {
    whenDeleted: 'Retain',
    whenScaled: 'Retain',
  });
  spec = replace(spec, 'persistentVolumeClaimRetentionPolicy', retention);
  spec = fill(spec, { replicas: 1, revisionHistoryLimit: 10 });
  if (spec.volumeClaimTemplates) {
    spec = replace(spec, 'volumeClaimTemplates', mapShared(spec.volumeClaimTemplates, defaultTemplate));
  }
  return replace(statefulSet, 'spec', replace(spec, 'template', defaultPodTemplate(spec.template ?? {})));
}

/** Upstream prints addresses of its memory here. */
const goRollingUpdate = ({ partition = 0, maxUnavailable }: RollingUpdateStatefulSetStrategy) =>
  new GoValue(
    `apps.RollingUpdateStatefulSetStrategy{Partition:${partition}, MaxUnavailable:(*intstr.IntOrString)(${maxUnavailable === undefined ? 'nil' : '0xc000000000'})}`,
  );

function validateStrategy({ type = '', rollingUpdate }: StatefulSetUpdateStrategy, errors: FieldError[]): void {
  const path = 'spec.updateStrategy';
  if (type === '') errors.push(required(path));
  else if (type === 'OnDelete') {
    if (!rollingUpdate) return;
    const message = "only allowed for updateStrategy 'RollingUpdate'";
    errors.push(invalidField(`${path}.rollingUpdate`, goRollingUpdate(rollingUpdate), message));
  } else if (type === 'RollingUpdate') {
    if (!rollingUpdate) return;
    const { partition, maxUnavailable } = rollingUpdate;
    validateNonnegative(partition, `${path}.rollingUpdate.partition`, errors);
    if (maxUnavailable === undefined) return;
    const at = `${path}.rollingUpdate.maxUnavailable`;
    validatePositiveIntOrPercent(maxUnavailable, at, errors);
    if (intOrPercentValue(maxUnavailable) === 0) {
      errors.push(invalidField(at, goIntOrString(maxUnavailable), 'cannot be 0'));
    }
    validateNotMoreThan100Percent(maxUnavailable, at, errors);
  } else {
    const pointer = `(*apps.RollingUpdateStatefulSetStrategy)(${rollingUpdate ? '0xc000000000' : 'nil'})`;
    const go = new GoValue(`apps.StatefulSetUpdateStrategy{Type:${goQuote(type)}, RollingUpdate:${pointer}}`);
    errors.push(invalidField(path, go, "must be 'RollingUpdate' or 'OnDelete'"));
  }
}

function validateTemplate({ selector, template = {} }: StatefulSetSpec, errors: FieldError[]): void {
  const { labels, annotations } = template.metadata ?? {};
  let terms: ReturnType<typeof labelSelectorTerms>;
  try {
    terms = labelSelectorTerms(selector);
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    errors.push(invalidField('spec.selector', goLabelSelector(selector), ''));
    return;
  }
  // A selector that selects nothing is not empty.
  if (!terms || (terms.length && !matchesLabels(terms, labels))) {
    const message = '`selector` does not match template `labels`';
    errors.push(invalidField('spec.template.metadata.labels', goMapOrNil(labels), message));
  }
  validateLabels(labels, 'spec.template.labels', errors);
  validateAnnotations(annotations, 'spec.template.annotations', errors);
  validatePodAnnotations(annotations, templateSpec(template), errors, 'spec.template.annotations');
}

/** Follows ValidateStatefulSetSpec of pkg/apis/apps/validation, v1.33, which does not look into the Pods' specification. */
function validateSpec(spec: StatefulSetSpec, isNew: boolean, errors: FieldError[]): void {
  const {
    podManagementPolicy: policy,
    persistentVolumeClaimRetentionPolicy: retention,
    selector,
    template = {},
  } = spec;
  if (!policy) errors.push(required('spec.podManagementPolicy'));
  else if (policy !== 'OrderedReady' && policy !== 'Parallel') {
    errors.push(invalidField('spec.podManagementPolicy', policy, "must be 'OrderedReady' or 'Parallel'"));
  }
  validateStrategy(spec.updateStrategy ?? {}, errors);
  for (const field of ['whenDeleted', 'whenScaled'] as const) {
    const value = retention?.[field] ?? '';
    if (!retention || value === 'Retain' || value === 'Delete') continue;
    const path = `spec.persistentVolumeClaimRetentionPolicy.${field}`;
    errors.push(notSupported(path, value, ['Retain', 'Delete']));
  }
  validateNonnegative(spec.replicas, 'spec.replicas', errors);
  validateNonnegative(spec.minReadySeconds, 'spec.minReadySeconds', errors);
  validateNonnegative(spec.ordinals?.start, 'spec.ordinals.start', errors);
  if (isNew && spec.serviceName) {
    for (const message of isDNS1123Label(spec.serviceName)) {
      errors.push(invalidField('spec.serviceName', spec.serviceName, message));
    }
  }
  if (!selector) errors.push(required('spec.selector'));
  else {
    validateLabelSelector(selector, 'spec.selector', errors);
    if (!Object.keys(selector.matchLabels ?? {}).length && !selector.matchExpressions?.length) {
      const message = 'empty selector is invalid for statefulset';
      errors.push(invalidField('spec.selector', goLabelSelector(selector), message));
    }
  }
  validateTemplate(spec, errors);
  const { restartPolicy = '', activeDeadlineSeconds } = templateSpec(template);
  if (restartPolicy !== 'Always') {
    errors.push(notSupported('spec.template.spec.restartPolicy', restartPolicy, ['Always']));
  }
  if (activeDeadlineSeconds !== undefined) {
    const message = 'activeDeadlineSeconds in StatefulSet is not Supported';
    errors.push(forbiddenField('spec.template.spec.activeDeadlineSeconds', message));
  }
}

function validate({ metadata, spec }: StatefulSet): FieldError[] {
  const errors: FieldError[] = [];
  validateStandardFinalizers(metadata, errors);
  validateSpec(spec, true, errors);
  return errors;
}

function validateUpdate(next: StatefulSet, previous: StatefulSet): FieldError[] {
  const errors: FieldError[] = [];
  validateStandardFinalizers(next.metadata, errors);
  validateSpec(next.spec, false, errors);
  const { replicas, template, updateStrategy, minReadySeconds, ordinals, revisionHistoryLimit } = previous.spec;
  const { persistentVolumeClaimRetentionPolicy } = previous.spec;
  const mutable = { replicas, template, updateStrategy, minReadySeconds, ordinals, revisionHistoryLimit };
  if (!semanticEqual({ ...next.spec, ...mutable, persistentVolumeClaimRetentionPolicy }, previous.spec)) {
    const message =
      "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
    errors.push(forbiddenField('spec', message));
  }
  return errors;
}

const COUNTS = ['replicas', 'readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'] as const;

function validateStatusUpdate(
  { metadata, status = { replicas: 0 } }: StatefulSet,
  previous: StatefulSet,
): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of COUNTS) validateNonnegative(status[field], `status.${field}`, errors);
  validateNonnegative(status.observedGeneration, 'status.observedGeneration', errors);
  validateNonnegative(status.collisionCount, 'status.collisionCount', errors);
  for (const field of COUNTS) {
    const value = status[field] ?? 0;
    if (value > status.replicas) {
      errors.push(invalidField(`status.${field}`, value, 'cannot be greater than status.replicas'));
    }
  }
  const { availableReplicas = 0, readyReplicas = 0, collisionCount } = status;
  if (availableReplicas > readyReplicas) {
    const message = 'cannot be greater than status.readyReplicas';
    errors.push(invalidField('status.availableReplicas', availableReplicas, message));
  }
  validateStandardFinalizers(metadata, errors);
  const before = previous.status?.collisionCount;
  if (before !== undefined && (collisionCount === undefined || collisionCount < before)) {
    errors.push(invalidField('status.collisionCount', collisionCount ?? 0, 'cannot be decremented'));
  }
  return errors;
}

/** MaxUnavailableStatefulSet is off: what was not there before is not taken. */
function withoutDisabled(given: StatefulSet, previous: StatefulSet | undefined): StatefulSet {
  let { spec } = given;
  spec = replace(spec, 'template', withoutDisabledTemplateFields(spec.template, previous?.spec.template));
  const { updateStrategy: strategy } = spec;
  const wasSet = previous?.spec.updateStrategy?.rollingUpdate?.maxUnavailable !== undefined;
  if (!wasSet && strategy?.rollingUpdate?.maxUnavailable !== undefined) {
    const { maxUnavailable: _, ...rollingUpdate } = strategy.rollingUpdate;
    spec = { ...spec, updateStrategy: { ...strategy, rollingUpdate } };
  }
  return replace(given, 'spec', spec);
}

const NO_STATUS: StatefulSetStatus = { replicas: 0, availableReplicas: 0 };

/** StatefulSets. Follows pkg/registry/apps/statefulset/strategy.go, v1.33. */
export const statefulSets = defineResource<StatefulSet>({
  group: 'apps',
  version: 'v1',
  kind: 'StatefulSet',
  plural: 'statefulsets',
  singular: 'statefulset',
  shortNames: ['sts'],
  categories: ['all'],
  scope: 'Namespaced',
  schema: 'io.k8s.api.apps.v1.StatefulSet',
  validateName: nameValidator(isDNS1123Label),
  defaults,
  validate,
  validateUpdate,
  notModelled: ({ spec }) => [
    'spec: no controller runs StatefulSets here yet',
    ...podTemplateNotModelled(spec.template),
  ],
  strategy: {
    prepareForCreate: (statefulSet) => ({
      ...withoutDisabled(statefulSet, undefined),
      metadata: { ...statefulSet.metadata, generation: 1 },
      status: NO_STATUS,
    }),
    prepareForUpdate(given, previous) {
      const next = { ...withoutDisabled(given, previous), status: previous.status };
      if (semanticEqual(next.spec, previous.spec)) return next;
      return { ...next, metadata: { ...next.metadata, generation: (previous.metadata.generation ?? 0) + 1 } };
    },
    warnings({ metadata, spec }, previous) {
      const isSame = previous && previous.metadata.generation === metadata.generation;
      const warnings = isSame ? [] : podTemplateWarnings(spec.template);
      spec.volumeClaimTemplates?.forEach((claim, i) => {
        const path = `spec.volumeClaimTemplates[${i}]${previous ? '.Spec' : ''}`;
        warnings.push(...claimSpecWarnings(claim.spec ?? {}, path));
      });
      if ((spec.revisionHistoryLimit ?? 0) < 0) {
        warnings.push(
          'spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended',
        );
      }
      return warnings;
    },
  },
  subresources: {
    status: {
      prepareForUpdate: (next, previous) => ({ ...next, spec: previous.spec }),
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
    ageColumn,
    ...templateColumns<StatefulSet>(({ spec }) => spec.template),
  ],
});
