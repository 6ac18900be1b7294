// npm run build, and the bundles of the programs for Node.
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { filesIn, freshRecord, stampOf, writeRecord } from './fresh.js';
import { cache, ensureInstalled, root } from './install.js';

/** What the page depends on besides its sources. */
const settings = ['index.html', 'vite.config.ts', 'tsconfig.base.json', 'package.json', 'package-lock.json'];
const programs = path.join(cache, 'programs');

/** Builds the page into dist/ unless its sources are those of the last build. */
export async function buildPageIfStale() {
  const record = freshRecord('page');
  const inputs = pageInputs();
  if (record && Object.keys(record.inputs).length === Object.keys(inputs).length) return;
  await buildPage(inputs);
}

/** Builds the page into dist/: a static site that works from any path. */
export async function buildPage(inputs = pageInputs()) {
  const { build } = await import('vite');
  await build({ root });
  writeRecord('page', { output: path.join(root, 'dist/index.html'), inputs });
}

const pageInputs = () =>
  Object.fromEntries(
    [
      ...settings,
      ...['src', 'public'].flatMap((folder) => (existsSync(path.join(root, folder)) ? filesIn(folder) : [])),
    ].map((file) => [file, stampOf(file)]),
  );

/**
 * Bundles src/hosts/node/<program>.ts with all that it imports, so that Node starts it from a few files. Says nothing
 * on stdout, which is the program's own. Several processes may do so at once: each has a folder of its own.
 */
export async function buildProgram(program) {
  const entry = path.join(root, 'src/hosts/node', `${program}.ts`);
  if (!existsSync(entry)) throw new Error(`There is no program '${program}' (${path.relative(root, entry)}).`);
  const { build } = await import('vite');
  const inputs = Object.fromEntries(['package-lock.json', 'tools/build.js'].map((file) => [file, stampOf(file)]));
  const outDir = path.join(programs, `${program}-${Date.now().toString(36)}-${process.pid}`);
  await build({
    root,
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    plugins: [
      {
        name: 'tabernetes-inputs',
        load(id) {
          const file = path.relative(root, id.replace(/\?.*$/, ''));
          if (path.isAbsolute(id) && !file.startsWith('node_modules')) inputs[file] = stampOf(file);
        },
      },
    ],
    ssr: { noExternal: true, target: 'node' },
    build: {
      ssr: entry,
      outDir,
      target: 'node20',
      sourcemap: true,
      minify: false,
      rolldownOptions: {
        checks: { pluginTimings: false },
        output: { entryFileNames: '[name].mjs', chunkFileNames: 'chunks/[name]-[hash].mjs' },
      },
    },
  });
  const record = { output: path.join(outDir, `${program}.mjs`), inputs };
  writeRecord(program, record);
  removeOldBundles(program, outDir);
  return record;
}

/** A program that still runs may load a part of its old bundle yet; an hour later that is unlikely. */
function removeOldBundles(program, current) {
  for (const name of readdirSync(programs)) {
    const folder = path.join(programs, name);
    if (!name.startsWith(`${program}-`) || folder === current) continue;
    if (Date.now() - statSync(folder).mtimeMs > 3_600_000) rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === import.meta.filename) {
  ensureInstalled();
  await buildPage();
}
