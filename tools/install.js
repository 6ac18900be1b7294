// Installs what is missing. Depends on nothing but Node, since it runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** The project's folder. */
export const root = path.resolve(import.meta.dirname, '..');
/** Where the tools keep what can be made again. */
export const cache = path.join(root, 'node_modules/.cache/tabernetes');

/**
 * Makes node_modules agree with package-lock.json: nothing if a stamp says that it does, else `npm ci`. Says what it
 * does on stderr only, since stdout belongs to the program that is started next. Throws if it cannot.
 */
export function install() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19))
    throw new Error(`Node 20.19 or newer is needed; this is ${process.version}.`);

  const lock = readFileSync(path.join(root, 'package-lock.json'));
  const hash = createHash('sha256').update(lock).digest('hex');
  const stamp = path.join(cache, 'installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return;

  if (!satisfies(JSON.parse(lock.toString()))) {
    process.stderr.write('Installing dependencies (npm ci) ...\n');
    const npm = process.env.npm_execpath;
    const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
    const options = /** @type {const} */ ({ cwd: root, stdio: ['ignore', 2, 2] });
    const { status, error } = npm?.endsWith('npm-cli.js')
      ? spawnSync(process.execPath, [npm, ...args], options)
      : spawnSync('npm', args, { ...options, shell: process.platform === 'win32' });
    if (status !== 0)
      throw new Error(`npm ci failed${error ? `: ${error.message}` : ''}. It needs the npm registry once.`);
  }
  mkdirSync(cache, { recursive: true });
  writeFileSync(stamp, hash);
}

/** Whether an `npm install` of the developer's own has already put in place what the lock file names. */
function satisfies(lock) {
  const installed = path.join(root, 'node_modules/.package-lock.json');
  if (!existsSync(installed)) return false;
  const { packages } = JSON.parse(readFileSync(installed, 'utf8'));
  return Object.entries(lock.packages).every(
    ([name, wanted]) => name === '' || wanted.optional || packages[name]?.version === wanted.version,
  );
}

/** `install`, for programs that have nothing to do without it. */
export function ensureInstalled() {
  try {
    install();
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

if (process.argv[1] === import.meta.filename) ensureInstalled();
