import type { FieldError } from '#apimachinery/field-error.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import {
  forbiddenField,
  GoValue,
  goQuote,
  goStrings,
  invalidField,
  isDNS1123Label,
  isDNS1123Subdomain,
  notSupported,
  required,
} from '#apimachinery/validation.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import { fillZero, replace } from '../../fill.ts';
import type {
  FlowcontrolV1Subject,
  FlowSchema,
  FlowSchemaSpec,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
} from '../../generated/types.ts';
import { metadataForStatus, specGenerationAndStatus } from '../../spec-generation.ts';
import { mandatoryFlowSchemas } from './bootstrap.ts';
import { validateFlowConditions } from './flow-condition.ts';

// Follows pkg/apis/flowcontrol/validation and pkg/registry/flowcontrol/flowschema, v1.33.

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch'];
const MAX_PRECEDENCE = 10_000;

/** A list of which `*` may only be alone. True when it is neither empty nor has one. */
function isPlainList(
  list: readonly string[] | undefined,
  path: string,
  missing: string,
  others: string,
  errors: FieldError[],
): list is readonly string[] {
  if (!list?.length) errors.push(required(path, missing));
  else if (!list.includes('*')) return true;
  else if (list.length > 1) {
    errors.push(invalidField(path, goStrings(list), `if '*' is present, must not specify other ${others}`));
  }
  return false;
}

function validateVerbs(verbs: readonly string[] | undefined, path: string, errors: FieldError[]): void {
  const missing = 'verbs must contain at least one value';
  if (isPlainList(verbs, path, missing, 'verbs', errors) && !verbs.every((verb) => VERBS.includes(verb))) {
    errors.push(notSupported(path, goStrings(verbs), VERBS));
  }
}

function pathProblem(url: string): string | undefined {
  if (url === '') return 'must not be empty';
  if (url === '/') return undefined;
  if (!url.startsWith('/')) return 'must start with slash';
  if (url.includes(' ')) return 'must not contain white-space';
  if (url.includes('//')) return 'must not contain double slash';
  const wildcard = url.indexOf('*');
  const isSuffix = wildcard === url.length - 1 && url.endsWith('/*');
  return wildcard < 0 || isSuffix ? undefined : 'wildcard can only do suffix matching';
}

function validateNonResourceRule({ verbs, nonResourceURLs }: NonResourcePolicyRule, at: string, errors: FieldError[]) {
  validateVerbs(verbs, `${at}.verbs`, errors);
  const path = `${at}.nonResourceURLs`;
  const missing = 'nonResourceURLs must contain at least one value';
  if (!isPlainList(nonResourceURLs, path, missing, 'non-resource URLs', errors)) return;
  nonResourceURLs.forEach((url, i) => {
    const problem = pathProblem(url);
    if (problem !== undefined) errors.push(invalidField(`${path}[${i}]`, url, problem));
  });
}

function validateResourceRule(rule: ResourcePolicyRule, at: string, errors: FieldError[]): void {
  const { verbs, apiGroups, resources, namespaces, clusterScope } = rule;
  validateVerbs(verbs, `${at}.verbs`, errors);
  const missing = 'resource rules must supply at least one';
  isPlainList(apiGroups, `${at}.apiGroups`, `${missing} api group`, 'api groups', errors);
  isPlainList(resources, `${at}.resources`, `${missing} resource`, 'resources', errors);
  const path = `${at}.namespaces`;
  if (!namespaces?.length && clusterScope) return;
  const unscoped = 'resource rules that are not cluster scoped must supply at least one namespace';
  if (!isPlainList(namespaces, path, unscoped, 'namespaces', errors)) return;
  namespaces.forEach((namespace, i) => {
    for (const message of isDNS1123Label(namespace)) {
      const why = `each member of this list must be '*' or a DNS-1123 label; ${message}`;
      errors.push(invalidField(`${path}[${i}]`, namespace, why));
    }
  });
}

const SUBJECTS = ['serviceAccount', 'user', 'group'] as const;
const kindOf = (field: (typeof SUBJECTS)[number]) => `${(field[0] as string).toUpperCase()}${field.slice(1)}`;

function validateSubject(subject: FlowcontrolV1Subject, at: string, errors: FieldError[]): void {
  const { kind } = subject;
  const own = SUBJECTS.find((field) => kindOf(field) === kind);
  if (!own) {
    errors.push(notSupported(`${at}.kind`, kind, ['Group', 'ServiceAccount', 'User']));
    return;
  }
  const path = `${at}.${own}`;
  if (!subject[own]) errors.push(required(path, `${own} is required when subject kind is '${kind}'`));
  else {
    const { name } = subject[own];
    if (!name) errors.push(required(`${path}.name`));
    else if (own === 'serviceAccount' && name !== '*') {
      for (const message of isDNS1123Subdomain(name)) errors.push(invalidField(`${path}.name`, name, message));
    }
    if (own === 'serviceAccount') {
      const { namespace = '' } = subject.serviceAccount ?? {};
      if (!namespace) errors.push(required(`${path}.namespace`, 'must specify namespace for service account'));
      else
        for (const message of isDNS1123Label(namespace))
          errors.push(invalidField(`${path}.namespace`, namespace, message));
    }
  }
  for (const other of SUBJECTS) {
    if (other === own || !subject[other]) continue;
    errors.push(forbiddenField(`${at}.${other}`, `${other} is forbidden when subject kind is not '${kindOf(other)}'`));
  }
}

function validateRule(rule: PolicyRulesWithSubjects, at: string, errors: FieldError[]): void {
  const { subjects, resourceRules = [], nonResourceRules = [] } = rule;
  if (!subjects?.length) errors.push(required(`${at}.subjects`, 'subjects must contain at least one value'));
  subjects?.forEach((subject, i) => validateSubject(subject, `${at}.subjects[${i}]`, errors));
  if (resourceRules.length === 0 && nonResourceRules.length === 0) {
    errors.push(required(at, 'at least one of resourceRules and nonResourceRules has to be non-empty'));
  }
  resourceRules.forEach((one, i) => validateResourceRule(one, `${at}.resourceRules[${i}]`, errors));
  nonResourceRules.forEach((one, i) => validateNonResourceRule(one, `${at}.nonResourceRules[${i}]`, errors));
}

function validate({ metadata: { name = '' }, spec: given, status }: FlowSchema): FieldError[] {
  const errors: FieldError[] = [];
  const spec = given ?? ({} as Partial<FlowSchemaSpec>);
  const { matchingPrecedence = 0, distinguisherMethod, priorityLevelConfiguration, rules = [] } = spec;
  const precedence = (message: string) =>
    errors.push(invalidField('spec.matchingPrecedence', matchingPrecedence, message));
  if (matchingPrecedence <= 0) precedence('must be a positive value');
  if (matchingPrecedence > MAX_PRECEDENCE) precedence(`must not be greater than ${MAX_PRECEDENCE}`);
  if (matchingPrecedence === 1 && name !== 'exempt') {
    precedence("only the schema named 'exempt' may have matchingPrecedence 1");
  }
  if (distinguisherMethod) {
    const { type = '' } = distinguisherMethod;
    const go = new GoValue(`flowcontrol.FlowDistinguisherMethod{Type:${goQuote(type)}}`);
    if (type !== 'ByNamespace' && type !== 'ByUser') {
      errors.push(notSupported('spec.distinguisherMethod.type', go, ['ByNamespace', 'ByUser']));
    }
  }
  const path = 'spec.priorityLevelConfiguration.name';
  const level = priorityLevelConfiguration?.name ?? '';
  if (level === '') errors.push(required(path, 'must reference a priority level'));
  else for (const message of isDNS1123Subdomain(level)) errors.push(invalidField(path, level, message));
  rules.forEach((rule, i) => validateRule(rule, `spec.rules[${i}]`, errors));
  const mandatory = mandatoryFlowSchemas.find(({ metadata }) => metadata.name === name);
  if (mandatory && !semanticEqual(spec, mandatory.spec)) {
    // Differs from upstream: it prints Go structures with addresses of its memory.
    errors.push(
      invalidField('spec', new GoValue(JSON.stringify(spec)), `spec of '${name}' must equal the fixed value`),
    );
  }
  return validateFlowConditions(status?.conditions, errors);
}

/** FlowSchemas. */
export const flowSchemas = defineResource<FlowSchema>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'FlowSchema',
  plural: 'flowschemas',
  singular: 'flowschema',
  scope: 'Cluster',
  schema: 'io.k8s.api.flowcontrol.v1.FlowSchema',
  defaults: (schema) =>
    schema.spec ? replace(schema, 'spec', fillZero(schema.spec, { matchingPrecedence: 1000 })) : schema,
  validate,
  validateUpdate: validate,
  resetFields: { object: ['status'], status: ['metadata', 'spec'] },
  strategy: specGenerationAndStatus<FlowSchema>({}),
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
    { name: 'PriorityLevel', type: 'string', cell: ({ spec }) => spec.priorityLevelConfiguration.name },
    { name: 'MatchingPrecedence', type: 'string', cell: ({ spec }) => spec.matchingPrecedence ?? 0 },
    { name: 'DistinguisherMethod', type: 'string', cell: ({ spec }) => spec.distinguisherMethod?.type ?? '<none>' },
    ageColumn,
    {
      name: 'MissingPL',
      type: 'string',
      description: 'references a broken or non-existent PriorityLevelConfiguration',
      cell: ({ status }) => status?.conditions?.find(({ type }) => type === 'Dangling')?.status ?? '?',
    },
  ],
  compareRows: compareFlowSchemas,
});

/** The order in which requests are matched. Follows apihelpers.FlowSchemaSequence. */
export function compareFlowSchemas(a: FlowSchema, b: FlowSchema): number {
  const byPrecedence = (a.spec.matchingPrecedence ?? 0) - (b.spec.matchingPrecedence ?? 0);
  return byPrecedence || ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1);
}
