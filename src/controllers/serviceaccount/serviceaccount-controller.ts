import { isStatus } from '#apimachinery/status-error.ts';
import { namespaces } from '#api/core/v1/namespace.ts';
import { serviceAccounts } from '#api/core/v1/service-account.ts';
import { defineController } from '../define-controller.ts';
import { isNamespaceTerminating } from '../namespace-terminating.ts';

/**
 * Gives every namespace its service account `default`. Follows pkg/controller/serviceaccount/serviceaccounts_controller.go,
 * v1.33.
 */
export const serviceAccountController = defineController({
  name: 'serviceaccount-controller',
  serviceAccount: 'service-account-controller',
  workers: 1,
  create({ queue, watch }) {
    const namespaceLister = watch(namespaces, {
      add: (namespace, span) => queue.add(namespace.metadata.name ?? '', span),
      update: (_, namespace, span) => queue.add(namespace.metadata.name ?? '', span),
    });
    const serviceAccountLister = watch(serviceAccounts, {
      delete: (serviceAccount, span) => queue.add(serviceAccount.metadata.namespace ?? '', span),
    });
    return {
      async reconcile({ client }, { name: namespace }) {
        const found = namespaceLister.get({ name: namespace });
        if (found?.status?.phase !== 'Active' || serviceAccountLister.get({ namespace, name: 'default' })) return;
        try {
          await client.create(serviceAccounts, {
            apiVersion: 'v1',
            kind: 'ServiceAccount',
            metadata: { namespace, name: 'default' },
          });
        } catch (error) {
          if (!isStatus(error, 'AlreadyExists') && !isNamespaceTerminating(error)) throw error;
        }
      },
    };
  },
});
