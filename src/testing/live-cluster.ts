import { CelRules } from '#apiserver/cel-rules.ts';
import { Cluster, type ClusterOptions } from '#cluster/cluster.ts';
import { userland } from '#cri/userland.ts';
import { readBody } from '#transport/http.ts';

/** A whole cluster for tests of what looks at one from outside: it moves only when it is told to. */
export class LiveCluster {
  readonly cluster: Cluster;

  constructor(options: Partial<ClusterOptions> = {}) {
    this.cluster = new Cluster({
      userland,
      expressions: new CelRules(),
      seed: 1,
      epoch: Date.UTC(2026, 0, 1),
      workers: 2,
      controlPlaneNode: false,
      latency: 'realistic',
      loadBalancer: true,
      ...options,
    });
  }

  /** Runs so much virtual time. */
  async run(ms: number): Promise<void> {
    await this.cluster.pump.run({ until: this.cluster.pump.now + ms });
  }

  /** Runs until the promise settles, and returns its value. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const end = () => {
      settled = true;
    };
    promise.then(end, end);
    for (let slices = 0; !settled && slices < 10_000; slices++) {
      await this.run(20);
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (!settled) throw new Error('this did not happen in time');
    return promise;
  }

  /** Boots it: settles when all Nodes are Ready. */
  async start(): Promise<this> {
    await this.until(this.cluster.whenReady());
    return this;
  }

  /** One request, as kubectl sends it; the answer's JSON. Throws what the server refuses. */
  async send<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.until(
      this.cluster.http.handle({
        method,
        path,
        headers: {
          accept: 'application/json',
          'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
          'user-agent': 'kubectl/v1.33.0',
        },
        ...(body === undefined ? {} : { body: new TextEncoder().encode(JSON.stringify(body)) }),
      }),
    );
    const text = new TextDecoder().decode(await readBody(response));
    if (response.status >= 400) throw new Error(`${method} ${path}: ${text}`);
    return JSON.parse(text) as T;
  }
}
