import { beforeEach, describe, expect, test } from 'vitest';
import { endpoints } from '#api/core/v1/endpoints.ts';
import { services } from '#api/core/v1/service.ts';
import { endpointSlices } from '#api/discovery/v1/endpoint-slice.ts';
import type { Endpoints, EndpointSlice } from '#api/generated/types.ts';
import { TestControllers } from '#testing/controllers.ts';
import { endpointSliceMirroringController } from './endpointslicemirroring-controller.ts';
import { planMirror } from './mirror-plan.ts';

const merge = 'application/merge-patch+json';
const key = { namespace: 'default', name: 'db' };
const subset = (ready: readonly string[], notReady: readonly string[] = [], port = 80) => ({
  addresses: ready.map((ip) => ({ ip })),
  notReadyAddresses: notReady.map((ip) => ({ ip })),
  ports: [{ port, protocol: 'TCP' }],
});
const text = ({ endpoints: found, ports = [] }: EndpointSlice) =>
  `${ports.map(({ port }) => port).join()}: ${found.map(({ addresses, conditions }) => `${addresses[0]}${conditions?.ready ? '' : '?'}`).join(' ')}`;

describe('slices that mirror Endpoints', () => {
  const object = (...subsets: Endpoints['subsets'] & object): Endpoints => ({
    metadata: { ...key, uid: 'e' },
    subsets,
  });
  const named = (slices: readonly EndpointSlice[]) =>
    slices.map((slice, i) => ({ ...slice, metadata: { ...slice.metadata, name: `s${i}` } }));
  const check = (why: string, before: Endpoints, after: Endpoints, plan: string) =>
    test(why, () => {
      const existing = named(planMirror(before, []).create);
      const { create, update, delete: gone } = planMirror(after, existing, 3);
      const words = [
        ...create.map((slice) => `+${text(slice)}`),
        ...update.map((slice) => `${slice.metadata.name} ${text(slice)}`),
        ...gone.map(({ metadata }) => `-${metadata.name}`),
      ];
      expect(words.join('; ')).toBe(plan);
    });
  const none = object();
  check('new', none, object(subset(['10.0.0.1'], ['10.0.0.2'])), '+80: 10.0.0.1 10.0.0.2?');
  check('the same', object(subset(['10.0.0.1'])), object(subset(['10.0.0.1'])), '');
  check('not ready any more', object(subset(['10.0.0.1'])), object(subset([], ['10.0.0.1'])), 's0 80: 10.0.0.1?');
  check('one family each', none, object(subset(['10.0.0.1', 'fd00::1'])), '+80: 10.0.0.1; +80: fd00::1');
  check('another port', object(subset(['10.0.0.1'])), object(subset(['10.0.0.1'], [], 81)), 's0 81: 10.0.0.1');
  check('none left', object(subset(['10.0.0.1'])), none, '-s0');
  check(
    'too many',
    none,
    object(subset(['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'])),
    '+80: 10.0.0.1 10.0.0.2 10.0.0.3',
  );
  test('counts what is left out', () => {
    const { invalidAddresses, skippedAddresses } = planMirror(object(subset(['x', '10.0.0.1', '10.0.0.2'])), [], 1);
    expect([invalidAddresses, skippedAddresses]).toEqual([0, 2]);
    expect(planMirror(object(subset(['x'])), []).invalidAddresses).toBe(1);
  });
});

let api: TestControllers;
beforeEach(async () => {
  api = new TestControllers([endpointSliceMirroringController]);
  await api.do((client) => client.create(services, { metadata: key, spec: { ports: [{ port: 80 }] } }));
});
async function shown() {
  await api.run(3_000);
  const { items } = await api.do((client) => client.list(endpointSlices, { namespace: 'default' }));
  return items.map(text);
}
const write = (metadata: object = {}) =>
  api.do((client) => client.create(endpoints, { metadata: { ...key, ...metadata }, subsets: [subset(['10.0.0.1'])] }));

test('Endpoints of a Service without a selector', async () => {
  await write({
    labels: { app: 'db' },
    annotations: { note: 'x', 'endpoints.kubernetes.io/last-change-trigger-time': 'now' },
  });
  expect(await shown()).toEqual(['80: 10.0.0.1']);
  const { items } = await api.do((client) => client.list(endpointSlices, { namespace: 'default' }));
  expect(items[0]?.metadata).toMatchObject({
    generateName: 'db-',
    labels: {
      app: 'db',
      'kubernetes.io/service-name': 'db',
      'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
    },
    ownerReferences: [{ apiVersion: 'v1', kind: 'Endpoints', name: 'db', controller: true }],
  });
  expect(items[0]?.metadata.annotations).toEqual({ note: 'x' });
  await api.do((client) => client.patch(endpoints, key, merge, { subsets: [subset(['10.0.0.1', '10.0.0.2'])] }));
  expect(await shown()).toEqual(['80: 10.0.0.1 10.0.0.2']);
  await api.do((client) => client.delete(endpoints, key));
  expect(await shown()).toEqual([]);
});

test.each([
  { labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
  { annotations: { 'control-plane.alpha.kubernetes.io/leader': 'x' } },
])('not mirrored: %j', async (metadata) => {
  await write(metadata);
  expect(await shown()).toEqual([]);
});

test('a Service that gets a selector', async () => {
  await write();
  expect(await shown()).toHaveLength(1);
  await api.do((client) => client.patch(services, key, merge, { spec: { selector: { app: 'db' } } }));
  expect(await shown()).toEqual([]);
  await api.do((client) => client.patch(services, key, merge, { spec: { selector: null } }));
  expect(await shown()).toHaveLength(1);
});

test('a mirror that somebody deletes comes back', async () => {
  await write();
  await shown();
  const { items } = await api.do((client) => client.list(endpointSlices, { namespace: 'default' }));
  await api.do((client) => client.delete(endpointSlices, { ...key, name: items[0]?.metadata.name ?? '' }));
  expect(await shown()).toEqual(['80: 10.0.0.1']);
});
