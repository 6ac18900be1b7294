import { expect, test } from 'vitest';
import { createErrors, decoded, prepared, updateErrors } from '#testing/kind.ts';
import { endpoints } from '../../core/v1/endpoints.ts';
import { endpointSlices } from './endpoint-slice.ts';

const META = 'metadata: {name: web}';
const slice = (rest: string) => `{${META}, addressType: IPv4, ${rest}}`;

test('defaults and what is not taken', () => {
  const object = prepared(
    endpointSlices,
    slice(
      'ports: [{port: 80}, {name: a, protocol: UDP}], endpoints: [{addresses: [10.0.0.1], deprecatedTopology: {a: b}, hints: {forZones: [{name: a}], forNodes: [{name: n1}]}}]',
    ),
  );
  expect(object).toMatchObject({
    metadata: { generation: 1 },
    ports: [
      { name: '', port: 80, protocol: 'TCP' },
      { name: 'a', protocol: 'UDP' },
    ],
  });
  expect(object.endpoints).toEqual([{ addresses: ['10.0.0.1'], conditions: {}, hints: { forZones: [{ name: 'a' }] } }]);
});

test.each([
  ['endpoints: [{addresses: [10.0.0.1]}]', []],
  [
    'ports: [{name: a}, {name: a, protocol: ICMP}], endpoints: [{}, {addresses: [x, "::1", 127.0.0.1], hostname: a.b, nodeName: -}]',
    [
      'ports[1].name: Duplicate value: "a"',
      'ports[1].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
      'endpoints[0].addresses: Required value: must contain at least 1 address',
      'endpoints[1].addresses[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      'endpoints[1].addresses: Invalid value: "::1": must be an IPv4 address',
      'endpoints[1].addresses[1]: Invalid value: "::1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
      'endpoints[1].addresses[2]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
      expect.stringMatching(/^endpoints\[1\]\.nodeName: Invalid value: "-": a lowercase RFC 1123 subdomain/),
      'endpoints[1].hostname: Invalid value: "a.b": must not contain dots',
    ],
  ],
  [
    'endpoints: [{addresses: [10.0.0.1], hints: {forZones: [{name: a}, {name: a}]}}]',
    ['endpoints[0].hints.forZones[1].name: Duplicate value: "a"'],
  ],
])('%s', (rest, errors) => {
  expect(createErrors(endpointSlices, slice(rest))).toEqual(errors);
});

test.each([
  ['IPv6', '"FD00::1"', 'endpoints[0].addresses[0]: Invalid value: "FD00::1": must be in canonical form ("fd00::1")'],
  [
    'IPv6',
    '"::ffff:1.2.3.4"',
    'endpoints[0].addresses[0]: Invalid value: "::ffff:1.2.3.4": must not be an IPv4-mapped IPv6 address',
  ],
  [
    'FQDN',
    'localhost',
    'endpoints[0].addresses[0]: Invalid value: "localhost": should be a domain with at least two segments separated by dots',
  ],
  ['MAC', 'x', 'addressType: Unsupported value: "MAC": supported values: "FQDN", "IPv4", "IPv6"'],
])('%s %s', (type, address, error) => {
  const manifest = `{${META}, addressType: ${type}, endpoints: [{addresses: [${address}]}]}`;
  expect(createErrors(endpointSlices, manifest)).toEqual([error]);
});

test('updates', () => {
  const bad = 'endpoints: [{addresses: [127.0.0.1]}]';
  // What was stored once may stay.
  expect(updateErrors(endpointSlices, slice(bad), slice(bad))).toEqual([]);
  expect(updateErrors(endpointSlices, slice(bad), slice(bad).replace('IPv4', 'FQDN'))).toEqual([
    'addressType: Invalid value: "FQDN": field is immutable',
  ]);
  const previous = prepared(endpointSlices, slice(bad));
  const update = (change: object) =>
    endpointSlices.strategy?.prepareForUpdate?.({ ...previous, ...change }, previous, { now: 0 }).metadata.generation;
  expect(update({})).toBe(1);
  expect(update({ metadata: { ...previous.metadata, annotations: { a: 'b' } } })).toBe(1);
  expect(update({ metadata: { ...previous.metadata, labels: { a: 'b' } } })).toBe(2);
  expect(update({ endpoints: [] })).toBe(2);
});

test('rows', () => {
  const row = (rest: string) => {
    const object = decoded(endpointSlices, slice(rest));
    return endpointSlices.columns?.slice(1, -1).map(({ cell }) => cell(object, 0));
  };
  expect(row('endpoints: []')).toEqual(['IPv4', '<unset>', '<unset>']);
  expect(
    row(
      'ports: [{port: 80}, {name: a}], endpoints: [{addresses: [10.0.0.1, 10.0.0.2]}, {addresses: [10.0.0.3]}, {addresses: [10.0.0.4]}]',
    ),
  ).toEqual(['IPv4', '80,a', '10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...']);
});

test('Endpoints: defaults, errors, warnings, row', () => {
  const of = (subsets: string) => `{${META}, subsets: ${subsets}}`;
  const many = of(
    '[{addresses: [{ip: 10.0.0.1}, {ip: 010.0.0.2}], notReadyAddresses: [{ip: 10.0.0.3}], ports: [{port: 80, name: a}, {port: 81, name: b}]}]',
  );
  const object = decoded(endpoints, many);
  expect(object.subsets?.[0]?.ports).toEqual([
    { name: 'a', port: 80, protocol: 'TCP' },
    { name: 'b', port: 81, protocol: 'TCP' },
  ]);
  expect(createErrors(endpoints, many)).toEqual([]);
  expect(endpoints.strategy?.warnings?.(object, undefined)).toEqual([
    'subsets[0].addresses[1].ip: non-standard IP address "010.0.0.2" will be considered invalid in a future Kubernetes release: use "10.0.0.2"',
  ]);
  const row = (manifest: string) => endpoints.columns?.[1]?.cell(decoded(endpoints, manifest), 0);
  expect(row(many)).toBe('10.0.0.1:80,010.0.0.2:80,10.0.0.1:81 + 1 more...');
  expect(row(of('[]'))).toBe('<none>');
  expect(row(of('[{addresses: [{ip: 10.0.0.1}]}]'))).toBe('10.0.0.1');
  expect(createErrors(endpoints, of('[{}, {addresses: [{ip: ""}], ports: [{port: 0}, {port: 1, name: A}]}]'))).toEqual([
    'subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`',
    'subsets[1].addresses[0].ip: Invalid value: "": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    'subsets[1].addresses[0].ip: Invalid value: "": must be a valid IP address',
    'subsets[1].ports[0].name: Required value',
    'subsets[1].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
    expect.stringMatching(/^subsets\[1\]\.ports\[1\]\.name: Invalid value: "A": a lowercase RFC 1123 label/),
  ]);
});
