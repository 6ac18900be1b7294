/** The parts of an http URL; the scheme may be left out. */
export interface HttpUrl {
  readonly scheme: string;
  readonly user?: string;
  readonly host: string;
  readonly port: number;
  /** With the query; begins with a slash. */
  readonly path: string;
}

/** Undefined if the text is not a URL. */
export function parseUrl(text: string): HttpUrl | undefined {
  const match = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(?:([^@/]*)@)?([^:/?#]+)(?::(\d+))?([^#]*)/i.exec(text);
  if (!match) return undefined;
  const [, scheme = 'http', user, host = '', port, rest = ''] = match;
  return {
    scheme: scheme.toLowerCase(),
    ...(user ? { user } : {}),
    host,
    port: port ? Number(port) : scheme.toLowerCase() === 'https' ? 443 : 80,
    path: rest.startsWith('/') ? rest : `/${rest}`,
  };
}

/** The URL that a `Location` header means. */
export function resolveLocation(from: HttpUrl, location: string): string {
  if (/^[a-z]+:\/\//i.test(location)) return location;
  const origin = `${from.scheme}://${from.host}:${from.port}`;
  if (location.startsWith('/')) return origin + location;
  return `${origin}${from.path.replace(/[^/]*(\?.*)?$/, '')}${location}`;
}
