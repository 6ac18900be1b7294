import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import { StatusError } from '#apimachinery/status-error.ts';
import type { Process } from '#base/pump.ts';
import type { SpanId } from '#base/tracer.ts';
import type { Client } from '#client/client.ts';
import { Informer } from '#client/informer.ts';

interface Watched<T extends ApiObject> {
  readonly process: Process;
  readonly informer: Informer<T>;
  /** uids of the Pods that refer to it. */
  readonly users: Set<string>;
}

/**
 * ConfigMaps or Secrets that Pods of this node refer to: each is watched by itself while a Pod wants it. Follows
 * pkg/kubelet/util/manager/watch_based_manager.go, v1.33.
 */
export class ObjectCache<T extends ApiObject> {
  readonly #process: Process;
  readonly #client: Client;
  readonly #resource: ResourceDefinition<T>;
  readonly #changed: (podUids: readonly string[], span: SpanId) => void;
  readonly #watched = new Map<string, Watched<T>>();

  /** `changed` is told the Pods that refer to an object that came, changed or went after they got it. */
  constructor(
    process: Process,
    client: Client,
    resource: ResourceDefinition<T>,
    changed: (podUids: readonly string[], span: SpanId) => void,
  ) {
    this.#process = process;
    this.#client = client;
    this.#resource = resource;
    this.#changed = changed;
  }

  /** The object for a Pod; parks the calling task the first time. Throws NotFound as upstream words it. */
  async get(podUid: string, namespace: string, name: string): Promise<T> {
    const watched = this.#watch(namespace, name);
    watched.users.add(podUid);
    await watched.informer.whenSynced();
    const found = watched.informer.lister.get({ namespace, name });
    if (found) return found;
    const { singular } = this.#resource;
    throw new StatusError(404, 'NotFound', `${singular} "${name}" not found`, { name, kind: singular });
  }

  /** A Pod is gone; what nobody wants any more is not watched any more. */
  release(podUid: string): void {
    for (const [key, { users, process }] of this.#watched) {
      if (!users.delete(podUid) || users.size > 0) continue;
      this.#watched.delete(key);
      process.exit();
    }
  }

  #watch(namespace: string, name: string): Watched<T> {
    const key = `${namespace}/${name}`;
    const known = this.#watched.get(key);
    if (known) return known;
    const process = this.#process.child(`${this.#process.name} ${this.#resource.singular} ${key}`);
    const informer = new Informer(process, this.#client, this.#resource, {
      namespace,
      fieldSelector: `metadata.name=${name}`,
    });
    const watched: Watched<T> = { process, informer, users: new Set() };
    const tell = (span: SpanId) => this.#changed([...watched.users], span);
    informer.addHandlers({
      add: (_, span, initial) => {
        if (!initial) tell(span);
      },
      update: (_, _next, span) => tell(span),
      delete: (_, span) => tell(span),
    });
    informer.start();
    this.#watched.set(key, watched);
    return watched;
  }
}
