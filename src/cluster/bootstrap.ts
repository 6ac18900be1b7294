import { namespaces } from '#api/core/v1/namespace.ts';
import type { Namespace } from '#api/generated/types.ts';
import { clusterRoleBindings } from '#api/rbac/v1/cluster-role-binding.ts';
import { clusterRoles } from '#api/rbac/v1/cluster-role.ts';
import { roleBindings } from '#api/rbac/v1/role-binding.ts';
import { roles } from '#api/rbac/v1/role.ts';
import { priorityClasses, systemPriorityClasses } from '#api/scheduling/v1/priority-class.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import { isStatus, StatusError } from '#apimachinery/status-error.ts';
import type { ApiServer } from '#apiserver/api-server.ts';
import { kubeadmPolicy } from '#authorization/bootstrap-policy.ts';
import { ensurePolicy } from '#authorization/reconcile.ts';
import type { Process } from '#base/pump.ts';
import { Client, type ClientOptions } from '#client/client.ts';
import { EtcdUnavailableError } from '#etcd/etcd.ts';
import type { FlowConfiguration } from '#registry/flow-configuration.ts';
import { keepKubernetesService, type KubernetesServiceOptions } from './kubernetes-service.ts';

/** The API server, as a client of itself. */
export const KUBE_APISERVER: ClientOptions = {
  user: { name: 'system:apiserver', groups: ['system:masters'] },
  userAgent: 'kube-apiserver/v1.33.0',
};
const SYSTEM_NAMESPACES = ['default', 'kube-node-lease', 'kube-public', 'kube-system'] as const;
/** What etcd does not take is tried again after so long, ms. */
const RETRY_MS = 1000;

/** What the API server makes by itself whenever it starts; in a task of its process. Settles when all of it is there. */
export async function bootstrap(
  process: Process,
  api: ApiServer,
  service: KubernetesServiceOptions,
  flows: FlowConfiguration,
): Promise<void> {
  const client = new Client(api.local, KUBE_APISERVER);
  const ensure = async <T extends ApiObject>(definition: ResourceDefinition<T>, object: T) => {
    try {
      await client.create(definition, object);
    } catch (error) {
      if (!isStatus(error, 'AlreadyExists')) throw error;
    }
  };
  for (;;) {
    try {
      flows.seed();
      await ensurePolicy(api, client, { ...KUBE_APISERVER, cause: 0 });
      for (const name of SYSTEM_NAMESPACES) await ensure(namespaces, { metadata: { name } } as Namespace);
      for (const priorityClass of systemPriorityClasses) await ensure(priorityClasses, priorityClass);
      await keepKubernetesService(process, client, service);
      return;
    } catch (error) {
      if (!(error instanceof StatusError || error instanceof EtcdUnavailableError)) throw error;
    }
    await process.clock.sleep(RETRY_MS);
  }
}

/** The roles and bindings that kubeadm makes beside those of the API server. */
export function seedKubeadmPolicy(api: ApiServer, kubeadm: ClientOptions): void {
  const policy = kubeadmPolicy();
  const by = { ...kubeadm, cause: 0 };
  api.seed(clusterRoles, policy.clusterRoles, by);
  api.seed(clusterRoleBindings, policy.clusterRoleBindings, by);
  api.seed(roles, policy.roles, by);
  api.seed(roleBindings, policy.roleBindings, by);
}
