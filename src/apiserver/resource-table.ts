import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import type { SubresourceEndpoint } from './contract.ts';

/** The resources that a server has; they may come and go (CustomResourceDefinitions). */
export class ResourceTable {
  readonly #definitions = new Map<string, ResourceDefinition>();
  readonly #endpoints = new Map<string, readonly SubresourceEndpoint[]>();
  /** Called with a definition that is served no more, or is served by another one. */
  onRetired: (definition: ResourceDefinition) => void = () => {};

  constructor(definitions: Iterable<ResourceDefinition>, endpoints: readonly SubresourceEndpoint[] = []) {
    for (const definition of definitions) {
      const key = keyOf(definition.group, definition.version, definition.plural);
      const own = endpoints.filter(({ resource }) => keyOf(resource.group, resource.version, resource.plural) === key);
      this.add(definition, own);
    }
  }

  /** Adds a resource, or replaces the one of the same group, version and plural. */
  add(definition: ResourceDefinition, endpoints: readonly SubresourceEndpoint[] = []): void {
    const key = keyOf(definition.group, definition.version, definition.plural);
    const previous = this.#definitions.get(key);
    this.#definitions.set(key, definition);
    this.#endpoints.set(key, endpoints);
    if (previous && previous !== definition) this.onRetired(previous);
  }

  remove(definition: ResourceDefinition): void {
    const key = keyOf(definition.group, definition.version, definition.plural);
    if (this.#definitions.get(key) !== definition) return;
    this.#definitions.delete(key);
    this.#endpoints.delete(key);
    this.onRetired(definition);
  }

  /** The subresources that are more than a view of their object. */
  endpointsOf(definition: ResourceDefinition): readonly SubresourceEndpoint[] {
    return this.#endpoints.get(keyOf(definition.group, definition.version, definition.plural)) ?? [];
  }

  endpoint(definition: ResourceDefinition, subresource: string): SubresourceEndpoint | undefined {
    return this.endpointsOf(definition).find((endpoint) => endpoint.subresource === subresource);
  }

  find(group: string, version: string, plural: string): ResourceDefinition | undefined {
    return this.#definitions.get(keyOf(group, version, plural));
  }

  /** Whether there is anything of this version of a group. */
  hasVersion(group: string, version: string): boolean {
    for (const definition of this.all()) if (definition.group === group && definition.version === version) return true;
    return false;
  }

  all(): IterableIterator<ResourceDefinition> {
    return this.#definitions.values();
  }
}

const keyOf = (group: string, version: string, plural: string) => `${group}/${version}/${plural}`;

/** Whether a definition is the kind that all namespaced objects live in, which every API server knows. */
export function isNamespaceKind(definition: ResourceDefinition<ApiObject>): boolean {
  return definition.group === '' && definition.plural === 'namespaces';
}
