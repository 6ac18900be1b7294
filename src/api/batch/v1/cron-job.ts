import { timestampSince } from '#apimachinery/human-duration.ts';
import type { FieldError } from '#apimachinery/field-error.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { byteLength, invalidField, notSupported, required } from '#apimachinery/validation.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import { fill, fillZero, replace } from '../../fill.ts';
import { validateStandardFinalizers } from '../../finalizers.ts';
import { goLabelSelector } from '../../go-text.ts';
import type { CronJob, CronJobSpec, JobTemplateSpec } from '../../generated/types.ts';
import { validateNonnegative } from '../../nonnegative.ts';
import {
  defaultPodTemplate,
  podPrefixWarnings,
  podTemplateNotModelled,
  templateColumns,
  withoutDisabledTemplateFields,
} from '../../core/v1/pod-template-spec.ts';
import { selectorText } from '../../apps/v1/replica-set.ts';
import { parseSchedule, ScheduleError } from './cron-schedule.ts';
import { jobSpecWarnings } from './job.ts';
import { validateJobTemplateSpec } from './job-validation.ts';
import { timeZone } from './time-zone.ts';

/** A CronJob with its Pods' template changed. */
function withPodTemplate(
  cronJob: CronJob,
  change: (template: NonNullable<ReturnType<typeof podTemplateOf>>) => ReturnType<typeof podTemplateOf>,
): CronJob {
  const { spec } = cronJob;
  const jobTemplate: JobTemplateSpec = spec.jobTemplate ?? {};
  const jobSpec = jobTemplate.spec ?? { template: {} };
  const template = change(jobSpec.template ?? {}) ?? {};
  const next = replace(jobTemplate, 'spec', replace(jobSpec, 'template', template));
  return replace(cronJob, 'spec', replace(spec, 'jobTemplate', next));
}

const podTemplateOf = ({ spec }: CronJob) => spec.jobTemplate?.spec?.template;

/** Follows SetDefaults_CronJob, v1.33. */
function defaults(cronJob: CronJob): CronJob {
  let spec: CronJobSpec = fillZero(cronJob.spec ?? ({} as CronJobSpec), { concurrencyPolicy: 'Allow' });
  spec = fill(spec, { suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 });
  return withPodTemplate(replace(cronJob, 'spec', spec), defaultPodTemplate);
}

function validateSchedule({ schedule, timeZone: zone }: CronJobSpec, allowZone: boolean, errors: FieldError[]): void {
  const path = 'spec.schedule';
  if (!schedule) {
    errors.push(required(path));
    return;
  }
  try {
    parseSchedule(schedule);
  } catch (error) {
    if (!(error instanceof ScheduleError)) throw error;
    errors.push(invalidField(path, schedule, error.message));
  }
  if (!schedule.includes('TZ')) return;
  if (!allowZone) {
    const message = 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead';
    errors.push(invalidField(path, schedule, message));
  } else if (zone !== undefined) {
    errors.push(invalidField(path, schedule, 'cannot use both timeZone field and TZ or CRON_TZ in schedule'));
  }
}

function validateTimeZone(name: string | undefined, errors: FieldError[]): void {
  if (name === undefined) return;
  const wrong = (message: string) => errors.push(invalidField('spec.timeZone', name, message));
  if (name === '') {
    wrong('timeZone must be nil or non-empty string');
    return;
  }
  const isPart = (part: string) =>
    part !== '.' && part !== '..' && !part.startsWith('-') && /^[A-Za-z.\-_0-9+]{1,14}$/.test(part);
  if (!name.split('/').every(isPart)) {
    wrong(`unknown time zone ${name}`);
    return;
  }
  if (name.toLowerCase() === 'local') {
    wrong('timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones');
    if (name === 'Local') return;
  }
  if (!timeZone(name)) wrong(`unknown time zone ${name}`);
}

const POLICIES = ['Allow', 'Forbid', 'Replace'];

/** Follows validateCronJobSpec of pkg/apis/batch/validation, v1.33. */
function validateSpec({ metadata, spec }: CronJob, previous: CronJobSpec | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const { concurrencyPolicy, jobTemplate = {} } = spec;
  validateStandardFinalizers(metadata, errors);
  validateSchedule(spec, previous?.schedule.includes('TZ') ?? false, errors);
  validateNonnegative(spec.startingDeadlineSeconds, 'spec.startingDeadlineSeconds', errors);
  if (!previous || previous.timeZone !== spec.timeZone) validateTimeZone(spec.timeZone, errors);
  if (!concurrencyPolicy) errors.push(required('spec.concurrencyPolicy'));
  else if (!POLICIES.includes(concurrencyPolicy)) {
    errors.push(notSupported('spec.concurrencyPolicy', concurrencyPolicy, POLICIES));
  }
  const path = 'spec.jobTemplate.spec';
  const jobSpec = jobTemplate.spec ?? { template: {} };
  validateJobTemplateSpec(jobSpec, path, errors);
  if (jobSpec.selector) {
    errors.push(
      invalidField(`${path}.selector`, goLabelSelector(jobSpec.selector), '`selector` will be auto-generated'),
    );
  }
  if (jobSpec.manualSelector) errors.push(notSupported(`${path}.manualSelector`, true, ['nil', 'false']));
  validateNonnegative(spec.successfulJobsHistoryLimit, 'spec.successfulJobsHistoryLimit', errors);
  validateNonnegative(spec.failedJobsHistoryLimit, 'spec.failedJobsHistoryLimit', errors);
  return errors;
}

/** Jobs are named after the CronJob with eleven characters more. */
const MAX_NAME = 52;

function validate(cronJob: CronJob): FieldError[] {
  const errors = validateSpec(cronJob, undefined);
  const { name = '' } = cronJob.metadata;
  if (byteLength(name) > MAX_NAME) {
    errors.push(invalidField('metadata.name', name, 'must be no more than 52 characters'));
  }
  return errors;
}

const withTemplate = (cronJob: CronJob, previous: CronJob | undefined): CronJob =>
  withPodTemplate(cronJob, (template) => withoutDisabledTemplateFields(template, previous && podTemplateOf(previous)));

/** CronJobs. Follows pkg/registry/batch/cronjob/strategy.go, v1.33. */
export const cronJobs = defineResource<CronJob>({
  group: 'batch',
  version: 'v1',
  kind: 'CronJob',
  plural: 'cronjobs',
  singular: 'cronjob',
  shortNames: ['cj'],
  categories: ['all'],
  scope: 'Namespaced',
  schema: 'io.k8s.api.batch.v1.CronJob',
  defaults,
  validate,
  validateUpdate: (next, previous) => validateSpec(next, previous.spec),
  notModelled: (cronJob) => [
    'spec: no controller runs CronJobs here yet',
    ...podTemplateNotModelled(podTemplateOf(cronJob)).map((text) => `spec.jobTemplate.${text}`),
  ],
  strategy: {
    prepareForCreate: (cronJob) => ({
      ...withTemplate(cronJob, undefined),
      metadata: { ...cronJob.metadata, generation: 1 },
      status: {},
    }),
    prepareForUpdate(given, previous) {
      const next = { ...withTemplate(given, previous), status: previous.status };
      if (semanticEqual(next.spec, previous.spec)) return next;
      return { ...next, metadata: { ...next.metadata, generation: (previous.metadata.generation ?? 0) + 1 } };
    },
    warnings(cronJob, previous) {
      const { metadata, spec } = cronJob;
      const about = () =>
        spec.jobTemplate?.spec ? jobSpecWarnings(spec.jobTemplate.spec, 'spec.jobTemplate.spec') : [];
      if (!previous) return [...podPrefixWarnings(metadata.name), ...about()];
      const warnings = previous.metadata.generation === metadata.generation ? [] : about();
      if (spec.schedule.includes('TZ')) {
        warnings.push(
          'cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details',
        );
      }
      return warnings;
    },
  },
  subresources: {
    status: {
      prepareForUpdate: (next, previous) => ({ ...next, spec: previous.spec }),
      validateUpdate: () => [],
    },
  },
  ownColumns: true,
  columns: [
    nameColumn,
    { name: 'Schedule', type: 'string', cell: ({ spec }) => spec.schedule },
    { name: 'Timezone', type: 'string', cell: ({ spec }) => spec.timeZone ?? '<none>' },
    { name: 'Suspend', type: 'boolean', cell: ({ spec }) => (spec.suspend ? 'True' : 'False') },
    { name: 'Active', type: 'integer', cell: ({ status }) => status?.active?.length ?? 0 },
    {
      name: 'Last Schedule',
      type: 'string',
      cell: ({ status }, now) => (status?.lastScheduleTime ? timestampSince(status.lastScheduleTime, now) : '<none>'),
    },
    ageColumn,
    ...templateColumns<CronJob>((cronJob) => podTemplateOf(cronJob)),
    {
      name: 'Selector',
      type: 'string',
      priority: 1,
      cell: ({ spec }) => selectorText(spec.jobTemplate?.spec?.selector),
    },
  ],
});
