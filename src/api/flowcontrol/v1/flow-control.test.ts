import { expect, test } from 'vitest';
import type { FlowSchema } from '../../generated/types.ts';
import { createErrors, decoded, texts } from '#testing/kind.ts';
import {
  mandatoryFlowSchemas,
  mandatoryPriorityLevels,
  suggestedFlowSchemas,
  suggestedPriorityLevels,
} from './bootstrap.ts';
import { flowSchemas } from './flow-schema.ts';
import { priorityLevelConfigurations } from './priority-level-configuration.ts';

test('what every cluster begins with is valid and defaulted', () => {
  for (const one of [...mandatoryFlowSchemas, ...suggestedFlowSchemas]) {
    expect(texts(flowSchemas.validate?.(one))).toEqual([]);
    expect(flowSchemas.defaults?.(one)).toBe(one);
  }
  for (const one of [...mandatoryPriorityLevels, ...suggestedPriorityLevels]) {
    expect(texts(priorityLevelConfigurations.validate?.(one))).toEqual([]);
    expect(priorityLevelConfigurations.defaults?.(one)).toBe(one);
  }
});

test('what a FlowSchema is refused for', () => {
  const check = (spec: string, ...errors: string[]) =>
    expect(createErrors(flowSchemas, `metadata: {name: a}\nspec: ${spec}`)).toEqual(errors);
  const rule = (fields: string) =>
    `{priorityLevelConfiguration: {name: exempt}, rules: [{subjects: [{kind: User, user: {name: me}}], ${fields}}]}`;
  check(rule("nonResourceRules: [{verbs: ['*'], nonResourceURLs: [/a/*]}]"));
  check(
    '{matchingPrecedence: 1, distinguisherMethod: {type: Other}}',
    "spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1",
    'spec.distinguisherMethod.type: Unsupported value: flowcontrol.FlowDistinguisherMethod{Type:"Other"}: supported values: "ByNamespace", "ByUser"',
    'spec.priorityLevelConfiguration.name: Required value: must reference a priority level',
  );
  check(
    '{matchingPrecedence: 10001, priorityLevelConfiguration: {name: a}, rules: [{subjects: [{kind: Group, user: {name: x}}, {kind: Dog}, {kind: ServiceAccount, serviceAccount: {name: "*", namespace: ""}}]}]}',
    'spec.matchingPrecedence: Invalid value: 10001: must not be greater than 10000',
    "spec.rules[0].subjects[0].group: Required value: group is required when subject kind is 'Group'",
    "spec.rules[0].subjects[0].user: Forbidden: user is forbidden when subject kind is not 'User'",
    'spec.rules[0].subjects[1].kind: Unsupported value: "Dog": supported values: "Group", "ServiceAccount", "User"',
    'spec.rules[0].subjects[2].serviceAccount.namespace: Required value: must specify namespace for service account',
    'spec.rules[0]: Required value: at least one of resourceRules and nonResourceRules has to be non-empty',
  );
  check(
    rule("resourceRules: [{verbs: [look], apiGroups: ['*', apps], resources: [], namespaces: []}]"),
    'spec.rules[0].resourceRules[0].verbs: Unsupported value: []string{"look"}: supported values: "create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"',
    `spec.rules[0].resourceRules[0].apiGroups: Invalid value: []string{"*", "apps"}: if '*' is present, must not specify other api groups`,
    'spec.rules[0].resourceRules[0].resources: Required value: resource rules must supply at least one resource',
    'spec.rules[0].resourceRules[0].namespaces: Required value: resource rules that are not cluster scoped must supply at least one namespace',
  );
  check(
    rule('nonResourceRules: [{verbs: [get], nonResourceURLs: [a, /a b, //, /a*]}]'),
    'spec.rules[0].nonResourceRules[0].nonResourceURLs[0]: Invalid value: "a": must start with slash',
    'spec.rules[0].nonResourceRules[0].nonResourceURLs[1]: Invalid value: "/a b": must not contain white-space',
    'spec.rules[0].nonResourceRules[0].nonResourceURLs[2]: Invalid value: "//": must not contain double slash',
    'spec.rules[0].nonResourceRules[0].nonResourceURLs[3]: Invalid value: "/a*": wildcard can only do suffix matching',
  );
});

test('mandatory objects stay as they are', () => {
  const [exempt, catchAll] = mandatoryFlowSchemas as readonly [FlowSchema, FlowSchema];
  const errors = (schema: FlowSchema) => texts(flowSchemas.validateUpdate?.(schema, catchAll));
  expect(errors({ ...catchAll, spec: { ...catchAll.spec, matchingPrecedence: 9 } })[0]).toMatch(
    /^spec: Invalid value: .*: spec of 'catch-all' must equal the fixed value$/,
  );
  expect(errors(exempt)).toEqual([]);
  const level = (spec: string) => createErrors(priorityLevelConfigurations, `metadata: {name: exempt}\nspec: ${spec}`);
  expect(level('{type: Exempt, exempt: {nominalConcurrencyShares: 3}}')).toEqual([]);
});

test('what a PriorityLevelConfiguration is refused for', () => {
  const check = (spec: string, ...errors: string[]) =>
    expect(createErrors(priorityLevelConfigurations, `metadata: {name: a}\nspec: ${spec}`)).toEqual(errors);
  check('{type: Limited, limited: {limitResponse: {type: Queue, queuing: {}}}}');
  check(
    '{type: Exempt, limited: {limitResponse: {type: Reject}}}',
    "spec.type: Invalid value: \"Exempt\": type must be 'Exempt' if and only if name is 'exempt'",
    'spec.limited: Forbidden: must be nil if the type is not Limited',
  );
  check('{type: Limited}', 'spec.limited: Required value: must not be empty when type is Limited');
  check(
    '{type: Limited, limited: {nominalConcurrencyShares: -1, lendablePercent: 101, limitResponse: {type: Reject, queuing: {}}}}',
    'spec.limited.nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer',
    'spec.limited.limitResponse.queuing: Forbidden: must be nil if limited.limitResponse.type is not Limited',
    'spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive',
  );
  const queue = (fields: string) => `{type: Limited, limited: {limitResponse: {type: Queue, queuing: {${fields}}}}}`;
  const at = 'spec.limited.limitResponse.queuing';
  check(queue('queues: 4, handSize: 5'), `${at}.handSize: Invalid value: 5: should not be greater than queues (4)`);
  check(queue('queues: 1024, handSize: 6'));
  check(
    queue('queues: 1025, handSize: 6'),
    `${at}.handSize: Invalid value: 6: required entropy bits of deckSize 1025 and handSize 6 should not be greater than 60`,
  );
  const { spec } = decoded(priorityLevelConfigurations, `metadata: {name: a}\nspec: ${queue('')}`);
  expect(spec.limited).toEqual({
    nominalConcurrencyShares: 30,
    lendablePercent: 0,
    limitResponse: { type: 'Queue', queuing: { handSize: 8, queues: 64, queueLengthLimit: 50 } },
  });
});
