import { expect, test } from '@playwright/test';
import { build } from 'vite';
import { runScenario } from '../src/testing/determinism-scenario.ts';

/** The scenario as a script for a browser. */
async function bundle(): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      minify: false,
      lib: { entry: 'src/testing/determinism-scenario.ts', formats: ['iife'], name: 'scenario', fileName: 'scenario' },
    },
  });
  const [output] = Array.isArray(result) ? result : [result];
  if (!output || !('output' in output)) throw new Error('nothing was bundled');
  return output.output[0].code;
}

test('the same session gives the same turns, spans and etcd in Chromium as in Node', async ({ page }) => {
  test.setTimeout(120_000);
  await page.goto('about:blank');
  await page.addScriptTag({ content: await bundle() });
  const inChromium = await page.evaluate(() =>
    (globalThis as unknown as { scenario: { runScenario(): Promise<unknown> } }).scenario.runScenario(),
  );
  expect(inChromium).toEqual(await runScenario());
});
