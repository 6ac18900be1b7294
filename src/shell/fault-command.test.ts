import { expect, test } from 'vitest';
import { completeFault, type FaultTarget, runFault } from './fault-command.ts';

const COMPONENT = ['running', 'stopped'];
const faults: readonly FaultTarget[] = [
  { target: 'kube-scheduler', state: 'running', states: COMPONENT },
  { target: 'controllers/replicaset-controller', state: 'stopped', states: COMPONENT },
  { target: 'nodes/node-1', state: 'running', states: ['running', 'off', 'unplugged'] },
  { target: 'kubelets/node-1', state: 'running', states: COMPONENT },
  { target: 'pods/default/web', state: 'hang', states: ['running', 'hang', 'crash', 'slow', 'unready'] },
];

/** What a command line prints and does. */
async function run(line: string) {
  let said = '';
  const output = { isTerminal: false, write: (data: string | Uint8Array) => void (said += String(data)) };
  const done: string[] = [];
  const code = await runFault(line.split(' ').filter(Boolean), {
    faults: async () => faults,
    setFault: async (target, state) => {
      if (target === 'pods/default/none') throw new Error('there is no Pod "none"');
      done.push(`${target} ${state}`);
    },
    stdout: output,
    stderr: output,
  });
  return [code, ...done, ...(done.length > 0 ? [] : [said])];
}

test.each([
  ['stop kube-scheduler', 0, 'kube-scheduler stopped'],
  ['start replicaset-controller', 0, 'controllers/replicaset-controller running'],
  ['stop controllers/replicaset-controller', 0, 'controllers/replicaset-controller stopped'],
  ['unplug node-1', 0, 'nodes/node-1 unplugged'],
  ['off node/node-1', 0, 'nodes/node-1 off'],
  ['stop kubelets/node-1', 0, 'kubelets/node-1 stopped'],
  ['hang pod/web', 0, 'pods/default/web hang'],
  ['slow po/web -n shop', 0, 'pods/shop/web slow'],
  ['heal pods/shop/web', 0, 'pods/shop/web running'],
  ['hang pod/none', 1, 'fault: there is no Pod "none"\n'],
  ['stop ectd', 1, 'fault: there is no "ectd" here: "fault list" shows what there is, a Pod is pod/NAME\n'],
  ['break etcd', 1, 'fault: unknown verb "break"\nSee "fault --help".\n'],
  ['stop', 1, 'fault: stop takes one name\nSee "fault --help".\n'],
  ['stop etcd --now', 1, 'fault: unknown flag "--now"\nSee "fault --help".\n'],
])('fault %s', async (line, code, outcome) => {
  expect(await run(line)).toEqual([code, outcome]);
});

test('lists by the names that people type; helps', async () => {
  expect(await run('')).toEqual([
    0,
    [
      'NAME                    STATE',
      'kube-scheduler          running',
      'replicaset-controller   stopped',
      'node-1                  running',
      'kubelets/node-1         running',
      'pods/default/web        hang',
      '',
    ].join('\n'),
  ]);
  expect((await run('--help'))[1]).toContain('fault off|unplug|start NODE');
});

test.each([
  [['s'], ['start', 'stop', 'slow']],
  [
    ['stop', ''],
    ['kube-scheduler', 'kubelets/node-1'],
  ],
  [
    ['start', ''],
    ['replicaset-controller', 'pod/web'],
  ],
  [['unplug', 'n'], ['node-1']],
  [['crash', 'pod/'], ['pod/web']],
  [['stop', 'x', ''], []],
])('completes %j', (words, candidates) => {
  expect(completeFault(words, faults)).toEqual(candidates);
});
