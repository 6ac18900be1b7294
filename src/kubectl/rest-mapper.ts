import type { ApiResource, Discovery } from './discovery.ts';
import { NoKindMatchError, NoResourceMatchError } from './errors.ts';

/** `pods`, `deployments.apps`, as messages name a resource type. */
export function qualifiedName(resource: { readonly group: string; readonly name: string }): string {
  return resource.group === '' ? resource.name : `${resource.name}.${resource.group}`;
}

/** `v1`, `apps/v1`. */
export function apiVersionOf(resource: { readonly group: string; readonly version: string }): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/** `deployment.apps`, the lower-case kind with its group. */
export function kindName(resource: { readonly group: string; readonly kind: string }): string {
  const kind = resource.kind.toLowerCase();
  return resource.group === '' ? kind : `${kind}.${resource.group}`;
}

/** The path of a resource type, of an object, of its subresource. Cluster-scoped types ignore the namespace. */
export function resourcePath(resource: ApiResource, namespace: string, name?: string, subresource?: string): string {
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const scope = resource.namespaced && namespace !== '' ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  const rest = [name, subresource]
    .filter((part) => part !== undefined && part !== '')
    .map((part) => `/${encodeURIComponent(part as string)}`);
  return `${root}${scope}/${resource.name}${rest.join('')}`;
}

interface ResourceArgument {
  readonly resource: string;
  readonly group: string;
  readonly version: string;
}

/** Finds resource types by what users call them. Follows client-go/restmapper, v1.33. */
export class RestMapper {
  readonly #discovery: Discovery;
  readonly #warn: (text: string) => void;

  constructor(discovery: Discovery, warn: (text: string) => void) {
    this.#discovery = discovery;
    this.#warn = warn;
  }

  /** All types, all versions, in the server's order. */
  async resources(): Promise<readonly ApiResource[]> {
    return (await this.#discovery.groups()).flatMap((group) => group.versions.flatMap((version) => version.resources));
  }

  /**
   * The type of an argument such as `po`, `pods`, `Deployment`, `deploy.apps`, `deployments.v1.apps`. Throws
   * NoResourceMatchError.
   */
  async forArgument(argument: string): Promise<ApiResource> {
    const found = await this.#fresh(() => this.#find(argument));
    if (found) return found;
    throw new NoResourceMatchError(argument.split('.')[0] ?? '');
  }

  /** The type of a kind in a group and version. Throws NoKindMatchError. */
  async forKind(group: string, kind: string, version: string): Promise<ApiResource> {
    const found = await this.#fresh(async () => {
      const all = await this.resources();
      return all.find(
        (each) => each.group === group && each.kind === kind && (version === '' || each.version === version),
      );
    });
    if (found) return found;
    throw new NoKindMatchError(group, kind, version === '' ? [] : [version]);
  }

  /** Types of a category such as `all`; undefined when there is none of that name. */
  async category(name: string): Promise<readonly ApiResource[] | undefined> {
    const found = (await this.resources()).filter((each) => each.categories.includes(name));
    return found.length > 0 ? found : undefined;
  }

  /** A second look with fresh discovery when a kept one does not know. */
  async #fresh<T>(find: () => Promise<T | undefined>): Promise<T | undefined> {
    const found = await find();
    if (found !== undefined || !this.#discovery.stale) return found;
    this.#discovery.reset();
    return find();
  }

  async #find(argument: string): Promise<ApiResource | undefined> {
    const all = await this.resources();
    const [first = '', second = '', ...rest] = argument.split('.');
    const full: ResourceArgument | undefined =
      argument.split('.').length > 2 ? { resource: first, version: second, group: rest.join('.') } : undefined;
    const grouped: ResourceArgument = { resource: first, group: argument.slice(first.length + 1), version: '' };
    return (
      (full && this.#byResource(all, full)) ??
      this.#byResource(all, grouped) ??
      (full && byKind(all, full)) ??
      byKind(all, grouped)
    );
  }

  #byResource(all: readonly ApiResource[], argument: ResourceArgument): ApiResource | undefined {
    const expanded = this.#expandShortName(all, argument);
    const name = expanded.resource.toLowerCase();
    const named = all.filter((each) => each.name === name || (each.singular || each.kind.toLowerCase()) === name);
    const versioned = named.filter((each) => expanded.version === '' || each.version === expanded.version);
    if (expanded.group === '') {
      // `pods.v1.` names the core group; `pods` names any.
      return expanded.version === '' ? versioned[0] : versioned.find((each) => each.group === '');
    }
    return (
      versioned.find((each) => each.group === expanded.group) ??
      versioned.find((each) => each.group.startsWith(expanded.group))
    );
  }

  #expandShortName(all: readonly ApiResource[], argument: ResourceArgument): ResourceArgument {
    const { resource, group } = argument;
    const inGroup = all.filter((each) => group === '' || each.group === group);
    if (inGroup.some((each) => each.name === resource || each.singular === resource)) return argument;
    const short = inGroup.filter((each) => each.shortNames.includes(resource));
    const [found] = short;
    if (found) {
      const others = new Set(short.map(qualifiedName));
      others.delete(qualifiedName(found));
      for (const other of others)
        this.#warn(`short name "${resource}" could also match lower priority resource ${other}`);
      return { resource: found.name, group: found.group, version: '' };
    }
    const prefixed =
      group === '' ? undefined : all.find((each) => each.group.startsWith(group) && each.shortNames.includes(resource));
    return prefixed ? { ...argument, resource: prefixed.name, group: prefixed.group } : argument;
  }
}

function byKind(all: readonly ApiResource[], argument: ResourceArgument): ApiResource | undefined {
  return all.find(
    (each) =>
      each.kind === argument.resource &&
      each.group === argument.group &&
      (argument.version === '' || each.version === argument.version),
  );
}
