import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';

/** The resources that a server has; they may come and go (CustomResourceDefinitions). */
export class ResourceTable {
  readonly #definitions = new Map<string, ResourceDefinition>();

  constructor(definitions: Iterable<ResourceDefinition>) {
    for (const definition of definitions) this.add(definition);
  }

  /** Adds a resource, or replaces the one of the same group, version and plural. */
  add(definition: ResourceDefinition): void {
    this.#definitions.set(keyOf(definition.group, definition.version, definition.plural), definition);
  }

  remove(definition: ResourceDefinition): void {
    this.#definitions.delete(keyOf(definition.group, definition.version, definition.plural));
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
