import { expect, test } from '@playwright/test';

test('the page comes alive from wherever it is served', { tag: '@sub-path' }, async ({ page }) => {
  const failures: string[] = [];
  page.on('pageerror', (error) => failures.push(error.message));
  page.on('console', (message) => message.type() === 'error' && failures.push(message.text()));
  page.on(
    'response',
    (response) => response.status() >= 400 && failures.push(`${response.status()} ${response.url()}`),
  );
  await page.goto('.');
  for (const name of ['Graph', 'Editor', 'Terminal', 'Timeline', 'Inspector']) {
    await expect(page.getByRole('region', { name, exact: true })).toBeVisible();
  }
  // The worker runs, and what it serves reaches the graph.
  await expect(page.locator('[data-object="nodes/node-1"]').first()).toBeAttached();
  // The editor is the last to load, with a worker of its own.
  await expect(page.locator('.monaco-editor').first()).toBeVisible();
  expect(failures).toEqual([]);
});

test('the editor is not among what the page loads first', async ({ request }) => {
  const html = await (await request.get('.')).text();
  const first = [...html.matchAll(/(?:src|href)="([^"]+\.js)"/g)].map(([, file = '']) => file);
  const sizes = await Promise.all(first.map(async (file) => (await (await request.get(file)).body()).length));
  expect(first.length).toBeGreaterThan(0);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(1_500_000);
});
