import type { JsonValue } from '#apimachinery/json.ts';
import type { AdmissionAttributes, RequestContext } from '#apiserver/contract.ts';
import { admissionRequest } from './admission-review.ts';

/** An expression in CEL that has been compiled; `error` says why it could not be. */
export interface CompiledExpression {
  readonly error?: string;
  /** Throws an Error in upstream's words. */
  evaluate(variables: ExpressionVariables): unknown;
}

/** What expressions about a request may speak of. Absent values are null. */
export interface ExpressionVariables {
  readonly object: JsonValue;
  readonly oldObject: JsonValue;
  readonly request: JsonValue;
  readonly params?: JsonValue;
  readonly namespaceObject?: JsonValue;
  /** Expressions by name, evaluated when they are asked for. */
  readonly variables?: readonly { readonly name: string; readonly value: () => unknown }[];
}

/** Compiles expressions about requests; each text once. */
export interface AdmissionExpressions {
  compile(expression: string, variables: readonly string[]): CompiledExpression;
}

/** The values of the variables that are known without a policy. */
export function requestVariables(attributes: AdmissionAttributes, context: RequestContext): ExpressionVariables {
  const { object = null, oldObject = null, ...request } = admissionRequest(attributes, context, '');
  const { uid: _uid, ...rest } = request as Record<string, JsonValue>;
  return { object, oldObject, request: rest };
}

/**
 * Whether all conditions hold; a text when that cannot be said and failures count. Follows
 * apiserver/pkg/admission/plugin/webhook/matchconditions, v1.33.
 */
export function conditionsMatch(
  conditions: readonly { readonly name: string; readonly expression: string }[],
  attributes: AdmissionAttributes,
  context: RequestContext,
  expressions: AdmissionExpressions | undefined,
  fails: boolean,
  params: JsonValue = null,
): boolean | string {
  const errors: string[] = [];
  const variables = { ...requestVariables(attributes, context), params };
  for (const { expression } of conditions) {
    const why = (text: string) => errors.push(`expression '${expression}' resulted in error: ${text}`);
    const compiled = expressions?.compile(expression, []);
    if (!compiled || compiled.error !== undefined) {
      why(compiled?.error ?? 'expressions cannot be evaluated yet');
      continue;
    }
    try {
      if (compiled.evaluate(variables) === false) return false;
    } catch (error) {
      why((error as Error).message);
    }
  }
  if (errors.length === 0) return true;
  if (!fails) return false;
  return errors.length === 1 ? (errors[0] as string) : `[${errors.join(', ')}]`;
}
