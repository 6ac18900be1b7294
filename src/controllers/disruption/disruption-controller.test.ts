import { expect, test } from 'vitest';
import { deployments } from '#api/apps/v1/deployment.ts';
import { pods } from '#api/core/v1/pod.ts';
import type { PodDisruptionBudgetSpec } from '#api/generated/types.ts';
import { podDisruptionBudgets } from '#api/policy/v1/pod-disruption-budget.ts';
import type { ApiObject } from '#apimachinery/resource.ts';
import { podEviction } from '#registry/pod-eviction.ts';
import { TestControllers } from '#testing/controllers.ts';
import { decoded } from '#testing/kind.ts';
import type { ControllerDefinition } from '../define-controller.ts';
import { disruptionController } from './disruption-controller.ts';

const key = { namespace: 'default', name: 'web' };

class Drained extends TestControllers {
  constructor(definitions?: readonly ControllerDefinition[]) {
    super(definitions, { subresources: [podEviction] });
  }

  async deploy(replicas: number): Promise<void> {
    const yaml = `metadata: {name: web, namespace: default}
spec: {replicas: ${replicas}, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: a, image: b}]}}}`;
    await this.do((client) => client.create(deployments, decoded(deployments, yaml)));
    await this.run(1000);
    await this.settle();
  }

  async protect(spec: PodDisruptionBudgetSpec): Promise<void> {
    const selector = { matchLabels: { app: 'web' } };
    await this.do((client) => client.create(podDisruptionBudgets, { metadata: key, spec: { selector, ...spec } }));
    await this.run(1000);
  }

  async status() {
    return (await this.do((client) => client.get(podDisruptionBudgets, key))).status;
  }

  evict(name: string, options: object = {}): Promise<unknown> {
    const metadata = { namespace: 'default', name };
    return this.do((client) =>
      client.createSubresource(pods, metadata, 'eviction', { metadata, ...options } as ApiObject),
    );
  }

  async names(): Promise<string[]> {
    return (await this.pods()).map(({ metadata }) => metadata.name ?? '');
  }
}

test('evictions are allowed while enough Pods are healthy', async () => {
  const api = new Drained();
  await api.deploy(3);
  await api.protect({ maxUnavailable: 1 });
  expect(await api.status()).toEqual({
    currentHealthy: 3,
    desiredHealthy: 2,
    expectedPods: 3,
    disruptionsAllowed: 1,
    observedGeneration: 1,
    conditions: [
      expect.objectContaining({
        type: 'DisruptionAllowed',
        status: 'True',
        reason: 'SufficientPods',
        observedGeneration: 1,
      }),
    ],
  });
  const [first = '', second = ''] = await api.names();
  await api.evict(first, { deleteOptions: { dryRun: ['All'] } });
  expect((await api.status())?.disruptionsAllowed).toBe(1);
  await api.evict(first, { deleteOptions: { gracePeriodSeconds: 0 } });
  await expect(api.evict(second)).rejects.toMatchObject({
    status: {
      code: 429,
      reason: 'TooManyRequests',
      message: "Cannot evict pod as it would violate the pod's disruption budget.",
      details: {
        causes: [
          {
            reason: 'DisruptionBudget',
            message: expect.stringMatching(/^The disruption budget web needs 2 healthy pods and has \d currently$/),
          },
        ],
      },
    },
  });
  await api.run(1000);
  expect(await api.status()).toMatchObject({ currentHealthy: 2, disruptionsAllowed: 0 });
  await api.settle();
  expect(await api.status()).toMatchObject({ currentHealthy: 3, disruptionsAllowed: 1 });
  expect((await api.status())?.disruptedPods).toBeUndefined();
  await api.evict(second);
});

test('an eviction that is not followed by a deletion is forgotten', async () => {
  const api = new Drained();
  await api.deploy(2);
  await api.protect({ minAvailable: '50%' });
  const [name = ''] = await api.names();
  const noted = { [name]: '2026-01-01T00:00:02Z' };
  const budget = await api.do((client) => client.get(podDisruptionBudgets, key));
  const status = { ...budget.status, disruptionsAllowed: 0, disruptedPods: noted } as typeof budget.status;
  await api.do((client) => client.updateStatus(podDisruptionBudgets, { ...budget, status }));
  await api.run(1000);
  expect(await api.status()).toMatchObject({ currentHealthy: 1, disruptionsAllowed: 0, disruptedPods: noted });
  await api.run(125_000);
  expect(await api.status()).toMatchObject({ currentHealthy: 2, disruptionsAllowed: 1 });
  expect(await api.said('Pod')).toContain(
    "Warning NotDeleted Pod was expected by PDB default/default to be deleted but it wasn't",
  );
});

test('Pods that are not ready may go when enough others are', async () => {
  const api = new Drained();
  await api.deploy(2);
  await api.protect({ minAvailable: 1 });
  const all = await api.pods();
  await api.markReady(all.slice(0, 1), false);
  await api.run(1000);
  expect(await api.status()).toMatchObject({ currentHealthy: 1, disruptionsAllowed: 0 });
  const [sick, well] = all.map(({ metadata }) => metadata.name ?? '');
  await expect(api.evict(well ?? '')).rejects.toThrow('would violate');
  await api.evict(sick ?? '');
});

test('a budget of a Pod without a controller', async () => {
  const api = new Drained([disruptionController]);
  const make = (name: string, owner: string) =>
    api.do((client) =>
      client.create(
        pods,
        decoded(
          pods,
          `metadata: {name: ${name}, namespace: default, labels: {app: web}${owner}}\nspec: {containers: [{name: a, image: b}]}`,
        ),
      ),
    );
  await make('lone', '');
  await api.protect({ maxUnavailable: 1 });
  expect(await api.status()).toMatchObject({ expectedPods: 0, disruptionsAllowed: 0 });
  expect((await api.said('PodDisruptionBudget'))[0]).toContain(
    'UnmanagedPods Pods selected by this PodDisruptionBudget (selector: &LabelSelector{MatchLabels:map[string]string{app: web,},MatchExpressions:[]LabelSelectorRequirement{},}) were found to be unmanaged.',
  );
  await make('odd', ', ownerReferences: [{apiVersion: apps/v1, kind: DaemonSet, name: d, uid: u, controller: true}]');
  await api.run(1000);
  expect((await api.status())?.conditions).toMatchObject([
    { status: 'False', reason: 'SyncFailed', message: 'daemonsets.apps does not implement the scale subresource' },
  ]);
});
