// npm test: installs what is missing and runs everything.
import { ensureBrowser } from './browser.js';
import { install } from './install.js';
import { buildStage, clientStage, pageStage, runStages, staticStages, summarize, unitStage } from './stages.js';

let results = [];
try {
  install();
  results = await runStages([unitStage, buildStage, ...staticStages]);
  process.env.CHROME_PATH = ensureBrowser();
  results.push(...(await runStages([pageStage, clientStage], 1)));
} catch (error) {
  console.error(`\n${error.message}`);
  results.push({ name: 'preparation', passed: 0, failed: 1, skipped: [], seconds: 0 });
}
process.exitCode = summarize(results);
