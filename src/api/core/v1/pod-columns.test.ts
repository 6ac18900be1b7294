import { expect, test } from 'vitest';
import type { ContainerStatus, Pod, PodSpec, PodStatus } from '../../generated/types.ts';
import { podColumns, podRowConditions, podSummary } from './pod-columns.ts';

const pod = (status: PodStatus, spec: Partial<PodSpec> = {}, metadata: Partial<Pod['metadata']> = {}): Pod => ({
  metadata: { name: 'p', creationTimestamp: '2025-01-01T00:00:00Z', ...metadata },
  spec: { containers: [{ name: 'a' }, { name: 'b' }], ...spec },
  status,
});
const running = (name: string, fields: Partial<ContainerStatus> = {}): ContainerStatus => ({
  name,
  image: '',
  imageID: '',
  ready: true,
  restartCount: 0,
  state: { running: {} },
  ...fields,
});
const ended = (name: string, exitCode: number, fields: { reason?: string; signal?: number } = {}): ContainerStatus =>
  running(name, { ready: false, state: { terminated: { exitCode, ...fields } } });
const waiting = (name: string, reason: string, fields: Partial<ContainerStatus> = {}): ContainerStatus =>
  running(name, { ready: false, state: { waiting: { reason } }, ...fields });
const init: Partial<PodSpec> = { initContainers: [{ name: 'i' }, { name: 'j' }] };
const sidecar: Partial<PodSpec> = { initContainers: [{ name: 'i', restartPolicy: 'Always' }] };
const ready = { conditions: [{ type: 'Ready', status: 'True' }] };

test('STATUS and READY', () => {
  const check = (object: Pod, status: string, ready: string) => {
    const summary = podSummary(object);
    expect([summary.status, `${summary.ready}/${summary.total}`]).toEqual([status, ready]);
  };
  check(pod({ phase: 'Pending' }), 'Pending', '0/2');
  check(pod({ phase: 'Failed', reason: 'Evicted' }), 'Evicted', '0/2');
  check(
    pod({ phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] }),
    'SchedulingGated',
    '0/2',
  );
  check(pod({ phase: 'Running', containerStatuses: [running('a'), running('b')] }), 'Running', '2/2');
  check(pod({ phase: 'Pending', containerStatuses: [waiting('a', 'ContainerCreating')] }), 'ContainerCreating', '0/2');
  check(
    pod({ phase: 'Running', containerStatuses: [waiting('a', 'CrashLoopBackOff'), running('b')] }),
    'CrashLoopBackOff',
    '1/2',
  );
  check(pod({ phase: 'Succeeded', containerStatuses: [ended('a', 0, { reason: 'Completed' })] }), 'Completed', '0/2');
  check(pod({ phase: 'Failed', containerStatuses: [ended('a', 3)] }), 'ExitCode:3', '0/2');
  check(pod({ phase: 'Failed', containerStatuses: [ended('a', 137, { signal: 9 })] }), 'Signal:9', '0/2');
  const half = [ended('a', 0, { reason: 'Completed' }), running('b')];
  check(pod({ phase: 'Running', containerStatuses: half, ...ready }), 'Running', '1/2');
  check(pod({ phase: 'Running', containerStatuses: half }), 'NotReady', '1/2');
  check(pod({ phase: 'Pending', initContainerStatuses: [running('i')] }, init), 'Init:0/2', '0/2');
  check(pod({ phase: 'Pending', initContainerStatuses: [ended('i', 0), running('j')] }, init), 'Init:1/2', '0/2');
  check(pod({ phase: 'Pending', initContainerStatuses: [waiting('i', 'PodInitializing')] }, init), 'Init:0/2', '0/2');
  check(
    pod({ phase: 'Pending', initContainerStatuses: [waiting('i', 'CrashLoopBackOff')] }, init),
    'Init:CrashLoopBackOff',
    '0/2',
  );
  check(pod({ phase: 'Failed', initContainerStatuses: [ended('i', 1)] }, init), 'Init:ExitCode:1', '0/2');
  check(
    pod({ phase: 'Failed', initContainerStatuses: [ended('i', 1, { reason: 'Error' })] }, init),
    'Init:Error',
    '0/2',
  );
  check(
    pod(
      {
        phase: 'Running',
        initContainerStatuses: [running('i', { started: true })],
        containerStatuses: [running('a'), running('b')],
      },
      sidecar,
    ),
    'Running',
    '3/3',
  );
  const deleted = { deletionTimestamp: '2025-01-01T00:00:01Z' };
  check(pod({ phase: 'Running', containerStatuses: [running('a')] }, {}, deleted), 'Terminating', '1/2');
  check(pod({ phase: 'Running', reason: 'NodeLost' }, {}, deleted), 'Unknown', '0/2');
  check(pod({ phase: 'Succeeded' }, {}, deleted), 'Succeeded', '0/2');
});

test('the whole row', () => {
  const now = Date.parse('2025-01-01T00:05:00Z');
  const check = (object: Pod, ...cells: string[]) =>
    expect(podColumns.map(({ cell }) => cell(object, now))).toEqual(cells);
  check(pod({ phase: 'Pending' }), ...['p', '0/2', 'Pending', '0', '5m', '<none>', '<none>', '<none>', '<none>']);
  const lastState = { terminated: { exitCode: 1, finishedAt: '2025-01-01T00:04:50Z' } };
  check(
    pod(
      {
        phase: 'Running',
        podIPs: [{ ip: '10.244.1.2' }],
        nominatedNodeName: 'node-2',
        conditions: [{ type: 'g', status: 'True' }],
        containerStatuses: [running('a', { restartCount: 3, lastState }), running('b', { restartCount: 1 })],
      },
      { nodeName: 'node-1', readinessGates: [{ conditionType: 'g' }, { conditionType: 'h' }] },
    ),
    ...['p', '2/2', 'Running', '4 (10s ago)', '5m', '10.244.1.2', 'node-1', 'node-2', '1/2'],
  );
  expect(podRowConditions(pod({ phase: 'Running' }))).toEqual([]);
  expect(podRowConditions(pod({ phase: 'Failed' }))).toEqual([
    { type: 'Completed', status: 'True', reason: 'Failed', message: 'The pod failed.' },
  ]);
});
