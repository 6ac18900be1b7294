import type { CustomResourceDefinition, CustomResourceDefinitionCondition } from '../../generated/types.ts';

export const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';

export function findCondition(
  crd: CustomResourceDefinition,
  type: string,
): CustomResourceDefinitionCondition | undefined {
  return crd.status?.conditions?.find((condition) => condition.type === type);
}

export function isConditionTrue(crd: CustomResourceDefinition, type: string): boolean {
  return findCondition(crd, type)?.status === 'True';
}

/** The definition with a condition; the time changes with the status only. Follows SetCRDCondition, v1.33. */
export function withCondition(
  crd: CustomResourceDefinition,
  condition: Omit<CustomResourceDefinitionCondition, 'lastTransitionTime'>,
  now: string,
): CustomResourceDefinition {
  const conditions = crd.status?.conditions ?? [];
  const old = findCondition(crd, condition.type);
  const lastTransitionTime = old?.status === condition.status ? old.lastTransitionTime : now;
  const next = { lastTransitionTime, ...condition };
  return {
    ...crd,
    status: {
      ...crd.status,
      conditions: old ? conditions.map((each) => (each === old ? next : each)) : [...conditions, next],
    },
  };
}

const APPROVAL = 'api-approved.kubernetes.io';

export type ApprovalState = 'Approved' | 'Bypassed' | 'Missing' | 'Invalid';

/** Whether a group is the community's own, which CustomResourceDefinitions need an approval for. */
export const isProtectedGroup = (group: string): boolean =>
  ['k8s.io', 'kubernetes.io'].some((domain) => group === domain || group.endsWith(`.${domain}`));

/** Follows GetAPIApprovalState of apiextensions-apiserver/pkg/apihelpers, v1.33. */
export function approvalOf({ metadata }: CustomResourceDefinition): {
  readonly state: ApprovalState;
  readonly reason: string;
} {
  const annotation = metadata.annotations?.[APPROVAL] ?? '';
  const see = 'see https://github.com/kubernetes/enhancements/pull/1111';
  const must = `protected groups must have approval annotation "${APPROVAL}"`;
  if (annotation === '') return { state: 'Missing', reason: `${must}, ${see}` };
  if (annotation.startsWith('unapproved')) return { state: 'Bypassed', reason: `not approved: "${annotation}"` };
  if (/^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#\s]+/.test(annotation))
    return { state: 'Approved', reason: `approved in ${annotation}` };
  return {
    state: 'Invalid',
    reason: `${must} with either a URL or a reason starting with "unapproved", ${see}`,
  };
}
