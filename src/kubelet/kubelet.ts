import { configMaps } from '#api/core/v1/config-map.ts';
import { events } from '#api/core/v1/event.ts';
import { pods } from '#api/core/v1/pod.ts';
import { qosClass } from '#api/core/v1/pod-resources.ts';
import { isMirrorPod, isPodTerminal } from '#api/core/v1/pod-status.ts';
import { secrets } from '#api/core/v1/secret.ts';
import { services } from '#api/core/v1/service.ts';
import type { ConfigMap, Pod, Secret, Service } from '#api/generated/types.ts';
import type { Process } from '#base/pump.ts';
import type { SpanId } from '#base/tracer.ts';
import type { Client } from '#client/client.ts';
import { CoreEventRecorder } from '#client/event-recorder.ts';
import { Informer } from '#client/informer.ts';
import type { ImageService, RuntimeService } from '#cri/contract.ts';
import type { NetworkNamespace } from '#network/network.ts';
import type { HttpServer } from '#transport/http.ts';
import { admitPod } from './admission.ts';
import type { KubeletConfig } from './config.ts';
import { ContainerStarter } from './container-starter.ts';
import { CrashBackoff } from './crash-backoff.ts';
import { HostFiles } from './host-files.ts';
import { ImagePuller } from './images.ts';
import { KubeletContext } from './kubelet-context.ts';
import { LifecycleHooks } from './lifecycle-hooks.ts';
import { NodeAgent } from './node-agent.ts';
import { ObjectCache } from './object-cache.ts';
import { NodeUsage } from './node-usage.ts';
import { PodKiller } from './pod-killer.ts';
import { podRuntimeStatus } from './pod-runtime-status.ts';
import { PodVolumes } from './pod-volumes.ts';
import { PodWorker } from './pod-worker.ts';
import { PodProbes, type ProbeEnvironment } from './probes.ts';
import { createKubeletServer } from './server.ts';
import { requestToken } from './service-account-tokens.ts';
import { StaticPods } from './static-pods.ts';
import { StatusWriter } from './status-writer.ts';

/** What a kubelet works with. */
export interface KubeletOptions {
  /** Ends with the kubelet; containers go on without it. */
  readonly process: Process;
  readonly client: Client;
  readonly runtime: RuntimeService;
  readonly images: ImageService;
  /** The node's own network, from which probes and hooks ask. */
  readonly network: NetworkNamespace;
  readonly config: KubeletConfig;
  /** The machine's disk; one of the kubelet's own where it is not given. */
  readonly hostFiles?: HostFiles;
}

/**
 * The agent of one node: registers it, runs the Pods that are bound to it, tells how they are. It talks to nobody but
 * the API server and the container runtime. Everything it does has a cause: a delivery, an event of the runtime, a probe,
 * a timer. Follows pkg/kubelet, v1.33.
 */
export class Kubelet {
  /** Its own HTTP API: logs, exec, attach. */
  readonly server: HttpServer;
  readonly #options: KubeletOptions;
  readonly #context: KubeletContext;
  readonly #node: NodeAgent;
  readonly #status: StatusWriter;
  readonly #images: ImagePuller;
  readonly #starter: ContainerStarter;
  readonly #killer: PodKiller;
  readonly #crashes = new CrashBackoff();
  readonly #configMaps: ObjectCache<ConfigMap>;
  readonly #secrets: ObjectCache<Secret>;
  readonly #host: HostFiles;
  readonly #pods: Informer<Pod>;
  /** Those with an address, for the environment of containers. */
  readonly #services: Informer<Service>;
  readonly #static: StaticPods;
  readonly #workers = new Map<string, PodWorker>();
  readonly #usage = new NodeUsage();
  readonly #startedAt: number;

  constructor(options: KubeletOptions) {
    const { process, client, runtime, images, network, config } = options;
    this.#options = options;
    const recorder = new CoreEventRecorder(process, client, events, { component: 'kubelet', host: config.nodeName });
    const context = new KubeletContext(process, config.nodeName, recorder);
    this.#context = context;
    this.#startedAt = context.now;
    const hooks = new LifecycleHooks(context, runtime, network);
    this.#images = new ImagePuller(context, images);
    this.#starter = new ContainerStarter({ context, config, runtime, images: this.#images, hooks });
    this.#killer = new PodKiller(context, runtime, hooks);
    this.#host = options.hostFiles ?? new HostFiles(config.nodeName, () => context.now);
    this.#node = new NodeAgent(context, client, config, runtime, images);
    const changed = (uids: readonly string[]) => {
      for (const uid of uids) this.#workers.get(uid)?.contentChanged();
    };
    this.#configMaps = new ObjectCache(process, client, configMaps, changed);
    this.#secrets = new ObjectCache(process, client, secrets, changed);
    this.#status = new StatusWriter({
      process,
      client,
      component: context.component,
      mayRun: (uid) => this.#workers.get(uid)?.mayRun === true,
    });
    this.#pods = new Informer(process, client, pods, { fieldSelector: `spec.nodeName=${config.nodeName}` });
    this.#services = new Informer(process, client, services, { fieldSelector: 'spec.clusterIP!=None' });
    this.#static = new StaticPods(context, client, config);
    this.server = createKubeletServer({
      context,
      runtime,
      pods: () => [...this.#workers.values()].map(({ pod }) => pod),
      find: (namespace, name) => this.#find(namespace, name),
      status: (uid) => this.#status.status(uid),
    });
  }

  /** Begins to work. */
  start(): void {
    const { process } = this.#context;
    const { runtime } = this.#options;
    // At once, not in a turn of its own: a sync that begins after an event has seen it, and need not be followed by another.
    const forget = runtime.onEvent(({ type, podUid }) => {
      if (type === 'Started' || type === 'Stopped') this.#workers.get(podUid)?.containerChanged();
      if (type === 'Started') this.#node.changed();
    });
    process.onExit(forget);
    this.#node.onNetworkReady = (cause) => {
      for (const worker of this.#workers.values()) worker.sync(cause);
    };
    this.#node.start();
    this.#services.start();
    this.#pods.addHandlers({
      add: (pod, span) => this.#add(pod, span),
      update: (_, pod, span) => this.#update(pod, span),
      delete: (pod, span) => this.#remove(pod, span),
    });
    this.#pods.start();
    process.spawn('run Pods', async () => {
      await this.#pods.whenSynced();
      await this.#removeOrphans();
      for (const pod of this.#static.pods) this.#run(pod, 0);
    });
  }

  #add(pod: Pod, cause: SpanId): void {
    if (isMirrorPod(pod)) {
      this.#static.seen(pod, (uid, mirror) => this.#status.observe(uid, mirror, cause));
      return;
    }
    const uid = pod.metadata.uid ?? '';
    if (!pod.metadata.deletionTimestamp && !isPodTerminal(pod) && this.#node.node) {
      const rejection = admitPod(pod, this.#node.node, this.#usage);
      if (rejection) {
        const { reason, message } = rejection;
        this.#context.podEvent(pod, 'Warning', reason, message, cause);
        const status = { phase: 'Failed', reason, message: `Pod was rejected: ${message}`, qosClass: qosClass(pod) };
        this.#status.set(pod, { ...pod.status, ...status }, cause, true);
        return;
      }
    }
    if (!this.#workers.has(uid)) this.#run(pod, cause);
  }

  #run(pod: Pod, cause: SpanId): void {
    const worker = this.#createWorker(pod);
    this.#workers.set(worker.uid, worker);
    if (!isPodTerminal(pod)) this.#usage.add(pod);
    if (pod.metadata.deletionTimestamp || isPodTerminal(pod)) worker.update(pod, cause);
    else worker.sync(cause);
  }

  #update(pod: Pod, cause: SpanId): void {
    if (isMirrorPod(pod)) {
      this.#static.seen(pod, (uid, mirror) => this.#status.observe(uid, mirror, cause));
      return;
    }
    const uid = pod.metadata.uid ?? '';
    this.#status.observe(uid, pod, cause);
    this.#workers.get(uid)?.update(pod, cause);
  }

  #remove(pod: Pod, cause: SpanId): void {
    if (isMirrorPod(pod)) {
      this.#static.gone(pod);
      return;
    }
    const uid = pod.metadata.uid ?? '';
    const worker = this.#workers.get(uid);
    if (!worker) this.#status.forget(uid);
    else {
      worker.remove(pod, cause);
      if (worker.finished) this.#forget(worker);
    }
  }

  /** What is found by its names; for the HTTP API. */
  #find(namespace: string, name: string): Pod | undefined {
    for (const { pod } of this.#workers.values()) {
      if (pod.metadata.name === name && pod.metadata.namespace === namespace) return pod;
    }
    return this.#pods.lister.get({ namespace, name });
  }

  #createWorker(pod: Pod): PodWorker {
    const { runtime, config, client } = this.#options;
    const context = this.#context;
    const uid = pod.metadata.uid ?? '';
    const downward = () => ({
      hostAddress: config.nodeAddress,
      podAddress: podRuntimeStatus(runtime, uid).address ?? (pod.spec.hostNetwork ? config.nodeAddress : undefined),
      allocatable: this.#node.node?.status?.allocatable ?? config.capacity,
    });
    const configMap = (namespace: string, name: string) => this.#configMaps.get(uid, namespace, name);
    const secret = (namespace: string, name: string) => this.#secrets.get(uid, namespace, name);
    const environment: ProbeEnvironment = {
      context,
      runtime,
      network: this.#options.network,
      startedAt: this.#startedAt,
      status: (one) => this.#status.status(one),
      changed: (one, type, containerId, verdict, cause) => {
        const id = `containerd://${containerId}`;
        if (type === 'Readiness') this.#status.setReady(one, id, verdict === 'success', cause);
        if (type === 'Startup') this.#status.setStarted(one, id, verdict === 'success', cause);
        this.#workers.get(one)?.sync(cause);
      },
    };
    return new PodWorker(pod, {
      context,
      runtime,
      starter: this.#starter,
      killer: this.#killer,
      status: this.#status,
      volumes: new PodVolumes({
        configMap,
        secret,
        token: (one, projection) => requestToken(client, one, projection),
        downward,
        host: this.#host,
        now: () => context.now,
      }),
      probes: new PodProbes(environment),
      sources: {
        configMap,
        secret,
        services: this.#services,
        get hostAddress() {
          return config.nodeAddress;
        },
        get podAddress() {
          return downward().podAddress;
        },
        get allocatable() {
          return downward().allocatable;
        },
      },
      crashes: this.#crashes,
      hostAddress: config.nodeAddress,
      clusterDomain: config.clusterDomain,
      finished: (worker) => this.#release(worker),
    });
  }

  /** A Pod has ended: what it held of the kubelet is given back. Its containers stay, for their logs, while its object does. */
  #release(worker: PodWorker): void {
    this.#usage.remove(worker.uid);
    this.#configMaps.release(worker.uid);
    this.#secrets.release(worker.uid);
    this.#images.forget(worker.uid);
    this.#crashes.forget(`${worker.uid}_`);
    if (worker.gone) this.#forget(worker);
  }

  /** Nobody will ask for the Pod again. */
  #forget({ uid, pod }: PodWorker): void {
    this.#workers.delete(uid);
    this.#status.forget(uid);
    this.#context.process.spawn(`remove pod ${pod.metadata.namespace}/${pod.metadata.name}`, () => this.#cleanUp(uid));
  }

  /** Takes away all that is left of a Pod. */
  async #cleanUp(uid: string): Promise<void> {
    const { runtime } = this.#options;
    for (const { id } of podRuntimeStatus(runtime, uid).containers) this.#starter.forget(id);
    for (const { id } of runtime.listPodSandboxes(uid)) await runtime.removePodSandbox(id);
    this.#host.removePod(uid);
  }

  /** Ends what runs here and what nobody asked for: its Pods went while the kubelet was away. */
  async #removeOrphans(): Promise<void> {
    const known = new Set(this.#workers.keys());
    for (const { config } of this.#options.runtime.listPodSandboxes())
      if (!known.has(config.uid)) await this.#cleanUp(config.uid);
  }
}
