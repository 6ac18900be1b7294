import type { FieldError } from './field-error.ts';
import {
  byteLength,
  forbiddenField,
  invalidField,
  isQualifiedName,
  isValidLabelValue,
  required,
  tooLong,
} from './validation.ts';

// Each validator adds what it finds to `errors`. Follows apimachinery/pkg/apis/meta/v1/validation, v1.33; maps are
// walked in the order of their keys, where upstream's order is random.

type StringMap = Readonly<Record<string, string>> | undefined;

export interface LabelSelectorShape {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/** A label's key. */
export function validateLabelName(name: string, path: string, errors: FieldError[]): void {
  for (const message of isQualifiedName(name)) errors.push(invalidField(path, name, message));
}

/** A map of labels, or of what is matched against labels. */
export function validateLabels(labels: StringMap, path: string, errors: FieldError[]): void {
  if (!labels) return;
  for (const key of Object.keys(labels).sort()) {
    validateLabelName(key, path, errors);
    const value = labels[key] as string;
    for (const message of isValidLabelValue(value)) errors.push(invalidField(path, value, message));
  }
}

const TOTAL_ANNOTATION_SIZE = 256 * 1024;

/** A map of annotations. */
export function validateAnnotations(annotations: StringMap, path: string, errors: FieldError[]): void {
  if (!annotations) return;
  let size = 0;
  for (const key of Object.keys(annotations).sort()) {
    for (const message of isQualifiedName(key.toLowerCase())) errors.push(invalidField(path, key, message));
    size += byteLength(key) + byteLength(annotations[key] as string);
  }
  if (size > TOTAL_ANNOTATION_SIZE) errors.push(tooLong(path, TOTAL_ANNOTATION_SIZE));
}

/** A metav1.LabelSelector; an absent one is valid. */
export function validateLabelSelector(
  selector: LabelSelectorShape | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (!selector) return;
  validateLabels(selector.matchLabels, `${path}.matchLabels`, errors);
  selector.matchExpressions?.forEach(({ key, operator, values = [] }, i) => {
    const at = `${path}.matchExpressions[${i}]`;
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0)
        errors.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0)
        errors.push(
          forbiddenField(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
        );
    } else {
      errors.push(invalidField(`${at}.operator`, operator, 'not a valid selector operator'));
    }
    validateLabelName(key, `${at}.key`, errors);
    values.forEach((value, j) => {
      for (const message of isValidLabelValue(value)) errors.push(invalidField(`${at}.values[${j}]`, value, message));
    });
  });
}
