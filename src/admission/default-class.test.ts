import { expect, test } from 'vitest';
import { persistentVolumeClaims } from '#api/core/v1/persistent-volume-claim.ts';
import { ingressClasses } from '#api/networking/v1/ingress-class.ts';
import { ingresses } from '#api/networking/v1/ingress.ts';
import { storageClasses } from '#api/storage/v1/storage-class.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import { decoded } from '#testing/kind.ts';
import { TestApi } from '#testing/test-api.ts';
import { defaultIngressClass } from './default-ingress-class.ts';
import { defaultStorageClass } from './default-storage-class.ts';
import { persistentVolumeClaimResize } from './persistent-volume-claim-resize.ts';

function started() {
  const api = new TestApi('none', false, {
    admission: [defaultStorageClass, persistentVolumeClaimResize, defaultIngressClass],
  });
  const make = <T extends ApiObject>(definition: ResourceDefinition<T>, yaml: string) =>
    api.do((client) => client.create(definition, decoded(definition, yaml)));
  return { api, make };
}

const storageClass = (name: string, fields = '') =>
  `metadata: {name: ${name}, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}\nprovisioner: a.b/c${fields}`;
const claim = (name: string, fields = '') => `metadata: {name: ${name}, namespace: default}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}${fields}}`;

test('claims without a class get the newest default one', async () => {
  const { api, make } = started();
  const classOf = async (name: string, fields?: string) =>
    (await make(persistentVolumeClaims, claim(name, fields))).spec?.storageClassName;
  expect(await classOf('one')).toBeUndefined();
  await make(storageClasses, storageClass('c'));
  await api.run(1000);
  await make(storageClasses, storageClass('b'));
  await make(storageClasses, storageClass('a'));
  expect(await classOf('two')).toBe('a');
  expect(await classOf('three', ', storageClassName: ""')).toBe('');
  expect(await classOf('four', ', storageClassName: mine')).toBe('mine');
});

test('claims grow where their class lets them', async () => {
  const { api, make } = started();
  await make(storageClasses, storageClass('grows', '\nallowVolumeExpansion: true'));
  await make(storageClasses, storageClass('stays'));
  const grow = async (name: string, ofClass: string, phase: string) => {
    const made = await make(persistentVolumeClaims, claim(name, `, volumeName: v, storageClassName: ${ofClass}`));
    const ready = await api.do((client) => client.updateStatus(persistentVolumeClaims, { ...made, status: { phase } }));
    const spec = { ...ready.spec, resources: { requests: { storage: '2Gi' } } };
    return api.do((client) => client.update(persistentVolumeClaims, { ...ready, spec }));
  };
  const refused = (work: Promise<unknown>, message: string) => expect(work).rejects.toMatchObject({ message });
  await grow('a', 'grows', 'Bound');
  await refused(
    grow('b', 'stays', 'Bound'),
    'persistentvolumeclaims "b" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
  );
});

test('Ingresses without a class get the default one', async () => {
  const { make } = started();
  const ingress = (name: string, annotations: string) =>
    make(
      ingresses,
      `metadata: {name: ${name}, namespace: default, annotations: ${annotations}}
spec: {defaultBackend: {service: {name: a, port: {number: 80}}}}`,
    );
  await make(
    ingressClasses,
    'metadata: {name: nginx, annotations: {ingressclass.kubernetes.io/is-default-class: "true"}}\nspec: {controller: k8s.io/nginx}',
  );
  expect((await ingress('a', '{}')).spec?.ingressClassName).toBe('nginx');
  expect((await ingress('b', '{kubernetes.io/ingress.class: other}')).spec?.ingressClassName).toBeUndefined();
});
