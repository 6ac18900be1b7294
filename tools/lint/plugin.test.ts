import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';

/** Files of an invented tree; a line that ends in `// ! rule` is one that the rule reports, every other line is clean. */
const files = {
  'src/etcd/store.ts': `
    import { VirtualClock } from '#base/clock.ts';
    import { VirtualClock as noExtension } from '#base/clock'; // ! layers
    import { other } from './other.ts';
    import { other as alsoNoExtension } from './other'; // ! layers
    import { heap } from '../base/heap.ts'; // ! layers
    import { self } from '#etcd/other.ts'; // ! layers
    import type { Pod } from '#api/core/v1/pod.ts'; // ! layers
    type Again = import('#api/core/v1/pod.ts').Pod; // ! layers
    import fs from 'node:fs'; // ! layers
    import React from 'react'; // ! layers
    import { sha256 } from '@noble/hashes/sha2.js';
    const later = () => import('#kubelet/kubelet.ts'); // ! layers
    const worker = new URL('../ui/main.tsx', import.meta.url); // ! layers
    export const all = [VirtualClock, noExtension, other, alsoNoExtension, heap, self, fs, React, sha256, later, worker];`,
  'src/etcd/store.test.ts': `
    import fs from 'node:fs';
    import { Kubelet } from '#kubelet/kubelet.ts';
    import { heap } from '../base/heap.ts'; // ! layers
    console.log(fs, Kubelet, heap, Date.now());`,
  'src/etcd/ambient.ts': `
    export const bad = [
      new Date(), // ! no-ambient
      Date.now(), // ! no-ambient
      Math.random(), // ! no-ambient
      Math.pow(2, 0.5), // ! no-ambient
      performance.now(), // ! no-ambient
      'a'.localeCompare('b'), // ! no-ambient
      typeof Intl, // ! no-ambient
      globalThis.process, // ! no-ambient
      Promise.all([]), // ! no-ambient
      setTimeout(() => {}, 0), // ! no-ambient
    ];
    export function good(process: { exit(): void }, at: number, log: Console): unknown[] {
      process.exit();
      return [new Date(at), Date.UTC(2026, 1), Math.floor(at), log, Promise.resolve()];
    }`,
  'src/hosts/node/serve.ts': `
    import { createServer } from 'node:http';
    console.log(createServer, Date.now(), process.argv);`,
  'src/ui/app.tsx': `
    import type { Control } from '#hosts/control.ts';
    import { version } from '#hosts/control.ts'; // ! layers
    import type { Store } from '#etcd/store.ts'; // ! layers
    export const props = (control: Control, store: Store) => [control, store, version];`,
  'src/etcd/index.ts': `export { store } from './store.ts'; // ! no-barrel`,
  'src/etcd/all.ts': `export * from './store.ts'; // ! no-barrel`,
  'src/helpers/anything.ts': `export const anything = 1; // ! layers`,
};

it('reports what the layer table and determinism forbid, and nothing else', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'lint-'));
  const expected = Object.entries(files).flatMap(([file, text]) => {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
    return text.split('\n').flatMap((line, index) => {
      const rule = / \/\/ ! (.+)$/.exec(line)?.[1];
      return rule ? [`${file}:${index + 1} ${rule}`] : [];
    });
  });
  const rules = Object.fromEntries(
    ['layers', 'no-ambient', 'no-barrel'].map((rule) => [`tabernetes/${rule}`, 'error']),
  );
  const config = {
    jsPlugins: [path.join(import.meta.dirname, 'plugin.js')],
    categories: { correctness: 'off' },
    rules,
  };
  writeFileSync(path.join(folder, '.oxlintrc.json'), JSON.stringify(config));
  expect(reports(folder).toSorted()).toEqual(expected.toSorted());
  rmSync(folder, { recursive: true });
});

function reports(folder: string): string[] {
  const oxlint = path.resolve(import.meta.dirname, '../../node_modules/oxlint/bin/oxlint');
  let output: string;
  try {
    output = execFileSync(process.execPath, [oxlint, '-f', 'json'], { cwd: folder, encoding: 'utf8' });
  } catch (error) {
    output = (error as { stdout: string }).stdout;
  }
  const { diagnostics } = JSON.parse(output) as {
    diagnostics: { filename: string; code: string; labels: { span: { line: number } }[] }[];
  };
  return diagnostics.map(
    ({ filename, code, labels }) =>
      `${filename.replaceAll('\\', '/')}:${labels[0]?.span.line} ${code.replace(/^tabernetes\((.*)\)$/, '$1')}`,
  );
}
