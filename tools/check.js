// npm run check: what a developer runs all day.
import { ensureInstalled } from './install.js';
import { runStages, staticStages, summarize, unitStage } from './stages.js';

ensureInstalled();
process.exitCode = summarize(await runStages([unitStage, ...staticStages]));
