import { validatingAdmissionPolicies } from '#api/admissionregistration/v1/validating-admission-policy.ts';
import { validatingAdmissionPolicyBindings } from '#api/admissionregistration/v1/validating-admission-policy-binding.ts';
import type {
  MatchResources,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from '#api/generated/types.ts';
import type { JsonValue } from '#apimachinery/json.ts';
import type { ApiObject } from '#apimachinery/resource.ts';
import { labelSelectorTerms, matchesLabels } from '#apimachinery/selectors.ts';
import { StatusError } from '#apimachinery/status-error.ts';
import type { ExpressionVariables } from '#apiserver/cel-admission.ts';
import type { AdmissionAttributes, AdmissionPlugin, RequestContext } from '#apiserver/contract.ts';
import { admissionForbidden } from './forbidden.ts';
import { type AdmissionExpressions, conditionsMatch, evaluate, requestVariables } from './match-conditions.ts';
import { isExempt, matchesNamespace, matchesObject, matchesRule, namespaceOf } from './webhook-matching.ts';

const MAX_MESSAGE = 5 * 1024;
const CODES: Readonly<Record<string, number>> = { Unauthorized: 401, Forbidden: 403, RequestEntityTooLarge: 413 };

/** What a validation said against a request. */
interface Objection {
  readonly message: string;
  readonly reason: string;
  readonly index: number;
}

/**
 * Evaluates ValidatingAdmissionPolicies for the requests that their bindings name. Follows
 * apiserver/pkg/admission/plugin/policy/validating, v1.33. Differs from upstream: policies are in effect as soon as they
 * are stored, `matchPolicy: Equivalent` is as Exact, and expressions have neither cost nor `authorizer`.
 */
export function validatingAdmissionPolicy(expressions: () => AdmissionExpressions | undefined): AdmissionPlugin {
  return {
    name: 'ValidatingAdmissionPolicy',
    validate(attributes, context) {
      if (isExempt(attributes)) return;
      const bindings = context.readAll(validatingAdmissionPolicyBindings);
      for (const binding of bindings) {
        const policy = context.read(validatingAdmissionPolicies, undefined, binding.spec?.policyName ?? '');
        if (policy) apply(policy, binding, attributes, context, expressions());
      }
    },
  };
}

function apply(
  policy: ValidatingAdmissionPolicy,
  binding: ValidatingAdmissionPolicyBinding,
  attributes: AdmissionAttributes,
  context: RequestContext,
  expressions: AdmissionExpressions | undefined,
): void {
  const { spec } = policy;
  const fails = spec.failurePolicy !== 'Ignore';
  if (!matches(spec.matchConstraints, attributes, context)) return;
  if (binding.spec?.matchResources && !matches(binding.spec.matchResources, attributes, context, true)) return;
  let params: readonly (ApiObject | undefined)[];
  try {
    params = paramsOf(policy, binding, attributes, context);
  } catch (error) {
    if (!fails) return;
    const message = `failed to configure binding: ${(error as Error).message}`;
    throw denial(policy, binding, attributes, { message, reason: '', index: 0 });
  }
  for (const one of params) {
    const param = (one ?? null) as unknown as JsonValue;
    const matched = conditionsMatch(spec.matchConditions ?? [], attributes, context, expressions, fails, param);
    if (matched === false) continue;
    if (typeof matched === 'string') {
      throw denial(policy, binding, attributes, { message: matched, reason: '', index: 0 });
    }
    const variables = variablesOf(policy, param, attributes, context, expressions);
    annotate(policy, variables, context, expressions);
    act(policy, binding, attributes, context, objections(policy, variables, expressions, fails));
  }
}

/** Does with the objections what the binding says. Throws the first that denies. */
function act(
  policy: ValidatingAdmissionPolicy,
  binding: ValidatingAdmissionPolicyBinding,
  attributes: AdmissionAttributes,
  context: RequestContext,
  found: readonly Objection[],
): void {
  const actions = binding.spec?.validationActions ?? [];
  const named = `ValidatingAdmissionPolicy '${policy.metadata.name}' with binding '${binding.metadata.name}'`;
  for (const { message, index } of found) {
    if (actions.includes('Warn')) context.warn(`Validation failed for ${named}: ${message}`);
    if (!actions.includes('Audit')) continue;
    const failure = {
      message,
      policy: policy.metadata.name,
      binding: binding.metadata.name,
      expressionIndex: index,
      validationActions: actions,
    };
    context.annotate('validation.policy.admission.k8s.io/validation_failure', JSON.stringify([failure]));
  }
  const [first] = found;
  if (first && actions.includes('Deny')) throw denial(policy, binding, attributes, first);
}

function denial(
  policy: ValidatingAdmissionPolicy,
  binding: ValidatingAdmissionPolicyBinding,
  attributes: AdmissionAttributes,
  { message, reason: given }: Objection,
): StatusError {
  const named = `ValidatingAdmissionPolicy '${policy.metadata.name}' with binding '${binding.metadata.name}'`;
  const text = `${named} denied request: ${message}`;
  const { status } = admissionForbidden(attributes, text);
  const reason = given || 'Invalid';
  return new StatusError(CODES[reason] ?? 422, reason, status.message ?? '', {
    ...status.details,
    causes: [{ message: text }],
  });
}

/** `anything`: without rules all resources match, as in bindings. */
function matches(
  constraints: MatchResources | undefined,
  attributes: AdmissionAttributes,
  context: RequestContext,
  anything = false,
): boolean {
  const { resourceRules = [], excludeResourceRules = [], namespaceSelector, objectSelector } = constraints ?? {};
  const hit = (rule: (typeof resourceRules)[number]) =>
    matchesRule(rule, attributes) && (!rule.resourceNames?.length || rule.resourceNames.includes(attributes.name));
  if (excludeResourceRules.some(hit)) return false;
  if (!(anything && resourceRules.length === 0) && !resourceRules.some(hit)) return false;
  return matchesNamespace(namespaceSelector, attributes, context) && matchesObject(objectSelector, attributes);
}

/** The objects that a binding gives its policy, one evaluation each. Throws an Error in upstream's words. */
function paramsOf(
  { spec }: ValidatingAdmissionPolicy,
  { spec: bound }: ValidatingAdmissionPolicyBinding,
  { namespace }: AdmissionAttributes,
  context: RequestContext,
): readonly (ApiObject | undefined)[] {
  const kind = spec?.paramKind;
  const ref = bound?.paramRef;
  if (!kind || !ref) return [undefined];
  const definition = context.resourceOf(kind.apiVersion ?? '', kind.kind ?? '');
  if (!definition) throw new Error(`paramKind kind \`${kind.apiVersion}, Kind=${kind.kind}\` not known`);
  const isNamespaced = definition.scope === 'Namespaced';
  if (ref.namespace && !isNamespaced) {
    throw new Error('paramRef.namespace must not be provided for a cluster-scoped `paramKind`');
  }
  const within = isNamespaced ? (ref.namespace ?? namespace) : undefined;
  if (isNamespaced && !within) {
    throw new Error('cannot use namespaced paramRef in policy binding that matches cluster-scoped resources');
  }
  let found: readonly ApiObject[];
  if (ref.name) {
    if (ref.selector) throw new Error('paramRef.name and paramRef.selector are mutually exclusive');
    const one = context.read(definition, within, ref.name);
    found = one ? [one] : [];
  } else {
    if (!ref.selector) throw new Error('one of name or selector must be provided');
    const terms = labelSelectorTerms(ref.selector);
    found = context
      .readAll(definition, within)
      .filter(({ metadata }) => terms !== undefined && matchesLabels(terms, metadata.labels ?? {}));
  }
  if (found.length === 0 && ref.parameterNotFoundAction === 'Deny') {
    throw new Error('no params found for policy binding with `Deny` parameterNotFoundAction');
  }
  return found;
}

function variablesOf(
  { spec }: ValidatingAdmissionPolicy,
  params: JsonValue,
  attributes: AdmissionAttributes,
  context: RequestContext,
  expressions: AdmissionExpressions | undefined,
): ExpressionVariables {
  const namespaceObject = (namespaceOf(attributes, context) ?? null) as unknown as JsonValue;
  const base = { ...requestVariables(attributes, context), params, namespaceObject };
  const all: ExpressionVariables = {
    ...base,
    get variables() {
      return composed;
    },
  };
  const composed = Object.fromEntries(
    (spec?.variables ?? []).map(({ name, expression }) => [name, () => evaluate(expression, all, expressions)]),
  );
  return all;
}

function objections(
  { spec }: ValidatingAdmissionPolicy,
  variables: ExpressionVariables,
  expressions: AdmissionExpressions | undefined,
  fails: boolean,
): readonly Objection[] {
  return (spec?.validations ?? []).flatMap(({ expression, message, messageExpression, reason }, index) => {
    try {
      if (evaluate(expression, variables, expressions) === true) return [];
    } catch (error) {
      return fails ? [{ message: (error as Error).message, reason: '', index }] : [];
    }
    const text =
      (messageExpression && messageOf(messageExpression, variables, expressions)) ||
      message?.trim() ||
      `failed expression: ${expression.trim()}`;
    return [{ message: text, reason: reason ?? 'Invalid', index }];
  });
}

/** What a message expression makes; empty when it fails, is too long, or has several lines. */
function messageOf(
  expression: string,
  variables: ExpressionVariables,
  expressions: AdmissionExpressions | undefined,
): string {
  try {
    const value = evaluate(expression, variables, expressions);
    const text = typeof value === 'string' ? value.trim() : '';
    return text.length > MAX_MESSAGE || text.includes('\n') ? '' : text;
  } catch {
    return '';
  }
}

function annotate(
  { metadata, spec }: ValidatingAdmissionPolicy,
  variables: ExpressionVariables,
  context: RequestContext,
  expressions: AdmissionExpressions | undefined,
): void {
  for (const { key, valueExpression } of spec?.auditAnnotations ?? []) {
    try {
      const value = evaluate(valueExpression, variables, expressions);
      if (typeof value === 'string' && value.trim()) context.annotate(`${metadata.name}/${key}`, value.trim());
    } catch (error) {
      context.annotate(`${metadata.name}/${key}`, (error as Error).message);
    }
  }
}
