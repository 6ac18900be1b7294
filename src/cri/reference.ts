/** An image's name in full. */
export interface ImageReference {
  /** Registry and path: `docker.io/library/nginx`. */
  readonly repository: string;
  readonly domain: string;
  readonly path: string;
  readonly tag?: string;
  readonly digest?: string;
}

/** A name that is no reference; the message is Go's, which the kubelet puts into `couldn't parse image name`. */
export class ReferenceError extends Error {
  override readonly name = 'ReferenceError';
}

const COMPONENT = '[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*';
const PATH = `${COMPONENT}(?:/${COMPONENT})*`;
const LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = `(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const TAG = '\\w[\\w.-]{0,127}';
const DIGEST = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}';
const REFERENCE = new RegExp(`^(?:(${DOMAIN})/)?(${PATH})(?::(${TAG}))?(?:@(${DIGEST}))?$`);
const MAX_PATH = 255;

/** Reads a name as Docker does: `nginx` is `docker.io/library/nginx`. Follows distribution/reference. Throws {@link ReferenceError}. */
export function parseReference(name: string): ImageReference {
  if (/^[a-f0-9]{64}$/.test(name)) {
    throw new ReferenceError(`invalid repository name (${name}), cannot specify 64-byte hexadecimal strings`);
  }
  const [domain, rest] = splitDomain(name);
  const remote = rest.split(':', 1)[0] as string;
  if (remote.toLowerCase() !== remote) {
    throw new ReferenceError(`invalid reference format: repository name (${remote}) must be lowercase`);
  }
  const full = `${domain}/${rest}`;
  const match = REFERENCE.exec(full);
  if (!match) {
    if (REFERENCE.test(full.toLowerCase())) throw new ReferenceError('repository name must be lowercase');
    throw new ReferenceError('invalid reference format');
  }
  const [, host = '', path = '', tag, digest] = match;
  if (path.length > MAX_PATH) throw new ReferenceError(`repository name must not be more than ${MAX_PATH} characters`);
  if (digest !== undefined && !/^sha256:[0-9a-f]{64}$/.test(digest)) {
    throw new ReferenceError(
      digest.startsWith('sha256:') ? 'invalid checksum digest length' : 'unsupported digest algorithm',
    );
  }
  return { repository: `${host}/${path}`, domain: host, path, ...(tag ? { tag } : {}), ...(digest ? { digest } : {}) };
}

function splitDomain(name: string): readonly [string, string] {
  const slash = name.indexOf('/');
  if (slash < 0) return ['docker.io', `library/${name}`];
  const first = name.slice(0, slash);
  const isDomain = first === 'localhost' || /[.:]/.test(first) || first.toLowerCase() !== first;
  const domain = !isDomain || first === 'index.docker.io' ? 'docker.io' : first;
  const rest = isDomain ? name.slice(slash + 1) : name;
  return [domain, domain === 'docker.io' && !rest.includes('/') ? `library/${rest}` : rest];
}

/** The name by which a container runtime keeps an image: with a digest, or with a tag (`latest` if there is none). */
export function canonicalName({ repository, tag, digest }: ImageReference): string {
  return digest ? `${repository}@${digest}` : `${repository}:${tag ?? 'latest'}`;
}
