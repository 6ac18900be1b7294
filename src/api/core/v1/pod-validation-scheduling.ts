import type { FieldError } from '#apimachinery/field-error.ts';
import { notSupported, required } from '#apimachinery/validation.ts';

// Where Pods may run. Follows pkg/apis/core/validation, v1.33.

/** Whether Pods of a class may push others out. */
export function validatePreemptionPolicy(policy: string, path: string, errors: FieldError[]): void {
  if (policy === '') errors.push(required(path));
  else if (policy !== 'PreemptLowerPriority' && policy !== 'Never') {
    errors.push(notSupported(path, policy, ['PreemptLowerPriority', 'Never']));
  }
}
