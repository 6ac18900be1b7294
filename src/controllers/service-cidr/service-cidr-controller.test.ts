import { expect, test } from 'vitest';
import { services } from '#api/core/v1/service.ts';
import { ipAddresses } from '#api/networking/v1/ip-address.ts';
import { serviceCIDRs } from '#api/networking/v1/service-cidr.ts';
import type { ServiceSpec } from '#api/generated/types.ts';
import { TestControllers } from '#testing/controllers.ts';
import { serviceCIDRController } from './service-cidr-controller.ts';

function started() {
  const api = new TestControllers([serviceCIDRController]);
  const range = async (name: string, cidr: string) => {
    await api.do((client) => client.create(serviceCIDRs, { metadata: { name }, spec: { cidrs: [cidr] } }));
    await api.run(100);
  };
  const service = (name: string, spec: ServiceSpec = {}) =>
    api.do((client) =>
      client.create(services, { metadata: { namespace: 'default', name }, spec: { ports: [{ port: 80 }], ...spec } }),
    );
  const remove = async (name: string) => {
    await api.do((client) => client.delete(serviceCIDRs, { name }));
    await api.run(100);
  };
  /** `name` with its condition; those that are there. */
  const ranges = async () => {
    const { items } = await api.do((client) => client.list(serviceCIDRs));
    return items.map(({ metadata, status }) => `${metadata.name} ${status?.conditions?.[0]?.status}`);
  };
  return { api, range, service, remove, ranges };
}

test('a range extends what Services get; one that is in use stays', async () => {
  const { api, range, service, remove, ranges } = started();
  await range('kubernetes', '10.96.0.0/12');
  const asked = { clusterIP: '10.200.0.7' };
  await expect(service('early', asked)).rejects.toThrow('the provided network does not match the current range');
  await range('more', '10.200.0.0/24');
  expect((await service('web', asked)).spec.clusterIPs).toEqual(['10.200.0.7']);
  const made = await api.do((client) => client.get(ipAddresses, { name: '10.200.0.7' }));
  expect(made).toMatchObject({
    metadata: {
      labels: {
        'ipaddress.kubernetes.io/ip-family': 'IPv4',
        'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
      },
    },
    spec: { parentRef: { resource: 'services', namespace: 'default', name: 'web' } },
  });
  const { metadata, status } = await api.do((client) => client.get(serviceCIDRs, { name: 'more' }));
  expect(metadata.finalizers).toEqual(['networking.k8s.io/service-cidr-finalizer']);
  expect(status?.conditions).toMatchObject([{ type: 'Ready', message: 'Kubernetes Service CIDR is ready' }]);

  await remove('more');
  const held = await api.do((client) => client.get(serviceCIDRs, { name: 'more' }));
  expect(held.status?.conditions).toMatchObject([
    {
      status: 'False',
      reason: 'Terminating',
      message:
        'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
    },
  ]);
  await expect(service('late', { clusterIP: '10.200.0.8' })).rejects.toThrow('does not match the current range');
  await api.do((client) => client.delete(services, { namespace: 'default', name: 'web' }));
  await api.run(9000);
  expect(await ranges()).toEqual(['kubernetes True', 'more False']);
  await api.run(2000);
  expect(await ranges()).toEqual(['kubernetes True']);
});

test('a range goes when another one has all of it', async () => {
  const { api, range, service, remove, ranges } = started();
  await range('kubernetes', '10.96.0.0/12');
  await service('web');
  await remove('kubernetes');
  await api.run(20_000);
  await expect(service('more')).rejects.toThrow(
    'Internal error occurred: failed to allocate a serviceIP: the provided network does not match the current range',
  );
  await range('wide', '10.64.0.0/10');
  await api.run(20_000);
  expect(await ranges()).toEqual(['wide True']);
  await service('more');
});
