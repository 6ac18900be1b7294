import { namespaces } from '#api/core/v1/namespace.ts';
import { forbidden, notFound, StatusError } from '#apimachinery/status-error.ts';
import type { AdmissionPlugin } from '#apiserver/contract.ts';
import { admissionForbidden } from './forbidden.ts';

const IMMORTAL: readonly string[] = ['default', 'kube-system', 'kube-public'];

/**
 * Objects live in namespaces that exist and are not ending; some namespaces never end.
 * Follows apiserver/pkg/admission/plugin/namespace/lifecycle, v1.33. Differs from upstream: reads the store, so that
 * nobody has to wait for a cache.
 */
export const namespaceLifecycle: AdmissionPlugin = {
  name: 'NamespaceLifecycle',
  admit(attributes, context) {
    const { operation, resource, namespace, name, object } = attributes;
    if (resource.kind === 'Namespace' && resource.group === '') {
      if (operation === 'DELETE' && IMMORTAL.includes(name)) {
        throw forbidden(resource, name, 'this namespace may not be deleted');
      }
      return object;
    }
    if (!namespace || operation === 'DELETE' || operation === 'CONNECT') return object;
    const found = context.read(namespaces, undefined, namespace);
    if (!found) throw notFound(namespaces, namespace);
    if (operation === 'CREATE' && found.status?.phase === 'Terminating') {
      const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
      const { status } = admissionForbidden(attributes, why);
      throw new StatusError(403, 'Forbidden', status.message ?? '', {
        ...status.details,
        causes: [
          {
            reason: 'NamespaceTerminating',
            message: `namespace ${namespace} is being terminated`,
            field: 'metadata.namespace',
          },
        ],
      });
    }
    return object;
  },
};
