import { describe, expect, test } from 'vitest';
import type { Container, Pod } from '#api/generated/types.ts';
import type { ContainerStatus, PodSandboxStatus } from '#cri/contract.ts';
import { containerHash, HASH_ANNOTATION } from './container-hash.ts';
import { computePodActions, type ProbeVerdict } from './pod-actions.ts';
import type { PodRuntimeStatus } from './pod-runtime-status.ts';

type Seen = readonly [name: string, state: 'Running' | 'Created' | number];

interface Case {
  readonly init?: readonly (string | readonly [string, 'sidecar'])[];
  readonly containers?: readonly string[];
  readonly restartPolicy?: string;
  readonly sandbox?: 'none' | 'ready' | 'dead';
  /** Containers that the runtime knows; a number is an exit code. */
  readonly seen?: readonly Seen[];
  readonly liveness?: Readonly<Record<string, ProbeVerdict>>;
  readonly startup?: Readonly<Record<string, ProbeVerdict>>;
  readonly deleted?: boolean;
}

/** What is to be done, in words: `sandbox`, `killPod`, `kill c`, `init c`, `start c`. */
function decide({
  init = [],
  containers = ['a', 'b'],
  restartPolicy = 'Always',
  sandbox = 'ready',
  seen = [],
  liveness = {},
  startup = {},
  deleted,
}: Case): string {
  const container = (name: string): Container => ({ name, image: 'i' });
  const pod = {
    metadata: { name: 'p', ...(deleted ? { deletionTimestamp: 'now' } : {}) },
    spec: {
      restartPolicy,
      containers: containers.map(container),
      initContainers: init.map((one) =>
        typeof one === 'string'
          ? container(one)
          : { ...container(one[0]), restartPolicy: 'Always', startupProbe: {}, livenessProbe: {} },
      ),
    },
  } as unknown as Pod;
  const statuses = seen.map(([name, state]) => ({
    id: name,
    config: { name, annotations: { [HASH_ANNOTATION]: containerHash({ name, image: 'i' }) } },
    state: typeof state === 'number' ? 'Exited' : state,
    exitCode: typeof state === 'number' ? state : 0,
  })) as unknown as ContainerStatus[];
  const runtime: PodRuntimeStatus = {
    sandboxes:
      sandbox === 'none'
        ? []
        : ([
            { id: 's', state: sandbox === 'ready' ? 'Ready' : 'NotReady', config: { attempt: 0 } },
          ] as unknown as PodSandboxStatus[]),
    containers: statuses,
    activeContainers: statuses,
  };
  const actions = computePodActions(pod, runtime, {
    liveness: (id) => liveness[id],
    startup: (id) => startup[id] ?? 'success',
  });
  return [
    ...(actions.killPod && !actions.createSandbox ? ['killPod'] : []),
    ...(actions.createSandbox ? ['sandbox'] : []),
    ...actions.kill.map(({ container: { name } }) => `kill ${name}`),
    ...actions.startInit.map(({ name }) => `init ${name}`),
    ...actions.start.map(({ name }) => `start ${name}`),
  ].join(', ');
}

describe('what a sync does', () => {
  const cases: [string, Case, string][] = [
    ['a new Pod', { sandbox: 'none' }, 'sandbox, start a, start b'],
    ['a new Pod with init containers', { sandbox: 'none', init: ['i', 'j'] }, 'sandbox, init i'],
    [
      'all is well',
      {
        seen: [
          ['a', 'Running'],
          ['b', 'Running'],
        ],
      },
      '',
    ],
    ['one is missing', { seen: [['a', 'Running']] }, 'start b'],
    [
      'one failed',
      {
        seen: [
          ['a', 'Running'],
          ['b', 1],
        ],
      },
      'start b',
    ],
    [
      'one ended well, OnFailure',
      {
        restartPolicy: 'OnFailure',
        seen: [
          ['a', 'Running'],
          ['b', 0],
        ],
      },
      '',
    ],
    [
      'one failed, Never',
      {
        restartPolicy: 'Never',
        seen: [
          ['a', 'Running'],
          ['b', 1],
        ],
      },
      '',
    ],
    [
      'all ended, Never',
      {
        restartPolicy: 'Never',
        seen: [
          ['a', 0],
          ['b', 1],
        ],
      },
      'killPod',
    ],
    [
      'created and never started',
      {
        seen: [
          ['a', 'Created'],
          ['b', 'Running'],
        ],
      },
      'start a',
    ],
    [
      'being deleted',
      {
        deleted: true,
        seen: [
          ['a', 1],
          ['b', 'Running'],
        ],
      },
      '',
    ],
    [
      'liveness',
      {
        seen: [
          ['a', 'Running'],
          ['b', 'Running'],
        ],
        liveness: { a: 'failure' },
      },
      'kill a, start a',
    ],
    [
      'liveness, Never',
      {
        restartPolicy: 'Never',
        seen: [
          ['a', 'Running'],
          ['b', 'Running'],
        ],
        liveness: { a: 'failure' },
      },
      'kill a',
    ],
    [
      'startup',
      {
        seen: [
          ['a', 'Running'],
          ['b', 'Running'],
        ],
        startup: { b: 'failure' },
      },
      'kill b, start b',
    ],
    [
      'the sandbox died',
      {
        sandbox: 'dead',
        seen: [
          ['a', 137],
          ['b', 137],
        ],
      },
      'sandbox, start a, start b',
    ],
    [
      'the sandbox died, OnFailure and one done',
      {
        sandbox: 'dead',
        restartPolicy: 'OnFailure',
        seen: [
          ['a', 0],
          ['b', 137],
        ],
      },
      'sandbox, start b',
    ],
    [
      'the sandbox died, Never',
      {
        sandbox: 'dead',
        restartPolicy: 'Never',
        seen: [
          ['a', 0],
          ['b', 137],
        ],
      },
      'killPod',
    ],
    ['init not begun', { init: ['i', 'j'] }, 'init i'],
    ['init runs', { init: ['i', 'j'], seen: [['i', 'Running']] }, ''],
    ['init goes on', { init: ['i', 'j'], seen: [['i', 0]] }, 'init j'],
    ['init failed', { init: ['i', 'j'], seen: [['i', 1]] }, 'init i'],
    ['init failed, Never', { init: ['i', 'j'], restartPolicy: 'Never', seen: [['i', 1]] }, 'killPod'],
    [
      'init is done',
      {
        init: ['i', 'j'],
        seen: [
          ['i', 0],
          ['j', 0],
        ],
      },
      'start a, start b',
    ],
    [
      'init is long gone',
      {
        init: ['i', 'j'],
        seen: [
          ['a', 'Running'],
          ['b', 'Running'],
        ],
      },
      '',
    ],
    ['a sidecar comes up', { init: [['s', 'sidecar'], 'j'], seen: [['s', 'Running']], startup: { s: 'unknown' } }, ''],
    ['a sidecar is up', { init: [['s', 'sidecar'], 'j'], seen: [['s', 'Running']] }, 'init j'],
    [
      'a sidecar failed later',
      {
        init: ['i', ['s', 'sidecar']],
        seen: [
          ['i', 0],
          ['s', 1],
          ['a', 'Running'],
          ['b', 'Running'],
        ],
      },
      'init s',
    ],
    [
      'a sidecar does not keep the Pod alive',
      {
        init: [['s', 'sidecar']],
        restartPolicy: 'Never',
        seen: [
          ['s', 'Running'],
          ['a', 0],
          ['b', 0],
        ],
      },
      'killPod',
    ],
  ];
  for (const [name, input, expected] of cases) test(name, () => expect(decide(input)).toBe(expected));
});
