import type { FieldError } from '#apimachinery/field-error.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { forbiddenField, invalidField } from '#apimachinery/validation.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import { validatePreemptionPolicy } from '../../core/v1/pod-validation-scheduling.ts';
import { fill } from '../../fill.ts';
import { validateStandardFinalizers } from '../../finalizers.ts';
import type { PriorityClass } from '../../generated/types.ts';

const SYSTEM_PREFIX = 'system-';
const HIGHEST_USER_DEFINABLE_PRIORITY = 1_000_000_000;
const SYSTEM_CRITICAL_PRIORITY = 2 * HIGHEST_USER_DEFINABLE_PRIORITY;

const systemClass = (name: string, value: number, description: string): PriorityClass => ({
  apiVersion: 'scheduling.k8s.io/v1',
  kind: 'PriorityClass',
  metadata: { name },
  value,
  description,
});

/** The classes that exist in every cluster; the composition root creates them. Follows pkg/apis/scheduling/v1/helpers.go, v1.33. */
export const systemPriorityClasses: readonly PriorityClass[] = [
  systemClass(
    'system-node-critical',
    SYSTEM_CRITICAL_PRIORITY + 1000,
    'Used for system critical pods that must not be moved from their current node.',
  ),
  systemClass(
    'system-cluster-critical',
    SYSTEM_CRITICAL_PRIORITY,
    'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  ),
];

function systemClassProblem({ metadata, value, globalDefault }: PriorityClass): string | undefined {
  const known = systemPriorityClasses.find((system) => system.metadata.name === metadata.name);
  if (!known) return `${metadata.name} is not a known system priority class`;
  if (known.value !== value) return `value of ${metadata.name} PriorityClass must be ${known.value}`;
  if (globalDefault) return `globalDefault of ${metadata.name} PriorityClass must be false`;
  return undefined;
}

/** Follows pkg/apis/scheduling/validation, v1.33. */
function validate(priorityClass: PriorityClass): FieldError[] {
  const errors: FieldError[] = [];
  const { metadata, value, preemptionPolicy } = priorityClass;
  validateStandardFinalizers(metadata, errors);
  if (metadata.name?.startsWith(SYSTEM_PREFIX)) {
    const problem = systemClassProblem(priorityClass);
    if (problem) {
      errors.push(
        forbiddenField(
          'metadata.name',
          `priority class names with '${SYSTEM_PREFIX}' prefix are reserved for system use only. error: ${problem}`,
        ),
      );
    }
  } else if (value > HIGHEST_USER_DEFINABLE_PRIORITY) {
    errors.push(
      forbiddenField('value', `maximum allowed value of a user defined priority is ${HIGHEST_USER_DEFINABLE_PRIORITY}`),
    );
  }
  if (preemptionPolicy !== undefined) validatePreemptionPolicy(preemptionPolicy, 'preemptionPolicy', errors);
  return errors;
}

function validateUpdate(next: PriorityClass, previous: PriorityClass): FieldError[] {
  const errors: FieldError[] = [];
  validateStandardFinalizers(next.metadata, errors);
  if (next.value !== previous.value) errors.push(forbiddenField('value', 'may not be changed in an update.'));
  if (next.preemptionPolicy !== previous.preemptionPolicy) {
    errors.push(invalidField('preemptionPolicy', next.preemptionPolicy, 'field is immutable'));
  }
  return errors;
}

/** PriorityClasses. */
export const priorityClasses = defineResource<PriorityClass>({
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  plural: 'priorityclasses',
  singular: 'priorityclass',
  shortNames: ['pc'],
  scope: 'Cluster',
  schema: 'io.k8s.api.scheduling.v1.PriorityClass',
  defaults(priorityClass) {
    return fill(priorityClass, { value: 0, preemptionPolicy: 'PreemptLowerPriority' });
  },
  validate,
  validateUpdate,
  strategy: {
    prepareForCreate: (priorityClass) => ({
      ...priorityClass,
      metadata: { ...priorityClass.metadata, generation: 1 },
    }),
  },
  ownColumns: true,
  columns: [
    nameColumn,
    { name: 'Value', type: 'integer', cell: ({ value }) => value },
    { name: 'Global-Default', type: 'boolean', cell: ({ globalDefault }) => globalDefault ?? false },
    ageColumn,
    { name: 'PreemptionPolicy', type: 'string', cell: ({ preemptionPolicy }) => preemptionPolicy ?? '' },
  ],
});
