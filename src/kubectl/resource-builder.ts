import type { JsonObject, JsonValue } from '#apimachinery/json.ts';
import { matchesLabels, parseLabelSelector } from '#apimachinery/selectors.ts';
import { isStatus } from '#apimachinery/status-error.ts';
import { goQuote } from '#apimachinery/validation.ts';
import type { Invocation } from './command.ts';
import type { ApiResource } from './discovery.ts';
import { asError, ErrorList, NoKindMatchError, NoResourceMatchError } from './errors.ts';
import { isList, kindOf, object, objects, strings, text, withMetadata } from './fields.ts';
import { byCodeUnit } from '#apimachinery/go-format.ts';
import { checkKind, decodeObject, decodeStream } from './manifest.ts';
import { ResourceClient } from './resource-client.ts';

/** One object, or one list, that a command works on. */
export interface ResourceInfo {
  /** Absent when the command runs without a server. */
  readonly resource?: ApiResource;
  readonly namespace: string;
  readonly name: string;
  /** The file it comes from, or STDIN. */
  readonly source?: string;
  readonly object?: JsonObject;
  readonly subresource?: string;
}

/** What to work on, as a command's arguments and flags say. */
export interface BuilderOptions {
  /** `TYPE`, `TYPE NAME …`, `TYPE/NAME …`. */
  readonly args?: readonly string[];
  /** A type without names stands for all of its objects. */
  readonly allowEmptySelector?: boolean;
  /** Names of a type that goes without saying, or `TYPE/NAME`. */
  readonly resourceNames?: { readonly type: string; readonly names: readonly string[] };
  /** Files from the flags -f, -k and -R. */
  readonly files?: boolean;
  /** A text of objects, as if it were a file of that name. */
  readonly stream?: { readonly name: string; readonly text: string };
  readonly namespace: string;
  /** The namespace comes from a flag: objects in files must be in it. */
  readonly enforceNamespace?: boolean;
  /** Objects in files without a namespace get this one. */
  readonly defaultNamespace?: boolean;
  readonly allNamespaces?: boolean;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly all?: boolean;
  readonly chunkSize?: number;
  /** Spread lists into their items. */
  readonly flatten?: boolean;
  /** Read objects that come from files from the server, too. */
  readonly latest?: boolean;
  /** Read objects that are only named. Default: yes. */
  readonly requireObject?: boolean;
  /** Go on after an error, and report all. */
  readonly continueOnError?: boolean;
  readonly singleResourceType?: boolean;
  readonly subresource?: string;
  readonly accept?: string;
  /** Tables hold the whole object of each row. */
  readonly wholeObjects?: boolean;
  readonly local?: boolean;
  /** Objects in files must say their version and kind. */
  readonly validated?: boolean;
}

export const MISSING_RESOURCE = `You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'`;

type Visit = (info: ResourceInfo) => Promise<void> | void;
/** Where infos come from. `fail` takes an error about one of them, after which others may follow; what is thrown ends it. */
type Source = (visit: Visit, fail: (error: Error) => void) => Promise<void>;

/** The objects that were asked for. */
export class ResourceResult {
  readonly #sources: readonly Source[];
  readonly #continue: boolean;
  /** One object was named, and only one. */
  readonly singleItemImplied: boolean;
  /** Objects were named, not selected. */
  readonly targetsSingleItems: boolean;
  /** The types that were selected from, for watching. */
  readonly selected: readonly ApiResource[];

  constructor(
    sources: readonly Source[],
    options: {
      readonly continueOnError: boolean;
      readonly singleItemImplied: boolean;
      readonly targetsSingleItems: boolean;
      readonly selected?: readonly ApiResource[];
    },
  ) {
    this.#sources = sources;
    this.#continue = options.continueOnError;
    this.singleItemImplied = options.singleItemImplied;
    this.targetsSingleItems = options.targetsSingleItems;
    this.selected = options.selected ?? [];
  }

  /** Calls back for each. Errors end it, or are thrown together at the end when the command goes on after errors. */
  async visit(visit: Visit, ignore: (error: Error) => boolean = () => false): Promise<void> {
    const errors: Error[] = [];
    const failed = (thrown: unknown) => {
      const error = asError(thrown);
      if (!this.#continue) throw error;
      errors.push(error);
    };
    for (const source of this.#sources) {
      try {
        await source(async (info) => {
          try {
            await visit(info);
          } catch (thrown) {
            failed(thrown);
          }
        }, failed);
      } catch (thrown) {
        if (!this.#continue) {
          if (ignore(asError(thrown))) continue;
          throw thrown;
        }
        failed(thrown);
      }
    }
    const left = errors
      .flatMap((error) => (error instanceof ErrorList ? error.errors : [error]))
      .filter((error) => !ignore(error));
    if (left.length === 1) throw left[0];
    if (left.length > 1) throw new ErrorList(left);
  }

  /** All that can be had, and the error about the rest. */
  async infos(
    ignore?: (error: Error) => boolean,
  ): Promise<{ readonly infos: readonly ResourceInfo[]; readonly error?: Error }> {
    const infos: ResourceInfo[] = [];
    try {
      await this.visit((info) => {
        infos.push(info);
      }, ignore);
    } catch (error) {
      return { infos, error: asError(error) };
    }
    return { infos };
  }

  /** All; throws if one cannot be had. */
  async all(): Promise<readonly ResourceInfo[]> {
    const { infos, error } = await this.infos();
    if (error) throw error;
    return infos;
  }
}

/** Reads and writes the object of an info. */
export async function clientFor(invocation: Invocation, info: ResourceInfo): Promise<ResourceClient> {
  if (!info.resource) throw new Error('local operation only');
  return new ResourceClient(await invocation.client(), info.resource, info.namespace);
}

/** The info with the object as the server has it. A missing namespace is told from a missing object. */
export async function retrieve(
  invocation: Invocation,
  info: ResourceInfo,
  { accept, wholeObjects }: Pick<BuilderOptions, 'accept' | 'wholeObjects'> = {},
): Promise<ResourceInfo> {
  const client = await clientFor(invocation, info);
  try {
    return { ...info, object: await client.get(info.name, { accept, wholeObjects, subresource: info.subresource }) };
  } catch (error) {
    if (isStatus(error, 'NotFound') && info.namespace !== '' && info.namespace !== 'default') {
      try {
        await (await invocation.client()).get(`/api/v1/namespaces/${encodeURIComponent(info.namespace)}`, {
          resource: 'namespaces',
          name: info.namespace,
        });
      } catch (missing) {
        if (isStatus(missing, 'NotFound')) throw missing;
      }
    }
    throw error;
  }
}

/** The info after the server has answered with a newer object. */
export function refreshed(info: ResourceInfo, object: JsonObject): ResourceInfo {
  return {
    ...info,
    object,
    name: text(object, 'metadata', 'name') || info.name,
    namespace: text(object, 'metadata', 'namespace') || info.namespace,
  };
}

/** Finds what a command works on. Follows cli-runtime/pkg/resource/builder.go, v1.33. */
export async function buildResources(invocation: Invocation, options: BuilderOptions): Promise<ResourceResult> {
  const builder = new Builder(invocation, options);
  return builder.build();
}

class Builder {
  readonly #invocation: Invocation;
  readonly #options: BuilderOptions;
  readonly #namespace: string;
  #types: readonly string[] = [];
  #names: readonly string[] = [];
  #tuples: { readonly type: string; readonly name: string }[] = [];
  #labelSelector: string | undefined;
  #fieldSelector: string | undefined;

  constructor(invocation: Invocation, options: BuilderOptions) {
    this.#invocation = invocation;
    this.#options = options;
    this.#namespace = options.allNamespaces ? '' : options.namespace;
  }

  async build(): Promise<ResourceResult> {
    const options = this.#options;
    const errors: Error[] = [];
    const { stream } = options;
    const files = stream
      ? {
          sources: [
            (visit: Visit, fail: (error: Error) => void) =>
              this.#read(stream.name, async () => stream.text, visit, fail),
          ],
          single: false,
        }
      : options.files
        ? await this.#files(errors)
        : undefined;
    const labels = options.labelSelector?.trim() ?? '';
    const fields = options.fieldSelector?.trim() ?? '';
    if (labels !== '') this.#labelSelector = labels;
    if (fields !== '') this.#fieldSelector = fields;
    if (options.all && (labels !== '' || fields !== ''))
      errors.push(new Error("setting 'all' parameter but found a non empty selector. "));
    for (const name of options.resourceNames?.names ?? []) {
      const tuple = splitTypeName(name);
      if (!tuple && !options.resourceNames?.type)
        throw new Error(`the argument ${goQuote(name)} must be RESOURCE/NAME`);
      this.#tuples.push(tuple ?? { type: options.resourceNames?.type as string, name });
    }
    try {
      await this.#arguments(options.args ?? []);
    } catch (error) {
      errors.push(asError(error));
    }
    if (errors.length > 0) throw errors.length === 1 ? errors[0] : new ErrorList(errors);
    if (options.all) this.#labelSelector = '';

    if (files) return this.#byFiles(files);
    if (this.#labelSelector !== undefined || this.#fieldSelector !== undefined) return this.#bySelector();
    if (this.#tuples.length > 0) return this.#byTuple();
    if (this.#names.length > 0) return this.#byName();
    if (this.#types.length > 0) {
      for (const type of this.#types) await this.#typeOf(type);
      throw new Error('resource(s) were provided, but no name was specified');
    }
    throw new Error(MISSING_RESOURCE);
  }

  /** Sorts arguments into types, names and `type/name`. */
  async #arguments(words: readonly string[]): Promise<void> {
    const args = spreadTypes(words);
    const slashes = args.filter((arg) => arg.includes('/')).length;
    if (slashes > 0) {
      if (slashes !== args.length) {
        throw new Error(
          "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'",
        );
      }
      for (const arg of args) this.#tuples.push(splitTypeName(arg) as { type: string; name: string });
      return;
    }
    const [types, ...names] = args;
    if (types === undefined) return;
    this.#types = splitTypes(this.#options.local ? types : await this.#expandCategories(types));
    this.#names = names;
    if (names.length === 0 && this.#labelSelector === undefined && this.#options.allowEmptySelector)
      this.#labelSelector = '';
  }

  async #expandCategories(types: string): Promise<string> {
    // Only a word that is no type can be a category; most calls need no look at discovery for that.
    const mapper = await this.#invocation.mapper();
    const expanded: string[] = [];
    for (const type of types.split(',')) {
      const members = await mapper.category(type);
      expanded.push(
        members
          ? members.map((each) => (each.group === '' ? each.name : `${each.name}.${each.group}`)).join(',')
          : type,
      );
    }
    return expanded.join(',');
  }

  async #typeOf(argument: string): Promise<ApiResource> {
    try {
      return await (await this.#invocation.mapper()).forArgument(argument);
    } catch (error) {
      throw error instanceof NoResourceMatchError ? new Error(error.message) : error;
    }
  }

  async #mappings(types: readonly string[]): Promise<ApiResource[]> {
    if (types.length > 1 && this.#options.singleResourceType)
      throw new Error('you may only specify a single resource type');
    const found = new Map<string, ApiResource>();
    for (const type of types) {
      const resource = await this.#typeOf(type);
      found.set(`${resource.group}/${resource.version}/${resource.kind}`, resource);
    }
    return [...found.values()];
  }

  async #bySelector(): Promise<ResourceResult> {
    const { subresource, chunkSize, accept, continueOnError, wholeObjects } = this.#options;
    if (this.#names.length > 0) throw new Error('name cannot be provided when a selector is specified');
    if (this.#tuples.length > 0)
      throw new Error('selectors and the all flag cannot be used when passing resource/name arguments');
    if (this.#types.length === 0) throw new Error('at least one resource must be specified to use a selector');
    if (subresource) throw new Error('subresource cannot be used when bulk resources are specified');
    const resources = await this.#mappings(this.#types);
    const client = await this.#invocation.client();
    const sources = resources.map((resource): Source => {
      const namespace = resource.namespaced ? this.#namespace : '';
      return (visit) =>
        new ResourceClient(client, resource, namespace).pages(
          { labelSelector: this.#labelSelector, fieldSelector: this.#fieldSelector, limit: chunkSize, wholeObjects },
          accept ?? 'application/json',
          (list) => this.#deliver({ resource, namespace, name: '', object: list }, visit),
        );
    });
    return this.#result(
      sources,
      { targetsSingleItems: false, singleItemImplied: false, selected: resources },
      continueOnError,
    );
  }

  async #byTuple(): Promise<ResourceResult> {
    if (this.#types.length > 0)
      throw new Error('you may not specify individual resources and bulk resources in the same call');
    const resources = new Map<string, ApiResource>();
    for (const { type } of this.#tuples) if (!resources.has(type)) resources.set(type, await this.#typeOf(type));
    const distinct = new Set([...resources.values()].map((each) => `${each.group}/${each.version}/${each.name}`));
    if (distinct.size > 1 && this.#options.singleResourceType)
      throw new Error('you may only specify a single resource type');
    const infos = this.#tuples.map(({ type, name }) => this.#named(resources.get(type) as ApiResource, name));
    return this.#namedResult(infos);
  }

  async #byName(): Promise<ResourceResult> {
    if (this.#types.length === 0) throw new Error('you must provide a resource and a resource name together');
    if (this.#types.length > 1) throw new Error('you must specify only one resource');
    const [resource] = await this.#mappings(this.#types);
    return this.#namedResult(this.#names.map((name) => this.#named(resource as ApiResource, name)));
  }

  #named(resource: ApiResource, name: string): ResourceInfo {
    if (resource.namespaced && this.#namespace === '') {
      throw new Error(
        this.#options.allNamespaces
          ? 'a resource cannot be retrieved by name across all namespaces'
          : 'namespace may not be empty when retrieving a resource by name',
      );
    }
    const { subresource } = this.#options;
    return {
      resource,
      namespace: resource.namespaced ? this.#namespace : '',
      name,
      ...(subresource ? { subresource } : {}),
    };
  }

  #namedResult(infos: readonly ResourceInfo[]): ResourceResult {
    const { requireObject = true, continueOnError } = this.#options;
    const sources = infos.map(
      (info): Source =>
        async (visit) =>
          this.#deliver(requireObject ? await retrieve(this.#invocation, info, this.#options) : info, visit),
    );
    return this.#result(
      sources,
      {
        targetsSingleItems: true,
        singleItemImplied: infos.length === 1,
        selected: infos.flatMap((info) => info.resource ?? []),
      },
      continueOnError,
    );
  }

  #byFiles(files: { readonly sources: readonly Source[]; readonly single: boolean }): ResourceResult {
    if (this.#types.length > 0)
      throw new Error(
        'when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well',
      );
    if (this.#names.length > 0) throw new Error('name cannot be provided when a path is specified');
    if (this.#tuples.length > 0) throw new Error('resource/name arguments cannot be provided when a path is specified');
    const { latest, continueOnError } = this.#options;
    const sources = files.sources.map(
      (source): Source =>
        (visit, fail) =>
          source(
            (info) =>
              this.#deliver(info, async (each) => {
                const placed = this.#placed(each);
                await visit(latest ? await retrieve(this.#invocation, placed, this.#options) : placed);
              }),
            fail,
          ),
    );
    let filtered = sources;
    if (this.#labelSelector !== undefined) {
      let selector: ReturnType<typeof parseLabelSelector>;
      try {
        selector = parseLabelSelector(this.#labelSelector);
      } catch (error) {
        throw new Error(
          `the provided selector ${goQuote(this.#labelSelector)} is not valid: ${(error as Error).message}`,
        );
      }
      filtered = sources.map(
        (source): Source =>
          (visit, fail) =>
            source(async (info) => {
              if (matchesLabels(selector, Object.fromEntries(strings(info.object, 'metadata', 'labels'))))
                await visit(info);
            }, fail),
      );
    }
    return this.#result(filtered, { targetsSingleItems: true, singleItemImplied: files.single }, continueOnError);
  }

  #result(
    sources: readonly Source[],
    shape: {
      readonly targetsSingleItems: boolean;
      readonly singleItemImplied: boolean;
      readonly selected?: readonly ApiResource[];
    },
    continueOnError: boolean | undefined,
  ): ResourceResult {
    return new ResourceResult(sources, { ...shape, continueOnError: continueOnError ?? false });
  }

  /** Gives an info to the visitor; a list as its items when the command wants items. */
  async #deliver(info: ResourceInfo, visit: Visit): Promise<void> {
    if (!this.#options.flatten || !isList(info.object)) return visit(info);
    const errors: Error[] = [];
    for (const item of itemsOf(info.object as JsonObject)) {
      try {
        const { group, version, kind } = kindOf(item);
        const resource = this.#options.local
          ? undefined
          : await (await this.#invocation.mapper()).forKind(group, kind, version);
        const namespace = text(item, 'metadata', 'namespace');
        await visit({
          ...(resource ? { resource } : {}),
          namespace: resource && !resource.namespaced ? '' : namespace,
          name: text(item, 'metadata', 'name'),
          object: item,
          ...(info.source ? { source: info.source } : {}),
        });
      } catch (error) {
        errors.push(
          error instanceof NoKindMatchError ? new Error(`unable to recognize ${error.message}`) : asError(error),
        );
      }
    }
    if (errors.length > 0) throw errors.length === 1 ? errors[0] : new ErrorList(errors);
  }

  /** The info of an object from a file in the namespace where it belongs. */
  #placed(info: ResourceInfo): ResourceInfo {
    const { resource } = info;
    if (!resource && this.#options.local) return info;
    if (resource && !resource.namespaced) {
      return {
        ...info,
        namespace: '',
        ...(info.object ? { object: withMetadata(info.object, 'namespace', undefined) } : {}),
      };
    }
    const { enforceNamespace, defaultNamespace, namespace } = this.#options;
    if (info.namespace === '' && (enforceNamespace || defaultNamespace)) {
      return {
        ...info,
        namespace,
        ...(info.object ? { object: withMetadata(info.object, 'namespace', namespace) } : {}),
      };
    }
    if (enforceNamespace && info.namespace !== namespace) {
      throw new Error(
        `the namespace from the provided object ${goQuote(info.namespace)} does not match the namespace ${goQuote(namespace)}. You must pass '--namespace=${info.namespace}' to perform this operation.`,
      );
    }
    return info;
  }

  /** The files of -f; undefined when there are none. Paths that are wrong are errors. */
  async #files(
    errors: Error[],
  ): Promise<{ readonly sources: readonly Source[]; readonly single: boolean } | undefined> {
    const { flags, context } = this.#invocation;
    const names = flags.strings('filename');
    const recursive = flags.has('recursive') && flags.bool('recursive');
    const kustomize = flags.has('kustomize') ? flags.string('kustomize') : '';
    if (kustomize !== '') {
      if (names.length > 0) errors.push(new Error('only one of -f or -k can be specified'));
      else if (recursive) errors.push(new Error("the -k flag can't be used with -f or -R"));
      else errors.push(new Error('kustomization directories are not supported by this kubectl'));
      return undefined;
    }
    if (names.length === 0) return undefined;
    const sources: Source[] = [];
    let directory = false;
    let stream = false;
    for (const name of names) {
      if (name === '-') {
        if (stream) errors.push(new Error('standard input cannot be used for multiple arguments'));
        stream = true;
        sources.push((visit, fail) => this.#read('STDIN', () => this.#invocation.stdin(), visit, fail));
        continue;
      }
      if (/^https?:\/\//.test(name)) {
        errors.push(
          new Error(
            `the URL passed to filename ${goQuote(name)} is not valid: this kubectl reads files and stdin only`,
          ),
        );
        continue;
      }
      const paths = (await context.files.stat(this.#invocation.absolute(name))) ? [name] : await this.#glob(name);
      if (paths.length === 0) errors.push(new Error(`the path ${goQuote(name)} does not exist`));
      for (const path of paths) {
        const found = await this.#walk(path, path, recursive);
        if (found.length > 1) directory = true;
        for (const file of found)
          sources.push((visit, fail) => this.#read(file, () => this.#invocation.readFile(file), visit, fail));
        if (found.length === 0)
          errors.push(new Error(`error reading [${path}]: recognized file extensions are [.json .yaml .yml]`));
      }
    }
    return { sources, single: !directory && !stream && sources.length === 1 };
  }

  async #walk(path: string, root: string, recursive: boolean): Promise<string[]> {
    const { files } = this.#invocation.context;
    const stat = await files.stat(this.#invocation.absolute(path));
    if (stat?.kind !== 'directory') return path === root || /\.(json|ya?ml)$/.test(path) ? [path] : [];
    if (path !== root && !recursive) return [];
    const found: string[] = [];
    for (const name of await files.list(this.#invocation.absolute(path))) {
      found.push(...(await this.#walk(`${path.replace(/\/$/, '')}/${name}`, root, recursive)));
    }
    return found;
  }

  /** Files that match a pattern with `*`, `?` or `[…]` in its last part. */
  async #glob(pattern: string): Promise<string[]> {
    if (!/[*?[]/.test(pattern)) return [];
    const slash = pattern.lastIndexOf('/');
    const directory = slash < 0 ? '.' : pattern.slice(0, slash) || '/';
    const { files } = this.#invocation.context;
    if ((await files.stat(this.#invocation.absolute(directory)))?.kind !== 'directory') return [];
    const expression = pattern
      .slice(slash + 1)
      .replace(/[.+^${}()|\\]/g, '\\$&')
      .replaceAll('*', '[^/]*')
      .replaceAll('?', '[^/]');
    const names = (await files.list(this.#invocation.absolute(directory))).filter((name) =>
      new RegExp(`^${expression}$`).test(name),
    );
    return names.map((name) => (slash < 0 ? name : `${pattern.slice(0, slash + 1)}${name}`)).sort(byCodeUnit);
  }

  /** The objects of a file, one after the other. */
  async #read(source: string, load: () => Promise<string>, visit: Visit, fail: (error: Error) => void): Promise<void> {
    const stream = decodeStream(await load());
    for (;;) {
      let next: IteratorResult<JsonValue>;
      try {
        next = stream.next();
      } catch (error) {
        throw new Error(`error parsing ${source}: ${(error as Error).message}`);
      }
      if (next.done) return;
      if (next.value === null) continue;
      if (this.#options.validated) checkKind(next.value, source);
      let info: ResourceInfo;
      try {
        info = await this.#infoOf(decodeObject(next.value, source), source);
      } catch (error) {
        fail(asError(error));
        continue;
      }
      await visit(info);
    }
  }

  async #infoOf(value: JsonObject, source: string): Promise<ResourceInfo> {
    const { group, version, kind } = kindOf(value);
    const info = {
      namespace: text(value, 'metadata', 'namespace'),
      name: text(value, 'metadata', 'name'),
      source,
      object: value,
    };
    if (this.#options.local || isList(value)) return info;
    try {
      return { ...info, resource: await (await this.#invocation.mapper()).forKind(group, kind, version) };
    } catch (error) {
      if (error instanceof NoKindMatchError) {
        throw new Error(
          `resource mapping not found for name: ${goQuote(info.name)} namespace: ${goQuote(info.namespace)} from ${goQuote(source)}: ${error.message}\nensure CRDs are installed first`,
        );
      }
      throw error;
    }
  }
}

/** The items of a list, each with its version and kind; lists within lists are spread, too. */
export function itemsOf(list: JsonObject): JsonObject[] {
  const kind = text(list, 'kind').replace(/List$/, '');
  const apiVersion = text(list, 'apiVersion');
  return objects(list, 'items').flatMap((item) => {
    const named = text(item, 'kind') === '' && text(item, 'apiVersion') === '' ? { ...item, apiVersion, kind } : item;
    return isList(named) ? itemsOf(named) : [named];
  });
}

/** `a,b c d` stands for `a/c a/d b/c b/d`. */
function spreadTypes(args: readonly string[]): readonly string[] {
  const [first = '', ...names] = args;
  const types = splitTypes(first);
  if (args.length < 2 || types.length < 2) return args;
  return types.flatMap((type) => names.map((name) => `${type}/${name}`));
}

function splitTypes(arg: string): string[] {
  return [...new Set(arg.split(','))];
}

/** `type/name`, or undefined without a slash. */
export function splitTypeName(arg: string): { readonly type: string; readonly name: string } | undefined {
  if (!arg.includes('/')) return undefined;
  const [type = '', name = '', ...rest] = arg.split('/');
  if (rest.length > 0) throw new Error('arguments in resource/name form may not have more than one slash');
  if (type === '' || name === '' || splitTypes(type).length !== 1) {
    throw new Error('arguments in resource/name form must have a single resource and name');
  }
  return { type, name };
}

/** Whether arguments name objects, rather than types only. */
export function hasNames(args: readonly string[]): boolean {
  const spread = spreadTypes(args);
  return spread.some((arg) => arg.includes('/')) || spread.length > 1;
}

/** The metadata of an info's object. */
export function metadataOf(info: ResourceInfo): JsonObject {
  return object(info.object, 'metadata');
}
