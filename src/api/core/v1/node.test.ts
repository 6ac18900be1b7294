import { expect, test } from 'vitest';
import type { Node, NodeSpec, NodeStatus, Taint } from '../../generated/types.ts';
import { nodes } from './node.ts';

const make = (spec: NodeSpec = {}, status: NodeStatus = {}, labels: Record<string, string> = {}): Node => ({
  metadata: { name: 'node-1', labels, creationTimestamp: '2025-01-01T00:00:00Z' },
  spec,
  status,
});

test('both forms of the Pod CIDR, and allocatable from capacity', () => {
  const check = (given: Node, spec: NodeSpec, status: NodeStatus) => {
    const defaulted = nodes.defaults?.(given) as Node;
    expect(defaulted.spec).toEqual(spec);
    expect(defaulted.status).toMatchObject(status);
    expect(nodes.defaults?.(defaulted)).toBe(defaulted);
  };
  check(make({ podCIDR: '10.0.0.0/24' }), { podCIDR: '10.0.0.0/24', podCIDRs: ['10.0.0.0/24'] }, {});
  check(make({ podCIDRs: ['10.0.0.0/24'] }), { podCIDR: '10.0.0.0/24', podCIDRs: ['10.0.0.0/24'] }, {});
  check(make({}, { capacity: { cpu: '4000m', memory: '8192Mi' } }), {}, { allocatable: { cpu: '4', memory: '8Gi' } });
});

test('what is wrong with a node', () => {
  const check = (node: Node, ...errors: string[]) =>
    expect(nodes.validate?.(node).map(({ field, text }) => `${field}: ${text}`)).toEqual(errors);
  const taint = (fields: Partial<Taint>): Taint => ({ key: 'a', effect: 'NoSchedule', ...fields });
  check(make({ taints: [taint({}), taint({ effect: 'NoExecute' }), taint({ key: 'b' })], podCIDRs: ['10.0.0.0/24'] }));
  check(
    make({ taints: [taint({ effect: '' }), taint({ effect: 'Never' })] }),
    'metadata.taints[0].effect: Required value',
    'metadata.taints[1].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
  );
  check(
    make({ taints: [taint({ value: 'x' }), taint({ value: 'y' })] }),
    'metadata.taints[1]: Duplicate value: core.Taint{Key:"a", Value:"y", Effect:"NoSchedule", TimeAdded:(*v1.Time)(nil)}: taints must be unique by key and effect pair',
  );
  check(
    make({ podCIDRs: ['10.0.0.0/24', '10.0.1.0/24'] }),
    'spec.podCIDRs: Invalid value: []string{"10.0.0.0/24", "10.0.1.0/24"}: may specify no more than one CIDR for each IP family',
  );
  check(
    make({}, { capacity: { pods: '1500m', memory: '-1' } }),
    'status.capacity.memory: Invalid value: "-1": must be greater than or equal to 0',
    'status.capacity.pods: Invalid value: resource.Quantity{i:resource.int64Amount{value:15, scale:-1}, d:resource.infDecAmount{Dec:(*inf.Dec)(nil)}, s:"", Format:"DecimalSI"}: must be an integer',
  );
});

test('what may not change', () => {
  const check = (next: NodeSpec, previous: NodeSpec, ...fields: string[]) =>
    expect(nodes.validateUpdate?.(make(next), make(previous)).map(({ field }) => field)).toEqual(fields);
  check({ podCIDRs: ['10.0.0.0/24'], providerID: 'a', unschedulable: true }, {});
  check({ podCIDRs: ['10.0.1.0/24'] }, { podCIDRs: ['10.0.0.0/24'] }, 'spec.podCIDRs');
  check(
    {},
    { podCIDRs: ['10.0.0.0/24'], providerID: 'a', externalID: 'e' },
    'spec.podCIDRs',
    'spec.providerID',
    'spec.externalID',
  );
});

test('columns', () => {
  const now = Date.parse('2025-01-01T00:10:00Z');
  const check = (node: Node, ...cells: unknown[]) =>
    expect(nodes.columns?.map(({ cell }) => cell(node, now)).slice(0, cells.length)).toEqual(cells);
  const ready = (status: string) => ({ conditions: [{ type: 'Ready', status }] });
  check(make(), 'node-1', 'Unknown', '<none>', '10m', '', '<none>', '<none>', '<unknown>');
  check(
    make({ unschedulable: true }, ready('True'), {
      'node-role.kubernetes.io/worker': '',
      'kubernetes.io/role': 'edge',
    }),
    'node-1',
    'Ready,SchedulingDisabled',
    'edge,worker',
  );
  check(make({}, ready('Unknown')), 'node-1', 'NotReady');
});
