// npm start [-- --port N]: installs what is missing, builds what has changed, serves the page on loopback.
import { parseArgs } from 'node:util';
import { endWithNpm } from './end-with-npm.js';
import { ensureInstalled } from './install.js';

const { values } = parseArgs({ options: { port: { type: 'string', default: '4173' } } });
ensureInstalled();
const { buildPageIfStale } = await import('./build.js');
await buildPageIfStale();
const { servePage } = await import('./serve-page.js');
const { url } = await servePage({ port: Number(values.port) });
endWithNpm();
console.log(`Tabernetes: ${url}`);
