// The browser that the page tests run in: one that is installed, else one that can be.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cache, root } from './install.js';

const isRoot = process.getuid?.() === 0;

/** Arguments for every browser that tests start: no talk with the network, and no sandbox where Chromium refuses it. */
export const browserArgs = [
  ...(isRoot ? ['--no-sandbox'] : []),
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
  '--no-first-run',
];

/**
 * The executable of a Chromium: an installed one, the distribution's package (as root, by apt-get), or Playwright's own
 * download. Installs what it can and says so on stderr; throws with what to do when there is none.
 */
export function ensureBrowser() {
  installFonts();
  const found = installed() ?? fromPackage() ?? fromPlaywright();
  if (found) return found;
  throw new Error(
    'No browser for the page tests. Install Chromium or Chrome (Debian, Ubuntu: apt-get install chromium), ' +
      'or set CHROME_PATH to the executable of one, or let `npx playwright install --with-deps chromium` download one.',
  );
}

function installed() {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome', 'chrome.exe'];
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  const candidates = [
    process.env.CHROME_PATH,
    ...names.flatMap((name) => folders.map((folder) => path.join(folder, name))),
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  ];
  return candidates.find((file) => file && existsSync(file) && runs(file));
}

/** Ubuntu's chromium-browser, say, can be a stub that only asks for a snap. On Windows `--version` opens a window. */
function runs(file) {
  return process.platform === 'win32' || spawnSync(file, ['--version'], { timeout: 20_000 }).status === 0;
}

function aptGet(minutes, ...args) {
  const { status } = spawnSync('apt-get', args, {
    stdio: ['ignore', 2, 2],
    timeout: minutes * 60_000,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  return status === 0;
}

const canAptGet = () => isRoot && spawnSync('apt-get', ['--version']).status === 0;

function fromPackage() {
  if (!canAptGet()) return undefined;
  process.stderr.write('No Chromium found; installing the package of the distribution ...\n');
  aptGet(3, 'update', '-q');
  aptGet(6, 'install', '-qy', '--no-install-recommends', 'chromium');
  return installed();
}

function fromPlaywright() {
  const playwright = path.join(root, 'node_modules/playwright-core');
  const executable = () => {
    const code = `console.log(require(${JSON.stringify(playwright)}).chromium.executablePath())`;
    const file = spawnSync(process.execPath, ['-e', code], { encoding: 'utf8' }).stdout.trim();
    return existsSync(file) && runs(file) ? file : undefined;
  };
  const found = executable();
  if (found) return found;
  process.stderr.write('No Chromium found; downloading that of Playwright ...\n');
  spawnSync(process.execPath, [path.join(playwright, 'cli.js'), 'install', 'chromium'], {
    stdio: ['ignore', 2, 2],
    timeout: 5 * 60_000,
  });
  return executable();
}

/** Without a Chinese font the screenshots show boxes. Tried once; the tests do without. */
function installFonts() {
  const tried = path.join(cache, 'fonts-tried');
  if (existsSync(tried) || !canAptGet()) return;
  if (spawnSync('fc-list', [':lang=zh'], { encoding: 'utf8' }).stdout?.trim()) return;
  process.stderr.write('No Chinese font found; installing fonts-noto-cjk ...\n');
  if (!aptGet(3, 'install', '-qy', '--no-install-recommends', 'fonts-noto-cjk')) {
    aptGet(3, 'update', '-q');
    aptGet(3, 'install', '-qy', '--no-install-recommends', 'fonts-noto-cjk');
  }
  mkdirSync(cache, { recursive: true });
  writeFileSync(tried, '');
}
