import type { FieldError } from '#apimachinery/field-error.ts';
import { validateLabelName } from '#apimachinery/label-validation.ts';
import {
  byteLength,
  duplicate,
  invalidField,
  notSupported,
  regexError,
  required,
  tooLong,
} from '#apimachinery/validation.ts';
import type { Condition } from '../../generated/types.ts';

const REASON = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?';
const MAX_REASON = 1024;
const MAX_MESSAGE = 32 * 1024;

/** metav1.Conditions. Follows ValidateConditions of apimachinery/pkg/apis/meta/v1/validation, v1.33. */
export function validateConditions(
  conditions: readonly Condition[] | undefined,
  path: string,
  errors: FieldError[],
): void {
  const seen = new Set<string>();
  conditions?.forEach(({ type, status, observedGeneration = 0, lastTransitionTime, reason, message }, i) => {
    const at = `${path}[${i}]`;
    if (seen.has(type)) errors.push(duplicate(`${at}.type`, type));
    seen.add(type);
    validateLabelName(type, `${at}.type`, errors);
    if (!['False', 'True', 'Unknown'].includes(status)) {
      errors.push(notSupported(`${at}.status`, status, ['False', 'True', 'Unknown']));
    }
    if (observedGeneration < 0) {
      errors.push(
        invalidField(`${at}.observedGeneration`, observedGeneration, 'must be greater than or equal to zero'),
      );
    }
    if (!lastTransitionTime) errors.push(required(`${at}.lastTransitionTime`, 'must be set'));
    if (!reason) errors.push(required(`${at}.reason`, 'must be set'));
    else {
      if (!new RegExp(`^${REASON}$`).test(reason)) {
        const what =
          "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'";
        errors.push(
          invalidField(
            `${at}.reason`,
            reason,
            regexError(what, REASON, 'my_name', 'MY_NAME', 'MyName', 'ReasonA,ReasonB', 'ReasonA:ReasonB'),
          ),
        );
      }
      if (byteLength(reason) > MAX_REASON) errors.push(tooLong(`${at}.reason`, MAX_REASON));
    }
    if (byteLength(message ?? '') > MAX_MESSAGE) errors.push(tooLong(`${at}.message`, MAX_MESSAGE));
  });
}
