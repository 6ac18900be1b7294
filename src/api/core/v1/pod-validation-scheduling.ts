import type { FieldError } from '#apimachinery/field-error.ts';
import { validateLabelName, validateLabelSelector } from '#apimachinery/label-validation.ts';
import {
  duplicate,
  forbiddenField,
  invalidField,
  isDNS1123Label,
  isDNS1123Subdomain,
  isQualifiedName,
  isValidLabelValue,
  notSupported,
  required,
} from '#apimachinery/validation.ts';
import type {
  Affinity,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
  PodSchedulingGate,
  Toleration,
  TopologySpreadConstraint,
} from '../../generated/types.ts';
import { validateTaintEffect } from './node.ts';

// Where Pods may run. Follows pkg/apis/core/validation, v1.33. What upstream lets pass in updates of objects that were
// stored before a rule existed cannot occur here: everything stored has passed these rules.

/** Whether Pods of a class may push others out. */
export function validatePreemptionPolicy(policy: string, path: string, errors: FieldError[]): void {
  if (policy === '') errors.push(required(path));
  else if (policy !== 'PreemptLowerPriority' && policy !== 'Never') {
    errors.push(notSupported(path, policy, ['PreemptLowerPriority', 'Never']));
  }
}

export function validateTolerations(
  tolerations: readonly Toleration[] | undefined,
  path: string,
  errors: FieldError[],
): void {
  tolerations?.forEach(({ key = '', operator = '', value = '', effect = '', tolerationSeconds }, i) => {
    const at = `${path}[${i}]`;
    if (key) validateLabelName(key, `${at}.key`, errors);
    else if (operator !== 'Exists') {
      errors.push(
        invalidField(
          `${at}.operator`,
          operator,
          'operator must be Exists when `key` is empty, which means "match all values and all keys"',
        ),
      );
    }
    if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
      const message = "effect must be 'NoExecute' when `tolerationSeconds` is set";
      errors.push(invalidField(`${at}.effect`, effect, message));
    }
    if (operator === 'Equal' || operator === '') {
      const messages = isValidLabelValue(value);
      if (messages.length) errors.push(invalidField(`${at}.operator`, value, messages.join(';')));
    } else if (operator === 'Exists') {
      if (value) {
        errors.push(invalidField(`${at}.operator`, value, "value must be empty when `operator` is 'Exists'"));
      }
    } else {
      errors.push(notSupported(`${at}.operator`, operator, ['Equal', 'Exists']));
    }
    if (effect) validateTaintEffect(effect, `${at}.effect`, errors);
  });
}

export function validateSchedulingGates(
  gates: readonly PodSchedulingGate[] | undefined,
  path: string,
  errors: FieldError[],
): void {
  const seen = new Set<string>();
  gates?.forEach(({ name }, i) => {
    for (const message of isQualifiedName(name)) errors.push(invalidField(`${path}[${i}]`, name, message));
    if (seen.has(name)) errors.push(duplicate(`${path}[${i}]`, name));
    seen.add(name);
  });
}

export function validateAffinity(affinity: Affinity | undefined, path: string, errors: FieldError[]): void {
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity ?? {};
  const mandatory = nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (mandatory) {
    const at = `${path}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`;
    if (!mandatory.nodeSelectorTerms?.length) errors.push(required(at, 'must have at least one node selector term'));
    mandatory.nodeSelectorTerms?.forEach((term, i) => {
      validateNodeSelectorTerm(term, `${at}[${i}]`, errors, false);
    });
  }
  nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution?.forEach(({ weight, preference }, i) => {
    const at = `${path}.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[${i}]`;
    validateWeight(weight, at, errors);
    validateNodeSelectorTerm(preference, `${at}.preference`, errors, true);
  });
  validatePodAffinity(podAffinity, `${path}.podAffinity`, errors);
  validatePodAffinity(podAntiAffinity, `${path}.podAntiAffinity`, errors);
}

function validateWeight(weight: number, path: string, errors: FieldError[]): void {
  if (weight <= 0 || weight > 100) errors.push(invalidField(`${path}.weight`, weight, 'must be in the range 1-100'));
}

/** One term of a node selector. `anyValues`: values need not be such as labels have. */
export function validateNodeSelectorTerm(
  { matchExpressions, matchFields }: NodeSelectorTerm,
  path: string,
  errors: FieldError[],
  anyValues: boolean,
): void {
  matchExpressions?.forEach((requirement, i) => {
    validateNodeSelectorRequirement(requirement, `${path}.matchExpressions[${i}]`, errors, anyValues);
  });
  matchFields?.forEach(({ key, operator, values = [] }, i) => {
    const at = `${path}.matchFields[${i}]`;
    if (operator !== 'In' && operator !== 'NotIn') {
      errors.push(invalidField(`${at}.operator`, operator, 'not a valid selector operator'));
    } else if (values.length !== 1) {
      const message = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
      errors.push(required(`${at}.values`, message));
    }
    if (key !== 'metadata.name') {
      errors.push(invalidField(`${at}.key`, key, 'not a valid field selector key'));
      return;
    }
    values.forEach((value, j) => {
      for (const message of isDNS1123Subdomain(value)) errors.push(invalidField(`${at}.values[${j}]`, value, message));
    });
  });
}

function validateNodeSelectorRequirement(
  { key, operator, values = [] }: NodeSelectorRequirement,
  path: string,
  errors: FieldError[],
  anyValues: boolean,
): void {
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) {
      errors.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    }
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) {
      const message = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      errors.push(forbiddenField(`${path}.values`, message));
    }
  } else if (operator === 'Gt' || operator === 'Lt') {
    if (values.length !== 1) {
      errors.push(required(`${path}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
    }
  } else {
    errors.push(invalidField(`${path}.operator`, operator, 'not a valid selector operator'));
  }
  validateLabelName(key, `${path}.key`, errors);
  if (anyValues) return;
  values.forEach((value, i) => {
    for (const message of isValidLabelValue(value)) errors.push(invalidField(`${path}.values[${i}]`, value, message));
  });
}

function validatePodAffinity(affinity: PodAffinity | undefined, path: string, errors: FieldError[]): void {
  affinity?.requiredDuringSchedulingIgnoredDuringExecution?.forEach((term, i) => {
    const at = `${path}.requiredDuringSchedulingIgnoredDuringExecution[${i}]`;
    validatePodAffinityTerm(term, at, errors);
  });
  affinity?.preferredDuringSchedulingIgnoredDuringExecution?.forEach(({ weight, podAffinityTerm }, i) => {
    const at = `${path}.preferredDuringSchedulingIgnoredDuringExecution[${i}]`;
    validateWeight(weight, at, errors);
    validatePodAffinityTerm(podAffinityTerm, `${at}.podAffinityTerm`, errors);
  });
}

function validatePodAffinityTerm(term: PodAffinityTerm, path: string, errors: FieldError[]): void {
  const { labelSelector, namespaceSelector, namespaces, topologyKey } = term;
  validateLabelSelector(labelSelector, `${path}.labelSelector`, errors);
  validateLabelSelector(namespaceSelector, `${path}.namespaceSelector`, errors);
  for (const name of namespaces ?? []) {
    for (const message of isDNS1123Label(name)) errors.push(invalidField(`${path}.namespace`, name, message));
  }
  validateLabelKeys(term, path, errors);
  if (!topologyKey) errors.push(required(`${path}.topologyKey`, 'can not be empty'));
  validateLabelName(topologyKey ?? '', `${path}.topologyKey`, errors);
}

function validateLabelKeys(term: PodAffinityTerm, path: string, errors: FieldError[]): void {
  const { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] } = term;
  for (const field of ['matchLabelKeys', 'mismatchLabelKeys'] as const) {
    const keys = term[field] ?? [];
    if (keys.length && !labelSelector) {
      errors.push(forbiddenField(`${path}.${field}`, 'must not be specified when labelSelector is not set'));
    } else {
      keys.forEach((key, i) => validateLabelName(key, `${path}.${field}[${i}]`, errors));
    }
  }
  // The keys have become requirements already, so that one requirement for a key is right and two are not.
  const seen = new Set(Object.keys(labelSelector?.matchLabels ?? {}));
  for (const { key } of labelSelector?.matchExpressions ?? []) {
    const i = matchLabelKeys.lastIndexOf(key);
    if (i >= 0 && seen.has(key)) {
      errors.push(invalidField(`${path}[${i}]`, key, 'exists in both matchLabelKeys and labelSelector'));
    }
    seen.add(key);
  }
  matchLabelKeys.forEach((key, i) => {
    if (mismatchLabelKeys.includes(key)) {
      const message = 'exists in both matchLabelKeys and mismatchLabelKeys';
      errors.push(invalidField(`${path}.matchLabelKeys[${i}]`, key, message));
    }
  });
}

const SCHEDULE_ACTIONS = ['DoNotSchedule', 'ScheduleAnyway'];
const INCLUSION_POLICIES = ['Honor', 'Ignore'];

export function validateTopologySpreadConstraints(
  constraints: readonly TopologySpreadConstraint[] | undefined,
  path: string,
  errors: FieldError[],
): void {
  constraints?.forEach((constraint, i) => {
    const at = `${path}[${i}]`;
    const { maxSkew, topologyKey, whenUnsatisfiable, minDomains, labelSelector, matchLabelKeys = [] } = constraint;
    if (maxSkew <= 0) errors.push(invalidField(`${at}.maxSkew`, maxSkew, 'must be greater than zero'));
    if (!topologyKey) errors.push(required(`${at}.topologyKey`, 'can not be empty'));
    if (!SCHEDULE_ACTIONS.includes(whenUnsatisfiable)) {
      errors.push(notSupported(`${at}.whenUnsatisfiable`, whenUnsatisfiable, SCHEDULE_ACTIONS));
    }
    const isSame = (other: TopologySpreadConstraint) =>
      other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable;
    if (constraints.slice(i + 1).some(isSame)) {
      errors.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${topologyKey}, ${whenUnsatisfiable}}`));
    }
    if (minDomains !== undefined) {
      if (minDomains <= 0) errors.push(invalidField(`${at}.minDomains`, minDomains, 'must be greater than zero'));
      if (whenUnsatisfiable !== 'DoNotSchedule') {
        const message = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
        errors.push(invalidField(`${at}.minDomains`, minDomains, message));
      }
    }
    for (const policy of ['nodeAffinityPolicy', 'nodeTaintsPolicy'] as const) {
      const value = constraint[policy];
      if (value !== undefined && !INCLUSION_POLICIES.includes(value)) {
        errors.push(notSupported(`${at}.${policy}`, value, INCLUSION_POLICIES));
      }
    }
    if (matchLabelKeys.length && !labelSelector) {
      errors.push(forbiddenField(`${at}.matchLabelKeys`, 'must not be specified when labelSelector is not set'));
    }
    const selected = new Set([
      ...Object.keys(labelSelector?.matchLabels ?? {}),
      ...(labelSelector?.matchExpressions ?? []).map(({ key }) => key),
    ]);
    matchLabelKeys.forEach((key, j) => {
      validateLabelName(key, `${at}.matchLabelKeys[${j}]`, errors);
      if (selected.has(key)) {
        const message = 'exists in both matchLabelKeys and labelSelector';
        errors.push(invalidField(`${at}.matchLabelKeys[${j}]`, key, message));
      }
    });
    validateLabelSelector(labelSelector, `${at}.labelSelector`, errors);
  });
}
