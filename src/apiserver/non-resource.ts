import { encodeUtf8 } from '#base/utf8.ts';
import type { HttpRequest, HttpResponse } from '#transport/http.ts';
import {
  aggregatedDiscovery,
  apiGroupList,
  apiGroupObject,
  apiResourceList,
  apiVersions,
  type DiscoveredGroup,
  etagOf,
} from './discovery.ts';
import type { Accepted } from './negotiation.ts';
import { parseQuery } from './query.ts';

/** What GET /version says. */
export interface VersionInfo {
  readonly major: string;
  readonly minor: string;
  readonly gitVersion: string;
  readonly gitCommit: string;
  readonly gitTreeState: string;
  readonly buildDate: string;
  readonly goVersion: string;
  readonly compiler: string;
  readonly platform: string;
}

export interface NonResourceOptions {
  readonly version: VersionInfo;
  /** What is served now; called for each request, since resources come and go. */
  readonly groups: () => readonly DiscoveredGroup[];
  /** Names of health checks in order, and whether each passes. */
  readonly checks: () => readonly HealthCheck[];
  /** GET /metrics. */
  readonly metrics?: () => string;
  /** Answers below /openapi/; the document for a path, as JSON text. */
  readonly openapi: (path: string) => Promise<string | undefined>;
}

const AGGREGATED_TYPE = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
const HEALTH = /^\/(healthz|livez|readyz)(?:\/(.+))?$/;

/** Answers the paths of the API server that belong to no resource. Undefined for a path that it does not have. */
export function nonResource(options: NonResourceOptions) {
  return async (path: string, accepted: Accepted, request: HttpRequest): Promise<HttpResponse | undefined> => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return undefined;
    const clean = path.length > 1 ? path.replace(/\/+$/, '') : path;
    const health = HEALTH.exec(clean);
    if (health) {
      const [, endpoint = '', single] = health;
      return healthOf(endpoint, single, checksOf(endpoint, options.checks()), parseQuery(request.path).query);
    }
    if (clean === '/metrics' && options.metrics) return plain(options.metrics(), 200, METRICS_TYPE);
    if (clean === '/openapi/v2') {
      const other = openApiV2ByOtherType(options.version, request);
      if (other) return other;
    }
    if (clean.startsWith('/openapi/')) {
      const text = await options.openapi(clean);
      return text === undefined ? undefined : cached(text, 'application/json', request);
    }
    if (clean === '/version') return plain(`${JSON.stringify(options.version, undefined, 2)}`);
    if (clean === '/') return json({ paths: rootPaths(options.groups()) });
    const groups = options.groups();
    if (clean === '/api' || clean === '/apis') {
      const legacy = clean === '/api';
      if (accepted.aggregatedDiscovery)
        return cached(JSON.stringify(aggregatedDiscovery(groups, legacy)), AGGREGATED_TYPE, request);
      return json(legacy ? apiVersions() : apiGroupList(groups));
    }
    const [, prefix, ...parts] = clean.split('/');
    const [group, version] = prefix === 'api' ? ['', parts[0]] : prefix === 'apis' ? parts : [];
    if (parts.length > (prefix === 'api' ? 1 : 2)) return undefined;
    const found = groups.find((candidate) => candidate.group === group);
    if (!found || group === undefined) return undefined;
    if (version === undefined) return json(apiGroupObject(found));
    const served = found.versions.find((candidate) => candidate.version === version);
    return served && json(apiResourceList(group, version, served.resources));
  };
}

/** Asked for with an `@` instead of the last dot, too, which is no media type. */
const PROTOBUF_V2 = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

/**
 * OpenAPI v2 in another type than JSON. In protobuf it is a document without paths: kubectl falls back to it for kinds that
 * v3 does not have, and must find that it does not have them either. Differs from upstream: what is served is described in
 * JSON only.
 */
function openApiV2ByOtherType({ gitVersion }: VersionInfo, request: HttpRequest): HttpResponse | undefined {
  const { accept = '*/*' } = request.headers;
  if (!accept.replace('@', '.').includes(PROTOBUF_V2)) {
    return /\bapplication\/(json|\*)|\*\/\*/.test(accept)
      ? undefined
      : { status: 406, headers: {}, body: new Uint8Array() };
  }
  const info = { title: 'Kubernetes', version: gitVersion };
  // openapi.v2.Document {1 swagger, 2 info {1 title, 2 version}}
  const text = (field: number, value: string) => String.fromCharCode((field << 3) | 2, value.length) + value;
  return cached(text(1, '2.0') + text(2, text(1, info.title) + text(2, info.version)), PROTOBUF_V2, request);
}

const json = (value: unknown): HttpResponse => plain(`${JSON.stringify(value)}\n`);

function plain(text: string, status = 200, type = 'application/json'): HttpResponse {
  return { status, headers: { 'content-type': type, 'cache-control': 'no-cache, private' }, body: encodeUtf8(text) };
}

/** With an ETag; 304 when the client has it already. */
function cached(text: string, type: string, request: HttpRequest): HttpResponse {
  const body = encodeUtf8(text);
  const etag = etagOf(body);
  const headers = { 'content-type': type, etag, vary: 'Accept', 'cache-control': 'public' };
  return request.headers['if-none-match'] === etag
    ? { status: 304, headers, body: new Uint8Array() }
    : { status: 200, headers, body };
}

interface HealthCheck {
  readonly name: string;
  readonly ok: boolean;
  /** Only these endpoints ask it. */
  readonly of?: readonly string[];
}

const checksOf = (endpoint: string, checks: readonly HealthCheck[]): readonly HealthCheck[] =>
  checks.filter((check) => check.of?.includes(endpoint) ?? true);

const healthText = (text: string, status = 200): HttpResponse => {
  const answer = plain(text, status, 'text/plain; charset=utf-8');
  return { ...answer, headers: { ...answer.headers, 'x-content-type-options': 'nosniff' } };
};

/** Follows apiserver/pkg/server/healthz, v1.33. */
function healthOf(
  endpoint: string,
  single: string | undefined,
  checks: readonly HealthCheck[],
  query: ReadonlyMap<string, readonly string[]>,
): HttpResponse | undefined {
  if (single !== undefined) {
    const check = checks.find(({ name }) => name === single);
    return check && (check.ok ? healthText('ok') : healthText(`internal server error: ${single} failed\n`, 500));
  }
  const excluded = query.get('exclude') ?? [];
  const lines = checks.map(({ name, ok }) =>
    excluded.includes(name) ? `[+]${name} excluded: ok` : ok ? `[+]${name} ok` : `[-]${name} failed: reason withheld`,
  );
  const unknown = [...new Set(excluded)].filter((name) => !checks.some((check) => check.name === name)).sort();
  if (unknown.length) {
    const names = unknown.map((name) => JSON.stringify(name)).join(', ');
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names}`);
  }
  const ok = checks.every((check) => check.ok || excluded.includes(check.name));
  if (!ok) return healthText(`${lines.join('\n')}\n${endpoint} check failed\n`, 500);
  return healthText(query.has('verbose') ? `${lines.join('\n')}\n${endpoint} check passed\n` : 'ok');
}

function rootPaths(groups: readonly DiscoveredGroup[]): string[] {
  const paths = [
    '/api',
    '/apis',
    '/healthz',
    '/livez',
    '/metrics',
    '/openapi/v2',
    '/openapi/v3',
    '/readyz',
    '/version',
  ];
  for (const { group, versions } of groups) {
    if (group !== '') paths.push(`/apis/${group}`);
    for (const { version } of versions) paths.push(group === '' ? `/api/${version}` : `/apis/${group}/${version}`);
  }
  return paths.sort();
}
