/** An image's name taken apart; `tag` is `latest` where neither a tag nor a digest is given. */
export interface ImageName {
  /** With the registry and, for Docker Hub, `library/`: `docker.io/library/nginx`. */
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

const COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const DOMAIN_NAME = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = `(?:${DOMAIN_NAME}(?:\\.${DOMAIN_NAME})*|\\[(?:[a-fA-F0-9:]+)\\])(?::[0-9]+)?`;
const TAG = '[\\w][\\w.-]{0,127}';
const DIGEST = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}';
const REFERENCE = new RegExp(`^((?:${DOMAIN}/)?${COMPONENT}(?:/${COMPONENT})*)(?::(${TAG}))?(?:@(${DIGEST}))?$`);

/**
 * Takes an image's name apart, or says what is wrong with it in upstream's words, as
 * `couldn't parse image name "A": invalid reference format: repository name (library/A) must be lowercase`.
 * Follows pkg/util/parsers and distribution/reference, v1.33.
 */
export function parseImageName(image: string): ImageName | { readonly error: string } {
  const wrong = (why: string) => ({ error: `couldn't parse image name "${image}": ${why}` });
  if (/^[a-f0-9]{64}$/.test(image)) {
    return wrong(`invalid repository name (${image}), cannot specify 64-byte hexadecimal strings`);
  }
  const slash = image.indexOf('/');
  const host = image.slice(0, Math.max(slash, 0));
  const hasDomain = slash >= 0 && (/[.:]/.test(host) || host === 'localhost' || host.toLowerCase() !== host);
  const domain = !hasDomain || host === 'index.docker.io' ? 'docker.io' : host;
  let remainder = hasDomain ? image.slice(slash + 1) : image;
  if (domain === 'docker.io' && !remainder.includes('/')) remainder = `library/${remainder}`;
  const path = /^[^:]*/.exec(remainder)?.[0] ?? '';
  if (path.toLowerCase() !== path) {
    return wrong(`invalid reference format: repository name (${path}) must be lowercase`);
  }
  const match = REFERENCE.exec(`${domain}/${remainder}`);
  if (!match) return wrong('invalid reference format');
  const [, repository = '', tag = '', digest = ''] = match;
  if (repository.length > 255) return wrong('repository name must not be more than 255 characters');
  return { repository, tag: tag || (digest ? '' : 'latest'), digest };
}
