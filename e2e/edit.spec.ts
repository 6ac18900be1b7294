import { expect, test } from '@playwright/test';
import { Tabernetes } from './page.ts';

test.use({ permissions: ['clipboard-read', 'clipboard-write'] });

test('kubectl edit opens a tab of the editor and goes on when it is saved', async ({ page }) => {
  test.setTimeout(180_000);
  const t = new Tabernetes(page);
  await t.open();
  const tab = t.editor.getByRole('tab', { name: /^kubectl-edit-\d+\.yaml$/ });
  const clear = () => t.type('clear');

  await t.type('kubectl create deployment web --image=nginx --replicas=1');
  await expect(t.screen()).toContainText('deployment.apps/web created');
  await t.type('kubectl edit deployment web');
  await expect(tab).toHaveAttribute('aria-selected', 'true');
  await expect(t.editor.locator('.view-lines')).toContainText('Please edit the object below');
  await t.screenshot('kubectl-edit');
  await t.button('Save and close').click();
  await expect(t.screen()).toContainText('Edit cancelled, no changes made.');
  await expect(tab).toHaveCount(0);

  // What the server refuses comes back with the reason on top.
  await clear();
  await t.type('kubectl edit deployment web');
  await expect(tab).toHaveCount(1);
  const text = await edited(t, (given) => given.replace('replicas: 1', 'replicas: -2'));
  expect(text).toContain('replicas: -2');
  await page.keyboard.press('ControlOrMeta+Enter');
  await expect(t.screen()).toContainText('error: deployments.apps "web" is invalid');
  await expect(t.editor.locator('.view-lines')).toContainText('must be greater than or equal to 0');
  await edited(t, (given) => given.replace('replicas: -2', 'replicas: 2'));
  await page.keyboard.press('ControlOrMeta+Enter');
  await expect(t.screen()).toContainText('deployment.apps/web edited');
  await expect(t.graph.locator('[data-object^="pods/default/web-"]')).toHaveCount(2);

  // Cancelled, closed, interrupted: nothing changes.
  for (const leave of [
    () => t.button('Cancel').click(),
    () => t.editor.getByRole('button', { name: /^Close kubectl-edit/ }).click(),
  ]) {
    await clear();
    await t.type('kubectl edit deployment web');
    await expect(tab).toHaveCount(1);
    await leave();
    await expect(t.screen()).toContainText('Edit cancelled, no changes made.');
    await expect(tab).toHaveCount(0);
  }
  await t.type('kubectl edit deployment web');
  await expect(tab).toHaveCount(1);
  await t.terminal.locator('.xterm-helper-textarea').focus();
  await page.keyboard.press('Control+C');
  await expect(tab).toHaveCount(0);
  expect(t.faults).toEqual([]);
});

/** Changes what the editor holds and returns it. */
async function edited(t: Tabernetes, change: (text: string) => string): Promise<string> {
  const { page } = t;
  await t.editor.locator('.monaco-editor').first().click();
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.press('ControlOrMeta+C');
  const text = change(await page.evaluate(() => navigator.clipboard.readText()));
  await t.write(text);
  return text;
}
