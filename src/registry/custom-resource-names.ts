import {
  approvalOf,
  findCondition,
  isConditionTrue,
  isProtectedGroup,
  withCondition,
} from '#api/apiextensions/v1/crd-conditions.ts';
import type { CustomResourceDefinition, CustomResourceDefinitionNames } from '#api/generated/types.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';

/**
 * The definition with the names that it may have and what is said of them; itself when nothing changes. `others` may hold
 * the definition too. Follows pkg/controller/status/naming_controller.go, v1.33.
 */
export function planNames(
  crd: CustomResourceDefinition,
  others: readonly CustomResourceDefinition[],
  now: string,
): CustomResourceDefinition {
  const wanted = crd.spec.names;
  const accepted: Partial<CustomResourceDefinitionNames> = crd.status?.acceptedNames ?? {};
  if (semanticEqual(wanted, accepted)) return crd;
  const group = others.filter(({ spec }) => spec.group === crd.spec.group).map(({ status }) => status?.acceptedNames);
  const resources = new Set(
    group.flatMap((names) => (names ? [names.plural, names.singular, ...(names.shortNames ?? [])] : [])),
  );
  const kinds = new Set(group.flatMap((names) => (names ? [names.kind, names.listKind] : [])));
  const names: Record<string, unknown> = { ...accepted };
  let problem: { readonly reason: string; readonly message: string } | undefined;
  const claim = (field: 'plural' | 'singular' | 'kind' | 'listKind', used: ReadonlySet<string | undefined>) => {
    const name = wanted[field];
    if (name !== accepted[field] && used.has(name)) {
      const reason = `${field[0]?.toUpperCase()}${field.slice(1)}Conflict`;
      problem = { reason, message: `"${name}" is already in use` };
    } else names[field] = name;
  };
  claim('plural', resources);
  claim('singular', resources);
  if (!semanticEqual(wanted.shortNames, accepted.shortNames)) {
    const taken = (wanted.shortNames ?? [])
      .filter((name) => !accepted.shortNames?.includes(name) && resources.has(name))
      .map((name) => `"${name}" is already in use`);
    if (taken.length === 0) names.shortNames = wanted.shortNames;
    else
      problem = {
        reason: 'ShortNamesConflict',
        message: taken.length === 1 ? (taken[0] as string) : `[${taken.join(', ')}]`,
      };
  }
  claim('kind', kinds);
  claim('listKind', kinds);
  names.categories = wanted.categories;
  const condition = {
    type: 'NamesAccepted',
    status: problem ? 'False' : 'True',
    ...(problem ?? { reason: 'NoConflicts', message: 'no conflicts found' }),
  };
  const old = findCondition(crd, 'NamesAccepted');
  const said = old?.status === condition.status && old.reason === condition.reason && old.message === condition.message;
  if (said && semanticEqual(names, accepted)) return crd;
  const acceptedNames = names as unknown as CustomResourceDefinitionNames;
  const next = withCondition({ ...crd, status: { ...crd.status, acceptedNames } }, condition, now);
  const established = findCondition(crd, 'Established');
  if (established?.status === 'True' || (problem && established)) return next;
  return withCondition(
    next,
    problem
      ? { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' }
      : { type: 'Established', status: 'False', reason: 'Installing', message: 'the initial names have been accepted' },
    now,
  );
}

/** Follows pkg/controller/establish, v1.33. */
export function planEstablished(crd: CustomResourceDefinition, now: string): CustomResourceDefinition {
  if (!isConditionTrue(crd, 'NamesAccepted') || isConditionTrue(crd, 'Established')) return crd;
  const message = 'the initial names have been accepted';
  return withCondition(crd, { type: 'Established', status: 'True', reason: 'InitialNamesAccepted', message }, now);
}

const APPROVALS = {
  Invalid: ['False', 'InvalidAnnotation'],
  Missing: ['False', 'MissingAnnotation'],
  Approved: ['True', 'ApprovedAnnotation'],
  Bypassed: ['False', 'UnapprovedAnnotation'],
} as const;

/** Follows pkg/controller/apiapproval, v1.33. */
export function planApproval(crd: CustomResourceDefinition, now: string): CustomResourceDefinition {
  if (!isProtectedGroup(crd.spec.group)) return crd;
  const type = 'KubernetesAPIApprovalPolicyConformant';
  const { state, reason: message } = approvalOf(crd);
  const [status, reason] = APPROVALS[state];
  const old = findCondition(crd, type);
  if (old?.status === status && old.reason === reason && old.message === message) return crd;
  return withCondition(crd, { type, status, reason, message }, now);
}
