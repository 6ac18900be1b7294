import type { FieldError } from '#apimachinery/field-error.ts';
import { isSubnet, validateLegacyCIDR, warningsForCIDR } from '#apimachinery/ip-validation.ts';
import { validateLabelSelector } from '#apimachinery/label-validation.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { formatLabelSelector, labelSelectorTerms } from '#apimachinery/selectors.ts';
import {
  forbiddenField,
  goStrings,
  GoValue,
  invalidField,
  isValidPortName,
  isValidPortNum,
  notSupported,
  required,
} from '#apimachinery/validation.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import { fill, mapShared, replace } from '../../fill.ts';
import type {
  IPBlock,
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
  NetworkPolicySpec,
} from '../../generated/types.ts';
import { specGeneration } from '../../spec-generation.ts';

// Follows pkg/apis/networking and pkg/registry/networking/networkpolicy, v1.33.

function withProtocols<R extends { readonly ports?: readonly NetworkPolicyPort[] }>(rules: readonly R[]): readonly R[] {
  return mapShared(rules, (rule) =>
    rule.ports
      ? replace(
          rule,
          'ports',
          mapShared(rule.ports, (port) => fill(port, { protocol: 'TCP' })),
        )
      : rule,
  );
}

function defaults(policy: NetworkPolicy): NetworkPolicy {
  let spec: NetworkPolicySpec = policy.spec ?? ({} as NetworkPolicySpec);
  if (spec.ingress) spec = replace(spec, 'ingress', withProtocols(spec.ingress));
  if (spec.egress) spec = replace(spec, 'egress', withProtocols(spec.egress));
  if (!spec.policyTypes?.length) {
    spec = { ...spec, policyTypes: spec.egress?.length ? ['Ingress', 'Egress'] : ['Ingress'] };
  }
  return replace(policy, 'spec', spec);
}

function validatePort({ protocol, port, endPort }: NetworkPolicyPort, path: string, errors: FieldError[]): void {
  if (protocol !== undefined && !['TCP', 'UDP', 'SCTP'].includes(protocol)) {
    errors.push(notSupported(`${path}.protocol`, protocol, ['TCP', 'UDP', 'SCTP']));
  }
  if (typeof port === 'number') {
    for (const message of isValidPortNum(port)) errors.push(invalidField(`${path}.port`, port, message));
    if (endPort === undefined) return;
    if (endPort < port) errors.push(invalidField(`${path}.endPort`, port, 'must be greater than or equal to `port`'));
    for (const message of isValidPortNum(endPort)) errors.push(invalidField(`${path}.endPort`, endPort, message));
    return;
  }
  if (endPort !== undefined) {
    const why = port === undefined ? 'not specified' : 'non-numeric';
    errors.push(invalidField(`${path}.endPort`, endPort, `may not be specified when \`port\` is ${why}`));
  }
  if (port === undefined) return;
  for (const message of isValidPortName(port)) errors.push(invalidField(`${path}.port`, port, message));
}

function validateIPBlock(
  { cidr, except }: IPBlock,
  path: string,
  known: readonly string[],
  errors: FieldError[],
): void {
  if (!cidr) {
    errors.push(required(`${path}.cidr`, ''));
    return;
  }
  const isValid = (value: string, at: string): boolean => {
    const found: FieldError[] = [];
    validateLegacyCIDR(value, at, found);
    if (!known.includes(value)) errors.push(...found);
    return found.length === 0;
  };
  if (!isValid(cidr, `${path}.cidr`)) return;
  except?.forEach((value, i) => {
    const at = `${path}.except[${i}]`;
    if (isValid(value, at) && !isSubnet(value, cidr)) {
      errors.push(invalidField(at, value, 'must be a strict subset of `cidr`'));
    }
  });
}

function validatePeer(peer: NetworkPolicyPeer, path: string, known: readonly string[], errors: FieldError[]): void {
  const { podSelector, namespaceSelector, ipBlock } = peer;
  validateLabelSelector(podSelector, `${path}.podSelector`, errors);
  validateLabelSelector(namespaceSelector, `${path}.namespaceSelector`, errors);
  if (ipBlock) validateIPBlock(ipBlock, `${path}.ipBlock`, known, errors);
  if (!podSelector && !namespaceSelector && !ipBlock) errors.push(required(path, 'must specify a peer'));
  else if (ipBlock && (podSelector || namespaceSelector)) {
    errors.push(forbiddenField(path, 'may not specify both ipBlock and another peer'));
  }
}

const POLICY_TYPES = ['Ingress', 'Egress'];

function validateSpec({ spec }: NetworkPolicy, known: readonly string[]): FieldError[] {
  const errors: FieldError[] = [];
  validateLabelSelector(spec.podSelector, 'spec.podSelector', errors);
  spec.ingress?.forEach(({ ports, from }, i) => {
    const path = `spec.ingress[${i}]`;
    ports?.forEach((port, j) => validatePort(port, `${path}.ports[${j}]`, errors));
    from?.forEach((peer, j) => validatePeer(peer, `${path}.from[${j}]`, known, errors));
  });
  spec.egress?.forEach(({ ports, to }, i) => {
    const path = `spec.egress[${i}]`;
    ports?.forEach((port, j) => validatePort(port, `${path}.ports[${j}]`, errors));
    to?.forEach((peer, j) => validatePeer(peer, `${path}.to[${j}]`, known, errors));
  });
  const { policyTypes = [] } = spec;
  if (policyTypes.length > POLICY_TYPES.length) {
    const types = new GoValue(goStrings(policyTypes).text.replace('string', 'networking.PolicyType'));
    errors.push(invalidField('spec.policyTypes', types, 'may not specify more than two policyTypes'));
    return errors;
  }
  policyTypes.forEach((type, i) => {
    if (!POLICY_TYPES.includes(type)) {
      errors.push(notSupported(`spec.policyTypes[${i}]`, type, POLICY_TYPES));
    }
  });
  return errors;
}

/** Every block of addresses with its path. */
function ipBlocks({ spec }: NetworkPolicy): { readonly block: IPBlock; readonly path: string }[] {
  const found: { block: IPBlock; path: string }[] = [];
  const collect = (peers: readonly NetworkPolicyPeer[] | undefined, path: string) =>
    peers?.forEach(({ ipBlock }, i) => ipBlock && found.push({ block: ipBlock, path: `${path}[${i}].ipBlock` }));
  spec.ingress?.forEach(({ from }, i) => collect(from, `spec.ingress[${i}].from`));
  spec.egress?.forEach(({ to }, i) => collect(to, `spec.egress[${i}].to`));
  return found;
}

/** NetworkPolicies. */
export const networkPolicies = defineResource<NetworkPolicy>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  singular: 'networkpolicy',
  shortNames: ['netpol'],
  scope: 'Namespaced',
  schema: 'io.k8s.api.networking.v1.NetworkPolicy',
  defaults,
  validate: (policy) => validateSpec(policy, []),
  // Upstream says everything twice, but for blocks of addresses that were there before.
  validateUpdate(next, previous) {
    const known = ipBlocks(previous).flatMap(({ block }) => [block.cidr, ...(block.except ?? [])]);
    return [...validateSpec(next, []), ...validateSpec(next, known)];
  },
  notModelled: () => ['spec: the network does not enforce NetworkPolicies; all traffic is let through'],
  strategy: {
    ...specGeneration<NetworkPolicy>(),
    warnings: (policy) =>
      ipBlocks(policy).flatMap(({ block, path }) => [
        ...warningsForCIDR(block.cidr, `${path}.cidr`),
        ...(block.except ?? []).flatMap((value, i) => warningsForCIDR(value, `${path}.except[${i}]`)),
      ]),
  },
  ownColumns: true,
  columns: [
    nameColumn,
    {
      name: 'Pod-Selector',
      type: 'string',
      cell: ({ spec }) => formatLabelSelector(labelSelectorTerms(spec.podSelector ?? {}) ?? []) || '<none>',
    },
    ageColumn,
  ],
});
