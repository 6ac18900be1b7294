import { nodes } from '#api/core/v1/node.ts';
import { services } from '#api/core/v1/service.ts';
import { endpointSlices } from '#api/discovery/v1/endpoint-slice.ts';
import type { EndpointSlice } from '#api/generated/types.ts';
import type { Process } from '#base/pump.ts';
import { MAX_PARENTS, type SpanId } from '#base/tracer.ts';
import type { Client } from '#client/client.ts';
import type { Index } from '#client/indexer.ts';
import { type Informer, InformerFactory } from '#client/informer.ts';
import { keyOf, nameOfKey } from '#client/key.ts';
import type { NetworkNamespace } from '#network/network.ts';
import { ProxyHealth } from './proxy-health.ts';
import type { PacketFilter } from './packet-filter.ts';
import type { ProxyConfig } from './proxy-config.ts';
import type { ServicePortCompiler, ServicePortInfo } from './service-ports.ts';

/** What one node's kube-proxy is given. */
export interface KubeProxyOptions {
  /** It ends with this process; what it has told the packet filter stays. */
  readonly process: Process;
  readonly client: Client;
  readonly nodeName: string;
  /** The node's own network. */
  readonly host: NetworkNamespace;
  /** Of the node, not of this process. */
  readonly filter: PacketFilter;
  /** Shared by all nodes. */
  readonly compiler: ServicePortCompiler;
  readonly config: ProxyConfig;
  /** Takes a line of its log, in klog's form without the header; parks the calling task. */
  readonly log: (level: 'I' | 'E', source: string, text: string) => Promise<void>;
}

/** Neither what another proxy serves nor what has no address. Follows cmd/kube-proxy/app/server.go, v1.33. */
const SELECTION = { labelSelector: '!service.kubernetes.io/headless,!service.kubernetes.io/service-proxy-name' };
/** How many syncs may follow each other at once before they are spaced out. */
const BURST_SYNCS = 2;

const byService: Index<EndpointSlice> = {
  name: 'kubernetes.io/service-name',
  values: ({ metadata }) => {
    const service = metadata.labels?.['kubernetes.io/service-name'];
    return service ? `${metadata.namespace}/${service}` : undefined;
  },
};

/** Turns Services and EndpointSlices into rules of a node's packet filter. Follows pkg/proxy, v1.33. */
export class KubeProxy {
  readonly #options: KubeProxyOptions;
  readonly #services;
  readonly #slices: Informer<EndpointSlice>;
  readonly #nodes;
  readonly #informers: InformerFactory;
  readonly #health: ProxyHealth;
  /** Keys of Services whose rules have to be looked at, and why. */
  readonly #changed = new Set<string>();
  #causes: SpanId[] = [];
  readonly #applied = new Map<string, readonly ServicePortInfo[]>();
  #ready = false;
  #syncWaits = false;
  /** When the next sync would be due if there were no bursts. */
  #due = Number.NEGATIVE_INFINITY;

  constructor(options: KubeProxyOptions) {
    const { process, client, nodeName, host } = options;
    this.#options = options;
    this.#informers = new InformerFactory(process, client);
    this.#services = this.#informers.informer(services, SELECTION);
    this.#slices = this.#informers.informer(endpointSlices, SELECTION).addIndex(byService);
    this.#nodes = this.#informers.informer(nodes, { fieldSelector: `metadata.name=${nodeName}` });
    this.#health = new ProxyHealth(process, host, () => this.#options.config);
    const touch = (key: string | undefined, span: SpanId) => {
      if (key !== undefined) this.#change(key, span);
    };
    this.#services.addHandlers({
      add: (service, span) => touch(keyOf(service), span),
      update: (_, service, span) => touch(keyOf(service), span),
      delete: (service, span) => touch(keyOf(service), span),
    });
    const serviceOf = (slice: EndpointSlice) => byService.values(slice) as string | undefined;
    this.#slices.addHandlers({
      add: (slice, span) => touch(serviceOf(slice), span),
      update: (previous, slice, span) => {
        touch(serviceOf(slice), span);
        if (serviceOf(previous) !== serviceOf(slice)) touch(serviceOf(previous), span);
      },
      delete: (slice, span) => touch(serviceOf(slice), span),
    });
    this.#nodes.addHandlers({
      add: () => this.#configure(),
      update: () => this.#configure(),
      delete: () => this.#configure(),
    });
  }

  /** Runs until its process ends; to be called in a task. */
  async run(): Promise<void> {
    const { log, config, host } = this.#options;
    await log('I', 'server_linux.go:63', `"Using ${config.mode} proxy"`);
    await log('I', 'server.go:715', `"Successfully retrieved NodeIPs" NodeIPs=["${host.address}"]`);
    await log('I', 'server.go:516', '"Version info" version="v1.33.0"');
    for (const field of config.ignored)
      await log('E', 'server.go:245', `"This field is not emulated and does nothing" field="${field}"`);
    for (const problem of this.#health.serve()) await log('E', 'server.go:593', problem);
    this.#informers.start();
    for (const [source, name, informer] of [
      ['config.go:199', 'service', this.#services],
      ['config.go:105', 'endpoint slice', this.#slices],
      ['config.go:329', 'node', this.#nodes],
    ] as const) {
      await log('I', source, `"Starting ${name} config controller"`);
      await log('I', 'shared_informer.go:350', `"Waiting for caches to sync" controller="${name} config"`);
      await informer.whenSynced();
      await log('I', 'shared_informer.go:357', `"Caches are synced" controller="${name} config"`);
    }
    this.#ready = true;
    // What an earlier kube-proxy left is replaced, all at once.
    this.#options.filter.clear();
    this.#configure();
    this.#sync();
    await this.#options.process.park<void>(() => {});
  }

  #configure(): void {
    if (!this.#ready) return;
    const { filter, config, nodeName: name, process } = this.#options;
    const node = this.#nodes.lister.getByKey(name);
    this.#health.eligible =
      node?.metadata.deletionTimestamp === undefined &&
      node?.spec?.taints?.some(({ key }) => key === 'ToBeDeletedByClusterAutoscaler') !== true;
    const zone = node?.metadata.labels?.['topology.kubernetes.io/zone'] ?? '';
    filter.configure({ node: { name, zone }, mode: config.mode, rng: process.rng, now: () => process.clock.now() });
  }

  #change(key: string, span: SpanId): void {
    this.#changed.add(key);
    if (span && this.#causes.length < MAX_PARENTS) this.#causes.push(span);
    if (!this.#ready || this.#syncWaits) return;
    this.#syncWaits = true;
    this.#health.queued();
    const { process, config } = this.#options;
    const now = process.clock.now();
    const due = Math.max(this.#due, now);
    this.#due = due + config.minSyncPeriodMs;
    const wait = due - (BURST_SYNCS - 1) * config.minSyncPeriodMs - now;
    // What is delivered at the same instant is taken along.
    if (wait <= 0) process.post('sync rules', () => this.#sync(), true);
    else process.clock.afterFunc(wait, 'sync rules', () => this.#sync());
  }

  #sync(): void {
    this.#syncWaits = false;
    const { filter, compiler, process, nodeName } = this.#options;
    let ports = 0;
    const changed: string[] = [];
    for (const key of this.#changed) {
      const service = this.#services.lister.getByKey(key);
      const slices = this.#slices.lister
        .byIndex(byService, key)
        .filter(({ addressType }) => addressType === 'IPv4')
        .sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
      const before = this.#applied.get(key) ?? [];
      const after = service ? compiler.compile(service, slices) : [];
      if (before === after || (before.length === 0 && after.length === 0)) continue;
      filter.replace(before, after);
      if (after.length > 0) this.#applied.set(key, after);
      else this.#applied.delete(key);
      ports += after.length;
      changed.push(key);
      this.#health.serveService(nameOfKey(key), after, nodeName);
    }
    this.#changed.clear();
    this.#health.updated();
    if (changed.length > 0)
      process.tracer.instant('work', `kube-proxy/${nodeName}`, 'sync rules', this.#causes, {
        services: changed.slice(0, 16),
        ports,
        rules: filter.size,
      });
    this.#causes = [];
  }
}
