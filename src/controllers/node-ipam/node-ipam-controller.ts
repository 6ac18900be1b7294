import { isStatus, StatusError } from '#apimachinery/status-error.ts';
import type { Node } from '#api/generated/types.ts';
import { nodes } from '#api/core/v1/node.ts';
import { keyOf } from '#client/key.ts';
import { defineController, ReconcileError } from '../define-controller.ts';
import { nodeStatusEvent } from '../node-events.ts';
import { CidrSet } from './cidr-set.ts';

const UPDATE_TRIES = 3;

/**
 * Gives every Node a part of the cluster's range for its Pods. Follows pkg/controller/nodeipam/ipam/range_allocator.go,
 * v1.33; one IPv4 range, no second one for IPv6.
 */
export const nodeIPAMController = defineController({
  name: 'node-ipam-controller',
  serviceAccount: 'node-controller',
  workers: 30,
  create({ queue, watch, recorder, config }) {
    const set = new CidrSet(config.clusterCIDR, config.nodeCIDRMaskSize);
    if (config.serviceCIDR) set.occupy(config.serviceCIDR);
    const events = recorder('cidrAllocator');
    const occupy = ({ spec }: Node) => {
      for (const cidr of spec.podCIDRs ?? []) set.occupy(cidr);
    };
    const lister = watch(nodes, {
      // What Nodes have already is taken before the first is given anything.
      add: (node, span) => {
        occupy(node);
        if (!node.spec.podCIDRs?.length) queue.add(keyOf(node), span);
      },
      update: (_, node, span) => {
        if (node.spec.podCIDRs?.length) occupy(node);
        else queue.add(keyOf(node), span);
      },
      delete: ({ spec }) => {
        for (const cidr of spec.podCIDRs ?? []) set.release(cidr);
      },
    });
    return {
      async reconcile({ client, span }, { name }) {
        const node = lister.get({ name });
        if (!node || node.metadata.deletionTimestamp || node.spec.podCIDRs?.length) return;
        const cidr = set.allocate();
        if (!cidr) {
          nodeStatusEvent(events, node, 'CIDRNotAvailable', span);
          throw new ReconcileError(
            'failed to allocate cidr from cluster cidr at idx:0: CIDR allocation failed; there are no remaining CIDRs left to allocate in the accepted range',
          );
        }
        for (let tries = 1; ; tries++) {
          try {
            const patch = { spec: { podCIDR: cidr, podCIDRs: [cidr] } };
            await client.patch(nodes, { name }, 'application/strategic-merge-patch+json', patch);
            return;
          } catch (error) {
            if (tries < UPDATE_TRIES && !isStatus(error, 'NotFound')) continue;
            nodeStatusEvent(events, node, 'CIDRAssignmentFailed', span);
            // An answer means that it was not written; silence may mean that it was, and the part stays taken.
            if (error instanceof StatusError && !isStatus(error, 'ServerTimeout')) set.release(cidr);
            throw error;
          }
        }
      },
    };
  },
});
