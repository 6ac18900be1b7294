import { expect, test } from 'vitest';
import { storageObjectInUseProtection } from '#admission/storage-object-in-use-protection.ts';
import { persistentVolumeClaims } from '#api/core/v1/persistent-volume-claim.ts';
import { persistentVolumes } from '#api/core/v1/persistent-volume.ts';
import { pods } from '#api/core/v1/pod.ts';
import type { ApiObject, NamespacedName, ResourceDefinition } from '#apimachinery/resource.ts';
import { TestControllers } from '#testing/controllers.ts';
import { decoded } from '#testing/kind.ts';
import { pvProtectionController } from './pv-protection-controller.ts';
import { pvcProtectionController } from './pvc-protection-controller.ts';

function started(admission = [storageObjectInUseProtection]) {
  const api = new TestControllers([pvProtectionController, pvcProtectionController], { admission });
  const make = <T extends ApiObject>(definition: ResourceDefinition<T>, yaml: string) =>
    api.do((client) => client.create(definition, decoded(definition, yaml)));
  /** Deletes it, and says whether it is gone after a second. */
  const goes = async <T extends ApiObject>(definition: ResourceDefinition<T>, key: NamespacedName) => {
    await api.do((client) => client.delete(definition, key)).catch(() => {});
    await api.run(1000);
    const { items } = await api.do((client) => client.list(definition));
    return !items.some(({ metadata }) => metadata.name === key.name);
  };
  return { api, make, goes };
}

const CLAIM = `metadata: {name: data, namespace: default}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}`;
const claim = { namespace: 'default', name: 'data' };
const pod = (name: string, node: string) =>
  `metadata: {name: ${name}, namespace: default}
spec: {${node}containers: [{name: a, image: b}], volumes: [{name: v, persistentVolumeClaim: {claimName: data}}]}`;

test('a claim goes when no Pod uses it', async () => {
  const { api, make, goes } = started();
  const made = await make(persistentVolumeClaims, CLAIM);
  expect(made.metadata.finalizers).toEqual(['kubernetes.io/pvc-protection']);
  await make(pods, pod('runs', 'nodeName: n1, '));
  await make(pods, pod('waits', ''));
  expect(await goes(persistentVolumeClaims, claim)).toBe(false);
  await api.do((client) => client.delete(pods, { namespace: 'default', name: 'runs' }, { gracePeriodSeconds: 0 }));
  await api.run(1000);
  expect((await api.do((client) => client.list(persistentVolumeClaims))).items).toEqual([]);
});

test('a claim that nobody uses goes at once; one without the finalizer gets it', async () => {
  const { make, goes } = started();
  await make(persistentVolumeClaims, CLAIM);
  expect(await goes(persistentVolumeClaims, claim)).toBe(true);
  const other = started([]);
  await other.make(persistentVolumeClaims, CLAIM);
  await other.api.run(1000);
  const { items } = await other.api.do((client) => client.list(persistentVolumeClaims));
  expect(items[0]?.metadata.finalizers).toEqual(['kubernetes.io/pvc-protection']);
});

test('a volume goes when it is not bound', async () => {
  const { api, make, goes } = started();
  const volume = await make(
    persistentVolumes,
    'metadata: {name: vol}\nspec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], hostPath: {path: /x}}',
  );
  expect(volume.metadata.finalizers).toEqual(['kubernetes.io/pv-protection']);
  const bound = await api.do((client) =>
    client.updateStatus(persistentVolumes, { ...volume, status: { phase: 'Bound' } }),
  );
  expect(await goes(persistentVolumes, { name: 'vol' })).toBe(false);
  const current = await api.do((client) => client.get(persistentVolumes, { name: 'vol' }));
  expect(current.metadata.uid).toBe(bound.metadata.uid);
  await api.do((client) => client.updateStatus(persistentVolumes, { ...current, status: { phase: 'Released' } }));
  expect(await goes(persistentVolumes, { name: 'vol' })).toBe(true);
});
