import { schemas } from '#api/schemas.ts';
import type { UserInfo } from '#apimachinery/api-request.ts';
import { ObjectCodec } from '#apimachinery/codec.ts';
import type { ProtobufReader } from '#apimachinery/protobuf.ts';
import type { ApiServer } from '#apiserver/api-server.ts';
import { type DiscoveredGroup, groupResources, verbsOf } from '#apiserver/discovery.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import { FlowControl, type Flow, type FlowRequest } from '#apiserver/flow-control.ts';
import { HttpFloor, type ServedResource } from '#apiserver/http-server.ts';
import { nonResource, type VersionInfo } from '#apiserver/non-resource.ts';
import type { ServerMetrics } from '#apiserver/server-metrics.ts';
import type { Process } from '#base/pump.ts';
import type { HttpRequest } from '#transport/http.ts';
import type { OpenApiSource } from './openapi-source.ts';

export interface FloorOptions {
  readonly api: ApiServer;
  readonly version: VersionInfo;
  /** Who asks. Throws StatusError 401. */
  readonly authenticate: (request: HttpRequest) => UserInfo;
  /** Reads protobuf bodies. */
  readonly protobuf: ProtobufReader | undefined;
  /** Virtual time, ms. */
  readonly now: () => number;
  readonly etcdRuns: () => boolean;
  /** The API server's. */
  readonly process: Process;
  /** Whether what the server makes by itself is there. */
  readonly bootstrapped: () => boolean;
  readonly metrics: ServerMetrics;
  /** Which requests share seats. */
  readonly classify: (request: FlowRequest) => Flow;
  /** Whether a version of a group is another API server's, which cannot be reached. */
  readonly isRemote: (group: string, version: string) => boolean;
}

/** The HTTP floor of an API server: which paths it has, who asks, what it says of itself. */
export function createFloor({
  process,
  bootstrapped,
  metrics,
  classify,
  api,
  version,
  authenticate,
  protobuf,
  now,
  etcdRuns,
  isRemote,
}: FloorOptions): HttpFloor {
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
    openapi ??= new source.OpenApiSource(groups, version.gitVersion);
    return openapi.document(path);
  };
  const flow = new FlowControl(process, classify);
  addMetrics(metrics, flow, version);
  return new HttpFloor({
    metrics,
    flow,
    backend: api.local,
    codec,
    lookUp,
    authenticate,
    authorizer: api.authorizer,
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
          { name: 'etcd-readiness', ok: etcdRuns(), of: ['readyz'] },
          ...POST_START_HOOKS.map((name) => ({ name: `poststarthook/${name}`, ok: bootstrapped() })),
          { name: 'shutdown', ok: true, of: ['readyz'] },
        ],
        metrics: () => metrics.render(),
        openapi: openApiDocument,
      }),
    ),
  });
}

/** What the server does at its start, as health checks name it. */
const POST_START_HOOKS = [
  'start-system-namespaces-controller',
  'scheduling/bootstrap-system-priority-classes',
  'priority-and-fairness-config-producer',
  'bootstrap-controller',
];

function addMetrics(metrics: ServerMetrics, flow: FlowControl, version: VersionInfo): void {
  metrics.add({
    name: 'apiserver_flowcontrol_current_executing_requests',
    help: '[BETA] Number of requests in initial (for a WATCH) or any (for a non-WATCH) execution stage in the API Priority and Fairness subsystem',
    type: 'gauge',
    samples: () => [{ value: flow.executing }],
  });
  metrics.add({
    name: 'apiserver_flowcontrol_current_inqueue_requests',
    help: '[BETA] Number of requests currently pending in queues of the API Priority and Fairness subsystem',
    type: 'gauge',
    samples: () => [{ value: flow.inQueue }],
  });
  metrics.add({
    name: 'apiserver_flowcontrol_dispatched_requests_total',
    help: '[BETA] Number of requests executed by API Priority and Fairness subsystem',
    type: 'counter',
    samples: () => [{ value: flow.dispatched }],
  });
  metrics.add({
    name: 'apiserver_flowcontrol_rejected_requests_total',
    help: '[BETA] Number of requests rejected by API Priority and Fairness subsystem',
    type: 'counter',
    samples: () => [{ value: flow.rejected }],
  });
  const { gitVersion, gitCommit, gitTreeState, buildDate, goVersion, compiler, platform, major, minor } = version;
  metrics.add({
    name: 'kubernetes_build_info',
    help: "[ALPHA] A metric with a constant '1' value labeled by major, minor, git version, git commit, git tree state, build date, Go version, and compiler from which Kubernetes was built, and platform on which it is running.",
    type: 'gauge',
    samples: () => [
      {
        labels: {
          build_date: buildDate,
          compiler,
          git_commit: gitCommit,
          git_tree_state: gitTreeState,
          git_version: gitVersion,
          go_version: goVersion,
          major,
          minor,
          platform,
        },
        value: 1,
      },
    ],
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
