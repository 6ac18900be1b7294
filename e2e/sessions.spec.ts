import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@playwright/test';
import { ourKubectl, play, realKubectl } from './console.ts';
import { type Served, serve } from './serve.ts';

/**
 * What a kubectl v1.33 prints over `npm run serve`, recorded with the real one. `RECORD=1 npx playwright test
 * e2e/sessions.spec.ts -g real` writes the files anew from their commands: look at what changed before you commit it.
 */
const folder = path.resolve('e2e/sessions');

let served: Served;
test.beforeAll(async () => {
  served = await serve('--workers', '3', '--no-control-plane-node', '--speed', '2');
});
test.afterAll(() => served?.stop());

for (const file of readdirSync(folder)) {
  for (const who of ['the real kubectl', 'our kubectl'] as const) {
    test(`${who} prints what was recorded: ${path.basename(file, '.console')}`, () => {
      const kubectl = who === 'our kubectl' ? ourKubectl : realKubectl();
      test.skip(!kubectl, 'SKIPPED: there is no kubectl v1.33 on this machine');
      test.setTimeout(180_000);
      const { was, is } = play(path.join(folder, file), kubectl as string, served.kubeconfig);
      if (process.env.RECORD) writeFileSync(path.join(folder, file), `${is}\n`);
      else expect(is).toBe(was);
    });
  }
}
