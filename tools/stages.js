// Runs commands side by side, and counts what they tested.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { cache, root } from './install.js';

/**
 * @typedef {{ name: string, passed: number, failed: number, skipped: string[], seconds: number }} StageResult
 * @typedef {{ name: string, command: string[], env?: Record<string, string>, report?: (file: string) => Counts }} Stage
 * @typedef {{ passed: number, failed: number, skipped: string[] }} Counts
 */

const bin = (name) => path.join(root, 'node_modules/.bin', name);
const reportFile = (name) => path.join(cache, 'reports', `${name}.json`);

/** Types of the three programs, lint with layers and determinism bans, formatting: one test each. */
export const staticStages = [
  { name: 'types of the engine', command: [bin('tsc'), '-p', 'tsconfig.json', '--noEmit'] },
  { name: 'types of the page', command: [bin('tsc'), '-p', 'tsconfig.ui.json', '--noEmit'] },
  { name: 'types of hosts, tests and tools', command: [bin('tsc'), '-p', 'tsconfig.node.json', '--noEmit'] },
  { name: 'lint', command: [bin('oxlint')] },
  { name: 'format', command: [bin('biome'), 'format', '--reporter=summary', '.'] },
];

/** Every `*.test.ts`. */
export const unitStage = {
  name: 'unit tests',
  command: [
    bin('vitest'),
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${reportFile('unit tests')}`,
  ],
  report: vitestCounts,
};

/** The static site. */
export const buildStage = { name: 'build', command: [process.execPath, path.join(root, 'tools/build.js')] };

const playwrightStage = (name, ...args) => ({
  name,
  command: [bin('playwright'), 'test', '--reporter=list,json', ...args],
  env: { PLAYWRIGHT_JSON_OUTPUT_NAME: reportFile(name) },
  report: playwrightCounts,
});

/** The journeys on the built page, which have the machine to themselves. */
export const pageStage = playwrightStage('page tests', '--project=page', '--project=sub-path');

/** What clients get over HTTP; they wait most of the time. */
export const clientStage = playwrightStage('client tests', '--project=clients', '--workers=2');

function vitestCounts(file) {
  const report = JSON.parse(readFileSync(file, 'utf8'));
  const tests = report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map(({ status, fullName }) => ({ status, title: `${path.relative(root, name)}: ${fullName}` })),
  );
  const count = (...statuses) => tests.filter(({ status }) => statuses.includes(status));
  return {
    passed: count('passed').length,
    failed: count('failed').length,
    skipped: count('pending', 'skipped', 'todo', 'disabled').map(({ title }) => title),
  };
}

function playwrightCounts(file) {
  const { stats, suites } = JSON.parse(readFileSync(file, 'utf8'));
  const skipped = [];
  const visit = (suite) => {
    for (const { file, title, tests } of suite.specs ?? []) {
      const test = tests.find(({ status }) => status === 'skipped');
      const why = test?.annotations.find(({ type, description }) => type === 'skip' && description)?.description;
      if (test) skipped.push(`${file}: ${title}${why ? ` (${why})` : ''}`);
    }
    suite.suites?.forEach(visit);
  };
  suites.forEach(visit);
  return { passed: stats.expected + stats.flaky, failed: stats.unexpected, skipped };
}

/**
 * Runs stages, as many at a time as asked, and prints the output of each when it ends.
 * @param {Stage[]} stages
 * @returns {Promise<StageResult[]>}
 */
export async function runStages(stages, atATime = 2) {
  const waiting = [...stages];
  const results = [];
  const worker = async () => {
    for (let stage = waiting.shift(); stage; stage = waiting.shift()) results.push(await runStage(stage));
  };
  await Promise.all(Array.from({ length: atATime }, worker));
  return results;
}

async function runStage({ name, command, env, report }) {
  mkdirSync(path.dirname(reportFile(name)), { recursive: true });
  rmSync(reportFile(name), { force: true });
  const start = performance.now();
  const output = [];
  const child = spawn(command[0], command.slice(1), {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.on('data', (chunk) => output.push(chunk));
  child.stderr.on('data', (chunk) => output.push(chunk));
  const status = await new Promise((resolve) => {
    child.on('error', (error) => {
      output.push(Buffer.from(`${error.message}\n`));
      resolve(1);
    });
    child.on('close', resolve);
  });
  const seconds = (performance.now() - start) / 1000;
  let counts = { passed: status === 0 ? 1 : 0, failed: 0, skipped: [] };
  try {
    if (report) counts = report(reportFile(name));
  } catch (error) {
    output.push(Buffer.from(`No report of ${name}: ${error.message}\n`));
  }
  // A run that fails without a failing test (a file that does not load, say) is a failure all the same.
  if (status !== 0 && counts.failed === 0) counts.failed = 1;
  process.stdout.write(`\n--- ${name} (${seconds.toFixed(1)} s): ${counts.failed ? 'FAILED' : 'ok'}\n`);
  if (counts.failed || report) process.stdout.write(Buffer.concat(output));
  return { name, ...counts, seconds };
}

/**
 * Prints the counts, every skipped test by name, and as the last line `N passed, N failed`.
 * @param {StageResult[]} results
 * @returns {number} the exit code
 */
export function summarize(results) {
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  const skipped = results.flatMap((result) => result.skipped.map((title) => `${result.name}: ${title}`));
  console.log('');
  // Worded so that only the last line reads `N passed, N failed`.
  for (const { name, passed, failed, skipped, seconds } of results) {
    console.log(
      `${failed ? 'FAILED' : 'ok    '}  ${name}: ${passed} of ${passed + failed}, ${skipped.length} skipped (${seconds.toFixed(1)} s)`,
    );
  }
  if (skipped.length > 0)
    console.log(`\n*** ${skipped.length} SKIPPED ***\n${skipped.map((title) => `  ${title}`).join('\n')}`);
  console.log(`\n${sum('passed')} passed, ${sum('failed')} failed`);
  return sum('failed') > 0 ? 1 : 0;
}
