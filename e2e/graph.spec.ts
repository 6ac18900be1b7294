import { expect, test } from '@playwright/test';
import { Tabernetes } from './page.ts';

test('the graph joins Services to their Pods, shows who asks whom, and stops what is clicked', async ({ page }) => {
  test.setTimeout(180_000);
  const tabernetes = new Tabernetes(page);
  await tabernetes.open();
  const { graph } = tabernetes;
  const object = (name: string) => tabernetes.object(name);
  const inGraph = (name: string | RegExp) => graph.getByRole('button', { name, exact: true });
  /** The Pods that lines lead to from the Service. */
  const joined = (state: string) => async () => {
    const lines = graph.locator(`[data-from="services/default/web"][data-state="${state}"]`);
    const pods = await lines.evaluateAll((found) =>
      found.flatMap((line) => (line.getAttribute('data-to') ?? '').split(' ')),
    );
    return pods.length;
  };
  const traffic = graph.locator('canvas');

  await test.step('a Deployment of 3, exposed', async () => {
    await tabernetes.type('kubectl create deployment web --image=nginx --replicas=3 --port=80');
    await tabernetes.type('kubectl expose deployment web');
    await expect(object('deployments/default/web')).toHaveAttribute('data-status', '3/3', { timeout: 30_000 });
    await expect(object('services/default/web')).toHaveAttribute('data-status', '3/3');
    await expect(object('services/default/web')).toHaveAccessibleName(
      /ClusterIP, 10\.[\d.]+:80, 3 of 3 endpoints ready/,
    );
    await expect.poll(joined('ready')).toBe(3);
  });

  await test.step('connections go the way that they took', async () => {
    await tabernetes.type(
      'kubectl run load --image=curlimages/curl --command -- sh -c "while true; do curl -s -m 2 web; sleep 0.3; done"',
    );
    await expect(traffic).toHaveAttribute(
      'data-last',
      /^pods\/default\/load services\/default\/web pods\/default\/web-\S+ connected$/,
      { timeout: 30_000 },
    );
    await tabernetes.screenshot('graph-1-connections');
  });

  await test.step('a roll: the new ReplicaSet takes over, the old one stays at none', async () => {
    await object('deployments/default/web').click();
    await tabernetes.type('kubectl set image deployment/web nginx=nginx:1.27');
    await expect(graph.locator('[data-object^="replicasets/default/web-"]')).toHaveCount(2);
    await expect(graph.locator('[data-object^="replicasets/default/web-"][data-status="0/0"]')).toHaveCount(1, {
      timeout: 60_000,
    });
    await expect(graph.locator('[data-object^="pods/default/web-"][data-lit]')).toHaveCount(3);
    await expect.poll(joined('ready')).toBe(3);
    await tabernetes.screenshot('graph-2-rolled');
  });

  await test.step('a Pod hangs by a click, and is healed', async () => {
    const pod = graph.locator('[data-object^="pods/default/web-"]').first();
    await pod.click();
    await inGraph(/^Hang web-/).click();
    await expect(pod).toHaveAttribute('data-fault', 'hang');
    await inGraph(/^Heal web-/).click();
    await expect(pod).not.toHaveAttribute('data-fault');
  });

  await test.step('without a scheduler new Pods wait', async () => {
    await inGraph('Stop kube-scheduler').click();
    await expect(graph.locator('[data-component="kube-scheduler"]')).toHaveAttribute('data-status', 'stopped');
    await tabernetes.type('kubectl scale deployment web --replicas=4');
    await expect(object('deployments/default/web')).toHaveAttribute('data-status', '3/4');
    await expect(graph.locator('[data-object^="pods/default/web-"][data-status="Pending"]')).toHaveCount(1);
    await tabernetes.screenshot('graph-3-no-scheduler');
    await inGraph('Start kube-scheduler').click();
    await expect(object('deployments/default/web')).toHaveAttribute('data-status', '4/4', { timeout: 30_000 });
  });

  await test.step('a Node loses its power, another its cable, and both come back', async () => {
    await inGraph('Unplug node-1').click();
    await inGraph('Switch off node-2').click();
    await expect(object('nodes/node-1')).toHaveAttribute('data-fault', 'unplugged');
    await expect(object('nodes/node-2')).toHaveAttribute('data-fault', 'off');
    await tabernetes.screenshot('graph-4-nodes');
    await inGraph('Start node-1').click();
    await inGraph('Start node-2').click();
    await expect(object('nodes/node-2')).not.toHaveAttribute('data-fault');
  });

  await test.step('without endpoints, connections are refused at the Service', async () => {
    await tabernetes.type('kubectl delete deployment web');
    await expect(object('deployments/default/web')).toHaveCount(0);
    await expect.poll(joined('ready')).toBe(0);
    await expect(traffic).toHaveAttribute('data-last', /services\/default\/web rejected$/, { timeout: 60_000 });
    await tabernetes.screenshot('graph-5-refused');
  });
  expect(tabernetes.faults).toEqual([]);
});
