import { expect, test } from 'vitest';
import { leases } from '#api/coordination/v1/lease.ts';
import { configMaps } from '#api/core/v1/config-map.ts';
import { namespaces } from '#api/core/v1/namespace.ts';
import { nodes } from '#api/core/v1/node.ts';
import { persistentVolumeClaims } from '#api/core/v1/persistent-volume-claim.ts';
import { persistentVolumes } from '#api/core/v1/persistent-volume.ts';
import { pods } from '#api/core/v1/pod.ts';
import { secrets } from '#api/core/v1/secret.ts';
import type { Node, Pod } from '#api/generated/types.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import { createAuthorizer } from '#authorization/authorizer.ts';
import { Client } from '#client/client.ts';
import { decoded } from '#testing/kind.ts';
import { TestApi } from '#testing/test-api.ts';
import { nodeRestriction } from './node-restriction.ts';

const admin = { user: { name: 'admin', groups: ['system:masters'] }, userAgent: 'test' };
const nodeUser = (name: string) => ({
  user: { name: `system:node:${name}`, groups: ['system:nodes', 'system:authenticated'] },
  userAgent: 'kubelet',
});

/** A server on which `n1` and `n2` act. */
async function started() {
  const api = new TestApi('none', false, {
    admission: [nodeRestriction],
    authorizer: (source) => createAuthorizer(['Node', 'RBAC'], source),
  });
  const as = (options: typeof admin) => new Client(api.backend, options);
  const [all, n1] = [as(admin), as(nodeUser('n1'))];
  const make = <T extends ApiObject>(definition: ResourceDefinition<T>, yaml: string) =>
    api.do(() => all.create(definition, decoded(definition, yaml)));
  await make(namespaces, 'metadata: {name: default}').catch(() => {});
  await make(namespaces, 'metadata: {name: kube-node-lease}');
  const refused = (work: Promise<unknown>, message: string) => expect(work).rejects.toMatchObject({ message });
  return { api, all, n1, make, refused };
}

test('a node reads what the Pods bound to it need', async () => {
  const { api, n1, make, refused } = await started();
  const pod = (name: string, node: string, spec: string) =>
    make(
      pods,
      `metadata: {name: ${name}, namespace: default}\nspec: {nodeName: ${node}, containers: [{name: a, image: b}], volumes: [${spec}]}`,
    );
  for (const name of ['mine', 'theirs', 'csi']) await make(secrets, `metadata: {name: ${name}, namespace: default}`);
  await make(configMaps, 'metadata: {name: mine, namespace: default}');
  await pod(
    'one',
    'n1',
    '{name: s, secret: {secretName: mine}}, {name: c, configMap: {name: mine}}, {name: p, persistentVolumeClaim: {claimName: data}}',
  );
  await pod('two', 'n2', '{name: s, secret: {secretName: theirs}}');
  const size = 'accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}';
  await make(
    persistentVolumeClaims,
    `metadata: {name: data, namespace: default}\nspec: {${size}, volumeName: vol, storageClassName: ''}`,
  );
  const volume = (name: string, claim: string) =>
    make(
      persistentVolumes,
      `metadata: {name: ${name}}\nspec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], claimRef: {namespace: default, name: ${claim}}, csi: {driver: d.io, volumeHandle: h, nodeStageSecretRef: {name: csi, namespace: default}}}`,
    );
  await volume('vol', 'data');
  await volume('other', 'data2');
  const read = <T extends ApiObject>(definition: ResourceDefinition<T>, name: string, namespace?: string) =>
    api.do(() => n1.get(definition, { name, namespace }));
  await read(secrets, 'mine', 'default');
  await read(secrets, 'csi', 'default');
  await read(configMaps, 'mine', 'default');
  await read(persistentVolumeClaims, 'data', 'default');
  await read(persistentVolumes, 'vol');
  await read(pods, 'one', 'default');
  const user = 'User "system:node:n1" cannot get resource';
  const unrelated = "no relationship found between node 'n1' and this object";
  await refused(
    read(secrets, 'theirs', 'default'),
    `secrets "theirs" is forbidden: ${user} "secrets" in API group "" in the namespace "default": ${unrelated}`,
  );
  await refused(
    read(persistentVolumes, 'other'),
    `persistentvolumes "other" is forbidden: ${user} "persistentvolumes" in API group "" at the cluster scope: ${unrelated}`,
  );
  await refused(
    read(nodes, 'n2'),
    `nodes "n2" is forbidden: ${user} "nodes" in API group "" at the cluster scope: node 'n1' cannot read 'n2', only its own Node object`,
  );
});

test('a node writes what is its own', async () => {
  const { api, all, n1, make, refused } = await started();
  const create = <T extends ApiObject>(definition: ResourceDefinition<T>, yaml: string) =>
    api.do(() => n1.create(definition, decoded(definition, yaml)));
  await refused(
    create(nodes, 'metadata: {name: n2}'),
    'nodes "n2" is forbidden: node "n1" is not allowed to modify node "n2"',
  );
  await refused(
    create(nodes, 'metadata: {name: n1, labels: {node-role.kubernetes.io/control-plane: "", x.k8s.io/y: z, own: z}}'),
    'nodes "n1" is forbidden: node "n1" is not allowed to set the following labels: node-role.kubernetes.io/control-plane, x.k8s.io/y',
  );
  const node = await create(nodes, 'metadata: {name: n1, labels: {kubernetes.io/hostname: n1, own: z}}');
  const update = (change: Partial<Node>) => api.do(() => n1.update(nodes, { ...node, ...change }));
  await refused(
    update({ spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } }),
    'nodes "n1" is forbidden: node "n1" is not allowed to modify taints',
  );
  await refused(
    update({ metadata: { ...node.metadata, labels: { 'node-restriction.kubernetes.io/a': 'b' } } }),
    'nodes "n1" is forbidden: is not allowed to modify labels: node-restriction.kubernetes.io/a',
  );
  const lease = (name: string) => create(leases, `metadata: {name: ${name}, namespace: kube-node-lease}`);
  await lease('n1');
  await refused(
    lease('n2'),
    'leases.coordination.k8s.io "n2" is forbidden: can only access node lease with the same name as the requesting node',
  );
  const mirror = (uid: string, annotation = '{kubernetes.io/config.mirror: x}', spec = '') =>
    create(
      pods,
      `metadata: {name: m, namespace: default, annotations: ${annotation}, ownerReferences: [{apiVersion: v1, kind: Node, name: n1, uid: ${uid}, controller: true}]}
spec: {nodeName: n1, containers: [{name: a, image: b}]${spec}}`,
    );
  const uid = node.metadata.uid ?? '';
  await refused(
    mirror(uid, '{}'),
    'pods "m" is forbidden: pod does not have "kubernetes.io/config.mirror" annotation, node "n1" can only create mirror pods',
  );
  await refused(mirror('x'), `pods "m" is forbidden: node n1 UID mismatch: expected x got ${uid}`);
  await refused(
    mirror(uid, undefined, ', volumes: [{name: v, secret: {secretName: s}}]'),
    'pods "m" is forbidden: node "n1" can not create pods that reference secrets',
  );
  await mirror(uid);
  const other = await make(
    pods,
    'metadata: {name: far, namespace: default}\nspec: {nodeName: n2, containers: [{name: a, image: b}]}',
  );
  await refused(
    api.do(() => n1.delete(pods, { namespace: 'default', name: 'far' })),
    'pods "far" is forbidden: node "n1" can only delete pods with spec.nodeName set to itself',
  );
  await refused(
    api.do(() => n1.updateStatus(pods, { ...other, status: { phase: 'Running' } } as Pod)),
    'pods "far" is forbidden: node "n1" can only update pod status for pods with spec.nodeName set to itself',
  );
  await api.do(() => n1.delete(pods, { namespace: 'default', name: 'm' }, { gracePeriodSeconds: 0 }));
  expect(await api.do(() => all.get(nodes, { name: 'n1' }))).toEqual(node);
});
