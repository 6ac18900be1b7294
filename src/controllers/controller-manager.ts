import type { ApiBackend } from '#apimachinery/api-request.ts';
import { apiVersionOf, type ApiObject, type NamespacedName, type ResourceDefinition } from '#apimachinery/resource.ts';
import { StatusError } from '#apimachinery/status-error.ts';
import { type Process, ProcessExitedError } from '#base/pump.ts';
import type { SpanId } from '#base/tracer.ts';
import { events } from '#api/core/v1/event.ts';
import { Client } from '#client/client.ts';
import { CoreEventRecorder } from '#client/event-recorder.ts';
import { Informer, InformerFactory } from '#client/informer.ts';
import { controllerOf, keyOf, nameOfKey } from '#client/key.ts';
import { ControllerRateLimiter, type RateLimiter } from '#client/rate-limiter.ts';
import { WorkQueue } from '#client/work-queue.ts';
import { controllers } from './controllers.ts';
import {
  type ControllerDefinition,
  type ControllerDeps,
  type ControllerManagerOptions,
  type QueueOptions,
  ReconcileError,
  type ReconcileContext,
  type ReconcileResult,
} from './define-controller.ts';

const USER_AGENT = 'kube-controller-manager/v1.33.0 (linux/amd64) kubernetes/60a317e';
const MANAGER = 'system:kube-controller-manager';

/**
 * kube-controller-manager: all controllers over one set of informers, each in a process of its own that can be stopped
 * and started alone. It ends with the process that it is given.
 */
export class ControllerManager {
  readonly #process: Process;
  readonly #options: ControllerManagerOptions;
  readonly #informers: InformerFactory;
  readonly #running = new Map<string, Process>();

  constructor(process: Process, options: ControllerManagerOptions) {
    this.#process = process;
    this.#options = options;
    this.#informers = new InformerFactory(process, clientOf(options.backend, '', 'shared-informers'));
  }

  /** Starts controllers, all by default. One that is running already goes on. */
  start(definitions: readonly ControllerDefinition[] = controllers): void {
    for (const definition of definitions) {
      if (this.#running.has(definition.name)) continue;
      const process = this.#process.child(definition.name);
      this.#running.set(definition.name, process);
      process.onExit(() => this.#running.delete(definition.name));
      startController(process, definition, this.#options, this.#informers);
    }
    this.#informers.start();
  }

  /** Stops one controller where it is; `start` begins it anew. */
  stop(name: string): void {
    this.#running.get(name)?.exit();
  }

  /** The names of the controllers that run. */
  get running(): readonly string[] {
    return [...this.#running.keys()];
  }
}

/** A client as controllers have it: acting as a service account of kube-system, or ('') as the manager itself. */
function clientOf(backend: ApiBackend, serviceAccount: string, agent: string): Client {
  if (serviceAccount === '') {
    const user = { name: MANAGER, groups: ['system:authenticated'] };
    return new Client(backend, { user, userAgent: `${USER_AGENT}/${agent}` });
  }
  const name = `system:serviceaccount:kube-system:${serviceAccount}`;
  const groups = ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'];
  return new Client(backend, { user: { name, groups }, userAgent: `${USER_AGENT}/${name}` });
}

function startController(
  process: Process,
  definition: ControllerDefinition,
  { backend, resources, config }: ControllerManagerOptions,
  informers: InformerFactory,
): void {
  const { name, serviceAccount = name } = definition;
  const client = clientOf(backend, serviceAccount, name);
  const synced: (() => Promise<void>)[] = [];
  const starts: (() => void)[] = [];
  // Handlers are told at once of what a shared informer knows already: not before the controller is made.
  const listens: (() => void)[] = [];
  const queue = new WorkQueue(process, name, limiterOf(process, definition));
  let followed = 0;

  const runQueue = (
    workQueue: WorkQueue,
    options: QueueOptions,
    reconcile: (ctx: ReconcileContext, key: string) => Promise<ReconcileResult | void>,
  ) => {
    starts.push(() => {
      for (let worker = 1; worker <= (options.workers ?? 1); worker++) {
        process.spawn(`${workQueue.name} worker ${worker}`, () =>
          work(process, client, workQueue, name, options, reconcile),
        );
      }
    });
  };

  const deps: ControllerDeps = {
    process,
    client,
    config,
    resources,
    queue,
    recorder: (component = name) => new CoreEventRecorder(process, client, events, { component }),
    watch(resource, handlers, ...indices) {
      const informer = informers.informer(resource);
      for (const index of indices) informer.addIndex(index);
      if (handlers) listens.push(() => process.onExit(informer.addHandlers(handlers)));
      synced.push(() => informer.whenSynced());
      return informer.lister;
    },
    follow(resource, handlers) {
      const own = process.child(`${name} follows ${resource.plural}.${resource.group}`, ++followed);
      const informer = new Informer(own, clientOf(backend, '', 'shared-informers'), resource);
      informer.addHandlers(handlers);
      informer.start();
      return () => {
        own.exit();
        for (const object of informer.lister.list()) handlers.delete?.(object, 0);
      };
    },
    addQueue(queueName, options, reconcile) {
      const added = new WorkQueue(process, queueName, limiterOf(process, options));
      runQueue(added, options, reconcile);
      return added;
    },
    every(ms, tickName, look) {
      const tick = () => {
        let span: SpanId = 0;
        look(() => (span ||= process.tracer.instant('timer', name, tickName, 0)));
      };
      starts.push(() => {
        tick();
        process.clock.ticker(ms, tickName, tick);
      });
    },
  };

  const reconciler = definition.create(deps);
  runQueue(queue, definition, (ctx, key) => reconciler.reconcile(ctx, nameOfKey(key)));
  const { for: resource, owns = [] } = definition;
  if (resource) {
    const add = (object: ApiObject, span: SpanId) => queue.add(keyOf(object), span);
    deps.watch(resource, { add, update: (_, object, span) => add(object, span), delete: add });
    for (const owned of owns) {
      const addOwner = (object: ApiObject, span: SpanId) => {
        const owner = ownerKey(object, resource);
        if (owner) queue.add(owner, span);
      };
      deps.watch(owned, {
        add: addOwner,
        update: (previous, object, span) => {
          if (controllerOf(previous)?.uid !== controllerOf(object)?.uid) addOwner(previous, span);
          addOwner(object, span);
        },
        delete: addOwner,
      });
    }
  }

  for (const listen of listens) listen();
  process.spawn(`${name} starts`, async () => {
    for (const wait of synced) await wait();
    for (const start of starts) start();
  });
}

function limiterOf({ clock }: Process, { limiter }: QueueOptions): RateLimiter {
  return limiter?.(clock) ?? new ControllerRateLimiter(clock);
}

async function work(
  process: Process,
  client: Client,
  queue: WorkQueue,
  component: string,
  { maxRetries = Number.POSITIVE_INFINITY }: QueueOptions,
  reconcile: (ctx: ReconcileContext, key: string) => Promise<ReconcileResult | void>,
): Promise<never> {
  const { tracer } = process;
  for (;;) {
    const { key, span: take } = await queue.take();
    const span = tracer.start('reconcile', component, key, take);
    try {
      const result = await reconcile({ client: client.withCause(span), span }, key);
      tracer.end(span);
      queue.forget(key);
      if (result?.requeueAfterMs !== undefined) queue.addAfter(key, result.requeueAfterMs, span);
    } catch (error) {
      if (!isExpected(error)) throw error;
      tracer.end(span, { error: error.message });
      if (queue.requeues(key) < maxRetries) queue.addRateLimited(key, span);
      else queue.forget(key);
    }
    queue.done(key);
  }
}

/** Whether it is an error that the API server, its absence or the controller means; anything else is a bug. */
function isExpected(error: unknown): error is Error {
  return error instanceof StatusError || error instanceof ReconcileError || error instanceof ProcessExitedError;
}

function ownerKey(object: ApiObject, resource: ResourceDefinition): string | undefined {
  const owner = controllerOf(object);
  if (!owner || owner.kind !== resource.kind || owner.apiVersion !== apiVersionOf(resource)) return undefined;
  const { namespace } = object.metadata;
  const name: NamespacedName = { namespace, name: owner.name };
  return resource.scope === 'Namespaced' ? `${name.namespace}/${name.name}` : name.name;
}
