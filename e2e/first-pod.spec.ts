import { expect, test } from '@playwright/test';
import { Tabernetes } from './page.ts';

test.use({ permissions: ['clipboard-read', 'clipboard-write'] });

test('the first Pod: applied, stepped through, inspected, entered, deleted', async ({ page }) => {
  test.setTimeout(180_000);
  const tabernetes = new Tabernetes(page);
  await tabernetes.open();
  const { editor, inspector, timeline, terminal, button, pod, step, screen } = bind(tabernetes);
  await tabernetes.screenshot('01-alive');

  await test.step('while the clock is held, a write waits', async () => {
    await button('Pause').click();
    await expect(button('Pause')).toHaveAttribute('aria-pressed', 'true');
    await button('Apply').click();
    await expect(page.getByText('1 waiting until the clock moves')).toBeVisible();
    await expect(pod('nginx')).toHaveCount(0);
  });

  await test.step('step by step: Pending without a Node, then bound to one', async () => {
    await tabernetes.stepUntil(async () => (await pod('nginx').count()) > 0);
    await expect(pod('nginx')).toHaveAttribute('data-status', 'Pending');
    await expect(pod('nginx')).toHaveAccessibleName('Pod default/nginx, Pending, waits for a Node');
    await tabernetes.screenshot('02-pending');
    await tabernetes.stepUntil(async () => /on node-\d/.test((await pod('nginx').getAttribute('aria-label')) ?? ''));
    await tabernetes.screenshot('03-bound');
  });

  await test.step('at speed it becomes Running', async () => {
    await page.getByRole('combobox', { name: 'Speed' }).selectOption('2');
    await button('Play').click();
    await expect(pod('nginx')).toHaveAttribute('data-status', 'Running', { timeout: 30_000 });
    await expect(editor.getByText('pod/nginx created').first()).toBeVisible();
    await page.getByRole('combobox', { name: 'Speed' }).selectOption('1');
  });

  await test.step('its five steps are there, each with what happened', async () => {
    await expect(inspector.getByRole('heading', { name: 'nginx' })).toBeVisible();
    for (const number of [1, 2, 3, 4, 5]) await expect(step(number)).toHaveAttribute('data-state', 'done');

    await step(1)
      .getByRole('button', { name: /kubectl create/ })
      .click();
    await expect(step(1)).toContainText('kubernetes-admin');
    await step(2)
      .getByRole('button', { name: /revision/ })
      .click();
    await expect(step(2)).toContainText('/registry/pods/default/nginx');
    await expect(step(2)).toContainText('+ kind: Pod');
    await step(3).getByRole('button', { name: /ADDED/ }).click();
    await expect(step(3)).toContainText('Watch event');
    await step(3)
      .getByRole('button', { name: /decide/ })
      .click();
    await expect(step(3).getByRole('table')).toContainText('control-plane');
    await expect(step(3).getByRole('table')).toContainText('NodeResourcesFit');
    await step(3)
      .getByRole('button', { name: /revision/ })
      .click();
    await expect(step(3)).toContainText(/\+ +nodeName: node-\d/);
    await expect(step(4)).toContainText(/kubelet node-\d/);
    await step(5)
      .getByRole('button', { name: /revision/ })
      .last()
      .click();
    await expect(step(5)).toContainText('phase: Running');
    await tabernetes.screenshot('04-five-steps');

    await timeline.getByRole('searchbox', { name: 'Filter' }).fill('default/nginx →');
    await timeline.getByRole('option').first().click();
    await expect(inspector.getByRole('heading', { name: 'Caused by' })).toBeVisible();
    await timeline.getByRole('searchbox', { name: 'Filter' }).fill('');
  });

  await test.step('the object: YAML, events and logs', async () => {
    await pod('nginx').click();
    await inspector.getByRole('tab', { name: 'YAML' }).click();
    await expect(inspector).toContainText('hostIP:');
    await expect(inspector).not.toContainText('managedFields:');
    await inspector.getByRole('tab', { name: 'Events' }).click();
    await expect(inspector).toContainText('Successfully assigned default/nginx to node-');
    await inspector.getByRole('tab', { name: 'Logs' }).click();
    await expect(inspector.getByRole('log')).toContainText('start worker process');
    await tabernetes.screenshot('05-logs');
  });

  await test.step('another by the terminal; logs and exec', async () => {
    await tabernetes.type('kubectl run web --image=nginx');
    await expect(screen()).toContainText('pod/web created');
    await expect(pod('web')).toHaveAttribute('data-status', 'Running', { timeout: 30_000 });
    await tabernetes.type('k get pods');
    await expect(screen()).toContainText(/web +1\/1 +Running/);
    await tabernetes.type('kubectl logs nginx | grep -c worker');
    await tabernetes.type('kubectl exec -it nginx -- sh');
    await expect(screen()).toContainText('# ');
    await tabernetes.type('echo "I am in $(hostname)"');
    await expect(screen()).toContainText('I am in nginx');
    await tabernetes.type('exit');
    await tabernetes.type('echo back outside');
    await expect(screen()).toContainText(/echo back outside *back outside/);
    await tabernetes.screenshot('06-terminal');
    await page.keyboard.press('Escape');
    await expect(terminal).toBeFocused();
  });

  await test.step('a Pod that no Node can take says why', async () => {
    await editor.getByRole('button', { name: 'Examples' }).click();
    await page.getByRole('menuitem', { name: 'No Node fits' }).click();
    await button('Apply').click();
    await expect(pod('needs-ssd')).toHaveAttribute('data-status', 'Pending');
    await expect(step(3)).toHaveAttribute('data-state', 'failed');
    await expect(step(3)).toContainText('0/4 nodes are available: 1 node(s) had untolerated taint');
    await tabernetes.screenshot('07-unschedulable');
    await button('Delete').click();
    await expect(editor.getByText('pod "needs-ssd" deleted').first()).toBeVisible();
    await expect(pod('needs-ssd')).toHaveCount(0);
  });

  await test.step('delete, and the Pod goes', async () => {
    await editor.getByRole('tab', { name: 'nginx-pod.yaml' }).click();
    await button('Delete').click();
    await expect(pod('nginx')).toHaveCount(0, { timeout: 60_000 });
    await expect(pod('web')).toHaveCount(1);
  });

  await test.step('after a reload the files are there, and a new cluster', async () => {
    await page.reload();
    await expect(editor.getByRole('tab', { name: 'unschedulable.yaml' })).toBeVisible();
    await expect(tabernetes.object('nodes/node-3')).toHaveAttribute('data-status', 'Ready');
    await expect(pod('web')).toHaveCount(0);
  });
  expect(tabernetes.faults).toEqual([]);
});

for (const [theme, locale] of [
  ['light', 'en-US'],
  ['dark', 'en-US'],
  ['light', 'zh-CN'],
  ['dark', 'zh-CN'],
] as const) {
  test.describe(`${theme}, ${locale}`, () => {
    test.use({ colorScheme: theme, locale });
    test('the page follows system and browser', async ({ page }) => {
      const chinese = locale === 'zh-CN';
      await page.goto('.');
      await expect(page.locator('html')).toHaveAttribute('data-theme', theme);
      await expect(page.locator('html')).toHaveAttribute('lang', chinese ? 'zh-Hans' : 'en');
      await page.getByRole('button', { name: chinese ? '应用' : 'Apply', exact: true }).click();
      await expect(page.locator('[data-object="pods/default/nginx"]')).toHaveAttribute('data-status', 'Running', {
        timeout: 30_000,
      });
      await expect(page.locator('[data-step="5"]')).toHaveAttribute('data-state', 'done');
      await expect(page.locator('.monaco-editor').first()).toBeVisible();
      for (const [name, width, height] of [
        ['wide', 1440, 900],
        ['small', 1024, 768],
        ['phone', 390, 844],
      ] as const) {
        await page.setViewportSize({ width, height });
        await page.waitForTimeout(700);
        await new Tabernetes(page).screenshot(`theme-${theme}-${locale}-${name}`);
      }
    });
  });
}

/** The parts, so that they can be called by their names. */
function bind(tabernetes: Tabernetes) {
  const { editor, graph, inspector, timeline, terminal } = tabernetes;
  return {
    editor,
    graph,
    inspector,
    timeline,
    terminal,
    button: (name: string) => tabernetes.button(name),
    pod: (name: string) => tabernetes.pod(name),
    step: (number: number) => tabernetes.step(number),
    screen: () => tabernetes.screen(),
  };
}
