import type { DirectoryNode } from '../os/file-node.ts';
import type { Signal } from '../os/signals.ts';
import type { Program } from '../os/unix-process.ts';

/** The PATH that images without one of their own get. */
export const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What an image says about the containers made of it, as in the OCI image configuration. */
export interface ImageConfig {
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  /** `NAME=value` */
  readonly env: readonly string[];
  readonly workingDir?: string;
  /** User, or user:group, by name or number. */
  readonly user?: string;
  readonly stopSignal?: Signal;
}

/** An image whose behaviour is emulated. */
export interface ImageDefinition {
  /** Fully qualified, without a tag: `docker.io/library/nginx`. */
  readonly repository: string;
  /** Whether the registry has a tag. */
  hasTag(tag: string): boolean;
  /** Compressed, as the kubelet reports it. */
  readonly sizeBytes: number;
  readonly config: ImageConfig;
  /** The root directory, shared by all containers. Called once. */
  files(): DirectoryNode;
  /** What runs in place of executables that the files do not have; absent: they are not found. */
  readonly fallback?: Program;
}

/** Whether a tag is one of `latest` and its like, or a release, each with one of the variants' suffixes. */
export function releases(
  names: readonly string[],
  /** Minor version → its last patch release. */
  minors: Readonly<Record<string, number>>,
  variants: RegExp,
): (tag: string) => boolean {
  const majors = new Set(Object.keys(minors).map((minor) => minor.split('.')[0] as string));
  return (tag) => {
    if (names.includes(tag)) return true;
    const match = /^(\d+)(?:\.(\d+))?(?:\.(\d+))?(-.+)?$/.exec(tag);
    if (!match)
      return (
        names.some((name) => tag.startsWith(`${name}-`) && variants.test(tag.slice(name.length))) ||
        variants.test(`-${tag}`)
      );
    const [, major = '', minor, patch, suffix] = match;
    if (suffix !== undefined && !variants.test(suffix)) return false;
    if (minor === undefined) return majors.has(major);
    const last = minors[`${major}.${minor}`];
    return (
      last !== undefined &&
      (patch === undefined || (Number(patch) <= last && (patch === '0' || !patch.startsWith('0'))))
    );
  };
}
