import { forbidden, type StatusError } from '#apimachinery/status-error.ts';
import type { AdmissionAttributes } from '#apiserver/contract.ts';

/**
 * 403 of a plugin: `pods "web" is forbidden: …`. An object without a name yet is called by what it will be generated
 * from. Follows apiserver/pkg/admission/errors.go, v1.33.
 */
export function admissionForbidden({ resource, name, object }: AdmissionAttributes, why: string): StatusError {
  const { metadata } = object ?? {};
  return forbidden(resource, name || metadata?.name || metadata?.generateName || 'Unknown', why);
}
