import { beforeAll, expect, test } from 'vitest';
import { kubectl } from '#kubectl/kubectl.ts';
import { testContext } from '#testing/kubectl-context.ts';
import { LiveCluster } from '#testing/live-cluster.ts';
import { EXAMPLE_GROUPS } from './examples.ts';

const live = new LiveCluster();
const examples = EXAMPLE_GROUPS.flatMap((group) => group.examples);

beforeAll(() => live.start());

test('examples have names of their own', () => {
  expect(new Set(examples.map(({ file }) => file)).size).toBe(examples.length);
});

test.each(examples.map(({ file, text }) => [file, text] as const))('%s applies', async (file, text) => {
  const context = {
    ...testContext({ files: { [`/home/${file}`]: text } }),
    connect: () => live.cluster.http,
    clock: { now: () => live.cluster.pump.now, sleep: () => Promise.resolve() },
  };
  const code = await live.until(kubectl(['apply', '-f', file], context));
  const { stdout, stderr } = context.printed;
  expect({ code, stderr: stderr.replace(/^Warning: v1 Endpoints is deprecated.*\n/m, '') }).toEqual({
    code: 0,
    stderr: '',
  });
  const documents = text.split(/^---$/m).length;
  expect(stdout.trim().split('\n')).toHaveLength(documents);
  expect(stdout).not.toMatch(/configured|unchanged/);
});
