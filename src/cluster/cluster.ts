import { namespaces } from '#api/core/v1/namespace.ts';
import type { Namespace, Node } from '#api/generated/types.ts';
import { plugins as admissionPlugins } from '#admission/plugins.ts';
import { resources } from '#api/resources.ts';
import { priorityClasses, systemPriorityClasses } from '#api/scheduling/v1/priority-class.ts';
import { schemas } from '#api/schemas.ts';
import { ObjectCodec } from '#apimachinery/codec.ts';
import type { ProtobufReader } from '#apimachinery/protobuf.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import { lookupStruct } from '#apimachinery/schema.ts';
import { isStatus } from '#apimachinery/status-error.ts';
import { createApiServer, type ApiServer, type HostTimer } from '#apiserver/api-server.ts';
import { type DiscoveredGroup, groupResources, verbsOf } from '#apiserver/discovery.ts';
import { HttpFloor, type ServedResource } from '#apiserver/http-server.ts';
import { nonResource, type VersionInfo } from '#apiserver/non-resource.ts';
import { type LatencyProfile, latencyOf } from '#base/latency.ts';
import { Process, Pump } from '#base/pump.ts';
import { Rng } from '#base/rng.ts';
import { Tracer } from '#base/tracer.ts';
import { Client } from '#client/client.ts';
import { ControllerManager } from '#controllers/controller-manager.ts';
import { defaultControllerConfig } from '#controllers/define-controller.ts';
import { Registry } from '#cri/registry.ts';
import { Etcd } from '#etcd/etcd.ts';
import { Network } from '#network/network.ts';
import { Scheduler } from '#scheduler/scheduler.ts';
import { endpoints } from '#registry/endpoints.ts';
import { ServiceAllocator } from '#registry/service-allocator.ts';
import { TokenIssuer } from '#registry/token-issuer.ts';
import type { HttpRequest, HttpResponse, HttpServer, Upgraded } from '#transport/http.ts';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { controlPlanePods } from './control-plane-pods.ts';
import { Inbox, type InputRecord } from './inbox.ts';
import { keepKubernetesService } from './kubernetes-service.ts';
import { Machine, type MachineOptions } from './machine.ts';
import type { OpenApiSource } from './openapi-source.ts';
import { ROOT_CA } from './root-ca.ts';

export interface ClusterOptions {
  readonly seed: number;
  /** Virtual time at the start, ms since the epoch. */
  readonly epoch: number;
  readonly workers: number;
  /** Whether the control plane has a Node of its own. */
  readonly controlPlaneNode: boolean;
  readonly latency: LatencyProfile;
  /** Services of type LoadBalancer get an address. */
  readonly loadBalancer: boolean;
  /** Reads protobuf bodies, for hosts of real clients. */
  readonly protobuf?: ProtobufReader;
  /** Ends watches from outside that set a time limit. */
  readonly hostTimer?: HostTimer;
  /** Makes the pump strict: see {@link Pump}. */
  readonly strictHop?: () => Promise<void>;
  /** Keeps a digest of all turns, for {@link Cluster.digest}. */
  readonly logTurns?: boolean;
}

const VERSION: VersionInfo = {
  major: '1',
  minor: '33',
  gitVersion: 'v1.33.0',
  gitCommit: '60a317eadfcb839692a68eab88b2096f4d708f4f',
  gitTreeState: 'clean',
  buildDate: '2025-04-23T13:00:20Z',
  goVersion: 'go1.24.2',
  compiler: 'gc',
  platform: 'linux/amd64',
};

const ADMIN = { name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] } as const;
const CONTROL_PLANE_NODE = {
  labels: {
    'node-role.kubernetes.io/control-plane': '',
    'node.kubernetes.io/exclude-from-external-load-balancers': '',
  },
  taints: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }],
} as const;
/** Nodes have addresses from 192.168.0.10 on, in order. */
const nodeAddress = (index: number) => `192.168.${Math.floor((9 + index) / 250)}.${((9 + index) % 250) + 1}`;
/** As `--service-cluster-ip-range` and `--service-node-port-range` have them. */
const SERVICE_RANGES = { clusterIPs: '10.96.0.0/12', nodePorts: { first: 30_000, last: 32_767 } } as const;
/** The first address of Services is the API server's. */
const KUBERNETES_SERVICE_IP = '10.96.0.1';
const API_SERVER_PORT = 6443;
const SYSTEM_NAMESPACES = ['default', 'kube-node-lease', 'kube-public', 'kube-system'] as const;

/**
 * A whole cluster: the composition root. It knows all components and wires them; it decides nothing itself.
 *
 * From outside there are the Kubernetes API ({@link http}), time ({@link pump}), the trace and the store's history. What may
 * change something (any method but GET and HEAD, any upgrade) is an input: stamped, logged, run as a task. The rest are
 * observers: answered at once, whatever the clock does, leaving no trace.
 */
export class Cluster {
  readonly options: ClusterOptions;
  readonly pump: Pump;
  readonly tracer: Tracer;
  /** The parent of all processes. */
  readonly root: Process;
  readonly http: HttpServer;
  readonly info: {
    readonly seed: number;
    readonly epoch: number;
    readonly version: string;
    readonly topology: { readonly workers: number; readonly controlPlaneNode: boolean };
  };
  /** Called before something from outside is taken in: the host brings the clock up to date. */
  beforeInput: () => void = () => {};
  readonly #etcd: Etcd<ApiObject>;
  readonly #apiProcess: Process;
  readonly #api: ApiServer;
  readonly #floor: HttpFloor;
  readonly #inbox: Inbox;
  readonly #ready: Promise<void>;
  readonly #turnLog = sha256.create();
  readonly #machines = new Map<string, Machine>();

  constructor(options: ClusterOptions) {
    this.options = options;
    const { seed, epoch, workers, controlPlaneNode } = options;
    this.pump = new Pump({ epoch, ...(options.strictHop ? { strictHop: options.strictHop } : {}) });
    this.tracer = new Tracer(() => this.pump.now);
    this.root = new Process('cluster', { pump: this.pump, rng: new Rng(seed), tracer: this.tracer });
    this.info = { seed, epoch, version: VERSION.gitVersion, topology: { workers, controlPlaneNode } };
    if (options.logTurns) {
      this.pump.onTurn = ({ number, time, process, name }) =>
        this.#turnLog.update(utf8ToBytes(`${number} ${time} ${process} ${name}\n`));
    }
    const latency = latencyOf(options.latency);

    const tokens = new TokenIssuer(this.root.rng.fork('tokens'));
    this.#etcd = new Etcd({
      process: this.root.child('etcd'),
      ringSize: (key) => (key.startsWith('/registry/leases/kube-node-lease/') ? 4 : undefined),
    });
    this.#apiProcess = this.root.child('kube-apiserver');
    this.#api = createApiServer({
      process: this.#apiProcess,
      etcd: this.#etcd,
      latency,
      resources,
      admission: admissionPlugins,
      allocators: (source) => [new ServiceAllocator(SERVICE_RANGES, source)],
      subresources: endpoints({ kubelet: (node) => this.#machines.get(node)?.kubelet.server, tokens }),
      schemaOf: (definition) => lookupStruct(schemas, definition.schema),
      ...(options.hostTimer ? { hostTimer: options.hostTimer } : {}),
    });
    this.#floor = this.#createFloor();
    this.#inbox = new Inbox(this.root.child('inbox'));
    this.tracer.retain(() => this.#causes());
    const { backend } = this.#api;
    const bootstrapped = new Promise<void>((resolve) => {
      this.#apiProcess.spawn('bootstrap', () => this.#bootstrap().then(resolve));
    });

    new ControllerManager(this.root.child('kube-controller-manager'), {
      backend,
      resources,
      config: {
        ...defaultControllerConfig,
        rootCA: ROOT_CA,
        signLegacyToken: (account, secret) => tokens.issueLegacy(account, secret),
        clusterCIDR: '10.244.0.0/16',
        ...(options.loadBalancer ? { loadBalancerCIDR: '192.168.100.0/24' } : {}),
      },
    }).start();
    new Scheduler(this.root.child('kube-scheduler'), {
      backend,
      hostname: 'control-plane',
      latency,
      resources,
    }).start();

    const network = new Network(this.root.child('network'), latency);
    const registry = new Registry();
    const addMachine = (name: string, index: number, own: Pick<MachineOptions, 'labels' | 'taints' | 'staticPods'>) => {
      const machine = new Machine({
        process: this.root.child(name),
        name,
        address: nodeAddress(index),
        network,
        registry,
        latency,
        backend,
        version: VERSION.gitVersion,
        ...own,
      });
      this.#machines.set(name, machine);
    };
    if (controlPlaneNode) addMachine('control-plane', 0, { ...CONTROL_PLANE_NODE, staticPods: controlPlanePods });
    for (let i = 1; i <= workers; i++) addMachine(`node-${i}`, i, {});

    const nodesReady = this.#whenNodesReady(workers + (controlPlaneNode ? 1 : 0));
    this.#ready = bootstrapped.then(() => nodesReady);
    this.http = { handle: (request) => this.#handle(request), upgrade: (request) => this.#upgrade(request) };
  }

  /** Inputs that wait for the clock to move. */
  get waitingInputs(): number {
    return this.#inbox.waiting;
  }

  /** Every input so far: with seed, epoch and topology the whole session. */
  get inputs(): readonly InputRecord[] {
    return this.#inbox.log;
  }

  /** Settles when the system namespaces are there and all Nodes have become Ready for the first time. */
  whenReady(): Promise<void> {
    return this.#ready;
  }

  /** An in-process client with all rights, for tests, benchmarks and tools; to be used in tasks. */
  adminClient(): Client {
    return new Client(this.#api.backend, { user: ADMIN, userAgent: 'tabernetes' });
  }

  /** Every kept revision of an etcd key, oldest first. */
  revisions(key: string): readonly {
    readonly key: string;
    readonly revision: number;
    readonly createRevision: number;
    readonly version: number;
    readonly time: number;
    readonly span: number;
    readonly object?: unknown;
  }[] {
    return this.#etcd.revisionsOf(key).map(({ value, modRevision, createRevision, version, time, cause }) => ({
      key,
      revision: modRevision,
      createRevision,
      version,
      time,
      span: cause,
      ...(value ? { object: value } : {}),
    }));
  }

  /** A digest of all turns (with `logTurns`), all spans and the whole of etcd: equal sessions have equal digests. */
  digest(): { readonly turns: string; readonly spans: string; readonly etcd: string } {
    const hash = (parts: Iterable<unknown>) => {
      const digest = sha256.create();
      for (const part of parts) digest.update(utf8ToBytes(`${JSON.stringify(part)}\n`));
      return bytesToHex(digest.digest());
    };
    return {
      turns: bytesToHex(this.#turnLog.clone().digest()),
      spans: hash(this.tracer.from(0)),
      etcd: hash(this.#etcd.range('/registry/').kvs),
    };
  }

  #createFloor(): HttpFloor {
    const { resources: table, subresources } = this.#api;
    const codec = new ObjectCodec(schemas, this.options.protobuf);
    const endpoints = new Map(
      subresources.map((endpoint) => [
        `${endpoint.resource.plural}.${endpoint.resource.group}/${endpoint.subresource}`,
        endpoint,
      ]),
    );
    const lookUp = (
      group: string,
      version: string,
      plural: string,
      subresource: string | undefined,
    ): ServedResource | undefined => {
      const definition = table.find(group, version, plural);
      if (!definition) return undefined;
      const own = { group, version, kind: definition.kind, schema: definition.schema };
      if (subresource === undefined) return { definition, body: own, verbs: verbsOf(definition), connects: false };
      const endpoint = endpoints.get(`${plural}.${group}/${subresource}`);
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
            ...subresources
              .filter(({ resource }) => resource === definition)
              .map(({ subresource, kind: { group, version, kind, schema }, verbs }) => ({
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
      backend: this.#api.local,
      codec,
      lookUp,
      authenticate: () => ADMIN,
      now: () => this.pump.now,
      hasVersion: (group, version) => table.hasVersion(group, version),
      nonResource: nonResource({
        version: VERSION,
        groups,
        checks: () => [
          { name: 'ping', ok: true },
          { name: 'log', ok: true },
          { name: 'etcd', ok: this.#etcd.running },
        ],
        openapi: openApiDocument,
      }),
    });
  }

  async #handle(request: HttpRequest): Promise<HttpResponse> {
    this.beforeInput();
    if (request.method === 'GET' || request.method === 'HEAD')
      return this.#floor.handle(request, { cause: 0, observer: true });
    return this.#inbox.submit(request, false, this.#apiProcess, (cause) =>
      this.#floor.handle(request, { cause, observer: false }),
    );
  }

  async #upgrade(request: HttpRequest): Promise<HttpResponse | Upgraded> {
    this.beforeInput();
    return this.#inbox.submit(request, true, this.#apiProcess, (cause) =>
      this.#floor.upgrade(request, { cause, observer: false }),
    );
  }

  /** What the API server makes by itself when it starts. */
  async #bootstrap(): Promise<void> {
    const client = new Client(this.#api.local, {
      user: { name: 'system:apiserver', groups: ['system:masters'] },
      userAgent: 'kube-apiserver/v1.33.0',
    });
    const ensure = async <T extends ApiObject>(definition: ResourceDefinition<T>, object: T) => {
      try {
        await client.create(definition, object);
      } catch (error) {
        if (!isStatus(error, 'AlreadyExists')) throw error;
      }
    };
    for (const name of SYSTEM_NAMESPACES) await ensure(namespaces, { metadata: { name } } as Namespace);
    for (const priorityClass of systemPriorityClasses) await ensure(priorityClasses, priorityClass);
    await keepKubernetesService(this.#apiProcess, client, {
      clusterIP: KUBERNETES_SERVICE_IP,
      address: nodeAddress(0),
      port: API_SERVER_PORT,
    });
  }

  #whenNodesReady(count: number): Promise<void> {
    const ready = new Set<string>();
    return new Promise((resolve, reject) => {
      if (count === 0) resolve();
      this.#api.backend
        .watch(
          {
            verb: 'watch',
            group: '',
            version: 'v1',
            resource: 'nodes',
            options: {},
            user: ADMIN,
            userAgent: 'tabernetes',
            cause: 0,
            observer: true,
          },
          {
            event: ({ object }) => {
              const node = object as Node;
              if (node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'))
                ready.add(node.metadata.name as string);
              if (ready.size >= count) resolve();
            },
            closed: () => {},
          },
        )
        .catch(reject);
    });
  }

  /** The spans that explain what exists: the trace keeps their ancestry. */
  *#causes(): Generator<number> {
    for (const { cause } of this.#etcd.range('/registry/').kvs) yield cause;
  }
}
