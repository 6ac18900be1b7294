import { expect, test } from '@playwright/test';
import { Tabernetes } from './page.ts';

/** The words of the terminal, lines joined: a narrow terminal breaks them where it will. */
const said = (tabernetes: Tabernetes) => async () => (await tabernetes.screen().innerText()).replaceAll(/\s/g, ' ');

test('a Deployment heals, scales, rolls and goes back; its Service spreads the requests', async ({ page }) => {
  test.setTimeout(240_000);
  const tabernetes = new Tabernetes(page);
  await tabernetes.open();
  const { graph } = tabernetes;
  const pods = graph.locator('[data-object^="pods/default/web-"]');
  const running = graph.locator('[data-object^="pods/default/web-"][data-status="Running"]');
  const deployment = tabernetes.object('deployments/default/web');
  const service = tabernetes.object('services/default/web');
  const revisions = graph.locator('[data-object^="replicasets/default/web-"]');
  const screen = said(tabernetes);

  await test.step('three Pods by the terminal, then five', async () => {
    await tabernetes.type('kubectl create deployment web --image=nginx --replicas=3');
    await expect(deployment).toHaveAttribute('data-status', '3/3', { timeout: 30_000 });
    await expect(running).toHaveCount(3);
    await expect(revisions).toHaveCount(1);
    await tabernetes.type('kubectl scale deployment web --replicas=5');
    await expect(deployment).toHaveAttribute('data-status', '5/5', { timeout: 30_000 });
    await tabernetes.screenshot('30-five-pods');
  });

  const names = async () => Promise.all((await pods.all()).map((pod) => pod.getAttribute('data-object')));

  await test.step('a Pod that is deleted is replaced', async () => {
    const before = await names();
    const [gone = ''] = before as string[];
    await tabernetes.type(`kubectl delete pod ${gone.split('/')[2]}`);
    await expect(tabernetes.object(gone)).toHaveCount(0, { timeout: 30_000 });
    await expect(deployment).toHaveAttribute('data-status', '5/5', { timeout: 30_000 });
    expect((await names()).filter((name) => !before.includes(name))).toHaveLength(1);
  });

  await test.step('a Service reaches them, and the requests are seen on their way', async () => {
    await tabernetes.type('kubectl expose deployment web --port=80');
    await expect(service).toHaveAttribute('data-status', '5/5', { timeout: 30_000 });
    await expect(graph.locator('path[data-from="services/default/web"]').first()).toBeAttached();
    const canvas = graph.locator('canvas[data-connections]');
    const count = async () => Number(await canvas.getAttribute('data-connections'));
    const before = await count();
    await tabernetes.type('clear; IP=$(kubectl get service web -o jsonpath={.spec.clusterIP})');
    await tabernetes.type('for i in 1 2 3 4 5 6 7 8; do curl -s $IP | grep -c Welcome; done; echo d"on"e');
    await expect.poll(screen, { timeout: 30_000 }).toContain('done');
    await expect.poll(count).toBeGreaterThanOrEqual(before + 8);
    await tabernetes.screenshot('31-requests');
  });

  await test.step('one is made to hang, and comes back', async () => {
    const [name = ''] = (await names()) as string[];
    const pod = tabernetes.object(name);
    await tabernetes.type(`clear; fault hang pod/${name.split('/')[2]}`);
    await expect(pod).toHaveAttribute('data-fault', 'hang');
    // It is Running and has no readiness probe: nobody notices but those who ask it.
    await tabernetes.type(
      `curl -m 2 -s $(kubectl get pod ${name.split('/')[2]} -o jsonpath={.status.podIP}); echo code $?`,
    );
    await expect.poll(screen, { timeout: 20_000 }).toContain('code 28');
    await tabernetes.screenshot('32-hanging');
    await tabernetes.type(`fault heal pod/${name.split('/')[2]}`);
    await expect(pod).not.toHaveAttribute('data-fault', 'hang');
  });

  await test.step('it rolls to a new image, and back', async () => {
    const first = await names();
    await tabernetes.type('clear; kubectl set image deployment/web nginx=nginx:1.27');
    await tabernetes.type('kubectl rollout status deployment/web');
    await expect.poll(screen, { timeout: 60_000 }).toContain('successfully rolled out');
    await expect(revisions).toHaveCount(2);
    await expect(running).toHaveCount(5, { timeout: 30_000 });
    expect((await names()).filter((name) => first.includes(name))).toEqual([]);
    await tabernetes.type('clear; kubectl rollout undo deployment/web && kubectl rollout status deployment/web');
    await expect.poll(screen, { timeout: 60_000 }).toContain('successfully rolled out');
    await tabernetes.type('clear; kubectl get deployment web -o wide');
    await expect.poll(screen).toMatch(/web +5\/5 +5 +5 +\S+ +nginx +nginx +app=web/);
    await expect(running).toHaveCount(5, { timeout: 30_000 });
    await tabernetes.screenshot('33-undone');
  });
  expect(tabernetes.faults).toEqual([]);
});

test('an application of two tiers in one file answers through its node port', async ({ page }) => {
  test.setTimeout(120_000);
  const tabernetes = new Tabernetes(page);
  await tabernetes.open();
  const screen = said(tabernetes);
  await tabernetes.button('Examples').click();
  await page.getByRole('menuitem', { name: /^Front end and store/ }).click();
  await tabernetes.button('Apply').click();
  await expect(tabernetes.object('deployments/default/front')).toHaveAttribute('data-status', '2/2', {
    timeout: 40_000,
  });
  await expect(tabernetes.object('services/default/redis')).toHaveAttribute('data-status', '1/1');
  // The front end asks for redis by name.
  await expect(tabernetes.object('services/kube-system/kube-dns')).toHaveAttribute('data-status', '2/2', {
    timeout: 30_000,
  });
  await tabernetes.type('for i in 1 2 3; do curl -s node-1:30081; done');
  await expect.poll(screen, { timeout: 30_000 }).toMatch(/seen 1 times.*seen 2 times.*seen 3 times/);
  await tabernetes.screenshot('34-two-tiers');
  expect(tabernetes.faults).toEqual([]);
});
