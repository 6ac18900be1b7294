import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import type { AdmissionAttributes, AdmissionOperation, AdmissionPlugin } from './contract.ts';
import { isNamespaceKind } from './resource-table.ts';
import type { RequestScope } from './request-scope.ts';

/** The plugins that are asked about one resource, in their order, by what they do. */
export interface AdmissionChain {
  readonly wait: readonly Required<Pick<AdmissionPlugin, 'wait'>>[];
  readonly admit: readonly Required<Pick<AdmissionPlugin, 'admit'>>[];
  readonly validate: readonly Required<Pick<AdmissionPlugin, 'validate'>>[];
}

/** Finds out once for each resource which plugins it concerns. */
export class AdmissionChains {
  readonly #plugins: readonly AdmissionPlugin[];
  readonly #chains = new WeakMap<ResourceDefinition, AdmissionChain>();

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.#plugins = plugins;
  }

  of(definition: ResourceDefinition): AdmissionChain {
    let chain = this.#chains.get(definition);
    if (!chain) {
      const asked = this.#plugins.filter(({ resources }) => !resources || resources.includes(definition));
      chain = {
        wait: asked.filter((plugin) => plugin.wait !== undefined) as AdmissionChain['wait'],
        admit: asked.filter((plugin) => plugin.admit !== undefined) as AdmissionChain['admit'],
        validate: asked.filter((plugin) => plugin.validate !== undefined) as AdmissionChain['validate'],
      };
      this.#chains.set(definition, chain);
    }
    return chain;
  }
}

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

const chainOf = <T extends ApiObject>({ core, definition }: RequestScope<T>): AdmissionChain =>
  core.admission(definition as unknown as ResourceDefinition);

/** Parks while a plugin waits for what somebody is about to make. */
export async function waitForAdmission<T extends ApiObject>(
  scope: RequestScope<T>,
  name: string,
  object: T,
): Promise<void> {
  const { wait } = chainOf(scope);
  if (wait.length === 0) return;
  const attributes = attributesOf(scope as unknown as RequestScope, 'CREATE', name, object, undefined);
  for (const plugin of wait) {
    const waiting = plugin.wait(attributes, scope);
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
  const { admit: chain } = chainOf(scope);
  if (chain.length === 0) return object;
  const attributes = attributesOf(scope as unknown as RequestScope, operation, name, object, oldObject);
  return admitFrom(0, chain, scope, { ...attributes, reinvocation: { again: false, wanted: false, kept: new Map() } });
}

/** Goes on with the plugin at `first`. */
function admitFrom<T extends ApiObject>(
  first: number,
  chain: AdmissionChain['admit'],
  scope: RequestScope<T>,
  given: AdmissionAttributes,
): T | Promise<T> {
  let attributes = given;
  for (let i = first; i < chain.length; i++) {
    const admitted = chain[i]?.admit(attributes, scope);
    if (admitted instanceof Promise) {
      const { object } = attributes;
      return admitted.then((next = object) => admitFrom(i + 1, chain, scope, { ...attributes, object: next }));
    }
    if (admitted && admitted !== attributes.object) attributes = { ...attributes, object: admitted };
  }
  const { reinvocation, object } = attributes;
  if (!reinvocation?.wanted || reinvocation.again) return object as T;
  return admitFrom(0, chain, scope, { ...attributes, reinvocation: { ...reinvocation, again: true } });
}

/** Lets every plugin object. */
export function validateAdmission<T extends ApiObject>(
  scope: RequestScope<T>,
  operation: AdmissionOperation,
  name: string,
  object: T | undefined,
  oldObject: T | undefined,
): void | Promise<void> {
  const { validate } = chainOf(scope);
  if (validate.length === 0) return undefined;
  const attributes = attributesOf(scope as unknown as RequestScope, operation, name, object, oldObject);
  return validateFrom(0, validate, scope, attributes);
}

function validateFrom<T extends ApiObject>(
  first: number,
  chain: AdmissionChain['validate'],
  scope: RequestScope<T>,
  attributes: AdmissionAttributes,
): void | Promise<void> {
  const { objects } = scope.core;
  for (let i = first; i < chain.length; i++) {
    const waiting = chain[i]?.validate(attributes, scope, objects);
    if (waiting) return waiting.then(() => validateFrom(i + 1, chain, scope, attributes));
  }
}

/** Both, for operations without a new object. */
export async function admitDeletion<T extends ApiObject>(
  scope: RequestScope<T>,
  name: string,
  oldObject: T,
): Promise<void> {
  const { admit: admitting, validate } = chainOf(scope);
  const attributes = attributesOf(scope as unknown as RequestScope, 'DELETE', name, undefined, oldObject);
  for (const plugin of admitting) await plugin.admit(attributes, scope);
  await validateFrom(0, validate, scope, attributes);
}
