import type { NamespacedName } from '#apimachinery/resource.ts';
import { formatMicroTime } from '#base/clock.ts';
import type { Process } from '#base/pump.ts';
import { type HttpAnswer, serveHttp } from '#network/http.ts';
import { type Listener, type NetworkNamespace } from '#network/network.ts';
import { NetworkError } from '#network/network-error.ts';
import type { ProxyConfig } from './proxy-config.ts';
import type { ServicePortInfo } from './service-ports.ts';

const HEALTHZ_PORT = 10_256;
const METRICS_PORT = 10_249;
/** How long a change may wait before kube-proxy is called unhealthy: twice the sync period, ms. */
const HEALTH_TIMEOUT_MS = 60_000;
const JSON_HEADERS = { 'Content-Type': 'application/json', 'X-Content-Type-Options': 'nosniff' };

interface ServiceHealth {
  readonly port: number;
  readonly listener: Listener | undefined;
  endpoints: number;
}

/**
 * What kube-proxy says of itself and, to load balancers, of a Service's endpoints on this node. Follows
 * pkg/proxy/healthcheck, v1.33.
 */
export class ProxyHealth {
  readonly #process: Process;
  readonly #host: NetworkNamespace;
  readonly #config: () => ProxyConfig;
  readonly #services = new Map<string, ServiceHealth>();
  #updatedAt: number | undefined;
  #queuedAt: number | undefined;
  /** Whether load balancers may send traffic to the node. */
  eligible = true;

  constructor(process: Process, host: NetworkNamespace, config: () => ProxyConfig) {
    this.#process = process;
    this.#host = host;
    this.#config = config;
  }

  /** A change waits to be made true. */
  queued(): void {
    this.#queuedAt ??= this.#process.clock.now();
  }

  /** All changes are true. */
  updated(): void {
    this.#queuedAt = undefined;
    this.#updatedAt = this.#process.clock.now();
  }

  /** Opens the ports of kube-proxy itself; what went wrong. */
  serve(): string[] {
    const listen = (what: string, port: number, address: string, answer: (path: string) => HttpAnswer | undefined) => {
      try {
        serveHttp(this.#host, this.#process, port, ({ path }) => {
          const found = answer(path.split('?')[0] ?? '');
          return found ?? { status: 404, headers: { 'Content-Type': 'text/plain' }, body: '404 page not found\n' };
        });
        return [];
      } catch (error) {
        if (!(error instanceof NetworkError)) throw error;
        return [
          `"${what} server failed" err="failed to start proxy ${what.toLowerCase()} on ${address}:${port}: listen tcp ${address}:${port}: bind: ${error.message.toLowerCase()}"`,
        ];
      }
    };
    return [
      ...listen('Healthz', HEALTHZ_PORT, '0.0.0.0', (path) =>
        path === '/healthz' || path === '/livez' ? this.#answer(path === '/healthz') : undefined,
      ),
      ...listen('Metrics', METRICS_PORT, '127.0.0.1', (path) =>
        path === '/healthz'
          ? { status: 200, body: 'ok' }
          : path === '/proxyMode'
            ? { status: 200, body: this.#config().mode }
            : undefined,
      ),
    ];
  }

  /** Opens, keeps or closes the health check port of a Service whose ports are these now. */
  serveService(name: NamespacedName, ports: readonly ServicePortInfo[], node: string): void {
    const key = `${name.namespace}/${name.name}`;
    const port = ports.find(({ healthCheckNodePort }) => healthCheckNodePort !== 0)?.healthCheckNodePort ?? 0;
    const known = this.#services.get(key);
    const local = new Set<string>();
    if (port) {
      for (const { endpoints } of ports)
        for (const endpoint of endpoints) if (endpoint.ready && endpoint.node === node) local.add(endpoint.address);
    }
    if (known && known.port === port) {
      known.endpoints = local.size;
      return;
    }
    known?.listener?.close();
    this.#services.delete(key);
    if (port) this.#services.set(key, { port, listener: this.#listen(key, name, port), endpoints: local.size });
  }

  #listen(key: string, name: NamespacedName, port: number): Listener | undefined {
    try {
      return serveHttp(this.#host, this.#process, port, () => {
        const endpoints = this.#services.get(key)?.endpoints ?? 0;
        const healthy = this.#healthy();
        return {
          status: endpoints > 0 && healthy ? 200 : 503,
          headers: { ...JSON_HEADERS, 'X-Load-Balancing-Endpoint-Weight': String(endpoints) },
          body: `{\n\t"service": {\n\t\t"namespace": "${name.namespace}",\n\t\t"name": "${name.name}"\n\t},\n\t"localEndpoints": ${endpoints},\n\t"serviceProxyHealthy": ${healthy}\n}`,
        };
      });
    } catch (error) {
      // Somebody on the node has the port: load balancers see no healthy node, as upstream.
      if (!(error instanceof NetworkError)) throw error;
      return undefined;
    }
  }

  #healthy(): boolean {
    const queued = this.#queuedAt;
    return (
      this.#updatedAt === undefined || queued === undefined || this.#process.clock.now() - queued < HEALTH_TIMEOUT_MS
    );
  }

  #answer(withNode: boolean): HttpAnswer {
    const healthy = this.#healthy();
    const now = formatMicroTime(this.#process.clock.now());
    const ok = healthy && (!withNode || this.eligible);
    const updated = this.#updatedAt === undefined ? '0001-01-01T00:00:00Z' : formatMicroTime(this.#updatedAt);
    return {
      status: ok ? 200 : 503,
      headers: JSON_HEADERS,
      body: JSON.stringify({
        lastUpdated: ok ? now : updated,
        currentTime: now,
        ...(withNode ? { nodeEligible: this.eligible } : {}),
        healthy,
        ...(this.#updatedAt === undefined ? {} : { status: { IPv4: { lastUpdated: updated, healthy } } }),
      }),
    };
  }
}
