import { expect, test } from '@playwright/test';
import { Tabernetes } from './page.ts';

test('Why?, switches, skipping ahead and the filters of the timeline', async ({ page }) => {
  test.setTimeout(180_000);
  const tabernetes = new Tabernetes(page);
  await tabernetes.open();
  const { inspector, timeline, graph } = tabernetes;
  const button = (name: string) => tabernetes.button(name);
  const pods = graph.locator('[data-object^="pods/default/web-"]');
  const running = graph.locator('[data-object^="pods/default/web-"][data-status="Running"]');
  const why = inspector.getByRole('tab', { name: 'Why?' });

  await tabernetes.type('kubectl create deployment web --image=nginx --replicas=3');
  await expect(running).toHaveCount(3, { timeout: 30_000 });

  await test.step("a Deployment's Pod leads to the decision and on to the command", async () => {
    await pods.first().click();
    await why.click();
    const chain = inspector.getByRole('list', { name: 'From the last step back to the first' });
    await expect(chain).toContainText('wanted 3 Pods and had 0');
    await expect(chain).toContainText('You (with kubectl) created Deployment web.');
    await chain.getByRole('button', { name: 'What was recorded (6)' }).click();
    await chain.locator('[data-kind="write"] > button').click();
    await expect(chain).toContainText('/registry/pods/default/web-');
    await expect(chain).toContainText('+ kind: Pod');
    await tabernetes.screenshot('20-why');
  });

  await test.step('the timeline shows one object, one component, what is asked for', async () => {
    await timeline.getByRole('button', { name: /^Only web-/ }).click();
    await expect(timeline.getByRole('option').first()).toBeVisible();
    const about = await timeline.getByRole('option').allTextContents();
    expect(about.filter((text) => !/web-|container|image|sandbox/.test(text))).toEqual([]);
    const chips = timeline.getByRole('list', { name: 'Filters' }).getByRole('button');
    await expect(chips).toHaveCount(1);
    await timeline.getByRole('button', { name: 'What is shown' }).press('Enter');
    await page.getByRole('menuitemcheckbox', { name: 'Watch events' }).press('Enter');
    await page.keyboard.press('Escape');
    await expect(chips).toHaveCount(3);
    await expect(timeline.getByText('ADDED')).toHaveCount(0);
    await timeline.getByRole('button', { name: 'Clear all' }).click();
    await expect(chips).toHaveCount(0);
  });

  await test.step('without a scheduler new Pods wait, and say why; one click starts all again', async () => {
    await button('Switches').click();
    await page.getByRole('switch', { name: 'kube-scheduler' }).click();
    await expect(page.getByText('New Pods stay Pending.')).toBeVisible();
    await page.keyboard.press('Escape');
    await tabernetes.type('kubectl scale deployment web --replicas=4');
    await expect(graph.locator('[data-object^="pods/default/web-"][data-status="Pending"]')).toHaveCount(1);
    await graph.locator('[data-object^="pods/default/web-"][data-status="Pending"]').click();
    await why.click();
    await expect(inspector).toContainText('It waits for a Node, and kube-scheduler is stopped.');
    await tabernetes.screenshot('21-scheduler-stopped');
    await button('Start all again').click();
    await expect(running).toHaveCount(4, { timeout: 30_000 });
  });

  await test.step('while the API server is stopped the page keeps what it knew', async () => {
    await button('Switches').click();
    await page.getByRole('switch', { name: 'kube-apiserver' }).click();
    await page.keyboard.press('Escape');
    await expect(page.getByText('The API server does not answer.')).toBeVisible();
    await expect(running).toHaveCount(4);
    await tabernetes.screenshot('22-api-server-stopped');
    await graph.getByRole('button', { name: 'Start kube-apiserver' }).click();
    await expect(page.getByText('The API server does not answer.')).toHaveCount(0);
    await expect(page.getByText('4/4 Nodes Ready')).toBeVisible({ timeout: 20_000 });
  });

  await test.step('a Node without its cable loses its Pods in due time', async () => {
    const node = tabernetes.object('nodes/node-1');
    await node.first().click();
    await inspector.getByRole('tab', { name: 'Overview' }).click();
    await inspector.getByRole('radio', { name: 'unplugged' }).click();
    const skip = async (by: string) => {
      await button('Skip ahead').click();
      await page.getByRole('menuitem', { name: by }).click();
      await expect(page.getByText('skipping ahead')).toHaveCount(0, { timeout: 30_000 });
    };
    await skip('+1 min');
    await expect(node.first()).toHaveAttribute('data-status', 'NotReady');
    await skip('+5 min');
    await expect(running).toHaveCount(4, { timeout: 30_000 });
    await tabernetes.screenshot('23-evicted');
    await button('Start all again').click();
    // The kubelet's connections have to time out before it is heard of again.
    await skip('+5 min');
    await expect(node.first()).toHaveAttribute('data-status', 'Ready');
  });

  expect(tabernetes.faults).toEqual([]);
});
