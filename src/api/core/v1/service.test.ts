import { expect, test } from 'vitest';
import { createErrors, decoded, prepared, updateErrors } from '#testing/kind.ts';
import type { Service } from '../../generated/types.ts';
import { services } from './service.ts';

const manifest = (spec: string) => `metadata: {name: web}\nspec: ${spec}`;
const PORT = 'ports: [{port: 80}]';
/** As the allocators leave it. */
const ADDRESS = 'clusterIP: 10.96.0.7, clusterIPs: [10.96.0.7], ipFamilies: [IPv4], ipFamilyPolicy: SingleStack';

test.each([
  [
    `{${PORT}}`,
    {
      type: 'ClusterIP',
      sessionAffinity: 'None',
      internalTrafficPolicy: 'Cluster',
      ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
    },
  ],
  [
    '{sessionAffinity: ClientIP, ports: [{port: 53, protocol: UDP, targetPort: dns}]}',
    {
      type: 'ClusterIP',
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } },
      internalTrafficPolicy: 'Cluster',
      ports: [{ port: 53, protocol: 'UDP', targetPort: 'dns' }],
    },
  ],
  [
    '{sessionAffinityConfig: {clientIP: {timeoutSeconds: 5}}, externalIPs: [1.2.3.4]}',
    {
      type: 'ClusterIP',
      sessionAffinity: 'None',
      internalTrafficPolicy: 'Cluster',
      externalTrafficPolicy: 'Cluster',
      externalIPs: ['1.2.3.4'],
    },
  ],
  [
    '{type: LoadBalancer, internalTrafficPolicy: Local}',
    {
      type: 'LoadBalancer',
      sessionAffinity: 'None',
      internalTrafficPolicy: 'Local',
      externalTrafficPolicy: 'Cluster',
      allocateLoadBalancerNodePorts: true,
    },
  ],
  ['{type: ExternalName, externalName: a.b}', { type: 'ExternalName', externalName: 'a.b', sessionAffinity: 'None' }],
])('defaults of %s', (spec, wanted) => {
  expect(decoded(services, manifest(spec)).spec).toEqual(wanted);
  expect(prepared(services, manifest(spec)).status).toEqual({ loadBalancer: {} });
});

test('an address of a load balancer is virtual by default', () => {
  const { status } = decoded(
    services,
    `${manifest('{type: LoadBalancer}')}\nstatus: {loadBalancer: {ingress: [{ip: 1.2.3.4}, {hostname: a.b}]}}`,
  );
  expect(status?.loadBalancer?.ingress).toEqual([{ ip: '1.2.3.4', ipMode: 'VIP' }, { hostname: 'a.b' }]);
});

test.each([
  [`{${PORT}}`, []],
  ['{clusterIP: None, clusterIPs: [None]}', []],
  ['{}', ['spec.ports: Required value']],
  [
    '{ports: [{port: 0, appProtocol: -a}], type: Magic}',
    [
      'spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
      'spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive',
      expect.stringMatching(/^spec\.ports\[0\]\.appProtocol: Invalid value: "-a": name part must consist/),
      'spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
    ],
  ],
  [
    '{ports: [{port: 80, name: a}, {port: 80, name: a, protocol: ICMP, targetPort: a_b}, {port: 80, targetPort: 99999}]}',
    [
      'spec.ports[1].name: Duplicate value: "a"',
      'spec.ports[1].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
      'spec.ports[1].targetPort: Invalid value: "a_b": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
      'spec.ports[2].name: Required value',
      'spec.ports[2].targetPort: Invalid value: 99999: must be between 1 and 65535, inclusive',
      'spec.ports[2]: Duplicate value: core.ServicePort{Name:"", Protocol:"TCP", AppProtocol:(*string)(nil), Port:80, TargetPort:intstr.IntOrString{Type:0, IntVal:0, StrVal:""}, NodePort:0}',
    ],
  ],
  [
    '{type: NodePort, ports: [{port: 80, name: a, nodePort: 30001}, {port: 81, name: b, nodePort: 30001}]}',
    ['spec.ports[1].nodePort: Duplicate value: 30001'],
  ],
  [
    '{ports: [{port: 80, nodePort: 30001}], healthCheckNodePort: 30002, externalTrafficPolicy: Local, loadBalancerClass: a, allocateLoadBalancerNodePorts: false}',
    [
      "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
      "spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'",
      "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'",
      'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
      "spec.healthCheckNodePort: Invalid value: 30002: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
    ],
  ],
  [
    `{${PORT}, type: LoadBalancer, externalTrafficPolicy: Local, loadBalancerSourceRanges: [x], internalTrafficPolicy: Far, trafficDistribution: Near}`,
    [
      'spec.LoadBalancerSourceRanges[0]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
      'spec.healthCheckNodePort: Required value',
      'spec.internalTrafficPolicy: Unsupported value: "Far": supported values: "Cluster", "Local"',
      'spec.trafficDistribution: Unsupported value: "Near": supported values: "PreferClose"',
    ],
  ],
  [
    `{${PORT}, sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 86401}}}`,
    [
      'spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 and less than 86400',
    ],
  ],
  [
    `{${PORT}, externalIPs: [127.0.0.1, 0.0.0.0, "fe80::1", x]}`,
    [
      'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
      'spec.externalIPs[1]: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0)',
      'spec.externalIPs[2]: Invalid value: "fe80::1": may not be in the link-local range (169.254.0.0/16, fe80::/10)',
      'spec.externalIPs[3]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    ],
  ],
  [
    `{${PORT}, type: ExternalName, ${ADDRESS}}`,
    [
      'spec.clusterIPs: Forbidden: may not be set for ExternalName services',
      'spec.ipFamilies: Forbidden: may not be set for ExternalName services',
      'spec.ipFamilyPolicy: Forbidden: may not be set for ExternalName services',
      'spec.externalName: Required value',
    ],
  ],
  [
    `{${PORT}, clusterIP: 10.0.0.1, clusterIPs: [10.0.0.2, 10.0.0.3], ipFamilies: [IPv4, IPv6, IPv4, IPX], ipFamilyPolicy: Both}`,
    [
      'spec.clusterIPs: Invalid value: []string{"10.0.0.2", "10.0.0.3"}: first value must match `clusterIP`',
      'spec.ipFamilies[2]: Duplicate value: "IPv4"',
      'spec.ipFamilies[3]: Unsupported value: "IPX": supported values: "IPv4", "IPv6"',
      'spec.ipFamilyPolicy: Unsupported value: "Both": supported values: "PreferDualStack", "RequireDualStack", "SingleStack"',
      'spec.clusterIPs: Invalid value: []string{"10.0.0.2", "10.0.0.3"}: may specify no more than one IP for each IP family',
      'spec.clusterIPs[1]: Invalid value: "10.0.0.3": expected an IPv6 value as indicated by `ipFamilies[1]`',
    ],
  ],
  [
    `{${PORT}, type: NodePort, clusterIP: None, clusterIPs: [None]}`,
    [`spec.clusterIPs[0]: Invalid value: "None": may not be set to 'None' for NodePort services`],
  ],
])('%s', (spec, errors) => {
  expect(createErrors(services, manifest(spec))).toEqual(errors);
});

test.each([
  [
    `{${PORT}, ${ADDRESS}}`,
    `{${PORT}, ${ADDRESS.replaceAll('0.7', '0.8')}}`,
    ['spec.clusterIPs[0]: Invalid value: []string{"10.96.0.8"}: may not change once set'],
  ],
  [
    `{${PORT}, ${ADDRESS}}`,
    `{${PORT}}`,
    [
      'spec.clusterIPs[0]: Invalid value: []string(nil): primary clusterIP can not be unset',
      'spec.ipFamilies[0]: Invalid value: []core.IPFamily(nil): primary ipFamily can not be unset',
    ],
  ],
  [
    `{${PORT}, ${ADDRESS}, type: LoadBalancer, loadBalancerClass: a/b, externalTrafficPolicy: Local, healthCheckNodePort: 30001}`,
    `{${PORT}, ${ADDRESS}, type: LoadBalancer, externalTrafficPolicy: Local, healthCheckNodePort: 30002}`,
    [
      'spec.loadBalancerClass: Invalid value: null: may not change once set',
      'spec.healthCheckNodePort: Forbidden: field is immutable',
    ],
  ],
  [`{${PORT}, ${ADDRESS}}`, `{type: ExternalName, externalName: a.b, ${ADDRESS}}`, []],
])('from %s to %s', (from, to, errors) => {
  expect(updateErrors(services, manifest(from), manifest(to))).toEqual(errors);
});

test('a change of type takes away what only the old type had', () => {
  const from = prepared(
    services,
    manifest(
      `{ports: [{port: 80, nodePort: 30001}], ${ADDRESS}, type: LoadBalancer, externalTrafficPolicy: Local, healthCheckNodePort: 30002, loadBalancerClass: a/b}`,
    ),
  );
  const status = { loadBalancer: { ingress: [{ ip: '1.2.3.4', ipMode: 'VIP' }] } };
  const previous = { ...from, status };
  const changed = (spec: Partial<Service['spec']>) =>
    services.strategy?.prepareForUpdate?.({ ...previous, spec: { ...from.spec, ...spec } }, previous, { now: 0 });
  expect(changed({})?.status).toEqual(status);
  const clusterIP = changed({ type: 'ClusterIP' });
  expect(clusterIP?.status).toEqual({ loadBalancer: {} });
  expect(Object.keys(clusterIP?.spec ?? {}).sort()).toEqual([
    'clusterIP',
    'clusterIPs',
    'internalTrafficPolicy',
    'ipFamilies',
    'ipFamilyPolicy',
    'ports',
    'sessionAffinity',
    'type',
  ]);
  expect(clusterIP?.spec.ports).toEqual([{ port: 80, protocol: 'TCP', targetPort: 80 }]);
  const external = changed({ type: 'ExternalName', externalName: 'a.b' }) as Service;
  expect(services.strategy?.canonicalize?.(external).spec).toEqual({
    type: 'ExternalName',
    externalName: 'a.b',
    sessionAffinity: 'None',
    ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
  });
  // What the user changes at the same time is not taken away, so that validation can say so.
  expect(changed({ type: 'ClusterIP', healthCheckNodePort: 30003 })?.spec.healthCheckNodePort).toBe(30003);
});

test('only a load balancer has addresses given to it', () => {
  const errors = (type: string, ingress: string) => {
    const service = decoded(services, `${manifest(`{type: ${type}}`)}\nstatus: {loadBalancer: {ingress: ${ingress}}}`);
    return services.subresources?.['status']
      ?.validateUpdate(service, { ...service, status: {} })
      .map(({ field, text }) => `${field}: ${text}`);
  };
  expect(errors('ClusterIP', '[{ip: 1.2.3.4}]')).toEqual([
    "status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'",
  ]);
  expect(errors('LoadBalancer', '[{ip: 1.2.3.4}, {ip: x, ipMode: Odd}, {hostname: 1.2.3.4, ipMode: VIP}]')).toEqual([
    'status.loadBalancer.ingress[1].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    'status.loadBalancer.ingress[1].ipMode: Unsupported value: "Odd": supported values: "Proxy", "VIP"',
    'status.loadBalancer.ingress[2].ipMode: Forbidden: may not be specified when `ip` is not set',
    'status.loadBalancer.ingress[2].hostname: Invalid value: "1.2.3.4": must be a DNS name, not an IP address',
  ]);
});

test('warnings', () => {
  const warnings = (spec: string) => services.strategy?.warnings?.(decoded(services, manifest(spec)), undefined);
  expect(warnings(`{${PORT}}`)).toEqual([]);
  expect(
    warnings(
      '{clusterIPs: [192.012.2.2, "2001:db8:0:0::2"], externalName: a, loadBalancerSourceRanges: [10.0.0.1/24]}',
    ),
  ).toEqual([
    'spec.clusterIPs[0]: non-standard IP address "192.012.2.2" will be considered invalid in a future Kubernetes release: use "192.12.2.2"',
    'spec.clusterIPs[1]: IPv6 address "2001:db8:0:0::2" should be in RFC 5952 canonical format ("2001:db8::2")',
    'spec.loadBalancerSourceRanges[0]: CIDR value "10.0.0.1/24" is ambiguous in this context (should be "10.0.0.0/24" or "10.0.0.1/32"?)',
    'spec.externalName is ignored when spec.type is not "ExternalName"',
  ]);
});

test('what nothing here provides', () => {
  expect(
    services.notModelled?.(
      decoded(
        services,
        manifest('{ports: [{port: 80}, {port: 81, protocol: SCTP}], externalIPs: ["fd00::1"], loadBalancerClass: a/b}'),
      ),
    ),
  ).toEqual(
    ['spec.ports[1].protocol SCTP', 'spec.externalIPs[0]', 'spec.loadBalancerClass'].map(
      (field) => `${field}: accepted, but not modelled: it has no effect in this cluster`,
    ),
  );
});

test.each([
  ['{}', ['ClusterIP', '<none>', '<none>', '<none>', '<none>']],
  [
    `{${PORT}, ${ADDRESS}, selector: {b: c, a: b}, externalIPs: [1.1.1.1, 2.2.2.2]}`,
    ['ClusterIP', '10.96.0.7', '1.1.1.1,2.2.2.2', '80/TCP', 'a=b,b=c'],
  ],
  [
    '{type: LoadBalancer, ports: [{port: 80, nodePort: 30001}, {port: 53, protocol: UDP}]}',
    ['LoadBalancer', '<none>', '<pending>', '80:30001/TCP,53/UDP', '<none>'],
  ],
  ['{type: ExternalName, externalName: a.b}', ['ExternalName', '<none>', 'a.b', '<none>', '<none>']],
])('the row of %s', (spec, row) => {
  const service = decoded(services, manifest(spec));
  const cells = services.columns?.map(({ cell }) => cell(service, 0)) ?? [];
  expect(cells.filter((_, i) => i !== 0 && i !== 5)).toEqual(row);
});
