import { expect, test } from 'vitest';
import { deployments } from '#api/apps/v1/deployment.ts';
import type { Scale } from '#api/generated/types.ts';
import type { ResourceDefinition } from '#apimachinery/resource.ts';
import type { Client } from '#client/client.ts';
import { TestApi } from '#testing/test-api.ts';

const key = { namespace: 'default', name: 'web' };
/** A client sees the scale through the workload's resource. */
const scaled = deployments as unknown as ResourceDefinition<Scale>;
const merge = 'application/merge-patch+json';
const patched = (replicas: number) => (client: Client) =>
  client.patch(scaled, key, merge, { spec: { replicas } }, { subresource: 'scale' });
const put = (metadata: Scale['metadata'], replicas: number) => (client: Client) =>
  client.updateSubresource(scaled, { metadata, spec: { replicas } }, 'scale');

async function withDeployment(): Promise<TestApi> {
  const api = new TestApi('none', true);
  await api.do((client) =>
    client.create(deployments, {
      metadata: { ...key },
      spec: {
        selector: { matchLabels: { app: 'web', tier: 'front' } },
        template: {
          metadata: { labels: { app: 'web', tier: 'front' } },
          spec: { containers: [{ name: 'a', image: 'nginx' }] },
        },
      },
    }),
  );
  return api;
}

test('a patch of the scale is an update of the workload', async () => {
  const api = await withDeployment();
  const scale = await api.do(patched(3));
  const deployment = await api.do((client) => client.get(deployments, key));
  const { uid, resourceVersion, creationTimestamp } = deployment.metadata;
  expect(scale).toEqual({
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { ...key, uid, resourceVersion, creationTimestamp },
    spec: { replicas: 3 },
    status: { replicas: 0, selector: 'app=web,tier=front' },
  });
  expect(deployment.spec?.replicas).toBe(3);
  expect(deployment.metadata.generation).toBe(2);
  expect(deployment.spec?.template.spec?.containers).toHaveLength(1);
});

test('a scale is replaced under its preconditions', async () => {
  const api = await withDeployment();
  const { metadata } = await api.do(put({ ...key }, 2));
  expect((await api.do(put(metadata, 0))).spec).toEqual({ replicas: 0 });
  const refused = (metadata: Scale['metadata'], replicas: number, message: string) =>
    expect(api.do(put(metadata, replicas))).rejects.toMatchObject({ message });
  await refused(
    metadata,
    1,
    'Operation cannot be fulfilled on deployments.apps "web": the object has been modified; please apply your changes to the latest version and try again',
  );
  await refused(
    { ...key, uid: 'other' },
    1,
    `Operation cannot be fulfilled on deployments/scale.apps "web": Precondition failed: UID in precondition: other, UID in object meta: ${metadata.uid}`,
  );
  await refused(
    { ...key },
    -1,
    'Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
  );
  await refused({ ...key, name: 'other' }, 1, 'deployments.apps "other" not found');
});
