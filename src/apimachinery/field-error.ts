/** Kinds of validation errors. Follows apimachinery's util/validation/field, v1.33. */
export type FieldErrorType =
  | 'Required'
  | 'Duplicate'
  | 'Invalid'
  | 'NotSupported'
  | 'Forbidden'
  | 'TooLong'
  | 'TooMany'
  | 'NotFound'
  | 'InternalError'
  | 'TypeInvalid';

export interface FieldError {
  readonly type: FieldErrorType;
  /** Such as `spec.containers[0].name`. */
  readonly field: string;
  /** The whole text without the field, such as `Required value` or `Invalid value: "x": must be …`. */
  readonly text: string;
}
