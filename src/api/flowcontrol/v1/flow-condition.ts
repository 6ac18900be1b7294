import type { FieldError } from '#apimachinery/field-error.ts';
import { duplicate, required } from '#apimachinery/validation.ts';

/** Conditions of FlowSchemas and PriorityLevelConfigurations. Follows pkg/apis/flowcontrol/validation, v1.33. */
export function validateFlowConditions(
  conditions: readonly { readonly type?: string }[] | undefined,
  errors: FieldError[],
): FieldError[] {
  const seen = new Set<string>();
  conditions?.forEach(({ type = '' }, i) => {
    const path = `status.conditions[${i}].type`;
    if (seen.has(type)) errors.push(duplicate(path, type));
    seen.add(type);
    if (type === '') errors.push(required(path, 'must not be empty'));
  });
  return errors;
}
