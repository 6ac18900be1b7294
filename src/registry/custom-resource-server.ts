import { CLEANUP_FINALIZER, isConditionTrue, withCondition } from '#api/apiextensions/v1/crd-conditions.ts';
import { customResourceDefinitions } from '#api/apiextensions/v1/custom-resource-definition.ts';
import { isServed } from '#api/apiextensions/v1/served-resources.ts';
import type { CustomResourceDefinition } from '#api/generated/types.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import type { ResourceDefinition } from '#apimachinery/resource.ts';
import { isStatus, StatusError } from '#apimachinery/status-error.ts';
import type { ApiServer } from '#apiserver/api-server.ts';
import { formatTime } from '#base/clock.ts';
import type { Process } from '#base/pump.ts';
import type { SpanId } from '#base/tracer.ts';
import { Client } from '#client/client.ts';
import { Informer } from '#client/informer.ts';
import { WorkQueue } from '#client/work-queue.ts';
import { customResources, type RuleEvaluator } from './custom-resource.ts';
import { planApproval, planEstablished, planNames } from './custom-resource-names.ts';

const CLEANUP_POLL_MS = 5_000;
const CLEANUP_LIMIT_MS = 60_000;
const CLEANUP_WORKERS = 5;

interface Serving {
  /** As it was when its resources were made. */
  readonly made: CustomResourceDefinition;
  readonly definitions: readonly ResourceDefinition[];
  terminating: boolean;
}

/**
 * Serves the resources of CustomResourceDefinitions: puts them into the server's table and takes them away, gives the
 * definitions their conditions, and empties what is being deleted. It runs in the API server and ends with it; what it
 * knows it has from the store. Follows apiextensions-apiserver/pkg/apiserver and pkg/controller, v1.33.
 */
export class CustomResourceServer {
  readonly #process: Process;
  readonly #api: ApiServer;
  readonly #rules: () => RuleEvaluator | undefined;
  readonly #client: Client;
  readonly #informer: Informer<CustomResourceDefinition>;
  readonly #serving = new Map<string, Serving>();
  readonly #queue: WorkQueue;
  readonly #cleanup: WorkQueue;

  /** Called when what is served has changed. */
  onServed: () => void = () => {};

  constructor(process: Process, api: ApiServer, rules: () => RuleEvaluator | undefined) {
    this.#process = process;
    this.#api = api;
    this.#rules = rules;
    this.#client = new Client(api.local, {
      user: { name: 'system:apiserver', groups: ['system:masters'] },
      userAgent: 'kube-apiserver/v1.33.0 (linux/amd64) kubernetes/60a317e',
    });
    this.#queue = new WorkQueue(process, 'crd_naming_condition_controller');
    this.#cleanup = new WorkQueue(process, 'crd_finalizer');
    this.#informer = new Informer(process, this.#client, customResourceDefinitions);
  }

  /** Begins to serve what the store has. */
  start(): void {
    this.#informer.addHandlers({
      add: (crd, span) => this.#changed(crd, span),
      update: (_, crd, span) => this.#changed(crd, span),
      delete: (crd, span) => {
        this.#retire(crd.metadata.name ?? '');
        this.#queue.add(crd.metadata.name ?? '', span);
      },
    });
    this.#informer.start();
    this.#work(this.#queue, (client, name) => this.#reconcile(client, name));
    for (let i = 0; i < CLEANUP_WORKERS; i++) this.#work(this.#cleanup, (client, name) => this.#finalize(client, name));
  }

  /** Parks the calling task until what the store had at the start is served. */
  whenSynced(): Promise<void> {
    return this.#informer.whenSynced();
  }

  #changed(crd: CustomResourceDefinition, span: SpanId): void {
    const { name = '', deletionTimestamp, finalizers } = crd.metadata;
    this.#serve(crd);
    if (deletionTimestamp && finalizers?.includes(CLEANUP_FINALIZER)) this.#cleanup.add(name, span);
    else this.#queue.add(name, span);
  }

  /** Brings the table of resources up to date with a definition. */
  #serve(crd: CustomResourceDefinition): void {
    const { name = '' } = crd.metadata;
    const old = this.#serving.get(name);
    const terminating = isConditionTrue(crd, 'Terminating');
    const same =
      old !== undefined &&
      old.made.metadata.uid === crd.metadata.uid &&
      semanticEqual(old.made.spec, crd.spec) &&
      semanticEqual(old.made.status?.acceptedNames, crd.status?.acceptedNames) &&
      isServed(old.made) === isServed(crd);
    if (old && same) {
      old.terminating = terminating;
      return;
    }
    const table = this.#api.resources;
    const resources = customResources(crd, this.#rules(), () => serving.terminating);
    const serving: Serving = { made: crd, definitions: resources.map(({ definition }) => definition), terminating };
    this.#serving.set(name, serving);
    const kept = new Set<ResourceDefinition>();
    for (const { definition, endpoints } of resources) {
      const taken = table.find(definition.group, definition.version, definition.plural);
      // What is built in goes first, whatever a definition says.
      if (taken && !taken.custom) continue;
      table.add(definition, endpoints);
      kept.add(definition);
    }
    for (const definition of old?.definitions ?? []) if (!kept.has(definition)) table.remove(definition);
    this.onServed();
  }

  #retire(name: string): void {
    for (const definition of this.#serving.get(name)?.definitions ?? []) this.#api.resources.remove(definition);
    this.#serving.delete(name);
    this.onServed();
  }

  #work(queue: WorkQueue, reconcile: (client: Client, name: string) => Promise<void>): void {
    this.#process.spawn(queue.name, async () => {
      for (;;) {
        const { key, span } = await queue.take();
        const work = this.#process.tracer.start('reconcile', 'kube-apiserver', key, span);
        try {
          await reconcile(this.#client.withCause(work), key);
          queue.forget(key);
        } catch (error) {
          if (!(error instanceof StatusError)) throw error;
          // What was changed or deleted meanwhile comes again by itself.
          if (!isStatus(error, 'Conflict', 'NotFound')) queue.addRateLimited(key, work);
        }
        this.#process.tracer.end(work);
        queue.done(key);
      }
    });
  }

  async #reconcile(client: Client, name: string): Promise<void> {
    // A consistent read: names are given out one after the other.
    const { items } = await client.list(customResourceDefinitions);
    const crd = items.find(({ metadata }) => metadata.name === name);
    if (!crd) {
      this.#reconsider(name.slice(name.indexOf('.') + 1), name);
      return;
    }
    const now = formatTime(this.#process.clock.now());
    const named = planNames(crd, items, now);
    if (named !== crd) {
      await client.updateStatus(customResourceDefinitions, named);
      this.#reconsider(crd.spec.group, name);
      return;
    }
    const approved = planApproval(crd, now);
    if (approved !== crd) {
      await client.updateStatus(customResourceDefinitions, approved);
      return;
    }
    const established = planEstablished(crd, now);
    if (established === crd) return;
    // Served before it says so.
    this.#serve(crd);
    await client.updateStatus(customResourceDefinitions, established);
  }

  /** A name may have become free for another definition of the group. */
  #reconsider(group: string, name: string): void {
    for (const { spec, metadata } of this.#informer.lister.list())
      if (spec.group === group && metadata.name !== name) this.#queue.add(metadata.name ?? '');
  }

  /** Follows pkg/controller/finalizer/crd_finalizer.go, v1.33. */
  async #finalize(client: Client, name: string): Promise<void> {
    let crd = await client.get(customResourceDefinitions, { name });
    if (!crd.metadata.deletionTimestamp || !crd.metadata.finalizers?.includes(CLEANUP_FINALIZER)) return;
    const say = async (status: string, reason: string, message: string, last = false) => {
      const now = formatTime(this.#process.clock.now());
      const next = withCondition(crd, { type: 'Terminating', status, reason, message }, now);
      const { metadata } = next;
      const finalizers = last ? metadata.finalizers?.filter((each) => each !== CLEANUP_FINALIZER) : metadata.finalizers;
      crd = await client.updateStatus(customResourceDefinitions, { ...next, metadata: { ...metadata, finalizers } });
    };
    await say('True', 'InstanceDeletionInProgress', 'CustomResource deletion is in progress');
    if (!isConditionTrue(crd, 'Established')) {
      await say('False', 'NeverEstablished', 'resource was never established', true);
      return;
    }
    const resource = this.#serving.get(name)?.definitions[0];
    if (resource) {
      const namespaces = new Set((await client.list(resource)).items.map(({ metadata }) => metadata.namespace));
      for (const namespace of namespaces) await client.deleteCollection(resource, { namespace });
      const end = this.#process.clock.now() + CLEANUP_LIMIT_MS;
      while ((await client.list(resource)).items.length > 0) {
        if (this.#process.clock.now() >= end) {
          const why = 'could not confirm zero CustomResources remaining: context deadline exceeded';
          await say('True', 'InstanceDeletionCheck', why);
          throw new StatusError(500, 'InternalError', why);
        }
        await this.#process.clock.sleep(CLEANUP_POLL_MS);
      }
    }
    await say('False', 'InstanceDeletionCompleted', 'removed all instances', true);
  }
}
