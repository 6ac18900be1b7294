import { isStatus } from '#apimachinery/status-error.ts';
import type { ConfigMap } from '#api/generated/types.ts';
import { configMaps } from '#api/core/v1/config-map.ts';
import { namespaces } from '#api/core/v1/namespace.ts';
import type { SpanId } from '#base/tracer.ts';
import { defineController } from '../define-controller.ts';
import { isNamespaceTerminating } from '../namespace-terminating.ts';

const NAME = 'kube-root-ca.crt';
const DESCRIPTION_ANNOTATION = 'kubernetes.io/description';
const DESCRIPTION =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

/** The ConfigMap as it should be; undefined when it is. */
export function planRootCA(namespace: string, existing: ConfigMap | undefined, rootCA: string): ConfigMap | undefined {
  const data = { 'ca.crt': rootCA };
  if (!existing) {
    const metadata = { namespace, name: NAME, annotations: { [DESCRIPTION_ANNOTATION]: DESCRIPTION } };
    return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
  }
  const { annotations } = existing.metadata;
  const entries = Object.entries(existing.data ?? {});
  if (entries.length === 1 && existing.data?.['ca.crt'] === rootCA && annotations?.[DESCRIPTION_ANNOTATION])
    return undefined;
  return {
    ...existing,
    metadata: { ...existing.metadata, annotations: { ...annotations, [DESCRIPTION_ANNOTATION]: DESCRIPTION } },
    data,
  };
}

/**
 * Keeps the authority's certificate in a ConfigMap of every namespace. Follows
 * pkg/controller/certificates/rootcacertpublisher, v1.33.
 */
export const rootCACertPublisher = defineController({
  name: 'root-ca-certificate-publisher-controller',
  serviceAccount: 'root-ca-cert-publisher',
  create({ queue, watch, config }) {
    const changed = ({ metadata }: ConfigMap, span: SpanId) => {
      if (metadata.name === NAME) queue.add(metadata.namespace ?? '', span);
    };
    const configMapLister = watch(configMaps, {
      update: (_, configMap, span) => changed(configMap, span),
      delete: changed,
    });
    watch(namespaces, {
      add: (namespace, span) => queue.add(namespace.metadata.name ?? '', span),
      update: (_, namespace, span) => {
        if (namespace.status?.phase === 'Active') queue.add(namespace.metadata.name ?? '', span);
      },
    });
    return {
      async reconcile({ client }, { name: namespace }) {
        const existing = configMapLister.get({ namespace, name: NAME });
        const wanted = planRootCA(namespace, existing, config.rootCA);
        if (!wanted) return;
        if (existing) {
          await client.update(configMaps, wanted);
          return;
        }
        try {
          await client.create(configMaps, wanted);
        } catch (error) {
          if (!isStatus(error, 'NotFound') && !isNamespaceTerminating(error)) throw error;
        }
      },
    };
  },
});
