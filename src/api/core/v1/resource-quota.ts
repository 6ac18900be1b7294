import type { FieldError } from '#apimachinery/field-error.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { GoValue, goQuote, goStrings, invalidField, required } from '#apimachinery/validation.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import { replace } from '../../fill.ts';
import { validateStandardFinalizers } from '../../finalizers.ts';
import type { ResourceQuota, ResourceQuotaSpec, ScopeSelector } from '../../generated/types.ts';
import { canonicalResources, type ResourceList } from './resource-list.ts';
import { isHugePageResource, validateResourceName, validateResourceQuantity } from './resource-names.ts';

const COMPUTE = ['cpu', 'memory', 'limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory'];
const STANDARD: readonly string[] = [
  ...COMPUTE,
  ...['ephemeral-storage', 'requests.storage', 'requests.ephemeral-storage', 'limits.ephemeral-storage', 'pods'],
  ...['resourcequotas', 'services', 'replicationcontrollers', 'secrets', 'persistentvolumeclaims', 'configmaps'],
  ...['services.nodeports', 'services.loadbalancers'],
];

const isStandard = (name: string) =>
  STANDARD.includes(name) || isHugePageResource(name) || name.startsWith('requests.hugepages-');

/** By scope the standard resources that may be limited in it. */
const SCOPES: Readonly<Record<string, readonly string[]>> = {
  Terminating: ['pods', ...COMPUTE],
  NotTerminating: ['pods', ...COMPUTE],
  BestEffort: ['pods'],
  NotBestEffort: ['pods', ...COMPUTE],
  PriorityClass: ['pods', ...COMPUTE],
  CrossNamespacePodAffinity: ['pods', ...COMPUTE],
};
const WITHOUT_VALUES = ['BestEffort', 'NotBestEffort', 'Terminating', 'NotTerminating', 'CrossNamespacePodAffinity'];
const CONFLICTS = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
];

function validateAmounts(list: ResourceList | undefined, path: string, errors: FieldError[]): void {
  for (const name of Object.keys(list ?? {}).sort()) {
    const at = `${path}[${name}]`;
    validateResourceName(name, at, errors);
    if (!name.includes('/') && !isStandard(name)) {
      errors.push(invalidField(at, name, 'must be a standard resource for quota'));
    }
    validateResourceQuantity(name, list?.[name] as string, at, errors);
  }
}

const goScopes = (scopes: readonly string[] | undefined): GoValue =>
  new GoValue(
    scopes ? `[]core.ResourceQuotaScope{${scopes.map(goQuote).join(', ')}}` : '[]core.ResourceQuotaScope(nil)',
  );

function goScopeSelector({ matchExpressions }: ScopeSelector): GoValue {
  const type = 'core.ScopedResourceSelectorRequirement';
  const list = matchExpressions?.map(
    ({ scopeName, operator, values }) =>
      `${type}{ScopeName:${goQuote(scopeName)}, Operator:${goQuote(operator)}, Values:${values ? goStrings(values).text : '[]string(nil)'}}`,
  );
  return new GoValue(`core.ScopeSelector{MatchExpressions:[]${type}${list ? `{${list.join(', ')}}` : '(nil)'}}`);
}

const fits = (scope: string, name: string) => !isStandard(name) || (SCOPES[scope]?.includes(name) ?? true);
const isScope = (scope: string) => Object.hasOwn(SCOPES, scope);

function validateConflicts(
  spec: ResourceQuotaSpec,
  named: readonly string[],
  path: string,
  errors: FieldError[],
): void {
  for (const pair of CONFLICTS) {
    if (pair.every((scope) => named.includes(scope))) {
      errors.push(invalidField(path, goScopes(spec.scopes), 'conflicting scopes'));
    }
  }
}

/** Follows ValidateResourceQuotaSpec of pkg/apis/core/validation, v1.33. */
function validateSpec(spec: ResourceQuotaSpec, errors: FieldError[]): void {
  const { hard = {}, scopes = [], scopeSelector } = spec;
  const names = Object.keys(hard).sort();
  validateAmounts(hard, 'spec.hard', errors);
  for (const scope of scopes) {
    if (!isScope(scope)) errors.push(invalidField('spec.scopes', goScopes(scopes), 'unsupported scope'));
    for (const name of names) {
      if (isScope(scope) && !fits(scope, name)) {
        errors.push(invalidField('spec.scopes', goScopes(scopes), 'unsupported scope applied to resource'));
      }
    }
  }
  validateConflicts(spec, scopes, 'spec.scopes', errors);
  if (!scopeSelector) return;
  const path = 'spec.scopeSelector.matchExpressions';
  const { matchExpressions = [] } = scopeSelector;
  for (const { scopeName, operator, values } of matchExpressions) {
    if (!isScope(scopeName)) errors.push(invalidField(`${path}.scopeName`, scopeName, 'unsupported scope'));
    for (const name of names) {
      if (isScope(scopeName) && !fits(scopeName, name)) {
        errors.push(invalidField(path, goScopeSelector(scopeSelector), 'unsupported scope applied to resource'));
      }
    }
    if (WITHOUT_VALUES.includes(scopeName) && operator !== 'Exists') {
      const message =
        "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
      errors.push(invalidField(`${path}.operator`, operator, message));
    }
    if (operator === 'In' || operator === 'NotIn') {
      if (!values?.length) {
        const message = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
        errors.push(required(`${path}.values`, message));
      }
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values?.length) {
        const message = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
        errors.push(invalidField(`${path}.values`, goStrings(values), message));
      }
    } else errors.push(invalidField(`${path}.operator`, operator, 'not a valid selector operator'));
  }
  const named = matchExpressions.map(({ scopeName }) => scopeName);
  validateConflicts(spec, named, path, errors);
}

function validate({ metadata, spec = {} }: ResourceQuota): FieldError[] {
  const errors: FieldError[] = [];
  validateStandardFinalizers(metadata, errors);
  validateSpec(spec, errors);
  return errors;
}

function validateUpdate(next: ResourceQuota, previous: ResourceQuota): FieldError[] {
  const errors = validate(next);
  const scopes = new Set(next.spec?.scopes);
  const before = new Set(previous.spec?.scopes);
  if (scopes.size !== before.size || [...scopes].some((scope) => !before.has(scope))) {
    errors.push(invalidField('spec.scopes', goScopes(next.spec?.scopes), 'field is immutable'));
  }
  return errors;
}

/** What is used of what may be, of limits or of everything else. */
function usageText({ status }: ResourceQuota, limits: boolean): string {
  const { hard = {}, used = {} } = status ?? {};
  return Object.keys(hard)
    .filter((name) => name.startsWith('limits.') === limits)
    .sort()
    .map((name) => `${name}: ${used[name] ?? '0'}/${hard[name]}`)
    .join(', ');
}

/** ResourceQuotas. Follows pkg/registry/core/resourcequota/strategy.go, v1.33. */
export const resourceQuotas = defineResource<ResourceQuota>({
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  singular: 'resourcequota',
  shortNames: ['quota'],
  scope: 'Namespaced',
  schema: 'io.k8s.api.core.v1.ResourceQuota',
  defaults(quota) {
    const { status } = quota;
    const spec: ResourceQuotaSpec = quota.spec ?? {};
    const withHard = replace(quota, 'spec', replace(spec, 'hard', canonicalResources(spec.hard)));
    if (!status) return withHard;
    const hard = replace(status, 'hard', canonicalResources(status.hard));
    return replace(withHard, 'status', replace(hard, 'used', canonicalResources(status.used)));
  },
  validate,
  validateUpdate,
  strategy: {
    prepareForCreate: (quota) => ({ ...quota, status: {} }),
    prepareForUpdate: (next, previous) => ({ ...next, status: previous.status }),
    returnsDeletedObject: true,
  },
  subresources: {
    status: {
      prepareForUpdate: (next, previous) => ({ ...next, spec: previous.spec }),
      validateUpdate({ metadata, status = {} }) {
        const errors: FieldError[] = [];
        validateStandardFinalizers(metadata, errors);
        validateAmounts(status.hard, 'status.hard', errors);
        validateAmounts(status.used, 'status.used', errors);
        return errors;
      },
    },
  },
  ownColumns: true,
  columns: [
    nameColumn,
    { name: 'Request', type: 'string', cell: (quota) => usageText(quota, false) },
    { name: 'Limit', type: 'string', cell: (quota) => usageText(quota, true) },
    ageColumn,
  ],
});
