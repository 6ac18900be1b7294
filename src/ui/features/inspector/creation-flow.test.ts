import { expect, test } from 'vitest';
import type { KeyRevision, TraceSpan } from '#hosts/control.ts';
import { creationFlow, type FlowStep } from './creation-flow.ts';

let id = 0;
function span(
  kind: string,
  component: string,
  start: number,
  parents: readonly TraceSpan[],
  attributes: TraceSpan['attributes'] = {},
): TraceSpan {
  return {
    id: ++id,
    kind,
    component,
    name: kind,
    parents: parents.map((parent) => parent.id),
    start,
    end: start + 1,
    attributes,
  };
}

const pod = (nodeName?: string, status: object = { phase: 'Pending' }) => ({
  metadata: { namespace: 'default', name: 'nginx' },
  spec: nodeName ? { nodeName } : {},
  status,
});

const write = (revision: number, request: TraceSpan, object?: unknown): { span: TraceSpan; revision: KeyRevision } => {
  const made = span('write', 'etcd', request.start + 1, [request], {
    key: '/registry/pods/default/nginx',
    operation: 'put',
    revision,
  });
  return {
    span: made,
    revision: {
      key: '/registry/pods/default/nginx',
      revision,
      createRevision: 10,
      version: 1,
      time: made.start,
      span: made.id,
      ...(object ? { object } : {}),
    },
  };
};
const request = (verb: string, who: string, start: number, parents: readonly TraceSpan[], subresource = '') =>
  span('request', 'kube-apiserver', start, parents, {
    verb,
    resource: 'pods',
    subresource,
    namespace: 'default',
    name: 'nginx',
    ...(who.startsWith('node')
      ? { user: `system:node:${who}`, userAgent: 'kubelet/v1.33.0' }
      : { user: who, userAgent: `${who}/v1.33.0` }),
    code: 201,
  });
const told = (who: string, by: { span: TraceSpan }, start: number) =>
  span('delivery', who.startsWith('node') ? `kubelet/${who}` : who, start, [by.span], {
    resource: 'pods',
    namespace: 'default',
    name: 'nginx',
    type: 'ADDED',
  });

function life(stop: 'created' | 'unschedulable' | 'bound' | 'running') {
  id = 0;
  const input = span('input', 'kubectl', 100, []);
  const create = request('create', 'kubectl', 101, [input]);
  const created = write(10, create, pod());
  const seen = told('kube-scheduler', created, 104);
  const spans = [input, create, created.span, seen, told('node-2', created, 104)];
  const revisions = [created.revision];
  if (stop === 'created') return { spans, revisions };
  const decision = span('decision', 'kube-scheduler', 105, [seen], {
    namespace: 'default',
    name: 'nginx',
    resource: 'pods',
    ...(stop === 'unschedulable' ? {} : { node: 'node-2' }),
  });
  spans.push(decision);
  if (stop === 'unschedulable') {
    const patch = request('patch', 'kube-scheduler', 106, [decision], 'status');
    const message = '0/4 nodes are available';
    const told = write(
      11,
      patch,
      pod(undefined, { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', message }] }),
    );
    return { spans: [...spans, patch, told.span], revisions: [...revisions, told.revision] };
  }
  const bind = request('create', 'kube-scheduler', 107, [decision], 'binding');
  const bound = write(11, bind, pod('node-2'));
  const arrived = told('node-2', bound, 110);
  const sandbox = span('work', 'kubelet/node-2', 111, [arrived]);
  spans.push(bind, bound.span, arrived, sandbox);
  revisions.push(bound.revision);
  if (stop === 'bound') return { spans, revisions };
  const report = request('patch', 'node-2', 130, [sandbox], 'status');
  const ready = write(15, report, pod('node-2', { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }));
  return { spans: [...spans, report, ready.span], revisions: [...revisions, ready.revision] };
}

const states = (steps: readonly FlowStep[]) => steps.map((step) => step.state).join(' ');
const kinds = (step: FlowStep | undefined) =>
  step?.items.map((item) => (item.type === 'span' ? item.span.kind : `rev ${item.revision.revision}`)).join(', ');

test.each([
  ['created', 'done done active waiting waiting'],
  ['unschedulable', 'done done failed waiting waiting'],
  ['bound', 'done done done active waiting'],
  ['running', 'done done done done done'],
] as const)('the steps of a Pod that is %s', (stop, expected) => {
  const { revisions, spans } = life(stop);
  expect(states(creationFlow(revisions, spans))).toBe(expected);
});

test('each step has what happened in it, with its times', () => {
  const { revisions, spans } = life('running');
  const steps = creationFlow(revisions, [...spans, ...spans].reverse());
  expect(steps.map(kinds)).toEqual([
    'input, request',
    'rev 10',
    'delivery, decision, request, rev 11',
    'delivery, work',
    'request, rev 15',
  ]);
  expect(steps.map(({ start, end }) => [start, end])).toEqual([
    [100, 102],
    [102, 102],
    [104, 108],
    [110, 112],
    [130, 131],
  ]);
  const last = steps[4]?.items.at(-1);
  expect(last?.type === 'revision' && last.previous?.revision).toBe(11);
});

test('a Pod that nobody can take says why', () => {
  const { revisions, spans } = life('unschedulable');
  expect(creationFlow(revisions, spans)[2]?.message).toBe('0/4 nodes are available');
});

test('a Pod that is created on its Node skips the scheduler', () => {
  id = 0;
  const create = request('create', 'node-1', 5, []);
  const made = write(3, create, pod('node-1'));
  expect(states(creationFlow([made.revision], [create, made.span]))).toBe('done done skipped waiting waiting');
});

test('of a name that was used before, the last life counts', () => {
  const { revisions, spans } = life('created');
  const earlier = { ...(revisions[0] as KeyRevision), revision: 2, span: 900 };
  const gone = { ...earlier, revision: 5, object: undefined, span: 901 };
  const steps = creationFlow([earlier, gone, ...revisions], spans);
  expect(kinds(steps[1])).toBe('rev 10');
  expect(states(creationFlow([], []))).toBe('waiting waiting waiting waiting waiting');
});

test('an image that cannot be pulled fails the fourth step', () => {
  const { revisions, spans } = life('bound');
  const report = request('patch', 'node-2', 130, [spans.at(-1) as TraceSpan], 'status');
  const waiting = { reason: 'ErrImagePull', message: 'not found' };
  const failed = write(16, report, pod('node-2', { phase: 'Pending', containerStatuses: [{ state: { waiting } }] }));
  const steps = creationFlow([...revisions, failed.revision], [...spans, report, failed.span]);
  expect(states(steps)).toBe('done done done failed active');
  expect(steps[3]?.message).toBe('ErrImagePull: not found');
});
