import { apiServices } from '#api/apiregistration/v1/api-service.ts';
import { endpoints } from '#api/core/v1/endpoints.ts';
import { services } from '#api/core/v1/service.ts';
import type { APIService, APIServiceCondition, Endpoints, Service } from '#api/generated/types.ts';
import type { ResourceDefinition } from '#apimachinery/resource.ts';
import { isStatus, StatusError } from '#apimachinery/status-error.ts';
import type { ApiServer } from '#apiserver/api-server.ts';
import { formatTime } from '#base/clock.ts';
import type { Process } from '#base/pump.ts';
import { Client } from '#client/client.ts';
import { Informer } from '#client/informer.ts';
import { WorkQueue } from '#client/work-queue.ts';

const AUTOMANAGED = 'kube-aggregator.kubernetes.io/automanaged';

/** Priorities of groups and of their versions. Follows the aggregators of pkg/controlplane and cmd/kube-apiserver, v1.33. */
const PRIORITIES: Readonly<Record<string, number>> = {
  '': 18_000,
  apps: 17_800,
  'events.k8s.io': 17_750,
  'authentication.k8s.io': 17_700,
  'authorization.k8s.io': 17_600,
  autoscaling: 17_500,
  batch: 17_400,
  'certificates.k8s.io': 17_300,
  'networking.k8s.io': 17_200,
  policy: 17_100,
  'rbac.authorization.k8s.io': 17_000,
  'storage.k8s.io': 16_800,
  'apiextensions.k8s.io': 16_700,
  'admissionregistration.k8s.io': 16_700,
  'scheduling.k8s.io': 16_600,
  'coordination.k8s.io': 16_500,
  'node.k8s.io': 16_300,
  'discovery.k8s.io': 16_200,
  'flowcontrol.apiserver.k8s.io': 16_100,
};
const VERSION_PRIORITIES: Readonly<Record<string, number>> = {
  '/v1': 1,
  'autoscaling/v2': 30,
  'flowcontrol.apiserver.k8s.io/v1': 21,
};

/**
 * Keeps an APIService for each version of a group that the server has, and says of those of other servers why they cannot
 * be reached: requests are not handed on. Follows pkg/controlplane and kube-aggregator/pkg/controllers, v1.33.
 */
export class ApiServiceRegistration {
  readonly #process: Process;
  readonly #api: ApiServer;
  readonly #client: Client;
  readonly #informer: Informer<APIService>;
  readonly #queue: WorkQueue;

  constructor(process: Process, api: ApiServer) {
    this.#process = process;
    this.#api = api;
    this.#client = new Client(api.local, {
      user: { name: 'system:apiserver', groups: ['system:masters'] },
      userAgent: 'kube-apiserver/v1.33.0 (linux/amd64) kubernetes/60a317e',
    });
    this.#informer = new Informer(process, this.#client, apiServices);
    this.#queue = new WorkQueue(process, 'autoregister');
  }

  /** Begins to keep them. */
  start(): void {
    const changed = () => this.sync();
    this.#informer.addHandlers({ add: changed, update: changed, delete: changed });
    this.#informer.start();
    this.#process.spawn('autoregister', async () => {
      await this.#informer.whenSynced();
      this.sync();
      for (;;) {
        const { key, span } = await this.#queue.take();
        try {
          await this.#reconcile(this.#client.withCause(span));
          this.#queue.forget(key);
        } catch (error) {
          if (!(error instanceof StatusError)) throw error;
          this.#queue.addRateLimited(key, span);
        }
        this.#queue.done(key);
      }
    });
  }

  /** The server's resources, or APIServices, may have changed. */
  readonly sync = (): void => this.#queue.add('all');

  /** Whether a version of a group is another server's. */
  isRemote(group: string, version: string): boolean {
    return this.#informer.lister.get({ name: `${version}.${group}` })?.spec.service !== undefined;
  }

  async #reconcile(client: Client): Promise<void> {
    const wanted = new Map<string, APIService>();
    for (const definition of this.#api.resources.all()) {
      const own = apiServiceOf(definition);
      if (own) wanted.set(own.metadata.name ?? '', own);
    }
    const known = (await client.list(apiServices)).items;
    for (const apiService of known) {
      const { name = '', labels } = apiService.metadata;
      if (wanted.delete(name)) continue;
      if (labels?.[AUTOMANAGED] === 'true') await client.delete(apiServices, { name });
      else if (apiService.spec.service) await this.#check(client, apiService);
    }
    for (const apiService of wanted.values()) {
      try {
        await client.create(apiServices, apiService);
      } catch (error) {
        if (!isStatus(error, 'AlreadyExists')) throw error;
      }
    }
  }

  /** Says why another server is not available. */
  async #check(client: Client, apiService: APIService): Promise<void> {
    const { name = '', namespace = '', port = 443 } = apiService.spec.service ?? {};
    const at = { name, namespace };
    const problem = problemOf(
      at,
      port,
      await found(() => client.get(services, at)),
      await found(() => client.get(endpoints, at)),
    );
    const old = apiService.status?.conditions?.find(({ type }) => type === 'Available');
    if (old?.reason === problem.reason && old.message === problem.message) return;
    const condition: APIServiceCondition = {
      type: 'Available',
      status: 'False',
      lastTransitionTime: formatTime(this.#process.clock.now()),
      ...problem,
    };
    await client.updateStatus(apiServices, { ...apiService, status: { conditions: [condition] } });
  }
}

function apiServiceOf({ group, version, custom }: ResourceDefinition): APIService | undefined {
  const priority = custom ? 1000 : PRIORITIES[group];
  if (priority === undefined) return undefined;
  return {
    metadata: {
      name: `${version}.${group}`,
      labels: { [AUTOMANAGED]: custom ? 'true' : 'onstart' },
    },
    spec: {
      ...(group ? { group } : {}),
      version,
      groupPriorityMinimum: priority,
      versionPriority: custom ? 100 : (VERSION_PRIORITIES[`${group}/${version}`] ?? 15),
    },
  };
}

async function found<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isStatus(error, 'NotFound')) return undefined;
    throw error;
  }
}

/** Follows sync of kube-aggregator/pkg/controllers/status/remote, v1.33. */
function problemOf(
  { name, namespace }: { readonly name: string; readonly namespace: string },
  port: number,
  service: Service | undefined,
  addresses: Endpoints | undefined,
): { readonly reason: string; readonly message: string } {
  const named = `service/${name} in "${namespace}"`;
  if (!service) return { reason: 'ServiceNotFound', message: `${named} is not present` };
  const servicePort = service.spec?.ports?.find((each) => each.port === port);
  if (service.spec?.type !== 'ExternalName') {
    if (!servicePort) return { reason: 'ServicePortError', message: `${named} is not listening on port ${port}` };
    if (!addresses) return { reason: 'EndpointsNotFound', message: `cannot find endpoints for ${named}` };
    const { name: portName = '' } = servicePort;
    const ready = addresses.subsets?.some(
      (subset) => subset.addresses?.length && subset.ports?.some((each) => (each.name ?? '') === portName),
    );
    if (!ready)
      return {
        reason: 'MissingEndpoints',
        message: `endpoints for ${named} have no addresses with port name "${portName}"`,
      };
  }
  return {
    reason: 'FailedDiscoveryCheck',
    message: `failing or missing response from https://${name}.${namespace}.svc:${port}: requests are not handed on to other API servers`,
  };
}
