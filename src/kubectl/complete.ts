import type { JsonObject } from '#apimachinery/json.ts';
import { FileError, resolvePath } from '#shell/file-system.ts';
import type { Output } from '#shell/streams.ts';
import type { Command, CompletionKind } from './command.ts';
import { Invocation } from './command.ts';
import type { KubectlContext } from './context.ts';
import type { ApiResource } from './discovery.ts';
import { objects, text } from './fields.ts';
import type { Flag } from './flags.ts';
import { bareValue, FlagValues } from './flags.ts';
import { byCodeUnit } from '#apimachinery/go-format.ts';
import { flagsOf, locate } from './kubectl.ts';
import { resourcePath } from './rest-mapper.ts';

/** What may stand at the end of a line: `word` is what is there, candidates are whole words in its place. */
export interface Completion {
  readonly word: string;
  readonly candidates: readonly string[];
}

/** More names than this help nobody who presses Tab. */
const LIMIT = '500';
const METADATA = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json';

/**
 * Completes the last word of a line that ends in a kubectl command: commands, flags, their values, types, names, files.
 * Undefined for lines that are not kubectl's at their end. Never throws: without an answer there are no candidates.
 */
export async function complete(before: string, context: KubectlContext): Promise<Completion | undefined> {
  const words = lastCommand(before);
  const program = words?.shift();
  if (!words || words.length === 0 || (program !== 'kubectl' && program !== 'k')) return undefined;
  const word = words.pop() as string;
  if (words.includes('--')) return undefined;
  try {
    return await new Completer(words, context).complete(word);
  } catch {
    return { word, candidates: [] };
  }
}

/**
 * The words of the last command of a line, the last one as far as it goes; undefined where a shell does more than to
 * split words: in quotes, after a redirection.
 */
function lastCommand(line: string): string[] | undefined {
  const command = /[^|&;()]*$/.exec(line)?.[0].trimStart() ?? '';
  if (/[<>]\s*\S*$/.test(command)) return undefined;
  const words: string[] = [];
  let rest = command;
  for (;;) {
    const match = /^((?:[^\s'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")*)\s+/.exec(rest);
    if (!match) break;
    words.push((match[1] as string).replace(/\\(.)|['"]/g, '$1'));
    rest = rest.slice(match[0].length);
  }
  if (/['"\\]/.test(rest)) return undefined;
  words.push(rest);
  return words;
}

const silent: Output = { isTerminal: false, write: () => {} };

class Completer {
  readonly #command: Command;
  readonly #flags: readonly Flag[];
  readonly #invocation: Invocation;
  readonly #args: string[] = [];
  /** A flag that waits for its value. */
  #waiting: Flag | undefined;

  constructor(words: readonly string[], context: KubectlContext) {
    const { command, path, words: rest } = locate(words[0] === 'help' ? words.slice(1) : words);
    this.#command = command;
    this.#flags = flagsOf(command);
    const values = new FlagValues(this.#flags);
    for (const word of rest) this.#read(word, values);
    this.#invocation = new Invocation(
      command,
      path,
      { args: this.#args, dash: -1, flags: values },
      { ...context, stdout: silent, stderr: silent },
    );
  }

  /** Takes a word that is there already. What cannot be understood is passed over: the line is not finished. */
  #read(word: string, values: FlagValues): void {
    const set = (flag: Flag, value: string) => {
      try {
        values.set(flag, value);
      } catch {
        // A value that the command will refuse.
      }
    };
    if (this.#waiting) {
      set(this.#waiting, word);
      this.#waiting = undefined;
    } else if (word.startsWith('--')) {
      const [, name = '', , value] = /^--([^=]*)(=(.*))?$/s.exec(word) ?? [];
      const flag = this.#flags.find((each) => each.name === name);
      if (flag) this.#take(flag, value, set);
    } else if (word.startsWith('-') && word.length > 1) {
      for (let at = 1; at < word.length; at++) {
        const flag = this.#flags.find((each) => each.short === word[at]);
        if (!flag) return;
        const value = word.slice(at + 1).replace(/^=/, '');
        if (bareValue(flag) === undefined) return this.#take(flag, value || undefined, set);
        this.#take(flag, undefined, set);
      }
    } else this.#args.push(word);
  }

  #take(flag: Flag, value: string | undefined, set: (flag: Flag, value: string) => void): void {
    const given = value ?? bareValue(flag);
    if (given === undefined) this.#waiting = flag;
    else set(flag, given);
  }

  async complete(word: string): Promise<Completion> {
    if (this.#waiting) return this.#matching(word, await this.#valuesOf(this.#waiting, word));
    const equals = word.indexOf('=');
    if (word.startsWith('--') && equals > 0) {
      const flag = this.#flags.find((each) => each.name === word.slice(2, equals));
      const value = word.slice(equals + 1);
      return this.#matching(value, flag ? await this.#valuesOf(flag, value) : []);
    }
    if (word.startsWith('-')) {
      return this.#matching(
        word,
        this.#flags.filter((flag) => !flag.hidden).map((flag) => `--${flag.name}`),
      );
    }
    const { subcommands = [], completion = 'none' } = this.#command;
    const commands = this.#args.length === 0 ? subcommands.map(({ name }) => name) : [];
    if (commands.length > 0) return this.#matching(word, commands);
    const { length } = word.slice(0, word.lastIndexOf(',') + 1);
    const part = word.includes('/') ? word : word.slice(length);
    return this.#matching(part, await this.#arguments(completion, part));
  }

  #matching(word: string, all: readonly string[]): Completion {
    const candidates = [...new Set(all)].filter((each) => each.startsWith(word));
    return { word, candidates: candidates.sort(byCodeUnit) };
  }

  async #valuesOf({ name, values }: Flag, word: string): Promise<readonly string[]> {
    if (values === undefined) return [];
    if (values === 'files') return this.#files(word);
    if (values === 'namespaces') return this.#namesOf(await this.#type('namespaces'));
    if (values === 'containers') return this.#containers();
    if (values === 'contexts' || values === 'clusters' || values === 'users') return this.#stanzas(values);
    return name === 'output'
      ? values.map((each) => each.replace(/^(jsonpath|custom-columns|go-template)$/, '$1='))
      : values;
  }

  async #arguments(kind: CompletionKind, word: string): Promise<readonly string[]> {
    const [first] = this.#args;
    switch (kind) {
      case 'none':
        return [];
      case 'files':
        return this.#files(word);
      case 'contexts':
      case 'clusters':
      case 'users':
        return first === undefined ? this.#stanzas(kind) : [];
      case 'nodes':
        return this.#unused(await this.#namesOf(await this.#type('nodes')));
      case 'types':
        return first === undefined ? this.#types(word) : [];
      case 'pods':
        if (first !== undefined) return this.#command.name === 'logs' ? this.#containers() : [];
        return word.includes('/') ? this.#qualified(word) : this.#namesOf(await this.#type('pods'));
      case 'resources':
        if (word.includes('/')) return this.#qualified(word);
        if (first === undefined) return this.#types(word);
        return first.includes('/') || first.includes(',')
          ? []
          : this.#unused(await this.#namesOf(await this.#type(first)));
      default:
        return first === undefined ? kind : [];
    }
  }

  #unused(names: readonly string[]): readonly string[] {
    return names.filter((name) => !this.#args.includes(name));
  }

  async #type(argument: string): Promise<ApiResource> {
    return (await this.#invocation.mapper()).forArgument(argument);
  }

  /** Types by their full names; by other names only where no full name begins so. */
  async #types(word: string): Promise<readonly string[]> {
    const resources = (await (await this.#invocation.mapper()).resources()).filter(({ verbs }) =>
      verbs.includes('get'),
    );
    const names = resources.map(({ name }) => name);
    if (names.some((name) => name.startsWith(word))) return names;
    return resources.flatMap(({ singular, shortNames }) => [singular, ...shortNames]);
  }

  async #namesOf(resource: ApiResource): Promise<readonly string[]> {
    const client = await this.#invocation.client();
    const everywhere = this.#invocation.flags.has('all-namespaces') && this.#invocation.flags.bool('all-namespaces');
    const namespace = everywhere ? '' : await this.#invocation.namespace();
    const found = await client.get(resourcePath(resource, namespace), { query: { limit: LIMIT }, accept: METADATA });
    return objects(found, 'items').map((item) => text(item, 'metadata', 'name'));
  }

  /** `type/name` for every name. */
  async #qualified(word: string): Promise<readonly string[]> {
    const type = word.slice(0, word.indexOf('/'));
    return (await this.#namesOf(await this.#type(type))).map((name) => `${type}/${name}`);
  }

  /** Containers of the Pod that the command line names. */
  async #containers(): Promise<readonly string[]> {
    const name = this.#args[0]?.replace(/^po(ds?)?\//, '');
    if (!name || name.includes('/')) return [];
    const client = await this.#invocation.client();
    const path = resourcePath(await this.#type('pods'), await this.#invocation.namespace(), name);
    const pod: JsonObject = await client.get(path);
    return ['containers', 'initContainers', 'ephemeralContainers'].flatMap((field) =>
      objects(pod, 'spec', field).map((each) => text(each, 'name')),
    );
  }

  async #stanzas(section: 'contexts' | 'clusters' | 'users'): Promise<readonly string[]> {
    return [...(await this.#invocation.kubeconfig().load())[section].keys()];
  }

  /** Paths that begin with the word; directories end with a slash. */
  async #files(word: string): Promise<readonly string[]> {
    const { files, directory } = this.#invocation.context;
    const shown = word.slice(0, word.lastIndexOf('/') + 1);
    const absolute = resolvePath(directory, shown);
    let names: readonly string[];
    try {
      names = await files.list(absolute);
    } catch (error) {
      if (error instanceof FileError) return [];
      throw error;
    }
    const visible = names.filter((name) => !name.startsWith('.') || word.slice(shown.length).startsWith('.'));
    const paths: string[] = [];
    for (const name of visible) {
      if (!`${shown}${name}`.startsWith(word)) continue;
      const kind = (await files.stat(resolvePath(absolute, name)))?.kind;
      paths.push(`${shown}${name}${kind === 'directory' ? '/' : ''}`);
    }
    return paths;
  }
}
