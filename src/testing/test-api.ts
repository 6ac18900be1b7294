import type { ApiObject } from '#apimachinery/resource.ts';
import { lookupStruct } from '#apimachinery/schema.ts';
import { type ApiServerOptions, createApiServer } from '#apiserver/api-server.ts';
import type { ApiBackend } from '#apimachinery/api-request.ts';
import { type LatencyProfile, latencyOf } from '#base/latency.ts';
import { Process, Pump } from '#base/pump.ts';
import { Rng } from '#base/rng.ts';
import { Tracer } from '#base/tracer.ts';
import { namespaces } from '#api/core/v1/namespace.ts';
import { resources } from '#api/resources.ts';
import { schemas } from '#api/schemas.ts';
import { Client } from '#client/client.ts';
import { Etcd } from '#etcd/etcd.ts';
import { podBinding } from '#registry/pod-binding.ts';
import { scaleEndpoints } from '#registry/scale.ts';
import { ServiceAllocator } from '#registry/service-allocator.ts';

/**
 * An API server on its own pump, with all kinds, binding of Pods, scales, addresses of Services and the namespace `default`, and nothing else: for tests
 * of components.
 * Time starts at 2026-01-01T00:00:00Z.
 */
export class TestApi {
  readonly pump: Pump;
  readonly tracer: Tracer;
  readonly root: Process;
  readonly etcd: Etcd<ApiObject>;
  /** Whichever server runs; without one, calls fail as calls of a process that has exited. */
  readonly backend: ApiBackend;
  /** Of the test itself. */
  readonly client: Client;
  readonly #process: Process;
  readonly #createServer: () => { readonly process: Process; readonly backend: ApiBackend };
  #server: { readonly process: Process; readonly backend: ApiBackend };

  constructor(
    latency: LatencyProfile = 'none',
    strict = false,
    extensions: Pick<ApiServerOptions, 'admission' | 'subresources' | 'allocators' | 'authorizer'> = {},
  ) {
    const hop = () => new Promise<void>((resolve) => setImmediate(resolve));
    this.pump = new Pump({ epoch: Date.UTC(2026, 0, 1), ...(strict ? { strictHop: hop } : {}) });
    this.tracer = new Tracer(() => this.pump.now);
    this.root = new Process('root', { pump: this.pump, rng: new Rng(1), tracer: this.tracer });
    this.etcd = new Etcd<ApiObject>({ process: this.root.child('etcd') });
    this.#createServer = () => {
      const process = this.root.child('kube-apiserver');
      const { backend } = createApiServer({
        process,
        etcd: this.etcd,
        latency: latencyOf(latency),
        resources,
        subresources: [podBinding, ...scaleEndpoints],
        allocators: (source) => [
          new ServiceAllocator({ clusterIPs: '10.96.0.0/12', nodePorts: { first: 30_000, last: 32_767 } }, source),
        ],
        ...extensions,
        schemaOf: ({ schema }) => lookupStruct(schemas, schema),
      });
      return { process, backend };
    };
    this.#server = this.#createServer();
    this.backend = {
      request: (request) => this.#server.backend.request(request),
      list: (request) => this.#server.backend.list(request),
      deleteCollection: (request) => this.#server.backend.deleteCollection(request),
      watch: (request, sink) => this.#server.backend.watch(request, sink),
      connect: (request) => this.#server.backend.connect(request),
    };
    this.#process = this.root.child('test');
    this.client = new Client(this.backend, { user: { name: 'test', groups: [] }, userAgent: 'test/v1' });
    this.#process.spawn('namespace', () => this.client.create(namespaces, { metadata: { name: 'default' }, spec: {} }));
  }

  /** Kills the API server. */
  stopServer(): void {
    this.#server.process.exit();
  }

  /** Starts another one on the same etcd. */
  startServer(): void {
    this.#server = this.#createServer();
  }

  /** Lets so much virtual time pass. */
  async run(ms: number): Promise<void> {
    await this.pump.run({ until: this.pump.now + ms });
  }

  /** Runs a task to its end, which takes no virtual time unless it waits for some. */
  async do<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const handle = this.#process.spawn('test', () => work(this.client));
    let outcome: { readonly value: T } | { readonly error: unknown } | undefined;
    this.#process.spawn('join', async () => {
      try {
        outcome = { value: await handle.join() };
      } catch (error) {
        outcome = { error };
      }
    });
    for (let waited = 0; !outcome && waited < 60_000; waited += 100) await this.run(waited === 0 ? 0 : 100);
    if (!outcome) throw new Error('the task did not end');
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  }
}
