import { leases } from '#api/coordination/v1/lease.ts';
import { nodes } from '#api/core/v1/node.ts';
import type { Lease, Node, NodeStatus } from '#api/generated/types.ts';
import { schemas } from '#api/schemas.ts';
import { jsonEqual } from '#apimachinery/equal.ts';
import type { JsonObject } from '#apimachinery/json.ts';
import { createTwoWayMergePatch } from '#apimachinery/patch-create.ts';
import { isStatus, StatusError } from '#apimachinery/status-error.ts';
import { formatMicroTime, type Timer } from '#base/clock.ts';
import { ProcessExitedError } from '#base/pump.ts';
import type { SpanId } from '#base/tracer.ts';
import type { Client } from '#client/client.ts';
import { Informer } from '#client/informer.ts';
import type { ImageService, RuntimeService } from '#cri/contract.ts';
import type { KubeletConfig, MachineIds } from './config.ts';
import type { KubeletContext } from './kubelet-context.ts';
import { initialNode, nodeStatus } from './node-status.ts';

const STATUS_PERIOD_MS = 10_000;
const REPORT_PERIOD_MS = 300_000;
const LEASE_SECONDS = 40;
const LEASE_PERIOD_MS = 10_000;
const MAX_REGISTER_MS = 7_000;
const LEASE_NAMESPACE = 'kube-node-lease';

/**
 * Everything about the Node: registers it, tells its status when it changes and every five minutes, renews its Lease
 * every ten seconds, and hands the Pod CIDR to the runtime. Follows pkg/kubelet/kubelet_node_status.go and
 * component-helpers' apimachinery/lease, v1.33.
 *
 * Differs from upstream: the status is computed when something of it has changed, not every ten seconds.
 */
export class NodeAgent {
  readonly #context: KubeletContext;
  readonly #client: Client;
  readonly #config: KubeletConfig;
  readonly #runtime: RuntimeService;
  readonly #images: ImageService;
  readonly #ids: MachineIds;
  readonly #informer: Informer<Node>;
  #registered = false;
  #reportedAt = Number.NEGATIVE_INFINITY;
  #nextReport: Timer | undefined;
  #scheduled = false;
  #reporting = false;
  #again = false;
  /** Called when the network has become ready. */
  onNetworkReady: (cause: SpanId) => void = () => {};

  constructor(
    context: KubeletContext,
    client: Client,
    config: KubeletConfig,
    runtime: RuntimeService,
    images: ImageService,
  ) {
    this.#context = context;
    this.#client = client;
    this.#config = config;
    this.#runtime = runtime;
    this.#images = images;
    const { rng } = context.process;
    this.#ids = config.ids ?? {
      machineID: rng.uuid().replaceAll('-', ''),
      systemUUID: rng.uuid(),
      bootID: rng.uuid(),
    };
    this.#informer = new Informer(context.process, client, nodes, {
      fieldSelector: `metadata.name=${config.nodeName}`,
    });
    this.#informer.addHandlers({
      add: (node, span) => this.#observe(node, span),
      update: (_, node, span) => this.#observe(node, span),
    });
  }

  /** The Node as it was last seen. */
  get node(): Node | undefined {
    return this.#informer.lister.get({ name: this.#config.nodeName });
  }

  start(): void {
    const { process } = this.#context;
    process.spawn('register node', () => this.#register());
  }

  /** Something that the status shows may have changed. */
  changed(): void {
    if (this.#scheduled || !this.#registered) return;
    this.#scheduled = true;
    const { process } = this.#context;
    process.clock.afterFunc(STATUS_PERIOD_MS, 'node status', () => {
      this.#scheduled = false;
      this.#report(0);
    });
  }

  async #register(): Promise<void> {
    const { process, component } = this.#context;
    const { nodeName } = this.#config;
    const span = process.tracer.start('work', component, `register node ${nodeName}`, 0, { node: nodeName });
    const client = this.#client.withCause(span);
    for (let wait = 100; ; wait = Math.min(MAX_REGISTER_MS, wait * 2)) {
      const { status, events } = nodeStatus(
        this.#config,
        this.#ids,
        this.#runtime,
        this.#images,
        {},
        this.#context.now,
      );
      try {
        await client.create(nodes, initialNode(this.#config, status));
        this.#event('Starting', 'Starting kubelet.', span);
        for (const reason of events) this.#statusEvent(reason, span);
        break;
      } catch (error) {
        if (isStatus(error, 'AlreadyExists')) {
          this.#event('Starting', 'Starting kubelet.', span);
          break;
        }
        if (!(error instanceof StatusError) && !(error instanceof ProcessExitedError)) throw error;
      }
      await process.clock.sleep(wait);
    }
    this.#registered = true;
    this.#event('NodeAllocatableEnforced', 'Updated Node Allocatable limit across pods', span);
    process.tracer.end(span);
    this.#informer.start();
    await this.#informer.whenSynced();
    process.spawn('renew lease', () => this.#keepLease());
    this.#report(span);
  }

  #observe(node: Node, cause: SpanId): void {
    const { podCIDR } = node.spec ?? {};
    // Somebody has given the Node up.
    if (node.status?.conditions?.some(({ status }) => status === 'Unknown')) this.changed();
    if (!podCIDR || this.#runtime.networkReady) return;
    this.#runtime.updatePodCidr(podCIDR);
    this.#report(cause);
    this.onNetworkReady(cause);
  }

  #report(cause: SpanId): void {
    if (this.#reporting) {
      this.#again = true;
      return;
    }
    this.#reporting = true;
    this.#context.process.spawn('report node status', async () => {
      try {
        await this.#write(cause);
      } catch (error) {
        if (!(error instanceof StatusError) && !(error instanceof ProcessExitedError)) throw error;
        this.changed();
      }
      this.#reporting = false;
      if (this.#again) {
        this.#again = false;
        this.#report(0);
      }
    });
  }

  async #write(cause: SpanId): Promise<void> {
    const { node } = this;
    if (!node) return;
    const { now, process } = this.#context;
    const before = node.status ?? {};
    const { status, events, rebooted } = nodeStatus(this.#config, this.#ids, this.#runtime, this.#images, before, now);
    if (now - this.#reportedAt < REPORT_PERIOD_MS && sameButHeartbeats(before, status)) return;
    const schema = schemas.lookup('io.k8s.api.core.v1.Node');
    const patch = createTwoWayMergePatch(
      { status: before } as unknown as JsonObject,
      { status } as unknown as JsonObject,
      schema,
    );
    this.#reportedAt = now;
    this.#nextReport?.stop();
    this.#nextReport = process.clock.afterFunc(REPORT_PERIOD_MS, 'node status', () => this.#report(0));
    if (patch.status === undefined) return;
    const type = 'application/strategic-merge-patch+json';
    await this.#client
      .withCause(cause)
      .patch(nodes, { name: this.#config.nodeName }, type, patch, { subresource: 'status' });
    if (rebooted) {
      const message = `Node ${this.#config.nodeName} has been rebooted, boot id: ${this.#ids.bootID}`;
      this.#context.nodeEvent(this.#config.nodeName, 'Warning', 'Rebooted', message, cause);
    }
    for (const reason of events) this.#statusEvent(reason, cause);
  }

  async #keepLease(): Promise<void> {
    const { clock } = this.#context.process;
    let lease: Lease | undefined;
    for (;;) {
      lease = await this.#renew(lease);
      await clock.sleep(LEASE_PERIOD_MS);
    }
  }

  async #renew(known: Lease | undefined): Promise<Lease | undefined> {
    const { nodeName } = this.#config;
    const key = { namespace: LEASE_NAMESPACE, name: nodeName };
    const spec = {
      holderIdentity: nodeName,
      leaseDurationSeconds: LEASE_SECONDS,
      renewTime: formatMicroTime(this.#context.now),
    };
    try {
      const lease = known ?? (await this.#currentLease(key));
      if (lease) return await this.#client.update(leases, { ...lease, spec: { ...lease.spec, ...spec } });
      const { uid = '' } = this.node?.metadata ?? {};
      const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name: nodeName, uid }];
      return await this.#client.create(leases, { metadata: { ...key, ...(uid ? { ownerReferences } : {}) }, spec });
    } catch (error) {
      if (!(error instanceof StatusError) && !(error instanceof ProcessExitedError)) throw error;
      return undefined;
    }
  }

  async #currentLease(key: { readonly namespace: string; readonly name: string }): Promise<Lease | undefined> {
    try {
      return await this.#client.get(leases, key);
    } catch (error) {
      if (isStatus(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  #statusEvent(reason: string, cause: SpanId): void {
    this.#event(reason, `Node ${this.#config.nodeName} status is now: ${reason}`, cause);
  }

  #event(reason: string, message: string, cause: SpanId): void {
    this.#context.nodeEvent(this.#config.nodeName, 'Normal', reason, message, cause);
  }
}

/** Whether nothing changed but the times at which the conditions were looked at. */
function sameButHeartbeats(before: NodeStatus, after: NodeStatus): boolean {
  const quiet = ({ conditions = [], ...rest }: NodeStatus) => ({
    ...rest,
    conditions: conditions.map(({ lastHeartbeatTime: _, ...condition }) => condition),
  });
  return jsonEqual(quiet(before), quiet(after));
}
