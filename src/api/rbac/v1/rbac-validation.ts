import type { FieldError } from '#apimachinery/field-error.ts';
import { validateLabelSelector } from '#apimachinery/label-validation.ts';
import {
  child,
  goQuote,
  goStrings,
  GoValue,
  index,
  invalidField,
  isDNS1123Subdomain,
  isValidPathSegmentName,
  notSupported,
  required,
} from '#apimachinery/validation.ts';
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  Role,
  RoleBinding,
  RoleRef,
  Subject,
} from '../../generated/types.ts';

// Follows pkg/apis/rbac/validation, v1.33.

export const RBAC_GROUP = 'rbac.authorization.k8s.io';

function validateRule(rule: PolicyRule, isNamespaced: boolean, path: string, errors: FieldError[]): void {
  const { verbs, nonResourceURLs, apiGroups, resources, resourceNames } = rule;
  if (!verbs?.length) errors.push(required(child(path, 'verbs'), 'verbs must contain at least one value'));
  if (nonResourceURLs?.length) {
    const refuse = (why: string) =>
      errors.push(invalidField(child(path, 'nonResourceURLs'), goStrings(nonResourceURLs), why));
    if (isNamespaced) refuse('namespaced rules cannot apply to non-resource URLs');
    if (apiGroups?.length || resources?.length || resourceNames?.length)
      refuse('rules cannot apply to both regular resources and non-resource URLs');
    return;
  }
  if (!apiGroups?.length)
    errors.push(required(child(path, 'apiGroups'), 'resource rules must supply at least one api group'));
  if (!resources?.length)
    errors.push(required(child(path, 'resources'), 'resource rules must supply at least one resource'));
}

export function validateRole({ rules }: Role): FieldError[] {
  const errors: FieldError[] = [];
  rules?.forEach((rule, i) => validateRule(rule, true, index('rules', i), errors));
  return errors;
}

export function validateClusterRole({ rules, aggregationRule }: ClusterRole): FieldError[] {
  const errors: FieldError[] = [];
  rules?.forEach((rule, i) => validateRule(rule, false, index('rules', i), errors));
  if (!aggregationRule) return errors;
  const path = 'aggregationRule.clusterRoleSelectors';
  const selectors = aggregationRule.clusterRoleSelectors ?? [];
  if (selectors.length === 0)
    errors.push(required(path, 'at least one clusterRoleSelector required if aggregationRule is non-nil'));
  selectors.forEach((selector, i) => validateLabelSelector(selector, index(path, i), errors));
  return errors;
}

function validateRoleRef({ apiGroup, kind, name }: RoleRef, kinds: readonly string[], errors: FieldError[]): void {
  if (apiGroup !== RBAC_GROUP) errors.push(notSupported('roleRef.apiGroup', apiGroup, [RBAC_GROUP]));
  if (!kinds.includes(kind)) errors.push(notSupported('roleRef.kind', kind ?? '', kinds));
  if (!name) errors.push(required('roleRef.name'));
  else for (const why of isValidPathSegmentName(name)) errors.push(invalidField('roleRef.name', name, why));
}

const SUBJECT_KINDS = ['ServiceAccount', 'User', 'Group'];

function validateSubject(subject: Subject, isNamespaced: boolean, path: string, errors: FieldError[]): void {
  const { kind, name, namespace, apiGroup = '' } = subject;
  if (!name) errors.push(required(child(path, 'name')));
  if (kind === 'ServiceAccount') {
    if (name) for (const why of isDNS1123Subdomain(name)) errors.push(invalidField(child(path, 'name'), name, why));
    if (apiGroup) errors.push(notSupported(child(path, 'apiGroup'), apiGroup, ['']));
    if (!isNamespaced && !namespace) errors.push(required(child(path, 'namespace')));
  } else if (kind === 'User' || kind === 'Group') {
    if (apiGroup !== RBAC_GROUP) errors.push(notSupported(child(path, 'apiGroup'), apiGroup, [RBAC_GROUP]));
  } else errors.push(notSupported(child(path, 'kind'), kind ?? '', SUBJECT_KINDS));
}

export function validateRoleBinding({ roleRef, subjects }: RoleBinding): FieldError[] {
  const errors: FieldError[] = [];
  validateRoleRef(roleRef, ['Role', 'ClusterRole'], errors);
  subjects?.forEach((subject, i) => validateSubject(subject, true, index('subjects', i), errors));
  return errors;
}

export function validateClusterRoleBinding({ roleRef, subjects }: ClusterRoleBinding): FieldError[] {
  const errors: FieldError[] = [];
  validateRoleRef(roleRef, ['ClusterRole'], errors);
  subjects?.forEach((subject, i) => validateSubject(subject, false, index('subjects', i), errors));
  return errors;
}

/** A role cannot be exchanged: who may bind one need not be allowed to bind the other. */
export function validateRoleRefUpdate(
  { roleRef: next }: RoleBinding,
  { roleRef: previous }: RoleBinding,
): FieldError[] {
  const isSame = next.apiGroup === previous.apiGroup && next.kind === previous.kind && next.name === previous.name;
  if (isSame) return [];
  const [group, kind, name] = [next.apiGroup, next.kind, next.name].map((text) => goQuote(text ?? ''));
  const go = new GoValue(`rbac.RoleRef{APIGroup:${group}, Kind:${kind}, Name:${name}}`);
  return [invalidField('roleRef', go, 'cannot change roleRef')];
}
