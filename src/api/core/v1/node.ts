import type { FieldError } from '#apimachinery/field-error.ts';
import { isDualStack, validateLegacyCIDR, warningsForCIDR } from '#apimachinery/ip-validation.ts';
import { validateLabelName } from '#apimachinery/label-validation.ts';
import { defineResource } from '#apimachinery/resource.ts';
import {
  duplicate,
  forbiddenField,
  GoValue,
  goQuote,
  goStrings,
  invalidField,
  isValidLabelValue,
  notSupported,
  required,
} from '#apimachinery/validation.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import { fill } from '../../fill.ts';
import { validateStandardFinalizers } from '../../finalizers.ts';
import type { Node, NodeCondition, NodeSystemInfo, Taint } from '../../generated/types.ts';
import { canonicalResources } from './resource-list.ts';
import { validateResourceQuantity } from './resource-names.ts';

const EMPTY_INFO: NodeSystemInfo = {
  architecture: '',
  bootID: '',
  containerRuntimeVersion: '',
  kernelVersion: '',
  kubeProxyVersion: '',
  kubeletVersion: '',
  machineID: '',
  operatingSystem: '',
  osImage: '',
  systemUUID: '',
};

/** Follows SetDefaults_NodeStatus, and Convert_v1_NodeSpec_To_core_NodeSpec for the two forms of the Pod CIDR, v1.33. */
function defaults(node: Node): Node {
  const { podCIDR, podCIDRs } = node.spec ?? {};
  let spec = node.spec ?? {};
  let status = node.status ?? {};
  const first = podCIDR || podCIDRs?.[0];
  if (first && (podCIDR !== first || podCIDRs?.[0] !== first)) {
    spec = { ...spec, podCIDR: first, podCIDRs: podCIDRs?.[0] === first ? podCIDRs : [first] };
  }
  const capacity = canonicalResources(status.capacity);
  const allocatable = canonicalResources(status.allocatable ?? status.capacity);
  if (capacity !== status.capacity || allocatable !== status.allocatable) {
    status = { ...status, capacity, allocatable };
  }
  status = fill(status, { daemonEndpoints: { kubeletEndpoint: { Port: 0 } }, nodeInfo: EMPTY_INFO });
  return spec === node.spec && status === node.status ? node : { ...node, spec, status };
}

export const TAINT_EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] as const;

/** The effect of a taint or of a toleration. */
export function validateTaintEffect(effect: string, path: string, errors: FieldError[]): void {
  if (!effect) errors.push(required(path));
  else if (!(TAINT_EFFECTS as readonly string[]).includes(effect)) {
    errors.push(notSupported(path, effect, TAINT_EFFECTS));
  }
}

function validateTaints(taints: readonly Taint[] | undefined, errors: FieldError[]): void {
  const seen = new Set<string>();
  taints?.forEach((taint, i) => {
    const path = `metadata.taints[${i}]`;
    const { key, value = '', effect, timeAdded } = taint;
    validateLabelName(key, `${path}.key`, errors);
    const messages = isValidLabelValue(value);
    if (messages.length) errors.push(invalidField(`${path}.value`, value, messages.join(';')));
    validateTaintEffect(effect, `${path}.effect`, errors);
    const identity = `${effect}/${key}`;
    if (seen.has(identity)) {
      const time = timeAdded ? `time.Date(${timeAdded})` : '(*v1.Time)(nil)';
      const go = `core.Taint{Key:${goQuote(key)}, Value:${goQuote(value)}, Effect:${goQuote(effect)}, TimeAdded:${time}}`;
      const error = duplicate(path, new GoValue(go));
      errors.push({ ...error, text: `${error.text}: taints must be unique by key and effect pair` });
    }
    seen.add(identity);
  });
}

function validateResources({ status = {} }: Node, errors: FieldError[]): void {
  for (const list of ['capacity', 'allocatable'] as const) {
    const resources = status[list] ?? {};
    for (const name of Object.keys(resources).sort()) {
      validateResourceQuantity(name, resources[name] as string, `status.${list}.${name}`, errors);
    }
  }
}

/** Follows ValidateNode of pkg/apis/core/validation, v1.33. */
function validate(node: Node): FieldError[] {
  const errors: FieldError[] = [];
  const { taints, podCIDRs = [] } = node.spec;
  validateStandardFinalizers(node.metadata, errors);
  validateTaints(taints, errors);
  validateResources(node, errors);
  const swap = node.status?.nodeInfo?.swap?.capacity;
  if (swap !== undefined && swap <= 0) {
    errors.push(invalidField('metadata.nodeSwapStatus.capacity', swap, 'must be greater than zero'));
  }
  podCIDRs.forEach((cidr, i) => validateLegacyCIDR(cidr, `spec.podCIDRs[${i}]`, errors));
  if (podCIDRs.length > 1 && (!isDualStack(podCIDRs) || podCIDRs.length > 2)) {
    errors.push(
      invalidField('spec.podCIDRs', goStrings(podCIDRs), 'may specify no more than one CIDR for each IP family'),
    );
  }
  return errors;
}

/** Follows ValidateNodeUpdate, v1.33; the same for the node and for its status. */
function validateNodeUpdate(next: Node, previous: Node): FieldError[] {
  const errors: FieldError[] = [];
  validateResources(next, errors);
  const seen = new Set<string>();
  next.status?.addresses?.forEach(({ type, address }, i) => {
    const identity = `${type}/${address}`;
    if (seen.has(identity)) {
      const go = new GoValue(`core.NodeAddress{Type:${goQuote(type)}, Address:${goQuote(address)}}`);
      errors.push(duplicate(`status.addresses[${i}]`, go));
    }
    seen.add(identity);
  });
  const before = previous.spec.podCIDRs ?? [];
  const after = next.spec.podCIDRs ?? [];
  const podCIDRsChanged = forbiddenField(
    'spec.podCIDRs',
    'node updates may not change podCIDR except from "" to valid',
  );
  if (before.length > 0 && before.length !== after.length) errors.push(podCIDRsChanged);
  else before.forEach((cidr, i) => cidr !== after[i] && errors.push(podCIDRsChanged));
  if (previous.spec.providerID && previous.spec.providerID !== next.spec.providerID) {
    errors.push(forbiddenField('spec.providerID', 'node updates may not change providerID except from "" to valid'));
  }
  validateTaints(next.spec.taints, errors);
  if ((next.spec.externalID ?? '') !== (previous.spec.externalID ?? '')) {
    errors.push(forbiddenField('spec.externalID', 'may not be updated'));
  }
  return errors;
}

/** The kubelet's configuration in the API is gone for good: the field stays only where it is already. */
function withoutConfigSource(next: Node, previous: Node | undefined): Node {
  if (next.spec.configSource === undefined || previous?.spec.configSource !== undefined) return next;
  const { configSource: _, ...spec } = next.spec;
  return { ...next, spec };
}

function warnings({ spec }: Node): string[] {
  return [
    ...(spec.configSource ? ['spec.configSource: the feature is removed'] : []),
    ...(spec.externalID ? ['spec.externalID: this field is deprecated, and is unused by Kubernetes'] : []),
    ...(spec.podCIDRs ?? []).flatMap((cidr, i) => warningsForCIDR(cidr, `spec.podCIDRs[${i}]`)),
  ];
}

/** The condition of a type, if the node reports it. */
export function nodeCondition(node: Node, type: string): NodeCondition | undefined {
  return node.status?.conditions?.find((condition) => condition.type === type);
}

/** Whether the node's Ready condition is True. */
export function isNodeReady(node: Node): boolean {
  return nodeCondition(node, 'Ready')?.status === 'True';
}

/** The node's address of a type, such as `InternalIP`. */
export function nodeAddress(node: Node, type: string): string | undefined {
  return node.status?.addresses?.find((address) => address.type === type)?.address;
}

const ROLE_PREFIX = 'node-role.kubernetes.io/';

/** The roles that labels name, sorted. */
export function nodeRoles({ metadata: { labels = {} } }: Node): string[] {
  const roles = new Set<string>();
  for (const key of Object.keys(labels)) {
    const role = key.startsWith(ROLE_PREFIX) ? key.slice(ROLE_PREFIX.length) : '';
    const named = role || (key === 'kubernetes.io/role' ? labels[key] : '');
    if (named) roles.add(named);
  }
  return [...roles].sort();
}

function statusText(node: Node): string {
  const ready = nodeCondition(node, 'Ready');
  const status = !ready ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
  return node.spec.unschedulable ? `${status},SchedulingDisabled` : status;
}

/** Nodes. Follows pkg/registry/core/node/strategy.go, v1.33. */
export const nodes = defineResource<Node>({
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  singular: 'node',
  shortNames: ['no'],
  scope: 'Cluster',
  schema: 'io.k8s.api.core.v1.Node',
  storagePrefix: 'minions',
  defaults,
  validate,
  validateUpdate: (next, previous) => [...validate(next), ...validateNodeUpdate(next, previous)],
  strategy: {
    prepareForCreate: (node) => withoutConfigSource(node, undefined),
    prepareForUpdate: (next, previous) => withoutConfigSource({ ...next, status: previous.status }, previous),
    warnings,
  },
  subresources: {
    status: {
      prepareForUpdate: (next, previous) => ({ ...next, spec: previous.spec }),
      validateUpdate: validateNodeUpdate,
    },
  },
  selectableFields: { 'spec.unschedulable': ({ spec }) => String(spec.unschedulable ?? false) },
  ownColumns: true,
  columns: [
    nameColumn,
    { name: 'Status', type: 'string', cell: statusText },
    { name: 'Roles', type: 'string', cell: (node) => nodeRoles(node).join(',') || '<none>' },
    ageColumn,
    { name: 'Version', type: 'string', cell: ({ status }) => status?.nodeInfo?.kubeletVersion ?? '' },
    { name: 'Internal-IP', type: 'string', priority: 1, cell: (node) => nodeAddress(node, 'InternalIP') ?? '<none>' },
    { name: 'External-IP', type: 'string', priority: 1, cell: (node) => nodeAddress(node, 'ExternalIP') ?? '<none>' },
    { name: 'OS-Image', type: 'string', priority: 1, cell: ({ status }) => status?.nodeInfo?.osImage || '<unknown>' },
    {
      name: 'Kernel-Version',
      type: 'string',
      priority: 1,
      cell: ({ status }) => status?.nodeInfo?.kernelVersion || '<unknown>',
    },
    {
      name: 'Container-Runtime',
      type: 'string',
      priority: 1,
      cell: ({ status }) => status?.nodeInfo?.containerRuntimeVersion || '<unknown>',
    },
  ],
});
