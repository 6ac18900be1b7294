import { schemas } from '#api/schemas.ts';
import type { UserInfo } from '#apimachinery/api-request.ts';
import { ObjectCodec } from '#apimachinery/codec.ts';
import type { ProtobufReader } from '#apimachinery/protobuf.ts';
import type { ApiServer } from '#apiserver/api-server.ts';
import { type DiscoveredGroup, groupResources, verbsOf } from '#apiserver/discovery.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import { HttpFloor, type ServedResource } from '#apiserver/http-server.ts';
import { nonResource, type VersionInfo } from '#apiserver/non-resource.ts';
import type { OpenApiSource } from './openapi-source.ts';

export interface FloorOptions {
  readonly api: ApiServer;
  readonly version: VersionInfo;
  /** Who callers are whom the host does not know. */
  readonly user: UserInfo;
  /** Reads protobuf bodies. */
  readonly protobuf: ProtobufReader | undefined;
  /** Virtual time, ms. */
  readonly now: () => number;
  readonly etcdRuns: () => boolean;
  /** Whether a version of a group is another API server's, which cannot be reached. */
  readonly isRemote: (group: string, version: string) => boolean;
}

/** The HTTP floor of an API server: which paths it has, who asks, what it says of itself. */
export function createFloor({ api, version, user, protobuf, now, etcdRuns, isRemote }: FloorOptions): HttpFloor {
  const { resources: table } = api;
  const codec = new ObjectCodec(schemas, protobuf);
  const lookUp = (
    group: string,
    version: string,
    plural: string,
    subresource: string | undefined,
  ): ServedResource | undefined => {
    const definition = table.find(group, version, plural);
    if (!definition) return undefined;
    const { kind, schema, custom } = definition;
    const own = { group, version, kind, schema, ...(custom ? { custom } : {}) };
    if (subresource === undefined) return { definition, body: own, verbs: verbsOf(definition), connects: false };
    const endpoint = table.endpoint(definition, subresource);
    if (endpoint) {
      const { kind: body, verbs, view, connect } = endpoint;
      return { definition, body, verbs, view: view?.definition, connects: connect !== undefined };
    }
    return (
      definition.subresources?.[subresource] && {
        definition,
        body: own,
        verbs: ['get', 'patch', 'update'],
        connects: false,
      }
    );
  };
  const groups = (): DiscoveredGroup[] =>
    groupResources(
      [...table.all()].map((definition) => ({
        definition,
        subresources: [
          ...Object.keys(definition.subresources ?? {}).map((name) => ({
            name,
            kind: { group: definition.group, version: definition.version, kind: definition.kind },
            verbs: ['get', 'patch', 'update'],
          })),
          ...table.endpointsOf(definition).map(({ subresource, kind: { group, version, kind, schema }, verbs }) => ({
            name: subresource,
            kind: { group, version, kind },
            ...(schema ? { schema } : {}),
            verbs,
          })),
        ].sort((a, b) => (a.name < b.name ? -1 : 1)),
      })),
      [''],
    );
  let openapi: OpenApiSource | undefined;
  // Only observers read it, so that it may be loaded when they do.
  const openApiDocument = async (path: string) => {
    const source = await import('./openapi-source.ts');
    openapi ??= new source.OpenApiSource(groups);
    return openapi.document(path);
  };
  return new HttpFloor({
    backend: api.local,
    codec,
    lookUp,
    authenticate: ({ peer }) => (peer ? { name: peer.name, groups: [...peer.groups, 'system:authenticated'] } : user),
    now,
    hasVersion: (group, version) => table.hasVersion(group, version),
    nonResource: unlessRemote(
      isRemote,
      nonResource({
        version,
        groups,
        checks: () => [
          { name: 'ping', ok: true },
          { name: 'log', ok: true },
          { name: 'etcd', ok: etcdRuns() },
        ],
        openapi: openApiDocument,
      }),
    ),
  });
}

type NonResource = ReturnType<typeof nonResource>;

/** What the aggregator says of paths of an API server that it cannot reach. */
const unlessRemote =
  (isRemote: FloorOptions['isRemote'], answer: NonResource): NonResource =>
  async (path, accepted, request) => {
    const [, group = '', version = ''] = /^\/apis\/([^/]+)\/([^/]+)/.exec(path) ?? [];
    if (group === '' || !isRemote(group, version)) return answer(path, accepted, request);
    return {
      status: 503,
      headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
      body: encodeUtf8('service unavailable\n'),
    };
  };
