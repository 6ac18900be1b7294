import { namespaces } from '#api/core/v1/namespace.ts';
import type { Namespace } from '#api/generated/types.ts';
import { priorityClasses, systemPriorityClasses } from '#api/scheduling/v1/priority-class.ts';
import type { ApiBackend } from '#apimachinery/api-request.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import { isStatus, StatusError } from '#apimachinery/status-error.ts';
import type { Process } from '#base/pump.ts';
import { Client } from '#client/client.ts';
import { keepKubernetesService, type KubernetesServiceOptions } from './kubernetes-service.ts';

const SYSTEM_NAMESPACES = ['default', 'kube-node-lease', 'kube-public', 'kube-system'] as const;
/** What etcd does not take is tried again after so long, ms. */
const RETRY_MS = 1000;

/** What the API server makes by itself whenever it starts; in a task of its process. Settles when all of it is there. */
export async function bootstrap(process: Process, local: ApiBackend, service: KubernetesServiceOptions): Promise<void> {
  const client = new Client(local, {
    user: { name: 'system:apiserver', groups: ['system:masters'] },
    userAgent: 'kube-apiserver/v1.33.0',
  });
  const ensure = async <T extends ApiObject>(definition: ResourceDefinition<T>, object: T) => {
    try {
      await client.create(definition, object);
    } catch (error) {
      if (!isStatus(error, 'AlreadyExists')) throw error;
    }
  };
  for (;;) {
    try {
      for (const name of SYSTEM_NAMESPACES) await ensure(namespaces, { metadata: { name } } as Namespace);
      for (const priorityClass of systemPriorityClasses) await ensure(priorityClasses, priorityClass);
      await keepKubernetesService(process, client, service);
      return;
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
    }
    await process.clock.sleep(RETRY_MS);
  }
}
