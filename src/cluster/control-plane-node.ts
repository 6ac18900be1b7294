import { nodes } from '#api/core/v1/node.ts';
import { StatusError } from '#apimachinery/status-error.ts';
import type { Process } from '#base/pump.ts';
import type { Client } from '#client/client.ts';

/** How often it is looked whether the kubelet has registered, ms. */
const RETRY_MS = 500;
const LABELS = {
  'node-role.kubernetes.io/control-plane': '',
  'node.kubernetes.io/exclude-from-external-load-balancers': '',
} as const;

/**
 * Labels the Node of the control plane as soon as there is one, which its kubelet may not do. Follows
 * cmd/kubeadm/app/phases/markcontrolplane, v1.33.
 */
export async function markControlPlane(process: Process, kubeadm: Client, name: string): Promise<void> {
  for (;;) {
    try {
      await kubeadm.patch(nodes, { name }, 'application/strategic-merge-patch+json', { metadata: { labels: LABELS } });
      return;
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
    }
    await process.clock.sleep(RETRY_MS);
  }
}
