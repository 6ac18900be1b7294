import { beforeEach, expect, test } from 'vitest';
import { endpoints } from '#api/core/v1/endpoints.ts';
import { pods } from '#api/core/v1/pod.ts';
import { services } from '#api/core/v1/service.ts';
import type { Service } from '#api/generated/types.ts';
import { invalid } from '#apimachinery/status-error.ts';
import { formatTime } from '#base/clock.ts';
import type { AdmissionAttributes } from '#apiserver/contract.ts';
import { TestControllers } from '#testing/controllers.ts';
import { endpointsController } from './endpoints-controller.ts';

const key = (name: string) => ({ namespace: 'default', name });

let api: TestControllers;
beforeEach(() => {
  api = new TestControllers([endpointsController]);
});

const expose = (spec: Partial<Service['spec']> = {}) =>
  api.do((client) =>
    client.create(services, {
      metadata: key('web'),
      spec: {
        clusterIP: '10.96.0.9',
        ipFamilies: ['IPv4'],
        selector: { app: 'web' },
        ports: [{ port: 80, protocol: 'TCP', targetPort: 8080 }],
        ...spec,
      },
    }),
  );
async function pod(name: string, ip: string, ready = true): Promise<void> {
  const made = await api.do((client) =>
    client.create(pods, {
      metadata: { ...key(name), labels: { app: 'web' } },
      spec: { nodeName: 'n1', containers: [{ name: 'a', image: 'nginx' }] },
    }),
  );
  const conditions = [
    { type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: formatTime(api.pump.now) },
  ];
  await api.do((client) =>
    client.updateStatus(pods, { ...made, status: { phase: 'Running', podIP: ip, podIPs: [{ ip }], conditions } }),
  );
}
async function shown() {
  await api.run(1_000);
  const { items } = await api.do((client) => client.list(endpoints, { namespace: 'default' }));
  return items.map(({ metadata, subsets = [] }) => [
    metadata.name,
    ...subsets.flatMap(({ addresses = [], notReadyAddresses = [] }) => [
      addresses.map(({ ip }) => ip).join(),
      notReadyAddresses.map(({ ip }) => ip).join(),
    ]),
  ]);
}

test('a Service with Pods, from its beginning to its end', async () => {
  await expose();
  expect(await shown()).toEqual([['web']]);
  await pod('a', '10.244.1.2');
  await pod('b', '10.244.1.3', false);
  expect(await shown()).toEqual([['web', '10.244.1.2', '10.244.1.3']]);
  const { subsets, metadata } = await api.do((client) => client.get(endpoints, key('web')));
  expect(subsets?.[0]?.ports).toEqual([{ port: 8080, protocol: 'TCP' }]);
  expect(subsets?.[0]?.addresses).toEqual([
    {
      ip: '10.244.1.2',
      nodeName: 'n1',
      targetRef: { kind: 'Pod', name: 'a', namespace: 'default', uid: expect.any(String) },
    },
  ]);
  expect(metadata.annotations).toHaveProperty(['endpoints.kubernetes.io/last-change-trigger-time']);
  await api.do((client) => client.delete(endpoints, key('web')));
  expect(await shown()).toEqual([['web', '10.244.1.2', '10.244.1.3']]);
  await api.do((client) => client.delete(services, key('web')));
  expect(await shown()).toEqual([]);
});

test('a Pod that is being deleted is no address any more, unless all are wanted', async () => {
  await pod('a', '10.244.1.2');
  await api.do((client) =>
    client.patch(pods, key('a'), 'application/merge-patch+json', { metadata: { finalizers: ['example.com/stay'] } }),
  );
  await api.do((client) => client.delete(pods, key('a')));
  await expose();
  expect(await shown()).toEqual([['web']]);
  await api.do((client) =>
    client.patch(services, key('web'), 'application/merge-patch+json', { spec: { publishNotReadyAddresses: true } }),
  );
  expect(await shown()).toEqual([['web', '10.244.1.2', '']]);
});

test('a headless Service without ports', async () => {
  await pod('a', '10.244.1.2');
  await expose({ clusterIP: 'None', ports: [] });
  expect(await shown()).toEqual([['web', '10.244.1.2', '']]);
});

test('Endpoints whose Service went while nobody looked', async () => {
  api = new TestControllers([]);
  await api.do((client) => client.create(endpoints, { metadata: key('left') }));
  api.manager.start([endpointsController]);
  expect(await shown()).toEqual([]);
});

test('tells what the server refuses, and tries again', async () => {
  let refuses = true;
  const admission = {
    name: 'Refuse',
    validate({ resource, name }: AdmissionAttributes) {
      if (refuses && resource.plural === 'endpoints') throw invalid(resource, name, []);
    },
  };
  api = new TestControllers([endpointsController], { admission: [admission] });
  await expose();
  expect(await shown()).toEqual([]);
  expect((await api.said('Endpoints'))[0]).toMatch(
    /^Warning FailedToCreateEndpoint Failed to create endpoint for service default\/web: /,
  );
  refuses = false;
  await api.run(5_000);
  expect(await shown()).toEqual([['web']]);
});

test('many Pods that become ready one after the other make few writes', async () => {
  api = new TestControllers([endpointsController]);
  await expose();
  for (let i = 0; i < 250; i++) {
    await pod(`p${i}`, `10.244.1.${i}`);
    await api.run(5);
  }
  await api.run(1_000);
  const writes = api.etcd.revisionsOf('/registry/services/endpoints/default/web');
  expect(writes.at(-1)?.value).toMatchObject({ subsets: [{ addresses: { length: 250 } }] });
  expect(writes.length).toBeLessThan(80);
});
