import type {
  ConfigMap,
  DownwardAPIVolumeFile,
  Pod,
  Secret,
  ServiceAccountTokenProjection,
  Volume,
  VolumeMount,
} from '#api/generated/types.ts';
import { isStatus } from '#apimachinery/status-error.ts';
import { type DirectoryNode, type FileNode, newDirectory } from '#cri/os/file-node.ts';
import type { Mount } from '#cri/os/file-system.ts';
import { type DownwardContext, podFieldValue, resourceFieldValue } from './downward-api.ts';
import { expand } from './expansion.ts';
import type { HostFiles } from './host-files.ts';
import type { PodToken } from './service-account-tokens.ts';
import { nodeInVolume, type VolumeFile, writeAtomically } from './volume-files.ts';

/** Where the content of volumes comes from. */
export interface VolumeSources {
  configMap(namespace: string, name: string): Promise<ConfigMap>;
  secret(namespace: string, name: string): Promise<Secret>;
  token(pod: Pod, projection: ServiceAccountTokenProjection): Promise<PodToken>;
  downward(): DownwardContext;
  readonly host: HostFiles;
  now(): number;
}

/** A volume that could not be set up; the message is the event's. */
export class MountError extends Error {
  override readonly name = 'MountError';
  readonly volume: string;
  constructor(volume: string, why: string) {
    super(`MountVolume.SetUp failed for volume "${volume}" : ${why}`);
    this.volume = volume;
  }
}

/** Something to mount. */
interface Mounted {
  /** Made when a container first looks at it. */
  open(): DirectoryNode | FileNode;
  readonly readOnly: boolean;
}

/** A directory whose files the kubelet writes: when somebody looks at it, and anew when they change. */
class FilesVolume implements Mounted {
  readonly readOnly = true;
  readonly #name: string;
  readonly #group: number;
  readonly #now: () => number;
  #files: ReadonlyMap<string, VolumeFile>;
  #node: DirectoryNode | undefined;

  constructor(name: string, group: number, now: () => number, files: ReadonlyMap<string, VolumeFile>) {
    this.#name = name;
    this.#group = group;
    this.#now = now;
    this.#files = files;
  }

  open(): DirectoryNode {
    if (this.#node) return this.#node;
    this.#node = newDirectory({ volume: this.#name }, this.#now(), 0o777, 0, this.#group);
    writeAtomically(this.#node, this.#files, this.#now(), this.#group);
    return this.#node;
  }

  update(files: ReadonlyMap<string, VolumeFile>): void {
    if (sameFiles(this.#files, files)) return;
    this.#files = files;
    if (this.#node) writeAtomically(this.#node, files, this.#now(), this.#group);
  }
}

type Files = Map<string, VolumeFile>;

/** The volumes of one Pod. */
export class PodVolumes {
  readonly #sources: VolumeSources;
  readonly #mounted = new Map<string, Mounted>();
  readonly #tokens = new Map<string, PodToken>();
  /** Content may have changed: the next {@link mount} looks at it again. */
  stale = false;

  constructor(sources: VolumeSources) {
    this.#sources = sources;
  }

  /** When the first of the tokens must be replaced; undefined without tokens. */
  get refreshAt(): number | undefined {
    return this.#tokens.size === 0
      ? undefined
      : Math.min(...[...this.#tokens.values()].map(({ refreshAt }) => refreshAt));
  }

  /** Sets up what is not there yet, and brings content up to date when it is stale. Throws {@link MountError}. */
  async mount(pod: Pod): Promise<void> {
    const { stale } = this;
    for (const volume of pod.spec.volumes ?? []) {
      const mounted = this.#mounted.get(volume.name);
      if (mounted && !(stale && mounted instanceof FilesVolume)) continue;
      try {
        await this.#setUp(pod, volume, mounted);
      } catch (error) {
        throw error instanceof MountError ? error : new MountError(volume.name, (error as Error).message);
      }
    }
    if (stale) this.stale = false;
  }

  /** A container's mount, subPath resolved. Throws an Error with upstream's words. */
  mountFor(mount: VolumeMount, container: string, env: readonly (readonly [string, string])[]): Mount {
    const mounted = this.#mounted.get(mount.name);
    if (!mounted) throw new Error(`cannot find volume "${mount.name}" to mount into container "${container}"`);
    let { subPath = '' } = mount;
    if (mount.subPathExpr) {
      const values = new Map(env);
      const missing: string[] = [];
      subPath = expand(mount.subPathExpr, (name) => {
        if (!values.has(name)) missing.push(name);
        return values.get(name);
      });
      if (missing.length > 0) throw new Error(`missing value for "${missing[0]}"`);
    }
    let node = () => mounted.open();
    if (subPath !== '') {
      const found = nodeInVolume(mounted.open(), subPath, this.#sources.now());
      if (!found) {
        throw new Error(`failed to prepare subPath for volumeMount "${mount.name}" of container "${container}"`);
      }
      node = () => found;
    }
    const path = mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`;
    return { path, node, readOnly: mount.readOnly === true || mounted.readOnly };
  }

  async #setUp(pod: Pod, volume: Volume, mounted: Mounted | undefined): Promise<void> {
    const { name } = volume;
    const group = pod.spec.securityContext?.fsGroup ?? 0;
    if (volume.emptyDir) {
      const node = this.#sources.host.emptyDir(pod.metadata.uid ?? '', name, group);
      this.#mounted.set(name, { open: () => node, readOnly: false });
      return;
    }
    if (volume.hostPath) {
      const node = this.#sources.host.find(volume.hostPath.path, volume.hostPath.type ?? '');
      this.#mounted.set(name, { open: () => node, readOnly: false });
      return;
    }
    const files = await this.#content(pod, volume);
    if (!files) {
      const kind = Object.keys(volume).find((key) => key !== 'name') ?? '';
      throw new MountError(name, `volumes of type ${kind} are not emulated in this cluster`);
    }
    if (mounted instanceof FilesVolume) mounted.update(files);
    else this.#mounted.set(name, new FilesVolume(name, group, () => this.#sources.now(), files));
  }

  async #content(pod: Pod, volume: Volume): Promise<Files | undefined> {
    const files: Files = new Map();
    if (volume.configMap) {
      const { name = '', items, defaultMode = 0o644, optional } = volume.configMap;
      await this.#addConfigMap(files, pod, name, items, defaultMode, optional);
    } else if (volume.secret) {
      const { secretName = '', items, defaultMode = 0o644, optional } = volume.secret;
      await this.#addSecret(files, pod, secretName, items, defaultMode, optional);
    } else if (volume.downwardAPI) {
      this.#addDownward(files, pod, volume.downwardAPI.items, volume.downwardAPI.defaultMode ?? 0o644);
    } else if (volume.projected) {
      await this.#addProjected(files, pod, volume);
    } else return undefined;
    return files;
  }

  async #addProjected(files: Files, pod: Pod, { name: volumeName, projected }: Volume): Promise<void> {
    const errors: string[] = [];
    const mode = projected?.defaultMode ?? 0o644;
    for (const [i, source] of (projected?.sources ?? []).entries()) {
      try {
        if (source.configMap)
          await this.#addConfigMap(
            files,
            pod,
            source.configMap.name ?? '',
            source.configMap.items,
            mode,
            source.configMap.optional,
          );
        else if (source.secret)
          await this.#addSecret(
            files,
            pod,
            source.secret.name ?? '',
            source.secret.items,
            mode,
            source.secret.optional,
          );
        else if (source.downwardAPI) this.#addDownward(files, pod, source.downwardAPI.items, mode);
        else if (source.serviceAccountToken) {
          const token = await this.#token(pod, `${volumeName}/${i}`, source.serviceAccountToken);
          const { runAsUser, fsGroup } = pod.spec.securityContext ?? {};
          const own = fsGroup !== undefined || runAsUser !== undefined;
          files.set(source.serviceAccountToken.path, textFile(token, own ? 0o600 : mode));
        } else errors.push(`projections of type ${Object.keys(source)[0] ?? ''} are not emulated in this cluster`);
      } catch (error) {
        errors.push(
          source.serviceAccountToken ? `failed to fetch token: ${(error as Error).message}` : (error as Error).message,
        );
      }
    }
    if (errors.length > 0) throw new Error(errors.length === 1 ? errors[0] : `[${errors.join(', ')}]`);
  }

  async #token(pod: Pod, key: string, projection: ServiceAccountTokenProjection): Promise<string> {
    const known = this.#tokens.get(key);
    if (known && known.refreshAt > this.#sources.now()) return known.text;
    const token = await this.#sources.token(pod, projection);
    this.#tokens.set(key, token);
    return token.text;
  }

  async #addConfigMap(
    files: Files,
    pod: Pod,
    name: string,
    items: Items,
    mode: number,
    optional = false,
  ): Promise<void> {
    const { namespace = '' } = pod.metadata;
    const found = await orMissing(optional, () => this.#sources.configMap(namespace, name));
    const data = new Map<string, VolumeFile>();
    for (const [key, text] of Object.entries(found?.data ?? {})) data.set(key, textFile(text, mode));
    for (const [key, encoded] of Object.entries(found?.binaryData ?? {})) data.set(key, encodedFile(encoded, mode));
    addItems(files, data, items, optional, 'config');
  }

  async #addSecret(files: Files, pod: Pod, name: string, items: Items, mode: number, optional = false): Promise<void> {
    const { namespace = '' } = pod.metadata;
    const found = await orMissing(optional, () => this.#sources.secret(namespace, name));
    const data = new Map(Object.entries(found?.data ?? {}).map(([key, encoded]) => [key, encodedFile(encoded, mode)]));
    addItems(files, data, items, optional, 'secret');
  }

  #addDownward(files: Files, pod: Pod, items: readonly DownwardAPIVolumeFile[] | undefined, defaultMode: number): void {
    const context = this.#sources.downward();
    for (const { path, mode = defaultMode, fieldRef, resourceFieldRef } of items ?? []) {
      const text = fieldRef
        ? podFieldValue(fieldRef, pod, context)
        : resourceFieldRef
          ? resourceFieldValue(resourceFieldRef, pod, undefined, context)
          : '';
      files.set(path, textFile(text, mode));
    }
  }
}

type Items = readonly { readonly key: string; readonly path: string; readonly mode?: number }[] | undefined;

const textFile = (content: string, mode: number): VolumeFile => ({ content, encoding: 'text', mode });
const encodedFile = (content: string, mode: number): VolumeFile => ({ content, encoding: 'base64', mode });

function addItems(
  files: Files,
  data: ReadonlyMap<string, VolumeFile>,
  items: Items,
  optional: boolean,
  kind: 'config' | 'secret',
): void {
  if (!items || items.length === 0) {
    for (const [key, file] of data) files.set(key, file);
    return;
  }
  for (const { key, path, mode } of items) {
    const file = data.get(key);
    if (file) files.set(path, mode === undefined ? file : { ...file, mode });
    else if (!optional) throw new Error(`references non-existent ${kind} key: ${key}`);
  }
}

async function orMissing<T>(optional: boolean, get: () => Promise<T>): Promise<T | undefined> {
  try {
    return await get();
  } catch (error) {
    if (optional && isStatus(error, 'NotFound')) return undefined;
    throw error;
  }
}

function sameFiles(a: ReadonlyMap<string, VolumeFile>, b: ReadonlyMap<string, VolumeFile>): boolean {
  if (a.size !== b.size) return false;
  for (const [path, file] of a) {
    const other = b.get(path);
    if (!other || other.mode !== file.mode || other.content !== file.content || other.encoding !== file.encoding)
      return false;
  }
  return true;
}
