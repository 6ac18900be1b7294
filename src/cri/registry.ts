import { sha256 } from '@noble/hashes/sha2.js';
import { assert } from '#base/assert.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import { CriError } from './cri-error.ts';
import { controlPlane } from './images/control-plane.ts';
import type { ImageConfig, ImageDefinition } from './images/image.ts';
import { pause } from './images/pause.ts';
import type { DirectoryNode } from './os/file-node.ts';
import type { Program } from './os/unix-process.ts';
import { canonicalName, type ImageReference, parseReference, ReferenceError } from './reference.ts';

/** An image as it is in the registry and, once pulled, on nodes. Shared by all of them. */
export interface Image {
  /** Digest of its configuration: `sha256:…`. */
  readonly id: string;
  /** `docker.io/library/nginx:1.27`, or with a digest. */
  readonly name: string;
  /** `docker.io/library/nginx@sha256:…` */
  readonly repoDigest: string;
  readonly sizeBytes: number;
  readonly config: ImageConfig;
  /** The root directory, never to be changed. */
  readonly root: DirectoryNode;
  readonly fallback?: Program;
  /** Whether it behaves as the real one; others run as a plain process. */
  readonly emulated: boolean;
}

/** See userland.ts. */
export interface Userland {
  readonly images: readonly ImageDefinition[];
  /** For every image that is not emulated. */
  readonly plain: Pick<ImageDefinition, 'sizeBytes' | 'config' | 'files' | 'fallback'>;
  /** What runs on nodes themselves. */
  readonly node: Pick<ImageDefinition, 'config' | 'files'>;
}

/**
 * All registries of the world. What is emulated has the tags that it has; a name one typo away from a known one does
 * not exist, and hosts ending in `.invalid` cannot be found; every other well-formed name is there.
 */
export class Registry {
  readonly #system: readonly ImageDefinition[];
  readonly #known = new Map<string, Image>();
  readonly #roots = new Map<object, DirectoryNode>();
  #userland: Userland | undefined;

  /** `system`: images of the cluster's own, which can be pulled before {@link install}. */
  constructor(system: readonly ImageDefinition[] = []) {
    this.#system = [...system, ...controlPlane, pause];
  }

  /** Brings what users' containers are made of; before that only images of the system can be asked for. */
  install(userland: Userland): void {
    this.#userland = userland;
  }

  /** The image of a name. Throws {@link CriError} in containerd's words. */
  resolve(name: string): Image {
    let reference: ImageReference;
    try {
      reference = parseReference(name);
    } catch (error) {
      if (!(error instanceof ReferenceError)) throw error;
      throw new CriError('InvalidArgument', `failed to parse image reference "${name}": ${error.message}`);
    }
    const canonical = canonicalName(reference);
    const known = this.#known.get(canonical);
    if (known) return known;
    const image = this.#find(reference, canonical);
    this.#known.set(canonical, image);
    return image;
  }

  #find(reference: ImageReference, canonical: string): Image {
    const { repository, domain, path, tag = 'latest', digest } = reference;
    const unresolved = `failed to pull and unpack image "${canonical}": failed to resolve reference "${canonical}"`;
    const host = domain.replace(/:\d+$/, '');
    if (host === 'invalid' || host.endsWith('.invalid')) {
      const url = `https://${domain}/v2/${path}/manifests/${digest ?? tag}`;
      throw new CriError(
        'Unknown',
        `${unresolved}: failed to do request: Head "${url}": dial tcp: lookup ${host}: no such host`,
      );
    }
    const own = this.#system.find((one) => one.repository === repository);
    assert(own || this.#userland, `${canonical} is pulled before there is a userland`);
    const { images = [], plain } = this.#userland ?? {};
    const definition = own ?? images.find((one) => one.repository === repository);
    if (!definition && [...this.#system, ...images].some((one) => isOneTypoAway(one.repository, repository))) {
      throw new CriError(
        'Unknown',
        `${unresolved}: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`,
      );
    }
    if (definition && digest === undefined && !definition.hasTag(tag)) {
      throw new CriError('NotFound', `${unresolved}: ${canonical}: not found`);
    }
    const source = definition ?? (plain as Userland['plain']);
    return {
      id: `sha256:${hash(`config of ${canonical}`)}`,
      name: canonical,
      repoDigest: `${repository}@${digest ?? `sha256:${hash(canonical)}`}`,
      sizeBytes: source.sizeBytes,
      config: source.config,
      root: this.#rootOf(source),
      ...(source.fallback ? { fallback: source.fallback } : {}),
      emulated: definition !== undefined,
    };
  }

  /** The system of the nodes, as if it were an image. */
  nodeImage(): Image {
    const { node } = this.#userland ?? {};
    assert(node, 'somebody logs in at a node before there is a userland');
    const { config } = node;
    return { id: '', name: 'node', repoDigest: '', sizeBytes: 0, config, root: this.#rootOf(node), emulated: true };
  }

  #rootOf(source: { files(): DirectoryNode }): DirectoryNode {
    const known = this.#roots.get(source);
    if (known) return known;
    const root = source.files();
    this.#roots.set(source, root);
    return root;
  }
}

function hash(text: string): string {
  return [...sha256(encodeUtf8(text))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Whether one letter was left out, added, changed, or swapped with the next. */
export function isOneTypoAway(a: string, b: string): boolean {
  if (a === b || Math.abs(a.length - b.length) > 1) return false;
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  const restA = a.slice(i);
  const restB = b.slice(i);
  if (restA.slice(1) === restB.slice(1) || restA.slice(1) === restB || restA === restB.slice(1)) return true;
  return restA[0] === restB[1] && restA[1] === restB[0] && restA.slice(2) === restB.slice(2);
}
