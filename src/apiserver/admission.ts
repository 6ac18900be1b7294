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

/** Lets every plugin change the object, one after the other. */
export function admit<T extends ApiObject>(
  scope: RequestScope<T>,
  operation: AdmissionOperation,
  name: string,
  object: T,
  oldObject: T | undefined,
): T {
  const { admission } = scope.core;
  if (admission.length === 0) return object;
  let attributes = attributesOf(scope as unknown as RequestScope, operation, name, object, oldObject);
  let next = object;
  for (const plugin of admission) {
    const admitted = plugin.admit?.(attributes, scope);
    if (!admitted || admitted === next) continue;
    next = admitted as T;
    attributes = { ...attributes, object: next };
  }
  return next;
}

/** Lets every plugin object. */
export function validateAdmission<T extends ApiObject>(
  scope: RequestScope<T>,
  operation: AdmissionOperation,
  name: string,
  object: T | undefined,
  oldObject: T | undefined,
): void {
  const { admission } = scope.core;
  if (admission.length === 0) return;
  const attributes = attributesOf(scope as unknown as RequestScope, operation, name, object, oldObject);
  for (const plugin of admission) plugin.validate?.(attributes, scope);
}

/** Both, for operations without a new object. */
export function admitDeletion<T extends ApiObject>(scope: RequestScope<T>, name: string, oldObject: T): void {
  const { admission } = scope.core;
  if (admission.length === 0) return;
  const attributes = attributesOf(scope as unknown as RequestScope, 'DELETE', name, undefined, oldObject);
  for (const plugin of admission) plugin.admit?.(attributes, scope);
  for (const plugin of admission) plugin.validate?.(attributes, scope);
}
