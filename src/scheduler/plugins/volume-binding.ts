import type { PersistentVolumeClaim, Pod } from '#api/generated/types.ts';
import type { Lister } from '#client/indexer.ts';
import type { Handle } from '../framework/handle.ts';
import type { Plugin } from '../framework/plugin.ts';
import { SKIP, unresolvable } from '../framework/status.ts';

/**
 * Keeps Pods waiting for the claims that their volumes name. Follows PreFilter of plugins/volumebinding, v1.33. Choosing
 * a Node by where volumes can be (WaitForFirstConsumer, volume limits, zones) is not modelled; while claims are not
 * served, none exists.
 */
export function volumeBinding({ resources, informers }: Pick<Handle, 'resources' | 'informers'>): Plugin {
  const served = resources.find(({ group, plural }) => group === '' && plural === 'persistentvolumeclaims');
  const claims = served && (informers.informer(served).lister as Lister<PersistentVolumeClaim>);
  return {
    name: 'VolumeBinding',
    preFilter(_, { pod }) {
      const wanted = claimsOf(pod);
      if (wanted.length === 0) return { status: SKIP };
      for (const { name, ephemeral } of wanted) {
        const claim = claims?.get({ namespace: pod.metadata.namespace, name });
        const text = `persistentvolumeclaim "${name}"`;
        if (!claim) {
          const waiting = `waiting for ephemeral volume controller to create the ${text}`;
          return { status: unresolvable(ephemeral ? waiting : `${text} not found`) };
        }
        if (claim.status?.phase === 'Lost') {
          const volume = claim.spec?.volumeName ?? '';
          return { status: unresolvable(`${text} bound to non-existent persistentvolume "${volume}"`) };
        }
        if (claim.metadata.deletionTimestamp) return { status: unresolvable(`${text} is being deleted`) };
        if (claim.status?.phase !== 'Bound') {
          return { status: unresolvable('pod has unbound immediate PersistentVolumeClaims') };
        }
      }
      return undefined;
    },
  };
}

function claimsOf({ metadata, spec }: Pod): readonly { readonly name: string; readonly ephemeral: boolean }[] {
  return (spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim) return { name: persistentVolumeClaim.claimName, ephemeral: false };
    return ephemeral ? { name: `${metadata.name}-${name}`, ephemeral: true } : [];
  });
}
