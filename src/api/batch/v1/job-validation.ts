import type { FieldError } from '#apimachinery/field-error.ts';
import { validateLabelSelector } from '#apimachinery/label-validation.ts';
import { labelSelectorTerms, matchesLabels, SelectorError } from '#apimachinery/selectors.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import {
  type BadValue,
  duplicate,
  invalidField,
  invalidWithoutValue,
  isDNS1123Label,
  isDNS1123Subdomain,
  isQualifiedName,
  notSupported,
  regexError,
  required,
  tooLong,
  tooMany,
} from '#apimachinery/validation.ts';
import { validateStandardFinalizers } from '../../finalizers.ts';
import { goLabelSelector, goMapOrNil } from '../../go-text.ts';
import type {
  Job,
  JobSpec,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyRule,
  PodTemplateSpec,
  SuccessPolicyRule,
} from '../../generated/types.ts';
import { validateNonnegative } from '../../nonnegative.ts';
import { templateSpec, validatePodTemplateSpec } from '../../core/v1/pod-template-spec.ts';
import { goInt32s, goPodFailurePolicy, goPodTemplate, goSuccessPolicy } from './job-go-text.ts';
import { countIndexes, IndexesError, parseIndexes } from './job-indexes.ts';

// Follows pkg/apis/batch/validation, v1.33.

export const CONTROLLER_UID = 'batch.kubernetes.io/controller-uid';
export const JOB_NAME = 'batch.kubernetes.io/job-name';
export const LEGACY_CONTROLLER_UID = 'controller-uid';
export const LEGACY_JOB_NAME = 'job-name';

const MAX_PARALLELISM = 100_000;
const MAX_FAILED_INDEXES = 100_000;
const MANY_COMPLETIONS = 100_000;
const MAX_PARALLELISM_OF_MANY = 10_000;
const MAX_FAILED_INDEXES_OF_MANY = 10_000;
const MAX_RULES = 20;
const MAX_PATTERNS = 20;
const MAX_EXIT_CODES = 255;
const MAX_MANAGED_BY = 63;
const MAX_SUCCEEDED_INDEXES = 64 * 1024;

const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore'];
const OPERATORS = ['In', 'NotIn'];
const CONDITION_STATUSES = ['False', 'True', 'Unknown'];
const HTTP_PATH = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";

const validValues = (values: readonly string[]) => `valid values: [${values.map((value) => `"${value}"`).join(' ')}]`;

function validateDomainPrefixedPath(value: string, path: string, errors: FieldError[]): void {
  if (!value) {
    errors.push(required(path));
    return;
  }
  const slash = value.indexOf('/');
  if (slash <= 0 || slash === value.length - 1) {
    errors.push(invalidField(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")'));
    return;
  }
  const host = value.slice(0, slash);
  const rest = value.slice(slash + 1);
  for (const message of isDNS1123Subdomain(host)) errors.push(invalidField(path, host, message));
  if (!new RegExp(`^${HTTP_PATH}$`).test(rest))
    errors.push(invalidField(path, rest, regexError('Invalid path', HTTP_PATH)));
}

function validateIndexedSpec(spec: JobSpec, path: string, errors: FieldError[]): void {
  const { completions, parallelism = 0, maxFailedIndexes, backoffLimitPerIndex } = spec;
  if (completions === undefined) errors.push(required(`${path}.completions`, 'when completion mode is Indexed'));
  if (parallelism > MAX_PARALLELISM) {
    const message = `must be less than or equal to ${MAX_PARALLELISM} when completion mode is Indexed`;
    errors.push(invalidField(`${path}.parallelism`, parallelism, message));
  }
  const failed = (message: string) =>
    errors.push(invalidField(`${path}.maxFailedIndexes`, maxFailedIndexes, `must be less than or equal to ${message}`));
  if (completions !== undefined && maxFailedIndexes !== undefined && maxFailedIndexes > completions) {
    failed('completions');
  }
  if ((maxFailedIndexes ?? 0) > MAX_FAILED_INDEXES) failed(String(MAX_FAILED_INDEXES));
  if ((completions ?? 0) <= MANY_COMPLETIONS || backoffLimitPerIndex === undefined) return;
  if (maxFailedIndexes === undefined) {
    errors.push(
      required(`${path}.maxFailedIndexes`, `must be specified when completions is above ${MANY_COMPLETIONS}`),
    );
  }
  const many = `when completions are above ${MANY_COMPLETIONS} and used with backoff limit per index`;
  if (parallelism > MAX_PARALLELISM_OF_MANY) {
    const message = `must be less than or equal to ${MAX_PARALLELISM_OF_MANY} ${many}`;
    errors.push(invalidField(`${path}.parallelism`, parallelism, message));
  }
  if ((maxFailedIndexes ?? 0) > MAX_FAILED_INDEXES_OF_MANY) failed(`${MAX_FAILED_INDEXES_OF_MANY} ${many}`);
}

function validateExitCodes(
  { operator, containerName, values }: PodFailurePolicyOnExitCodesRequirement,
  containers: readonly string[],
  path: string,
  errors: FieldError[],
): void {
  if (!operator) errors.push(required(`${path}.operator`, validValues(OPERATORS)));
  else if (!OPERATORS.includes(operator)) errors.push(notSupported(`${path}.operator`, operator, OPERATORS));
  if (containerName !== undefined && !containers.includes(containerName)) {
    const message = 'must be one of the container or initContainer names in the pod template';
    errors.push(invalidField(`${path}.containerName`, containerName, message));
  }
  const codes = values ?? [];
  if (codes.length === 0)
    errors.push(invalidField(`${path}.values`, goInt32s(values), 'at least one value is required'));
  else if (codes.length > MAX_EXIT_CODES) errors.push(tooMany(`${path}.values`, codes.length, MAX_EXIT_CODES));
  const seen = new Set<number>();
  codes.forEach((code, i) => {
    const at = `${path}.values[${i}]`;
    if (operator === 'In' && code === 0) errors.push(invalidField(at, code, 'must not be 0 for the In operator'));
    if (seen.has(code)) errors.push(duplicate(at, code));
    seen.add(code);
  });
  if (codes.some((code, i) => i > 0 && (codes[i - 1] as number) > code)) {
    errors.push(invalidField(`${path}.values`, goInt32s(values), 'must be ordered'));
  }
}

function validateFailureRule(spec: JobSpec, rule: PodFailurePolicyRule, path: string, errors: FieldError[]): void {
  const { action, onExitCodes, onPodConditions = [] } = rule;
  if (!action) errors.push(required(`${path}.action`, validValues(ACTIONS)));
  else if (action === 'FailIndex') {
    if (spec.backoffLimitPerIndex === undefined) {
      errors.push(invalidField(`${path}.action`, action, 'requires the backoffLimitPerIndex to be set'));
    }
  } else if (!ACTIONS.includes(action)) errors.push(notSupported(`${path}.action`, action, ACTIONS));
  if (onExitCodes) {
    const { containers, initContainers = [] } = templateSpec(spec.template);
    const names = [...containers, ...initContainers].map(({ name }) => name);
    validateExitCodes(onExitCodes, names, `${path}.onExitCodes`, errors);
  }
  if (onPodConditions.length > MAX_PATTERNS) {
    errors.push(tooMany(`${path}.onPodConditions`, onPodConditions.length, MAX_PATTERNS));
  }
  onPodConditions.forEach(({ type, status }, i) => {
    const at = `${path}.onPodConditions[${i}]`;
    for (const message of isQualifiedName(type)) errors.push(invalidField(`${at}.type`, type, message));
    if (!status) errors.push(required(`${at}.status`, validValues(CONDITION_STATUSES)));
    else if (!CONDITION_STATUSES.includes(status)) {
      errors.push(notSupported(`${at}.status`, status, CONDITION_STATUSES));
    }
  });
  if (onExitCodes && onPodConditions.length) {
    errors.push(invalidWithoutValue(path, 'specifying both OnExitCodes and OnPodConditions is not supported'));
  }
  if (!onExitCodes && !onPodConditions.length) {
    errors.push(invalidWithoutValue(path, 'specifying one of OnExitCodes and OnPodConditions is required'));
  }
}

function validateSuccessRule(completions: number, rule: SuccessPolicyRule, path: string, errors: FieldError[]): void {
  const { succeededCount, succeededIndexes } = rule;
  if (succeededCount === undefined && succeededIndexes === undefined) {
    errors.push(required(path, 'at least one of succeededCount or succeededIndexes must be specified'));
  }
  let total = 0;
  if (succeededIndexes !== undefined) {
    const at = `${path}.succeededIndexes`;
    if (succeededIndexes.length > MAX_SUCCEEDED_INDEXES) errors.push(tooLong(at, MAX_SUCCEEDED_INDEXES));
    try {
      total = countIndexes(parseIndexes(succeededIndexes, completions));
    } catch (error) {
      if (!(error instanceof IndexesError)) throw error;
      errors.push(invalidField(at, succeededIndexes, `error parsing succeededIndexes: ${error.message}`));
    }
  }
  if (succeededCount === undefined) return;
  const at = `${path}.succeededCount`;
  validateNonnegative(succeededCount, at, errors);
  const tooHigh = (limit: number, what: string) => {
    if (succeededCount > limit) {
      errors.push(invalidField(at, succeededCount, `must be less than or equal to ${limit} (the number of ${what})`));
    }
  };
  tooHigh(completions, 'specified completions');
  if (succeededIndexes !== undefined) tooHigh(total, 'indexes in the specified succeededIndexes field');
}

/** What holds for the specification of a Job and for that in a CronJob's template. */
export function validateJobTemplateSpec(spec: JobSpec, path: string, errors: FieldError[]): void {
  const { maxFailedIndexes, backoffLimitPerIndex, managedBy, completionMode, podFailurePolicy, successPolicy } = spec;
  const { podReplacementPolicy } = spec;
  const template: PodTemplateSpec = spec.template ?? {};
  const counts = ['parallelism', 'completions', 'activeDeadlineSeconds', 'backoffLimit'] as const;
  for (const field of counts) validateNonnegative(spec[field], `${path}.${field}`, errors);
  validateNonnegative(spec.ttlSecondsAfterFinished, `${path}.ttlSecondsAfterFinished`, errors);
  validateNonnegative(backoffLimitPerIndex, `${path}.backoffLimitPerIndex`, errors);
  validateNonnegative(maxFailedIndexes, `${path}.maxFailedIndexes`, errors);
  if (maxFailedIndexes !== undefined && backoffLimitPerIndex === undefined) {
    errors.push(required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'));
  }
  if (managedBy !== undefined) {
    validateDomainPrefixedPath(managedBy, `${path}.managedBy`, errors);
    if (managedBy.length > MAX_MANAGED_BY) errors.push(tooLong(`${path}.managedBy`, MAX_MANAGED_BY));
  }
  if (completionMode !== undefined && !['NonIndexed', 'Indexed'].includes(completionMode)) {
    errors.push(notSupported(`${path}.completionMode`, completionMode, ['NonIndexed', 'Indexed']));
  }
  if (completionMode === 'Indexed') validateIndexedSpec(spec, path, errors);
  if (completionMode === undefined || completionMode === 'NonIndexed') {
    for (const field of ['backoffLimitPerIndex', 'maxFailedIndexes'] as const) {
      if (spec[field] === undefined) continue;
      errors.push(invalidField(`${path}.${field}`, spec[field], 'requires indexed completion mode'));
    }
  }
  if (podFailurePolicy) {
    const at = `${path}.podFailurePolicy.rules`;
    const rules = podFailurePolicy.rules ?? [];
    if (rules.length > MAX_RULES) errors.push(tooMany(at, rules.length, MAX_RULES));
    rules.forEach((rule, i) => validateFailureRule(spec, rule, `${at}[${i}]`, errors));
  }
  if (successPolicy && completionMode !== 'Indexed') {
    errors.push(
      invalidField(`${path}.successPolicy`, goSuccessPolicy(successPolicy), 'requires indexed completion mode'),
    );
  } else if (successPolicy) {
    const at = `${path}.successPolicy.rules`;
    const rules = successPolicy.rules ?? [];
    if (rules.length === 0) {
      errors.push(required(at, 'at least one rules must be specified when the successPolicy is specified'));
    }
    if (rules.length > MAX_RULES) errors.push(tooMany(at, rules.length, MAX_RULES));
    rules.forEach((rule, i) => validateSuccessRule(spec.completions ?? 0, rule, `${at}[${i}]`, errors));
  }
  if (podReplacementPolicy !== undefined) {
    const supported = podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed'];
    if (!supported.includes(podReplacementPolicy)) {
      errors.push(notSupported(`${path}.podReplacementPolicy`, podReplacementPolicy, supported));
    }
  }
  validatePodTemplateSpec(template, `${path}.template`, errors);
  const restartPolicy = templateSpec(template).restartPolicy ?? '';
  const at = `${path}.template.spec.restartPolicy`;
  if (restartPolicy === '' || restartPolicy === 'Always') {
    errors.push(required(at, 'valid values: "OnFailure", "Never"'));
  } else if (restartPolicy !== 'OnFailure' && restartPolicy !== 'Never') {
    errors.push(notSupported(at, restartPolicy, ['OnFailure', 'Never']));
  } else if (podFailurePolicy && restartPolicy !== 'Never') {
    errors.push(invalidField(at, restartPolicy, 'only "Never" is supported when podFailurePolicy is specified'));
  }
}

const selectorMatches = (selector: JobSpec['selector'], labels: Readonly<Record<string, string>> | undefined) => {
  try {
    const terms = labelSelectorTerms(selector);
    return terms !== undefined && matchesLabels(terms, labels);
  } catch (error) {
    // What is wrong with the selector has been said.
    if (!(error instanceof SelectorError)) throw error;
    return true;
  }
};

function validateJobSpec(spec: JobSpec, errors: FieldError[]): void {
  validateJobTemplateSpec(spec, 'spec', errors);
  if (spec.selector) validateLabelSelector(spec.selector, 'spec.selector', errors);
  else errors.push(required('spec.selector'));
  const { labels } = spec.template?.metadata ?? {};
  if (!selectorMatches(spec.selector, labels)) {
    const message = '`selector` does not match template `labels`';
    errors.push(invalidField('spec.template.metadata.labels', goMapOrNil(labels), message));
  }
}

/** The labels that the server has added are those of this very Job. */
function validateGeneratedSelector({ metadata, spec }: Job, requirePrefixed: boolean, errors: FieldError[]): void {
  if (spec.manualSelector || !spec.selector) return;
  const { uid = '', name = '' } = metadata;
  if (!uid) errors.push(required('metadata.uid'));
  const labels = spec.template?.metadata?.labels;
  const expected = Object.entries({
    [LEGACY_CONTROLLER_UID]: uid,
    [LEGACY_JOB_NAME]: name,
    ...(requirePrefixed ? { [CONTROLLER_UID]: uid, [JOB_NAME]: name } : {}),
  });
  for (const [key, value] of expected) {
    const path = `spec.template.metadata.labels[${key}]`;
    const actual = labels?.[key];
    if (actual === undefined) errors.push(required(path, `must be '${value}'`));
    else if (actual !== value) errors.push(invalidField(path, goMapOrNil(labels), `must be '${value}'`));
  }
  if (!selectorMatches(spec.selector, Object.fromEntries(expected))) {
    errors.push(invalidField('spec.selector', goLabelSelector(spec.selector), '`selector` not auto-generated'));
  }
}

function validateJobWith(job: Job, requirePrefixed: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const { metadata, spec } = job;
  validateStandardFinalizers(metadata, errors);
  validateGeneratedSelector(job, requirePrefixed, errors);
  validateJobSpec(spec, errors);
  const { completionMode, completions = 0 } = spec;
  if (completionMode === 'Indexed' && completions > 0) {
    const hostname = `${metadata.name}-${completions - 1}`;
    if (isDNS1123Label(hostname).length) {
      const message = `will not able to create pod with invalid DNS label: ${hostname}`;
      errors.push(invalidField('metadata.name', metadata.name, message));
    }
  }
  return errors;
}

/** A new Job. */
export const validateJob = (job: Job): FieldError[] => validateJobWith(job, true);

/** The template as it would have to be: what decides on where Pods go may change as long as a suspended Job has not begun. */
function withSchedulingDirectives(previous: PodTemplateSpec, next: PodTemplateSpec): PodTemplateSpec {
  const spec = templateSpec(previous);
  const { affinity, nodeSelector, tolerations, schedulingGates } = templateSpec(next);
  const merged = { ...spec.affinity, nodeAffinity: affinity?.nodeAffinity };
  const isEmpty = !affinity && !merged.podAffinity && !merged.podAntiAffinity;
  return {
    ...previous,
    metadata: {
      ...previous.metadata,
      annotations: next.metadata?.annotations,
      labels: next.metadata?.labels,
    },
    spec: { ...spec, affinity: isEmpty ? undefined : merged, nodeSelector, tolerations, schedulingGates },
  };
}

/** Upstream validates the specification twice. */
export function validateJobUpdate(next: Job, previous: Job): FieldError[] {
  const { labels } = previous.spec.template?.metadata ?? {};
  const requirePrefixed = labels?.[JOB_NAME] !== undefined && labels[CONTROLLER_UID] !== undefined;
  const errors = validateJobWith(next, requirePrefixed);
  validateStandardFinalizers(next.metadata, errors);
  const { spec } = next;
  const { spec: old } = previous;
  validateJobSpec(spec, errors);
  const immutable = (field: keyof JobSpec, value: BadValue) => {
    if (!semanticEqual(spec[field], old[field]))
      errors.push(invalidField(`spec.${field}`, value, 'field is immutable'));
  };
  const { completions } = spec;
  if (spec.completionMode !== 'Indexed') immutable('completions', completions);
  else if (completions !== undefined && completions !== old.completions && completions !== spec.parallelism) {
    const message = 'can only be modified in tandem with spec.parallelism';
    errors.push(invalidField('spec.completions', completions, message));
  }
  immutable('selector', goLabelSelector(spec.selector));
  const mayMove = old.suspend === true && previous.status?.startTime === undefined;
  const expected = mayMove ? withSchedulingDirectives(old.template, spec.template) : old.template;
  if (!semanticEqual(spec.template, expected)) {
    errors.push(invalidField('spec.template', goPodTemplate(spec.template), 'field is immutable'));
  }
  immutable('completionMode', spec.completionMode);
  immutable('podFailurePolicy', goPodFailurePolicy(spec.podFailurePolicy));
  immutable('backoffLimitPerIndex', spec.backoffLimitPerIndex);
  immutable('managedBy', spec.managedBy);
  immutable('successPolicy', goSuccessPolicy(spec.successPolicy));
  return errors;
}
