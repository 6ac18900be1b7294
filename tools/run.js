// node tools/run.js serve|kubectl|fault|bench [arguments]: runs src/hosts/node/<program>.ts, bundled again only if it changed.
import { pathToFileURL } from 'node:url';
import { endWithNpm } from './end-with-npm.js';
import { freshRecord } from './fresh.js';
import { ensureInstalled, root } from './install.js';

const [program = '', ...args] = process.argv.slice(2);
ensureInstalled();
endWithNpm();
const { output } = freshRecord(program) ?? (await (await import('./build.js')).buildProgram(program));
// npm starts its scripts in the project's folder; file names on the command line are relative to where the user is.
if (process.cwd() === root && process.env.INIT_CWD) process.chdir(process.env.INIT_CWD);
process.argv = [process.argv0, output, ...args];
await import(pathToFileURL(output).href);
