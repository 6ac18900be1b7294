import type { FieldError } from '#apimachinery/field-error.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { duplicate, GoValue, invalidField, invalidWithoutValue, required } from '#apimachinery/validation.ts';
import { validateStandardFinalizers } from '../../finalizers.ts';
import type { Job, JobStatus } from '../../generated/types.ts';
import { validateNonnegative } from '../../nonnegative.ts';
import { isJobConditionTrue, isJobFinished } from './job-conditions.ts';
import { goUncounted } from './job-go-text.ts';
import { IndexesError, overlappingIndex, parseIndexes } from './job-indexes.ts';

const goTime = (time: string | undefined) =>
  time === undefined ? undefined : new GoValue(`${time.slice(0, 10)} ${time.slice(11, 19)} +0000 UTC`);

const isComplete = (job: Job) => isJobConditionTrue(job, 'Complete');
const isFailed = (job: Job) => isJobConditionTrue(job, 'Failed');
const isFailing = (job: Job) => isJobConditionTrue(job, 'FailureTarget');
const isSucceeding = (job: Job) => isJobConditionTrue(job, 'SuccessCriteriaMet');

function validateUncounted({ uncountedTerminatedPods }: JobStatus, errors: FieldError[]): void {
  const seen = new Set<string>();
  for (const field of ['succeeded', 'failed'] as const) {
    uncountedTerminatedPods?.[field]?.forEach((uid, i) => {
      const path = `status.uncountedTerminatedPods.${field}[${i}]`;
      if (uid === '') errors.push(invalidField(path, uid, 'must not be empty'));
      else if (seen.has(uid)) errors.push(duplicate(path, uid));
      seen.add(uid);
    });
  }
}

function validateIndexes(text: string, completions: number, field: string, errors: FieldError[]): void {
  try {
    parseIndexes(text, completions);
  } catch (error) {
    if (!(error instanceof IndexesError)) throw error;
    errors.push(invalidField(`status.${field}`, text, `error parsing ${field}: ${error.message}`));
  }
}

/**
 * A Job's status, written by whoever manages it: most rules hold only for what this update changes. Follows
 * ValidateJobUpdateStatus of pkg/apis/batch/validation and getStatusValidationOptions of pkg/registry/batch/job, v1.33.
 */
export function validateJobStatusUpdate(next: Job, previous: Job): FieldError[] {
  const errors: FieldError[] = [];
  validateStandardFinalizers(next.metadata, errors);
  const { spec, status = {} } = next;
  const before: JobStatus = previous.status ?? {};
  const changed = (...fields: readonly (keyof JobStatus)[]) =>
    fields.some((field) => !semanticEqual(status[field] || undefined, before[field] || undefined));
  const turned = (is: (job: Job) => boolean) => is(next) !== is(previous);
  const conditions = (message: string) => errors.push(invalidWithoutValue('status.conditions', message));
  const { active = 0, ready, terminating = 0, completions: _, ...rest } = { ...status, completions: spec.completions };
  const { completionTime, startTime, completedIndexes = '', failedIndexes, uncountedTerminatedPods } = rest;
  const { completions, successPolicy } = spec;
  const isIndexed = spec.completionMode === 'Indexed';
  const finishedTurned = turned(isJobFinished);
  const completeTurned = turned(isComplete);

  for (const field of ['active', 'succeeded', 'failed', 'ready', 'terminating'] as const) {
    validateNonnegative(status[field], `status.${field}`, errors);
  }
  validateUncounted(status, errors);
  if ((completeTurned || turned(isFailed)) && isComplete(next) && isFailed(next)) {
    conditions('cannot set Complete=True and Failed=true conditions');
  }
  if ((completeTurned || turned(isFailing)) && isComplete(next) && isFailing(next)) {
    conditions('cannot set Complete=True and FailureTarget=true conditions');
  }
  if (completeTurned || changed('completionTime')) {
    if (completionTime && !isComplete(next)) {
      const message = 'cannot set completionTime when there is no Complete=True condition';
      errors.push(invalidField('status.completionTime', goTime(completionTime), message));
    }
    if (!completionTime && isComplete(next)) {
      errors.push(required('status.completionTime', 'completionTime is required for Complete jobs'));
    }
  }
  if (changed('startTime', 'completionTime') && startTime && completionTime && completionTime < startTime) {
    const message = 'completionTime cannot be set before startTime';
    errors.push(invalidField('status.completionTime', goTime(completionTime), message));
  }
  if ((turned(isFailed) || changed('failedIndexes')) && isFailed(next) && !isFailing(next)) {
    conditions('cannot set Failed=True condition without the FailureTarget=true condition');
  }
  if ((completeTurned || turned(isSucceeding)) && isComplete(next) && !isSucceeding(next)) {
    conditions('cannot set Complete=True condition without the SuccessCriteriaMet=true condition');
  }
  const isFinished = isJobFinished(next);
  if ((finishedTurned || changed('active')) && active > 0 && isFinished) {
    errors.push(invalidField('status.active', active, 'active>0 is invalid for finished job'));
  }
  const isSuspendedAndEmpty = spec.suspend === true && completions === 0;
  if ((finishedTurned || changed('startTime')) && !isSuspendedAndEmpty && !startTime && isFinished) {
    errors.push(required('status.startTime', 'startTime is required for finished job'));
  }
  if (finishedTurned || changed('uncountedTerminatedPods')) {
    const { succeeded = [], failed = [] } = uncountedTerminatedPods ?? {};
    if (isFinished && uncountedTerminatedPods && succeeded.length + failed.length > 0) {
      const message = 'uncountedTerminatedPods needs to be empty for finished job';
      errors.push(invalidField('status.uncountedTerminatedPods', goUncounted(uncountedTerminatedPods), message));
    }
  }
  if (changed('completedIndexes') && completions !== undefined) {
    validateIndexes(completedIndexes, completions, 'completedIndexes', errors);
  }
  if (changed('failedIndexes') && completions !== undefined && spec.backoffLimitPerIndex !== undefined) {
    if (failedIndexes !== undefined) validateIndexes(failedIndexes, completions, 'failedIndexes', errors);
  }
  if (changed('completedIndexes') && completedIndexes && !isIndexed) {
    const message = 'cannot set non-empty completedIndexes when non-indexed completion mode';
    errors.push(invalidField('status.completedIndexes', completedIndexes, message));
  }
  if (
    failedIndexes !== before.failedIndexes &&
    spec.backoffLimitPerIndex === undefined &&
    failedIndexes !== undefined
  ) {
    const message = 'cannot set non-null failedIndexes when backoffLimitPerIndex is null';
    errors.push(invalidField('status.failedIndexes', failedIndexes, message));
  }
  if (changed('failedIndexes', 'completedIndexes') && completions !== undefined && failedIndexes !== undefined) {
    const index = overlappingIndex(completedIndexes, failedIndexes, completions);
    if (index !== undefined) {
      const message = `failedIndexes and completedIndexes overlap at index: ${index}`;
      errors.push(invalidField('status.failedIndexes', failedIndexes, message));
    }
  }
  if ((finishedTurned || changed('terminating')) && terminating > 0 && isFinished) {
    errors.push(invalidField('status.terminating', terminating, 'terminating>0 is invalid for finished job'));
  }
  if (changed('ready', 'active') && ready !== undefined && ready > active) {
    errors.push(invalidField('status.ready', ready, 'cannot set more ready pods than active'));
  }
  if (isSucceeding(next) && isFailed(next)) conditions('cannot set SuccessCriteriaMet=True and Failed=true conditions');
  if (isSucceeding(next) && isFailing(next)) {
    conditions('cannot set SuccessCriteriaMet=True and FailureTarget=true conditions');
  }
  if (successPolicy && !isSucceeding(next) && isComplete(next)) {
    conditions('cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True');
  }
  validateTransition(next, previous, errors);
  return errors;
}

/** What may not be taken back. */
function validateTransition(next: Job, previous: Job, errors: FieldError[]): void {
  const { spec, status = {} } = next;
  const before = previous.status ?? {};
  const conditions = (message: string) => errors.push(invalidWithoutValue('status.conditions', message));
  for (const type of ['Failed', 'Complete', 'FailureTarget']) {
    if (isJobConditionTrue(previous, type) && !isJobConditionTrue(next, type)) {
      conditions(`cannot disable the terminal ${type}=True condition`);
    }
  }
  if ((status.failed ?? 0) < (before.failed ?? 0)) {
    errors.push(invalidField('status.failed', status.failed ?? 0, 'cannot decrease the failed counter'));
  }
  const mayShrink = spec.completionMode === 'Indexed' && spec.completions === spec.parallelism;
  if (!mayShrink && (status.succeeded ?? 0) < (before.succeeded ?? 0)) {
    errors.push(invalidField('status.succeeded', status.succeeded ?? 0, 'cannot decrease the succeeded counter'));
  }
  if (status.completionTime && before.completionTime && status.completionTime !== before.completionTime) {
    const message = 'completionTime cannot be mutated';
    errors.push(invalidField('status.completionTime', goTime(status.completionTime), message));
  }
  const isResuming =
    isJobConditionTrue(previous, 'Suspended') &&
    status.conditions?.some(({ type, status: value }) => type === 'Suspended' && value === 'False') === true;
  if (!isResuming && before.startTime && before.startTime !== status.startTime && !spec.suspend) {
    errors.push(required('status.startTime', 'startTime cannot be removed for unsuspended job'));
  }
  if (isSucceeding(previous) && !isSucceeding(next)) conditions('cannot disable the SuccessCriteriaMet=True condition');
  if (isComplete(previous) && !isSucceeding(previous) && isSucceeding(next)) {
    conditions('cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions');
  }
}
