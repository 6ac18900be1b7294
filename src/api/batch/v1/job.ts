import { humanDuration } from '#apimachinery/human-duration.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import { fill, mapShared, replace } from '../../fill.ts';
import type { Job, JobSpec, PodFailurePolicy } from '../../generated/types.ts';
import { MAX_INT32 } from '../../core/v1/pod-validation.ts';
import {
  defaultPodTemplate,
  podPrefixWarnings,
  podTemplateNotModelled,
  podTemplateWarnings,
  templateColumns,
  withoutDisabledTemplateFields,
} from '../../core/v1/pod-template-spec.ts';
import { selectorText } from '../../apps/v1/replica-set.ts';
import { isJobConditionTrue } from './job-conditions.ts';
import { validateJobStatusUpdate } from './job-status-validation.ts';
import {
  CONTROLLER_UID,
  JOB_NAME,
  LEGACY_CONTROLLER_UID,
  LEGACY_JOB_NAME,
  validateJob,
  validateJobUpdate,
} from './job-validation.ts';

function defaultFailurePolicy(policy: PodFailurePolicy): PodFailurePolicy {
  const rules = mapShared(policy.rules ?? [], (rule) => {
    if (!rule.onPodConditions) return rule;
    const patterns = mapShared(rule.onPodConditions, (pattern) =>
      pattern.status ? pattern : { ...pattern, status: 'True' },
    );
    return replace(rule, 'onPodConditions', patterns);
  });
  return policy.rules ? replace(policy, 'rules', rules) : policy;
}

/** Follows SetDefaults_Job, v1.33. */
function defaults(given: Job): Job {
  let job = given;
  let spec: JobSpec = job.spec ?? ({} as JobSpec);
  if (spec.completions === undefined && spec.parallelism === undefined) spec = fill(spec, { completions: 1 });
  spec = fill(spec, {
    parallelism: 1,
    backoffLimit: spec.backoffLimitPerIndex === undefined ? 6 : MAX_INT32,
    completionMode: 'NonIndexed',
    suspend: false,
    podReplacementPolicy: spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed',
    manualSelector: false,
  });
  if (spec.podFailurePolicy) spec = replace(spec, 'podFailurePolicy', defaultFailurePolicy(spec.podFailurePolicy));
  const { labels } = spec.template?.metadata ?? {};
  if (labels && !Object.keys(job.metadata.labels ?? {}).length) {
    job = replace(job, 'metadata', replace(job.metadata, 'labels', labels));
  }
  return replace(job, 'spec', replace(spec, 'template', defaultPodTemplate(spec.template ?? {})));
}

/** Labels by which the Job's Pods are known, and the selector for them, unless the user has chosen one. */
function withGeneratedSelector(job: Job): Job {
  const { metadata, spec } = job;
  if (spec.manualSelector) return job;
  const { name = '', uid = '' } = metadata;
  const { labels: given } = spec.template.metadata ?? {};
  const labels = {
    [LEGACY_JOB_NAME]: name,
    [JOB_NAME]: name,
    [LEGACY_CONTROLLER_UID]: uid,
    [CONTROLLER_UID]: uid,
    ...given,
  };
  // The Job's own labels are those of its template, where it has no others: also those that were just added.
  const takesLabels = metadata.labels === given || !Object.keys(metadata.labels ?? {}).length;
  return {
    ...job,
    metadata: takesLabels ? { ...metadata, labels } : metadata,
    spec: {
      ...spec,
      selector: { ...spec.selector, matchLabels: { [CONTROLLER_UID]: uid, ...spec.selector?.matchLabels } },
      template: { ...spec.template, metadata: { ...spec.template.metadata, labels } },
    },
  };
}

function withTemplate(job: Job, previous: Job | undefined): Job {
  const template = withoutDisabledTemplateFields(job.spec.template, previous?.spec.template);
  return replace(job, 'spec', replace(job.spec, 'template', template));
}

const MANY_COMPLETIONS = 100_000;
const MANY_PARALLEL = 10_000;

/** Warnings about a Job's specification, which is at `path`. Follows pkg/api/job/warnings.go, v1.33. */
export function jobSpecWarnings(
  { completionMode, completions = 0, parallelism = 0, template }: JobSpec,
  path: string,
): string[] {
  const isLarge = completionMode === 'Indexed' && completions > MANY_COMPLETIONS && parallelism > MANY_PARALLEL;
  return [
    ...(isLarge
      ? [
          `${path}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail`,
        ]
      : []),
    ...podTemplateWarnings(template, `${path}.template`),
  ];
}

function statusText(job: Job): string {
  if (isJobConditionTrue(job, 'Complete')) return 'Complete';
  if (isJobConditionTrue(job, 'Failed')) return 'Failed';
  if (job.metadata.deletionTimestamp) return 'Terminating';
  if (isJobConditionTrue(job, 'Suspended')) return 'Suspended';
  return isJobConditionTrue(job, 'FailureTarget') ? 'FailureTarget' : 'Running';
}

function completionsText({ spec: { completions, parallelism = 0 }, status }: Job): string {
  const succeeded = status?.succeeded ?? 0;
  if (completions !== undefined) return `${succeeded}/${completions}`;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function durationText({ status }: Job, now: number): string {
  if (!status?.startTime) return '';
  const end = status.completionTime ? Date.parse(status.completionTime) : now;
  return humanDuration(end - Date.parse(status.startTime));
}

/** Jobs. Follows pkg/registry/batch/job/strategy.go, v1.33. */
export const jobs = defineResource<Job>({
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  plural: 'jobs',
  singular: 'job',
  categories: ['all'],
  scope: 'Namespaced',
  schema: 'io.k8s.api.batch.v1.Job',
  defaults,
  validate: validateJob,
  validateUpdate: validateJobUpdate,
  notModelled: ({ spec }) => ['spec: no controller runs Jobs here yet', ...podTemplateNotModelled(spec.template)],
  strategy: {
    prepareForCreate(given) {
      const job = withTemplate(withGeneratedSelector(given), undefined);
      return { ...job, metadata: { ...job.metadata, generation: 1 }, status: {} };
    },
    prepareForUpdate(given, previous) {
      const next = { ...withTemplate(given, previous), status: previous.status };
      if (semanticEqual(next.spec, previous.spec)) return next;
      return { ...next, metadata: { ...next.metadata, generation: (previous.metadata.generation ?? 0) + 1 } };
    },
    warnings(job, previous) {
      if (previous && previous.metadata.generation === job.metadata.generation) return [];
      const warnings = jobSpecWarnings(job.spec, 'spec');
      return previous ? warnings : [...podPrefixWarnings(job.metadata.name), ...warnings];
    },
    allowUnconditionalUpdate: true,
    defaultGarbageCollection: 'orphan',
  },
  subresources: {
    status: {
      prepareForUpdate: (next, previous) => ({ ...next, spec: previous.spec }),
      validateUpdate: validateJobStatusUpdate,
    },
  },
  selectableFields: { 'status.successful': ({ status }) => String(status?.succeeded ?? 0) },
  ownColumns: true,
  columns: [
    nameColumn,
    { name: 'Status', type: 'string', cell: statusText },
    { name: 'Completions', type: 'string', cell: completionsText },
    { name: 'Duration', type: 'string', cell: durationText },
    ageColumn,
    ...templateColumns<Job>(({ spec }) => spec.template),
    { name: 'Selector', type: 'string', priority: 1, cell: ({ spec }) => selectorText(spec.selector) },
  ],
});
