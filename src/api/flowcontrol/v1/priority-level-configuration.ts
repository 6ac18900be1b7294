import type { FieldError } from '#apimachinery/field-error.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { forbiddenField, GoValue, invalidField, notSupported, required } from '#apimachinery/validation.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import { fill, fillZero, replace } from '../../fill.ts';
import type {
  ExemptPriorityLevelConfiguration,
  LimitedPriorityLevelConfiguration,
  LimitResponse,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
  QueuingConfiguration,
} from '../../generated/types.ts';
import { metadataForStatus, specGenerationAndStatus } from '../../spec-generation.ts';
import { mandatoryPriorityLevels } from './bootstrap.ts';
import { validateFlowConditions } from './flow-condition.ts';

// Follows pkg/apis/flowcontrol/validation and pkg/registry/flowcontrol/prioritylevelconfiguration, v1.33.

const PRESERVE_ZERO = 'flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares';
const MAX_QUEUES = 10_000_000;
const MAX_HASH_BITS = 60;

function defaultSpec(spec: PriorityLevelConfigurationSpec): PriorityLevelConfigurationSpec {
  const { exempt, limited } = spec;
  let next = spec;
  if (exempt) next = replace(next, 'exempt', fill(exempt, { nominalConcurrencyShares: 0, lendablePercent: 0 }));
  if (limited) {
    let filled = fill(limited, { nominalConcurrencyShares: 30, lendablePercent: 0 });
    const { limitResponse } = limited;
    if (limitResponse?.queuing) {
      const queuing = fillZero(limitResponse.queuing, { handSize: 8, queues: 64, queueLengthLimit: 50 });
      filled = replace(filled, 'limitResponse', replace(limitResponse, 'queuing', queuing));
    }
    next = replace(next, 'limited', filled);
  }
  return next;
}

const isPercent = (percent = 0) => percent >= 0 && percent <= 100;

function validateShares(
  { nominalConcurrencyShares = 0, lendablePercent }: ExemptPriorityLevelConfiguration,
  at: string,
  errors: FieldError[],
): void {
  if (nominalConcurrencyShares < 0) {
    const path = `${at}.nominalConcurrencyShares`;
    errors.push(invalidField(path, nominalConcurrencyShares, 'must be a non-negative integer'));
  }
  if (!isPercent(lendablePercent)) {
    errors.push(invalidField(`${at}.lendablePercent`, lendablePercent, 'must be between 0 and 100, inclusive'));
  }
}

function validateLimited(limited: LimitedPriorityLevelConfiguration, errors: FieldError[]): void {
  const at = 'spec.limited';
  const { nominalConcurrencyShares, lendablePercent, borrowingLimitPercent = 0, limitResponse } = limited;
  validateShares({ nominalConcurrencyShares }, at, errors);
  validateResponse(limitResponse ?? ({ type: '' } as LimitResponse), `${at}.limitResponse`, errors);
  validateShares({ lendablePercent }, at, errors);
  if (borrowingLimitPercent < 0) {
    const message = 'if specified, must be a non-negative integer';
    errors.push(invalidField(`${at}.borrowingLimitPercent`, borrowingLimitPercent, message));
  }
}

function validateResponse({ type = '', queuing }: LimitResponse, at: string, errors: FieldError[]): void {
  const path = `${at}.queuing`;
  if (type === 'Reject') {
    if (queuing) errors.push(forbiddenField(path, 'must be nil if limited.limitResponse.type is not Limited'));
  } else if (type !== 'Queue') errors.push(notSupported(`${at}.type`, type, ['Queue', 'Reject']));
  else if (!queuing) errors.push(required(path, 'must not be empty if limited.limitResponse.type is Limited'));
  else validateQueuing(queuing, path, errors);
}

/** Whether dealing a hand takes more random bits than upstream's hash has: whether queues ^ hand is more than 2 ^ 60. */
function needsTooManyBits(queues: number, handSize: number): boolean {
  if (queues === 1) return false;
  let hands = 1n;
  for (let i = 0; i < handSize; i++) {
    hands *= BigInt(queues);
    if (hands > 1n << BigInt(MAX_HASH_BITS)) return true;
  }
  return false;
}

function validateQueuing(queuing: QueuingConfiguration, at: string, errors: FieldError[]): void {
  const { queueLengthLimit = 0, queues = 0, handSize = 0 } = queuing;
  const bad = (field: keyof QueuingConfiguration, message: string) =>
    errors.push(invalidField(`${at}.${field}`, queuing[field] ?? 0, message));
  if (queueLengthLimit <= 0) bad('queueLengthLimit', 'must be positive');
  if (queues <= 0) bad('queues', 'must be positive');
  else if (queues > MAX_QUEUES) bad('queues', `must not be greater than ${MAX_QUEUES}`);
  if (handSize <= 0) bad('handSize', 'must be positive');
  else if (handSize > queues) bad('handSize', `should not be greater than queues (${queues})`);
  else if (needsTooManyBits(queues, handSize)) {
    bad(
      'handSize',
      `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${MAX_HASH_BITS}`,
    );
  }
}

function validate({ metadata, spec: given, status }: PriorityLevelConfiguration): FieldError[] {
  const errors: FieldError[] = [];
  const { name = '', annotations = {} } = metadata;
  if (Object.hasOwn(annotations, PRESERVE_ZERO)) {
    errors.push(forbiddenField('metadata.annotations', `annotation '${PRESERVE_ZERO}' is forbidden`));
  }
  const spec = given ?? ({ type: '' } as PriorityLevelConfigurationSpec);
  const { type = '', exempt, limited } = spec;
  if ((name === 'exempt') !== (type === 'Exempt')) {
    errors.push(invalidField('spec.type', type, "type must be 'Exempt' if and only if name is 'exempt'"));
  }
  if (type === 'Exempt') {
    if (limited) errors.push(forbiddenField('spec.limited', 'must be nil if the type is not Limited'));
    if (exempt) validateShares(exempt, 'spec.exempt', errors);
  } else if (type === 'Limited') {
    if (exempt) errors.push(forbiddenField('spec.exempt', 'must be nil if the type is Limited'));
    if (limited) validateLimited(limited, errors);
    else errors.push(required('spec.limited', 'must not be empty when type is Limited'));
  } else errors.push(notSupported('spec.type', type, ['Exempt', 'Limited']));
  const mandatory = mandatoryPriorityLevels.find((one) => one.metadata.name === name)?.spec;
  const isExempt = name === 'exempt';
  if (mandatory && !semanticEqual(isExempt ? { ...spec, exempt: mandatory.exempt } : spec, mandatory)) {
    const except = isExempt ? " except the 'spec.exempt' field" : '';
    // Differs from upstream: it prints Go structures with addresses of its memory.
    errors.push(
      invalidField('spec', new GoValue(JSON.stringify(spec)), `spec of '${name}'${except} must equal the fixed value`),
    );
  }
  return validateFlowConditions(status?.conditions, errors);
}

const queuingOf = ({ spec }: PriorityLevelConfiguration) => spec.limited?.limitResponse?.queuing;

/** PriorityLevelConfigurations. */
export const priorityLevelConfigurations = defineResource<PriorityLevelConfiguration>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'PriorityLevelConfiguration',
  plural: 'prioritylevelconfigurations',
  singular: 'prioritylevelconfiguration',
  scope: 'Cluster',
  schema: 'io.k8s.api.flowcontrol.v1.PriorityLevelConfiguration',
  defaults: (level) => (level.spec ? replace(level, 'spec', defaultSpec(level.spec)) : level),
  validate,
  validateUpdate: validate,
  resetFields: { object: ['status'], status: ['metadata', 'spec'] },
  strategy: specGenerationAndStatus<PriorityLevelConfiguration>({}),
  subresources: {
    status: {
      prepareForUpdate: (next, previous) => ({
        ...next,
        metadata: metadataForStatus(previous.metadata, next.metadata),
        spec: previous.spec,
      }),
      validateUpdate: ({ status }) => validateFlowConditions(status?.conditions, []),
    },
  },
  ownColumns: true,
  columns: [
    nameColumn,
    { name: 'Type', type: 'string', cell: ({ spec }) => spec.type },
    {
      name: 'NominalConcurrencyShares',
      type: 'string',
      cell: ({ spec }) => spec.limited?.nominalConcurrencyShares ?? '<none>',
    },
    { name: 'Queues', type: 'string', cell: (level) => queuingOf(level)?.queues ?? '<none>' },
    { name: 'HandSize', type: 'string', cell: (level) => queuingOf(level)?.handSize ?? '<none>' },
    { name: 'QueueLengthLimit', type: 'string', cell: (level) => queuingOf(level)?.queueLengthLimit ?? '<none>' },
    ageColumn,
  ],
});
