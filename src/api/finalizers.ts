import type { FieldError } from '#apimachinery/field-error.ts';
import type { ObjectMetaLike } from '#apimachinery/resource.ts';
import { invalidField } from '#apimachinery/validation.ts';

const STANDARD: readonly string[] = ['kubernetes', 'orphan', 'foregroundDeletion'];

/** A finalizer without a domain must be one that Kubernetes knows. Follows validateKubeFinalizerName of pkg/apis/core/validation, v1.33. */
export function validateStandardFinalizer(name: string, path: string, errors: FieldError[]): void {
  if (name.includes('/') || STANDARD.includes(name)) return;
  const message = 'name is neither a standard finalizer name nor is it fully qualified';
  errors.push(invalidField(path, name, message));
}

/** The finalizers of an object's metadata, in kinds of Kubernetes' own. */
export function validateStandardFinalizers({ finalizers }: ObjectMetaLike, errors: FieldError[]): void {
  finalizers?.forEach((name, i) => validateStandardFinalizer(name, `metadata.finalizers[${i}]`, errors));
}
