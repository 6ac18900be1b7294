import type { ApiObject } from '#apimachinery/resource.ts';
import type { AdmissionAttributes, AdmissionOperation } from './contract.ts';
import { isNamespaceKind } from './resource-table.ts';
import type { RequestScope } from './request-scope.ts';

/** What the plugins are told about a request. */
export function attributesOf(
  scope: RequestScope,
  operation: AdmissionOperation,
  name: string,
  object: ApiObject | undefined,
  oldObject: ApiObject | undefined,
): AdmissionAttributes {
  const { request, definition } = scope;
  const namespace = request.namespace ?? (isNamespaceKind(definition) ? name : undefined);
  return {
    operation,
    resource: definition,
    subresource: request.subresource,
    namespace: namespace || undefined,
    name,
    object,
    oldObject,
    user: request.user,
    dryRun: scope.dryRun,
  };
}

/** Parks while a plugin waits for what somebody is about to make. */
export async function waitForAdmission<T extends ApiObject>(
  scope: RequestScope<T>,
  name: string,
  object: T,
): Promise<void> {
  const attributes = attributesOf(scope as unknown as RequestScope, 'CREATE', name, object, undefined);
  for (const plugin of scope.core.admission) {
    const waiting = plugin.wait?.(attributes, scope);
    if (waiting) await waiting;
  }
}

/** Lets every plugin change the object, one after the other; all once more when one of the last ones wants that. */
export function admit<T extends ApiObject>(
  scope: RequestScope<T>,
  operation: AdmissionOperation,
  name: string,
  object: T,
  oldObject: T | undefined,
): T | Promise<T> {
  if (scope.core.admission.length === 0) return object;
  const attributes = attributesOf(scope as unknown as RequestScope, operation, name, object, oldObject);
  return admitFrom(0, scope, { ...attributes, reinvocation: { again: false, wanted: false, kept: new Map() } });
}

/** Goes on with the plugin at `first`. */
function admitFrom<T extends ApiObject>(
  first: number,
  scope: RequestScope<T>,
  given: AdmissionAttributes,
): T | Promise<T> {
  const { admission } = scope.core;
  let attributes = given;
  for (let i = first; i < admission.length; i++) {
    const admitted = admission[i]?.admit?.(attributes, scope);
    if (admitted instanceof Promise) {
      const { object } = attributes;
      return admitted.then((next = object) => admitFrom(i + 1, scope, { ...attributes, object: next }));
    }
    if (admitted && admitted !== attributes.object) attributes = { ...attributes, object: admitted };
  }
  const { reinvocation, object } = attributes;
  if (!reinvocation?.wanted || reinvocation.again) return object as T;
  return admitFrom(0, scope, { ...attributes, reinvocation: { ...reinvocation, again: true } });
}

/** Lets every plugin object. */
export function validateAdmission<T extends ApiObject>(
  scope: RequestScope<T>,
  operation: AdmissionOperation,
  name: string,
  object: T | undefined,
  oldObject: T | undefined,
): void | Promise<void> {
  if (scope.core.admission.length === 0) return undefined;
  return validateFrom(0, scope, attributesOf(scope as unknown as RequestScope, operation, name, object, oldObject));
}

function validateFrom<T extends ApiObject>(
  first: number,
  scope: RequestScope<T>,
  attributes: AdmissionAttributes,
): void | Promise<void> {
  const { admission, objects } = scope.core;
  for (let i = first; i < admission.length; i++) {
    const waiting = admission[i]?.validate?.(attributes, scope, objects);
    if (waiting) return waiting.then(() => validateFrom(i + 1, scope, attributes));
  }
}

/** Both, for operations without a new object. */
export async function admitDeletion<T extends ApiObject>(
  scope: RequestScope<T>,
  name: string,
  oldObject: T,
): Promise<void> {
  const { admission } = scope.core;
  if (admission.length === 0) return;
  const attributes = attributesOf(scope as unknown as RequestScope, 'DELETE', name, undefined, oldObject);
  for (const plugin of admission) await plugin.admit?.(attributes, scope);
  await validateFrom(0, scope, attributes);
}
