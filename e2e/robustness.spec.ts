import { expect, test } from '@playwright/test';
import { Tabernetes } from './page.ts';

test.use({ permissions: ['clipboard-read', 'clipboard-write'] });

test('bad, huge and hostile input gets an error and leaves the page alive', async ({ page }) => {
  const tabernetes = new Tabernetes(page);
  await tabernetes.open();
  const { editor } = tabernetes;
  const answers = editor.getByRole('status', { name: 'Answers of the API server' });

  await tabernetes.write('apiVersion: v1\nkind: Pod\nmetadata: name: broken\n');
  await expect(editor.locator('.squiggly-error').first()).toBeVisible();
  await tabernetes.button('Apply').click();
  await expect(answers).toContainText('mapping values are not allowed in this context');

  await tabernetes.write(
    'apiVersion: v1\nkind: Pod\nmetadata:\n  name: Wrong_Name\nspec:\n  containers:\n  - name: a\n',
  );
  await tabernetes.button('Apply').click();
  await expect(answers).toContainText('metadata.name: Invalid value: "Wrong_Name"');
  await expect(answers).toContainText('line 4');

  const bomb = ['a0: &a0 [x,x,x,x,x,x,x,x,x]'];
  for (let at = 1; at < 20; at++)
    bomb.push(
      `a${at}: &a${at} [${Array(9)
        .fill(`*a${at - 1}`)
        .join(',')}]`,
    );
  const hostile: readonly (readonly [text: string, error: string])[] = [
    [bomb.join('\n'), 'document contains excessive aliasing'],
    [`a: ${'['.repeat(50_000)}`, 'nested too deeply'],
    [
      `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: big\ndata:\n  a: "${'x'.repeat(3 * 1024 * 1024)}"\n`,
      'larger than the API server takes',
    ],
  ];
  for (const [text, error] of hostile) {
    await tabernetes.write(text);
    await tabernetes.button('Apply').click();
    await expect(answers).toContainText(error, { timeout: 20_000 });
  }

  await tabernetes.write(
    'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: fine\n---\nkind: [\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: fine-too\n',
  );
  await tabernetes.button('Apply').click();
  await expect(answers).toContainText('configmap/fine created');
  await expect(answers).toContainText('configmap/fine-too created');
  await expect(answers.getByRole('button', { name: /error parsing/ })).toContainText('line 6');
  await tabernetes.screenshot('08-answers');
  expect(tabernetes.faults).toEqual([]);
});

test('the keyboard reaches everything: F6 round the panes, Escape out, arrows in graph and timeline', async ({
  page,
}) => {
  const tabernetes = new Tabernetes(page);
  await tabernetes.open();
  const { editor, graph, inspector, terminal, timeline } = tabernetes;
  const focused = page.locator(':focus');
  await tabernetes.button('Apply').focus();
  for (const pane of [graph, inspector, terminal, timeline, editor]) {
    await page.keyboard.press('F6');
    await expect(pane.locator(focused)).toHaveCount(1);
  }
  // In the editor: typing arrives, also what React Flow would take; Escape leads out, Enter back in.
  await page.keyboard.press('Control+End');
  await page.keyboard.type('# a b');
  await expect(editor.locator('.view-lines')).toContainText('# a b');
  await page.keyboard.press('Escape');
  await expect(editor).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(editor.locator(focused)).toHaveCount(1);
  await page.keyboard.press('Shift+F6');
  await expect(timeline.locator(focused)).toHaveCount(1);
  await page.keyboard.press('Home');
  await page.keyboard.press('Enter');
  await expect(inspector.getByRole('heading', { name: 'Led to' })).toBeVisible();
  await page.keyboard.press('F6');
  await page.keyboard.press('F6');
  await expect(graph.locator('[data-component="kube-apiserver"]')).toBeFocused();
  await page.keyboard.press('ArrowRight');
  await expect(graph.locator('[data-component="etcd"]')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(inspector.getByRole('heading', { name: 'etcd' })).toBeVisible();
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
  await page.keyboard.press('Escape');
  expect(tabernetes.faults).toEqual([]);
});

test('a crash of the worker is told, and a new cluster takes its place', async ({ page }) => {
  const tabernetes = new Tabernetes(page);
  await tabernetes.open();
  const engine = page.workers().find((worker) => worker.url().includes('worker'));
  await engine?.evaluate(() => {
    setTimeout(() => {
      throw new Error('a fault put in on purpose');
    }, 0);
  });
  const alert = page.getByRole('alert').filter({ hasText: 'The cluster has crashed' });
  await expect(alert).toContainText('a fault put in on purpose');
  await tabernetes.screenshot('09-crash');
  await alert.getByRole('button', { name: 'Start a new cluster' }).click();
  await expect(tabernetes.object('nodes/node-1')).toHaveAttribute('data-status', 'Ready');
  await expect(alert).toHaveCount(0);
});

test('panes keep their sizes over a reload', async ({ page }) => {
  const tabernetes = new Tabernetes(page);
  await page.goto('.');
  const width = async () => (await tabernetes.editor.boundingBox())?.width ?? 0;
  await expect(tabernetes.editor).toBeVisible();
  const before = await width();
  await page.getByRole('separator').first().focus();
  for (let press = 0; press < 3; press++) await page.keyboard.press('ArrowRight');
  await expect.poll(width).toBeGreaterThan(before + 10);
  const after = await width();
  await page.reload();
  await expect.poll(width).toBeCloseTo(after, -1);
});
