import { nodes } from '#api/core/v1/node.ts';
import type { Node } from '#api/generated/types.ts';
import { admissionPlugins } from '#admission/plugins.ts';
import {
  customResourceDefinitions,
  customResourceDefinitionsWith,
} from '#api/apiextensions/v1/custom-resource-definition.ts';
import { roleEscalation } from '#admission/role-escalation.ts';
import { resources } from '#api/resources.ts';
import { schemas } from '#api/schemas.ts';
import type { ApiBackend } from '#apimachinery/api-request.ts';
import type { ProtobufReader } from '#apimachinery/protobuf.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import { lookupStruct } from '#apimachinery/schema.ts';
import { type AuthorizationMode, createAuthorizer } from '#authorization/authorizer.ts';
import { createApiServer, type ApiServer, type HostTimer } from '#apiserver/api-server.ts';
import type { CelRules } from '#apiserver/cel-rules.ts';
import { type HttpFloor, isTooLarge } from '#apiserver/http-server.ts';
import { metered, ServerMetrics } from '#apiserver/server-metrics.ts';
import type { VersionInfo } from '#apiserver/non-resource.ts';
import { type LatencyProfile, latencyOf } from '#base/latency.ts';
import { Process, ProcessExitedError, Pump } from '#base/pump.ts';
import { Rng } from '#base/rng.ts';
import { Tracer } from '#base/tracer.ts';
import { Client } from '#client/client.ts';
import { ControllerManager } from '#controllers/controller-manager.ts';
import { controllers as allControllers } from '#controllers/controllers.ts';
import { type CertificateTerms, defaultControllerConfig } from '#controllers/define-controller.ts';
import { Registry, type Userland } from '#cri/registry.ts';
import { Etcd } from '#etcd/etcd.ts';
import { Network } from '#network/network.ts';
import { Scheduler } from '#scheduler/scheduler.ts';
import { ApiServiceRegistration } from '#registry/api-service-registration.ts';
import { componentStatus } from '#registry/component-status.ts';
import { CustomResourceServer } from '#registry/custom-resource-server.ts';
import { endpoints } from '#registry/endpoints.ts';
import { FlowConfiguration } from '#registry/flow-configuration.ts';
import { legacyBinding } from '#registry/pod-binding.ts';
import { reviews } from '#registry/reviews.ts';
import { repairServiceAddresses } from '#registry/service-address-repair.ts';
import { ServiceAllocator } from '#registry/service-allocator.ts';
import { TokenAuthenticator } from '#registry/token-authenticator.ts';
import { TokenIssuer } from '#registry/token-issuer.ts';
import {
  ConnectionFailedError,
  type HttpRequest,
  type HttpResponse,
  type HttpServer,
  type Upgraded,
} from '#transport/http.ts';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { ApiAddress } from './api-address.ts';
import { createFloor } from './api-floor.ts';
import { anonymousUnder, authentication } from './authentication.ts';
import { bootstrap, KUBE_APISERVER, seedKubeadmPolicy } from './bootstrap.ts';
import { ClusterFaults } from './cluster-faults.ts';
import { Component } from './component.ts';
import { type AddOnOptions, createAddOns } from './addons.ts';
import { componentImages } from './component-images.ts';
import { listenOnSecurePort } from './api-port.ts';
import { markControlPlane } from './control-plane-node.ts';
import { controlPlanePods } from './control-plane-pods.ts';
import { cutBy } from './cut-by.ts';
import { Faults } from './faults.ts';
import { createGateway } from './gateway.ts';
import { Inbox, type InputRecord } from './inbox.ts';
import { CLUSTER_DOMAIN, GATEWAY, Machine, type MachineOptions } from './machine.ts';
import { isNodeShell, nodeShell } from './node-shell.ts';
import { ROOT_CA } from './root-ca.ts';
import { serviceNetwork } from './service-network.ts';
import { type PostOutside, webhookCaller } from './webhook-caller.ts';

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
  /** What users' containers are made of. A host may {@link Cluster.install} it later, before the first input. */
  readonly userland?: Userland;
  /** What expressions in objects are compiled by. A host may bring it later with {@link Cluster.installExpressions}. */
  readonly expressions?: CelRules;
  /** Reads protobuf bodies, for hosts of real clients. */
  readonly protobuf?: ProtobufReader;
  /** Ends watches from outside that set a time limit. */
  readonly hostTimer?: HostTimer;
  /** The certificate of the authority that the host serves HTTPS with, PEM: what Pods and clients are told to trust. */
  readonly rootCA?: string;
  /** Signs certificates with the key of that authority; by default nobody has it. */
  readonly signCertificate?: (terms: CertificateTerms) => string;
  /** As `--service-cluster-ip-range` of kube-apiserver; by default 10.96.0.0/12. */
  readonly serviceCIDR?: string;
  /** Calls webhooks outside of the cluster. Without it there are none. */
  readonly postOutside?: PostOutside;
  /** As `--authorization-mode`; by default Node and RBAC. */
  readonly authorizationModes?: readonly AuthorizationMode[];
  /** Who sends no credentials is system:anonymous; by default they are cluster-admin. */
  readonly anonymous?: boolean;
  /** Whether an admission plugin is asked; by default all are. */
  readonly admits?: (plugin: string) => boolean;
  /** Whether there is a scheduler; by default there is. */
  readonly scheduler?: boolean;
  /** Whether a controller of kube-controller-manager is started; by default all are. */
  readonly controls?: (controller: string) => boolean;
  /** Nodes that are only objects: nothing runs there. */
  readonly nodeNames?: readonly string[];
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
/** Who sets the cluster up. */
const KUBEADM = { user: ADMIN, userAgent: 'kubeadm/v1.33.0 (linux/amd64) kubernetes/60a317e' } as const;
const POD_CIDR = '10.244.0.0/16';
const ADD_ONS: Omit<AddOnOptions, 'clusterDns'> = {
  clusterDomain: CLUSTER_DOMAIN,
  clusterCIDR: POD_CIDR,
  server: 'https://192.168.0.10:6443',
};
const CONTROL_PLANE_TAINTS = [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }] as const;
/** Nodes have addresses from 192.168.0.10 on, in order. */
const nodeAddress = (index: number) => `192.168.${Math.floor((9 + index) / 250)}.${((9 + index) % 250) + 1}`;
const SERVICE_CIDR = '10.96.0.0/12';
/** As `--service-node-port-range` has them. */
const NODE_PORTS = { first: 30_000, last: 32_767 } as const;
/** Where kube-apiserver listens. */
const API_SERVER = { address: nodeAddress(0), port: 6443 } as const;

/** One life of the API server. */
interface RunningServer {
  readonly process: Process;
  /** For components: requests are counted. */
  readonly backend: ApiBackend;
  readonly floor: HttpFloor;
}

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
  /** Brings what users' containers are made of; until then no input may come. */
  readonly install: (userland: Userland) => void;
  /** Brings what compiles expressions; until then no input may come. */
  readonly installExpressions: (expressions: CelRules) => void;
  /** Called before something from outside is taken in: the host brings the clock up to date. */
  beforeInput: () => void = () => {};
  /** What can be made to fail. */
  readonly faults: Faults;
  readonly #etcd: Etcd<ApiObject>;
  /** The API server that runs now. */
  #server: RunningServer | undefined;
  /** Where clients find it. */
  readonly #address = new ApiAddress(() => this.#server?.backend);
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
    const addresses = serviceNetwork(options.serviceCIDR ?? SERVICE_CIDR);

    const modes = options.authorizationModes ?? ['Node', 'RBAC'];
    const stranger = options.anonymous ? anonymousUnder(modes) : ADMIN;
    const tokens = new TokenIssuer(this.root.rng.fork('tokens'));
    this.#etcd = new Etcd({
      process: this.root.child('etcd'),
      ringSize: (key) => (key.startsWith('/registry/leases/kube-node-lease/') ? 4 : undefined),
    });
    this.#inbox = new Inbox(this.root.child('inbox'));
    this.tracer.retain(() => this.#causes());
    const backend = this.#address;
    let { expressions } = options;
    this.installExpressions = (rules) => {
      expressions = rules;
    };
    const served = resources.map((definition) =>
      definition === (customResourceDefinitions as unknown as ResourceDefinition)
        ? (customResourceDefinitionsWith(() => expressions) as unknown as ResourceDefinition)
        : definition,
    );
    let hasAddOns = false;
    let bootstrapped = () => {};
    const whenBootstrapped = new Promise<void>((resolve) => {
      bootstrapped = resolve;
    });
    const apiServer = new Component(this.root, 'kube-apiserver', (process) => {
      const api = createApiServer({
        process,
        etcd: this.#etcd,
        latency,
        resources: served,
        admission: [
          ...admissionPlugins({
            call: webhookCaller(process, () => apiHost, options.postOutside),
            expressions: () => expressions?.admission,
          }).filter(({ name }) => options.admits?.(name) ?? true),
          roleEscalation,
        ],
        allocators: (source) => [new ServiceAllocator({ clusterIPs: addresses.cidr, nodePorts: NODE_PORTS }, source)],
        subresources: endpoints({
          kubelet: (node) => this.#machines.get(node)?.kubeletServer(this.#machines.get('control-plane')),
          tokens,
        }),
        virtual: [
          ...reviews(() => authenticator),
          legacyBinding,
          componentStatus({
            scheduler: () => scheduler.running,
            controllerManager: () => controllers.running,
            etcd: () => this.#etcd.running,
          }),
        ],
        authorizer: (source) => createAuthorizer(modes, source),
        schemaOf: (definition) => lookupStruct(schemas, definition.schema),
        ...(options.hostTimer ? { hostTimer: options.hostTimer } : {}),
      });
      const authenticator = new TokenAuthenticator(tokens, api.known);
      const registration = new ApiServiceRegistration(process, api);
      const metrics = new ServerMetrics();
      const flows = new FlowConfiguration(process, api);
      let isBootstrapped = false;
      this.#addStorageMetrics(metrics, api);
      const floor = createFloor({
        api,
        process,
        metrics,
        classify: flows.classify,
        bootstrapped: () => isBootstrapped,
        isRemote: (group, version) => registration.isRemote(group, version),
        version: VERSION,
        authenticate: authentication(authenticator, stranger, () => this.pump.now),
        protobuf: options.protobuf,
        now: () => this.pump.now,
        etcdRuns: () => this.#etcd.running,
      });
      this.#server = { process, backend: metered(api.backend, metrics, () => this.pump.now), floor };
      process.onExit(() => {
        this.#server = undefined;
      });
      const custom = new CustomResourceServer(process, api, () => expressions);
      custom.onServed = registration.sync;
      custom.start();
      registration.start();
      process.spawn('bootstrap', async () => {
        listenOnSecurePort(process, apiHost, API_SERVER.port);
        await bootstrap(process, api, { ...API_SERVER, cidr: addresses.cidr, clusterIP: addresses.kubernetes }, flows);
        flows.start();
        repairServiceAddresses(
          process.child('repair-ip-addresses'),
          new Client(api.backend, KUBE_APISERVER),
          api.known,
        );
        const kubeadm = new Client(api.local, KUBEADM);
        if (!hasAddOns) {
          seedKubeadmPolicy(api, KUBEADM);
          await createAddOns(process, kubeadm, { ...ADD_ONS, clusterDns: addresses.dns });
          for (const name of options.nodeNames ?? []) await kubeadm.create(nodes, { metadata: { name }, spec: {} });
        }
        isBootstrapped = true;
        if (!hasAddOns && controlPlaneNode) await markControlPlane(process, kubeadm, 'control-plane');
        hasAddOns = true;
        bootstrapped();
      });
    });
    apiServer.start();

    let controllerManager: ControllerManager | undefined;
    const controllers = new Component(this.root, 'kube-controller-manager', (process) => {
      controllerManager = new ControllerManager(process, {
        backend,
        resources,
        config: {
          ...defaultControllerConfig,
          rootCA: options.rootCA ?? ROOT_CA,
          ...(options.signCertificate ? { signCertificate: options.signCertificate } : {}),
          signLegacyToken: (account, secret) => tokens.issueLegacy(account, secret),
          clusterCIDR: POD_CIDR,
          ...(options.loadBalancer ? { loadBalancerCIDR: '192.168.100.0/24' } : {}),
        },
      });
      controllerManager.start(allControllers.filter(({ name }) => options.controls?.(name) ?? true));
    });
    controllers.start();
    const scheduler = new Component(this.root, 'kube-scheduler', (process) => {
      new Scheduler(process, { backend, hostname: 'control-plane', latency, resources }).start();
    });
    if (options.scheduler !== false) scheduler.start();

    const network = new Network(this.root.child('network'), latency);
    createGateway(this.root.child('gateway'), network, GATEWAY);
    const registry = new Registry(
      componentImages((host) => [...this.#machines.values()].find((machine) => machine.host === host)?.link),
    );
    this.install = (userland) => registry.install(userland);
    if (options.userland) this.install(options.userland);
    const links = this.root.child('links');
    const addMachine = (name: string, index: number, own: Pick<MachineOptions, 'taints' | 'staticPods'>) => {
      const machine = new Machine({
        parent: this.root,
        links,
        name,
        address: nodeAddress(index),
        network,
        registry,
        latency,
        backend,
        version: VERSION.gitVersion,
        clusterDns: addresses.dns,
        hosts: () => this.#hostsFile(),
        ...own,
      });
      this.#machines.set(name, machine);
      machine.start();
    };
    if (controlPlaneNode)
      addMachine('control-plane', 0, { taints: CONTROL_PLANE_TAINTS, staticPods: controlPlanePods });
    for (let i = 1; i <= workers; i++) addMachine(`node-${i}`, i, {});
    const apiHost =
      this.#machines.get('control-plane')?.host ?? network.createHost('control-plane', API_SERVER.address);

    this.faults = new Faults(
      this.#inbox,
      new ClusterFaults({
        etcd: this.#etcd,
        apiServer,
        scheduler,
        controllers,
        controllerManager: () => controllerManager as ControllerManager,
        machines: this.#machines,
        controlPlane: this.#machines.get('control-plane'),
      }),
    );
    for (const machine of this.#machines.values()) machine.onPodGone = () => this.faults.changed();
    const nodesReady = this.#whenNodesReady(workers + (controlPlaneNode ? 1 : 0));
    this.#ready = whenBootstrapped.then(() => nodesReady);
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
    return new Client(this.#address, { user: ADMIN, userAgent: 'tabernetes' });
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
      etcd: hash(this.#etcd.cached('/registry/')),
    };
  }

  async #handle(request: HttpRequest): Promise<HttpResponse> {
    this.beforeInput();
    // What is too large is refused whatever it says: nothing to be logged.
    if (request.method === 'GET' || request.method === 'HEAD' || isTooLarge(request)) {
      const { process, floor } = this.#dial();
      return cutBy(process, await floor.handle(request, { cause: 0, observer: true }));
    }
    return this.#inbox.submit(request, false, (cause) =>
      this.#serve((floor) => floor.handle(request, { cause, observer: false })),
    );
  }

  async #upgrade(request: HttpRequest): Promise<HttpResponse | Upgraded> {
    this.beforeInput();
    if (isNodeShell(request.path))
      return this.#inbox.submit(request, true, async () => nodeShell(this.#machines, this.#home, request));
    return this.#inbox.submit(request, true, (cause) =>
      this.#serve((floor) => floor.upgrade(request, { cause, observer: false })),
    );
  }

  #addStorageMetrics(metrics: ServerMetrics, api: ApiServer): void {
    metrics.add({
      name: 'apiserver_storage_objects',
      help: '[STABLE] Number of stored objects at the time of last check split by kind.',
      type: 'gauge',
      samples: () =>
        [...api.resources.all()]
          .filter(({ storedAs }) => !storedAs)
          .map((definition) => ({
            labels: { resource: definition.group ? `${definition.plural}.${definition.group}` : definition.plural },
            value: this.#etcd.cached(`/registry/${definition.storagePrefix ?? definition.plural}/`).length,
          })),
    });
  }

  #hostsFile(): string {
    const lines = [...this.#machines.values()].map(({ name, host }) => `${host.address}\t${name}\n`);
    return `127.0.0.1\tlocalhost\n${lines.join('')}`;
  }

  /** Where people are who work at the cluster: the control plane's node, or the first one. */
  get #home(): Machine | undefined {
    return this.#machines.values().next().value;
  }

  /** Has the API server serve what was asked from outside; called in a task of another process. */
  async #serve<R extends HttpResponse | Upgraded>(serve: (floor: HttpFloor) => Promise<R>): Promise<R> {
    const { process, floor } = this.#dial();
    try {
      return cutBy(process, await process.call('request', () => serve(floor)));
    } catch (error) {
      throw error instanceof ProcessExitedError ? new ConnectionFailedError('EOF') : error;
    }
  }

  #dial(): RunningServer {
    if (!this.#server) throw new ConnectionFailedError('refused');
    return this.#server;
  }

  #whenNodesReady(count: number): Promise<void> {
    const ready = new Set<string>();
    return new Promise((resolve, reject) => {
      if (count === 0) resolve();
      this.#address
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
    for (const { cause } of this.#etcd.cached('/registry/')) yield cause;
  }
}
