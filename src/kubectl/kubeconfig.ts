import type { JsonObject, JsonValue } from '#apimachinery/json.ts';
import { goQuote } from '#apimachinery/validation.ts';
import { readYaml } from '#apimachinery/yaml-reader.ts';
import { encodeYaml } from '#apimachinery/yaml-writer.ts';
import { decodeBase64, encodeBase64 } from '#base/base64.ts';
import { decodeUtf8, encodeUtf8 } from '#base/utf8.ts';
import type { FileSystem } from '#shell/file-system.ts';
import { resolvePath } from '#shell/file-system.ts';
import type { ServerConfig } from './context.ts';
import { ConfigurationError } from './errors.ts';
import { at, list, object, text } from './fields.ts';

/** A kubeconfig: stanzas by name, as they stand in the files. */
export interface Kubeconfig {
  readonly clusters: ReadonlyMap<string, JsonObject>;
  readonly contexts: ReadonlyMap<string, JsonObject>;
  readonly users: ReadonlyMap<string, JsonObject>;
  readonly currentContext: string;
}

export type Section = 'clusters' | 'contexts' | 'users';

/** The key under which a section's list keeps what it names. */
export const STANZA = { clusters: 'cluster', contexts: 'context', users: 'user' } as const;

export const EMPTY_CONFIG: Kubeconfig = {
  clusters: new Map(),
  contexts: new Map(),
  users: new Map(),
  currentContext: '',
};

/** Flags that override what the kubeconfig says; empty strings override nothing. */
export interface ConfigOverrides {
  readonly kubeconfig: string;
  readonly context: string;
  readonly cluster: string;
  readonly user: string;
  readonly namespace: string;
  readonly server: string;
  readonly token: string;
  readonly username: string;
  readonly password: string;
  readonly as: string;
  readonly asUid: string;
  readonly asGroups: readonly string[];
  readonly insecureSkipTlsVerify: boolean;
  readonly tlsServerName: string;
  readonly certificateAuthority: string;
  readonly clientCertificate: string;
  readonly clientKey: string;
  readonly timeoutMs: number;
}

export interface ResolvedConfig {
  readonly server: ServerConfig;
  /** Authentication and impersonation. */
  readonly headers: Readonly<Record<string, string>>;
  readonly namespace: string;
  /** The namespace comes from a flag. */
  readonly explicitNamespace: boolean;
}

/** The kubeconfig's files: which there are, what they say together, where changes go. Follows client-go/tools/clientcmd, v1.33. */
export class KubeconfigFiles {
  readonly #files: FileSystem;
  readonly #directory: string;
  readonly paths: readonly string[];
  /** `--kubeconfig` names the file, which then must be there. */
  readonly #explicit: boolean;

  constructor(
    files: FileSystem,
    directory: string,
    environment: Readonly<Record<string, string | undefined>>,
    explicit: string,
  ) {
    this.#files = files;
    this.#directory = directory;
    this.#explicit = explicit !== '';
    const listed = (environment['KUBECONFIG'] ?? '').split(':').filter((path) => path !== '');
    this.paths = explicit
      ? [explicit]
      : listed.length > 0
        ? [...new Set(listed)]
        : [`${environment['HOME'] ?? ''}/.kube/config`];
  }

  /** All files merged: the first to name something wins. */
  async load(): Promise<Kubeconfig> {
    const merged = {
      clusters: new Map<string, JsonObject>(),
      contexts: new Map<string, JsonObject>(),
      users: new Map<string, JsonObject>(),
    };
    let currentContext = '';
    for (const path of this.paths) {
      const config = await this.read(path);
      if (!config) {
        if (this.#explicit) throw new Error(`stat ${path}: no such file or directory`);
        continue;
      }
      currentContext ||= config.currentContext;
      for (const section of ['clusters', 'contexts', 'users'] as const) {
        for (const [name, stanza] of config[section]) if (!merged[section].has(name)) merged[section].set(name, stanza);
      }
    }
    return { ...merged, currentContext };
  }

  /** One file; undefined when it is not there. */
  async read(path: string): Promise<Kubeconfig | undefined> {
    const absolute = resolvePath(this.#directory, path);
    if (!(await this.#files.stat(absolute))) return undefined;
    const source = decodeUtf8(await this.#files.readFile(absolute));
    let parsed: JsonValue;
    try {
      parsed = readYaml(source);
    } catch (error) {
      throw new Error(`error loading config file "${path}": ${(error as Error).message}`);
    }
    const section = (name: Section) =>
      new Map(
        list(parsed, name).flatMap((item) =>
          text(item, 'name') === '' ? [] : [[text(item, 'name'), object(item, STANZA[name])] as const],
        ),
      );
    return {
      clusters: section('clusters'),
      contexts: section('contexts'),
      users: section('users'),
      currentContext: text(parsed, 'current-context'),
    };
  }

  /** The file that a change to a stanza goes to: the one that has it, else the first that is there, else the last named. */
  async #home(section: Section, name: string): Promise<string> {
    let first: string | undefined;
    for (const path of this.paths) {
      const config = await this.read(path);
      if (!config) continue;
      first ??= path;
      if (config[section].has(name)) return path;
    }
    return first ?? (this.paths.at(-1) as string);
  }

  /** Writes a stanza, or removes it when `value` is undefined. Returns the path of the file. */
  async setStanza(section: Section, name: string, value: JsonObject | undefined): Promise<string> {
    const path = await this.#home(section, name);
    const config = (await this.read(path)) ?? EMPTY_CONFIG;
    const changed = new Map(config[section]);
    if (value) changed.set(name, value);
    else changed.delete(name);
    await this.#write(path, { ...config, [section]: changed });
    return path;
  }

  async setCurrentContext(name: string): Promise<string> {
    let path: string | undefined;
    for (const candidate of this.paths) {
      const config = await this.read(candidate);
      if (!config) continue;
      path ??= candidate;
      if (config.currentContext !== '') {
        path = candidate;
        break;
      }
    }
    path ??= this.paths.at(-1) as string;
    await this.#write(path, { ...((await this.read(path)) ?? EMPTY_CONFIG), currentContext: name });
    return path;
  }

  async #write(path: string, config: Kubeconfig): Promise<void> {
    const absolute = resolvePath(this.#directory, path);
    await this.#files.makeDirectory(absolute.slice(0, absolute.lastIndexOf('/')) || '/');
    await this.#files.writeFile(absolute, encodeUtf8(encodeYaml(configObject(config))));
  }

  /** What to connect to, and as whom. Throws ConfigurationError. */
  async resolve(overrides: ConfigOverrides): Promise<ResolvedConfig> {
    const config = await this.load();
    const contextName = overrides.context || config.currentContext;
    if (overrides.context !== '' && !config.contexts.has(contextName)) {
      throw new ConfigurationError(`context was not found for specified context: ${contextName}`);
    }
    const context = config.contexts.get(contextName) ?? {};
    const clusterName = overrides.cluster || text(context, 'cluster');
    const userName = overrides.user || text(context, 'user');
    const cluster = config.clusters.get(clusterName);
    const user = config.users.get(userName);
    if (overrides.cluster !== '' && !cluster)
      throw new ConfigurationError(`cluster ${goQuote(clusterName)} does not exist`);
    if (overrides.user !== '' && !user) throw new Error(`auth info ${goQuote(userName)} does not exist`);
    const anything = contextName !== '' && (config.contexts.size > 0 || config.clusters.size > 0);
    const server = overrides.server || text(cluster, 'server');
    if (server === '' && anything && config.contexts.has(contextName)) {
      if (cluster) throw new ConfigurationError(`no server found for cluster ${goQuote(clusterName)}`);
      throw new ConfigurationError(
        clusterName === ''
          ? `cluster was not specified for context ${goQuote(contextName)}`
          : `cluster ${goQuote(clusterName)} was not found for context ${goQuote(contextName)}`,
      );
    }
    const token = overrides.token || text(user, 'token') || (await this.#tokenFile(text(user, 'tokenFile')));
    const username = overrides.username || text(user, 'username');
    const password = overrides.password || text(user, 'password');
    const asGroups = overrides.asGroups.length > 0 ? overrides.asGroups : list(user, 'as-groups').map(String);
    const as = overrides.as || text(user, 'as');
    const asUid = overrides.asUid || text(user, 'as-uid');
    if (as === '' && (asGroups.length > 0 || asUid !== '')) {
      throw new ConfigurationError(`requesting uid, groups or user-extra for ${userName} without impersonating a user`);
    }
    const pem = async (flag: string, stanza: JsonObject | undefined, name: string) => {
      const data = text(stanza, `${name}-data`);
      const path = flag || text(stanza, name);
      if (flag === '' && data !== '') {
        const bytes = decodeBase64(data);
        return typeof bytes === 'number' ? undefined : bytes;
      }
      return path === '' ? undefined : this.#files.readFile(resolvePath(this.#directory, path));
    };
    const certificateAuthority = await pem(overrides.certificateAuthority, cluster, 'certificate-authority');
    const clientCertificate = await pem(overrides.clientCertificate, user, 'client-certificate');
    const clientKey = await pem(overrides.clientKey, user, 'client-key');
    return {
      server: {
        server: (server || 'http://localhost:8080').replace(/\/$/, ''),
        ...(overrides.insecureSkipTlsVerify || at(cluster, 'insecure-skip-tls-verify') === true
          ? { insecureSkipTlsVerify: true }
          : {}),
        ...(overrides.tlsServerName || text(cluster, 'tls-server-name')
          ? { tlsServerName: overrides.tlsServerName || text(cluster, 'tls-server-name') }
          : {}),
        ...(certificateAuthority ? { certificateAuthority } : {}),
        ...(clientCertificate ? { clientCertificate } : {}),
        ...(clientKey ? { clientKey } : {}),
        ...(overrides.timeoutMs > 0 ? { timeoutMs: overrides.timeoutMs } : {}),
      },
      headers: {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(as ? { 'impersonate-user': as } : {}),
        ...(asUid ? { 'impersonate-uid': asUid } : {}),
        ...(asGroups.length > 0 ? { 'impersonate-group': asGroups.join('\n') } : {}),
        ...(username && !token
          ? { authorization: `Basic ${encodeBase64(encodeUtf8(`${username}:${password}`))}` }
          : {}),
      },
      namespace: overrides.namespace || text(context, 'namespace') || 'default',
      explicitNamespace: overrides.namespace !== '',
    };
  }

  async #tokenFile(path: string): Promise<string> {
    return path === '' ? '' : decodeUtf8(await this.#files.readFile(resolvePath(this.#directory, path))).trim();
  }
}

/** A kubeconfig as an object, in the order in which its Go type declares the fields. */
export function configObject(config: Kubeconfig): JsonObject {
  const section = (name: Section) =>
    config[name].size === 0
      ? null
      : [...config[name]]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, value]) => ({ name: key, [STANZA[name]]: value }));
  return {
    kind: 'Config',
    apiVersion: 'v1',
    preferences: {},
    clusters: section('clusters'),
    users: section('users'),
    contexts: section('contexts'),
    'current-context': config.currentContext,
  };
}

const FIELDS: Readonly<Record<Section, readonly string[]>> = {
  clusters: [
    'server',
    'tls-server-name',
    'insecure-skip-tls-verify',
    'certificate-authority',
    'certificate-authority-data',
    'proxy-url',
    'disable-compression',
    'extensions',
  ],
  contexts: ['cluster', 'user', 'namespace', 'extensions'],
  users: [
    'client-certificate',
    'client-certificate-data',
    'client-key',
    'client-key-data',
    'token',
    'tokenFile',
    'as',
    'as-uid',
    'as-groups',
    'as-user-extra',
    'username',
    'password',
    'auth-provider',
    'exec',
    'extensions',
  ],
};

/** The fields of a section's stanzas, in the order in which their Go type declares them. */
export function knownFields(section: Section): readonly string[] {
  return FIELDS[section];
}
