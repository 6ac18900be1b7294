import type { Job, JobCondition } from '../../generated/types.ts';

/** Whether a Job has a condition, and it is true. */
export const isJobConditionTrue = ({ status }: Job, type: string): boolean =>
  status?.conditions?.some((condition: JobCondition) => condition.type === type && condition.status === 'True') ??
  false;

/** Complete or failed, for good. */
export const isJobFinished = (job: Job): boolean =>
  isJobConditionTrue(job, 'Complete') || isJobConditionTrue(job, 'Failed');
