import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@playwright/test';
import { ourKubectl, realKubectl } from './console.ts';
import { type Served, serve } from './serve.ts';

/** Where recorded transcripts of a real v1.33 cluster and their player lie, beside the project. */
const transcripts = path.resolve('../shared/transcripts');
const replay = path.join(transcripts, 'replay');

/** Steps that must match: all but two, which leaves room for what only chance decides. FIDELITY.md names each miss. */
const EXPECTED: readonly (readonly [file: string, least: number])[] = [
  ['pod-basics', 21],
  ['labels-rules', 23],
  ['output-formats', 32],
  ['deployment-rollout', 32],
  ['service-expose', 21],
  ['scheduling', 34],
  ['validation-errors', 18],
  ['config-and-secrets', 23],
  ['generators', 22],
  ['discovery', 21],
  ['crds', 15],
  ['rbac', 29],
  ['patch-and-apply', 25],
  ['server-side-apply', 12],
  ['quota-and-limits', 19],
  ['namespaces-and-gc', 31],
  ['client-errors', 41],
];

let served: Served;
test.beforeAll(async () => {
  if (existsSync(replay)) served = await serve('--workers', '3', '--no-control-plane-node', '--speed', '2');
});
test.afterAll(() => served?.stop());

for (const [file, least] of EXPECTED) {
  for (const who of ['the real kubectl', 'our kubectl'] as const) {
    test(`${who} prints what it printed on a real cluster: ${file}`, () => {
      const kubectl = who === 'our kubectl' ? ourKubectl : realKubectl();
      test.skip(!existsSync(replay), 'SKIPPED: ../shared/transcripts is not on this machine');
      test.skip(!kubectl, 'SKIPPED: there is no kubectl v1.33 on this machine');
      test.setTimeout(180_000);
      const result = spawnSync(process.execPath, [replay, '-v', path.join(transcripts, `${file}.console`)], {
        encoding: 'utf8',
        env: { ...process.env, KUBECONFIG: served.kubeconfig, KUBECTL: kubectl },
      });
      const [, matched] = /: (\d+)\/(\d+)$/m.exec(result.stdout) ?? [];
      expect(Number(matched), result.stdout + result.stderr).toBeGreaterThanOrEqual(least);
    });
  }
}

test('the real kubectl follows logs, executes and watches', () => {
  const kubectl = realKubectl();
  test.skip(!kubectl || !existsSync(replay), 'SKIPPED: there is no kubectl v1.33 on this machine');
  const run = (...args: readonly string[]) =>
    execFileSync(kubectl as string, args, {
      encoding: 'utf8',
      env: { ...process.env, KUBECONFIG: served.kubeconfig },
      timeout: 60_000,
    });
  run(
    'run',
    'count',
    '--image=busybox',
    '--restart=Never',
    '--',
    'sh',
    '-c',
    'for i in 1 2 3; do echo line $i; sleep 1; done; sleep 60',
  );
  run('wait', '--for=condition=Ready', 'pod/count', '--timeout=30s');
  expect(run('exec', 'count', '--', 'sh', '-c', 'echo $((6*7)); hostname')).toBe('42\ncount\n');
  const watched = spawnSync('timeout', ['6', kubectl as string, 'logs', '-f', 'count'], {
    encoding: 'utf8',
    env: { ...process.env, KUBECONFIG: served.kubeconfig },
  });
  expect(watched.stdout).toBe('line 1\nline 2\nline 3\n');
  const watch = spawnSync('timeout', ['5', kubectl as string, 'get', 'pods', '-w', '--no-headers'], {
    encoding: 'utf8',
    env: { ...process.env, KUBECONFIG: served.kubeconfig },
  });
  expect(watch.stdout).toMatch(/count\s+1\/1\s+Running/);
  expect(run('describe', 'pod', 'count')).toMatch(/Successfully assigned default\/count to node-\d/);
  run('delete', 'pod', 'count', '--now');
});
