import type { FieldError } from '#apimachinery/field-error.ts';
import { invalidField } from '#apimachinery/validation.ts';

/** A number that may not be below zero; an absent one is fine. */
export function validateNonnegative(value: number | undefined, path: string, errors: FieldError[]): void {
  if (value !== undefined && value < 0) errors.push(invalidField(path, value, 'must be greater than or equal to 0'));
}
