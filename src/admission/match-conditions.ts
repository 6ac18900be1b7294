import type { JsonValue } from '#apimachinery/json.ts';
import type { CelAdmission, ExpressionVariables } from '#apiserver/cel-admission.ts';
import type { AdmissionAttributes, RequestContext } from '#apiserver/contract.ts';
import { admissionRequest } from './admission-review.ts';

/** What compiles expressions; the language itself is brought by the host. */
export type AdmissionExpressions = Pick<CelAdmission, 'compile'>;

/** The values of the variables that are known without a policy. */
export function requestVariables(attributes: AdmissionAttributes, context: RequestContext): ExpressionVariables {
  const { object = null, oldObject = null, uid: _uid, ...request } = admissionRequest(attributes, context, '');
  return { object, oldObject, request };
}

/** What an expression amounts to. Throws an Error in upstream's words. */
export function evaluate(
  expression: string,
  variables: ExpressionVariables,
  expressions: AdmissionExpressions | undefined,
): unknown {
  const compiled = expressions?.compile(expression);
  if (!compiled) throw new Error('expressions cannot be evaluated yet');
  if (compiled.error !== undefined) throw new Error(`compilation error: compilation failed: ${compiled.error}`);
  try {
    return compiled.evaluate(variables);
  } catch (error) {
    throw new Error(`expression '${expression}' resulted in error: ${(error as Error).message}`);
  }
}

/**
 * Whether all conditions hold; a text when that cannot be said and failures count. Follows
 * apiserver/pkg/admission/plugin/webhook/matchconditions, v1.33.
 */
export function conditionsMatch(
  conditions: readonly { readonly expression: string }[],
  attributes: AdmissionAttributes,
  context: RequestContext,
  expressions: AdmissionExpressions | undefined,
  fails: boolean,
  params: JsonValue = null,
): boolean | string {
  const errors: string[] = [];
  const variables = { ...requestVariables(attributes, context), params };
  for (const { expression } of conditions) {
    try {
      if (evaluate(expression, variables, expressions) === false) return false;
    } catch (error) {
      errors.push((error as Error).message);
    }
  }
  if (errors.length === 0) return true;
  if (!fails) return false;
  return errors.length === 1 ? (errors[0] as string) : `[${errors.join(', ')}]`;
}
