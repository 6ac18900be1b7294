import type { Pod, PodSpec, SecurityContext, Volume } from '../../generated/types.ts';
import { containersWithPath } from './pod-warnings.ts';

/** There is no kernel under the containers that could enforce these. */
const POD_FIELDS: readonly (keyof PodSpec)[] = ['hostIPC', 'hostPID', 'hostUsers'];
const POD_SECURITY = ['appArmorProfile', 'fsGroup', 'seLinuxOptions', 'seccompProfile', 'sysctls'] as const;
const CONTAINER_SECURITY: readonly (keyof SecurityContext)[] = [
  'allowPrivilegeEscalation',
  'appArmorProfile',
  'capabilities',
  'privileged',
  'procMount',
  'seLinuxOptions',
  'seccompProfile',
];
/** Volumes whose storage system is nowhere. */
const VOLUMES: readonly (keyof Volume)[] = [
  'awsElasticBlockStore',
  'azureDisk',
  'azureFile',
  'cephfs',
  'cinder',
  'csi',
  'fc',
  'flexVolume',
  'flocker',
  'gcePersistentDisk',
  'gitRepo',
  'glusterfs',
  'iscsi',
  'nfs',
  'photonPersistentDisk',
  'portworxVolume',
  'quobyte',
  'rbd',
  'scaleIO',
  'storageos',
  'vsphereVolume',
];

/** What a Pod asks for that nothing here provides. Keep it in step with FIDELITY.md. */
export function podNotModelled({ spec }: Pod): string[] {
  const found: string[] = [];
  const note = <K extends string>(
    at: string,
    object: { readonly [_ in K]?: unknown } | undefined,
    keys: readonly K[],
  ) => {
    for (const key of keys) {
      if (object?.[key]) found.push(`${at}.${key}: accepted, but not modelled: it has no effect in this cluster`);
    }
  };
  note('spec', spec, POD_FIELDS);
  if (spec.runtimeClassName !== undefined) {
    found.push(
      'spec.runtimeClassName: overhead and scheduling of the class count, but the Pod runs in the same runtime as all others',
    );
  }
  note('spec.securityContext', spec.securityContext, POD_SECURITY);
  spec.volumes?.forEach((volume, i) => note(`spec.volumes[${i}]`, volume, VOLUMES));
  for (const [{ securityContext }, at] of containersWithPath(spec, 'spec')) {
    note(`${at}.securityContext`, securityContext, CONTAINER_SECURITY);
  }
  return found;
}
