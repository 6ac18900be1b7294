import { expect, test } from 'vitest';
import { schemas } from '#api/schemas.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import { type DecodeOptions, type ExpectedKind, ObjectCodec } from './codec.ts';

const POD: ExpectedKind = { group: '', version: 'v1', kind: 'Pod', schema: 'io.k8s.api.core.v1.Pod' };
const kindOf = (kind: string, group = '', version = 'v1'): ExpectedKind => {
  const schema = schemas.names().find((name) => name.endsWith(`.${group.split('.')[0] || 'core'}.${version}.${kind}`))!;
  return { group, version, kind, schema };
};
const codec = new ObjectCodec(schemas);

function decode(
  body: unknown,
  expected = POD,
  fieldValidation: DecodeOptions['fieldValidation'] = 'Strict',
  mediaType = 'application/json',
) {
  const warnings: string[] = [];
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const object = codec.decode(encodeUtf8(text), mediaType, expected, {
    fieldValidation,
    warn: (warning) => warnings.push(warning),
  });
  return { object: object as unknown as Record<string, unknown>, warnings };
}

/** The JSON text that is stored of a body. */
function check(expected: ExpectedKind, body: unknown, stored: unknown) {
  expect(JSON.stringify(decode(body, expected).object)).toBe(JSON.stringify(stored));
}

test('empty values go, as Go leaves them out, and what Go always writes comes', () => {
  check(
    POD,
    {
      metadata: { name: 'web', labels: {}, annotations: null, finalizers: [] },
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        hostNetwork: false,
        priority: 0,
        securityContext: {},
        nodeName: '',
        containers: [
          {
            image: 'nginx',
            name: 'c',
            args: [],
            env: [{ name: 'A', value: '' }],
            stdin: false,
            ports: [{ containerPort: 80 }],
          },
        ],
        volumes: [{ emptyDir: {}, name: 'v' }],
        tolerations: null,
      },
    },
    {
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { name: 'web', creationTimestamp: null },
      spec: {
        volumes: [{ name: 'v', emptyDir: {} }],
        containers: [
          { name: 'c', image: 'nginx', ports: [{ containerPort: 80 }], env: [{ name: 'A' }], resources: {} },
        ],
        securityContext: {},
        priority: 0,
      },
      status: {},
    },
  );
});

test('lists, maps and pointers that are always written are null when empty', () => {
  check(
    kindOf('Role', 'rbac.authorization.k8s.io'),
    { metadata: { name: 'r' }, rules: [] },
    {
      kind: 'Role',
      apiVersion: 'rbac.authorization.k8s.io/v1',
      metadata: { name: 'r', creationTimestamp: null },
      rules: null,
    },
  );
  check(
    kindOf('Deployment', 'apps'),
    { spec: { replicas: 0, minReadySeconds: 0, selector: null, template: {} } },
    {
      kind: 'Deployment',
      apiVersion: 'apps/v1',
      metadata: { creationTimestamp: null },
      spec: {
        replicas: 0,
        selector: null,
        template: { metadata: { creationTimestamp: null }, spec: { containers: null } },
        strategy: {},
      },
      status: {},
    },
  );
  check(
    kindOf('Service'),
    { spec: { ports: [{ port: 80, targetPort: 'http' }, { port: 81 }] } },
    {
      kind: 'Service',
      apiVersion: 'v1',
      metadata: { creationTimestamp: null },
      spec: {
        ports: [
          { port: 80, targetPort: 'http' },
          { port: 81, targetPort: 0 },
        ],
      },
      status: { loadBalancer: {} },
    },
  );
});

test('quantities, times and base64 become canonical; maps may have any keys', () => {
  const resources = { limits: { cpu: '1000m', memory: 1024, 'example.com/x': 0.5 } };
  const { object } = decode({
    metadata: { deletionTimestamp: '2025-01-02T03:04:05.9+01:00' },
    spec: { containers: [{ name: 'c', resources }] },
  });
  expect(object).toMatchObject({
    metadata: { deletionTimestamp: '2025-01-02T02:04:05Z' },
    spec: { containers: [{ resources: { limits: { cpu: '1', memory: '1024', 'example.com/x': '500m' } } }] },
  });
  const secret = decode('{"data":{"a":"YQ==\\n","__proto__":"Yg==","n":null}}', kindOf('Secret')).object as {
    data: object;
  };
  expect(Object.entries(secret.data)).toEqual([
    ['a', 'YQ=='],
    ['__proto__', 'Yg=='],
    ['n', ''],
  ]);
});

test('64-bit integers stay exact', () => {
  const { object } = decode('{"spec":{"terminationGracePeriodSeconds":9007199254740993}}');
  expect(object).toMatchObject({ spec: { terminationGracePeriodSeconds: 9007199254740993n } });
});

const cannot = (why: string) => `Pod in version "v1" cannot be handled as a Pod: ${why}`;
const containers = (container: object) => ({ spec: { containers: [{ name: 'a' }, container] } });

test.each<[unknown, string]>([
  [
    containers({ imagePullPolcy: 'x', port: 1 }),
    cannot(
      'strict decoding error: unknown field "spec.containers[1].imagePullPolcy", unknown field "spec.containers[1].port"',
    ),
  ],
  [
    '{"spec":{"nodeName":"a","x.y":1,"nodeName":"b"},"foo":1,"foo":2}',
    cannot('strict decoding error: unknown field "spec.x.y", duplicate field "spec.nodeName", unknown field "foo"'),
  ],
  [
    '{"metadata":{"labels":{"a/b":"1","a/b":"2"}}}',
    cannot('strict decoding error: duplicate field "metadata.labels.a/b"'),
  ],
  [
    { spec: { containers: 'x', nodeName: 1 } },
    cannot('json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container'),
  ],
  [
    containers({ env: [{ name: 'A', value: 1 }] }),
    cannot('json: cannot unmarshal number into Go struct field EnvVar.spec.containers.env.value of type string'),
  ],
  [{ spec: [] }, cannot('json: cannot unmarshal array into Go struct field Pod.spec of type v1.PodSpec')],
  [
    { spec: { restartPolicy: true } },
    cannot('json: cannot unmarshal bool into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy'),
  ],
  [
    { spec: { priority: '1' } },
    cannot('json: cannot unmarshal string into Go struct field PodSpec.spec.priority of type int32'),
  ],
  [
    '{"spec":{"priority":1.0}}',
    cannot('json: cannot unmarshal number 1.0 into Go struct field PodSpec.spec.priority of type int32'),
  ],
  [
    { spec: { priority: 4294967296 } },
    cannot('json: cannot unmarshal number 4294967296 into Go struct field PodSpec.spec.priority of type int32'),
  ],
  [
    { metadata: { labels: { a: 1 } } },
    cannot('json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string'),
  ],
  [
    { metadata: { labels: ['a'] } },
    cannot('json: cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type map[string]string'),
  ],
  [
    { metadata: { creationTimestamp: 'now' } },
    cannot('parsing time "now" as "2006-01-02T15:04:05Z07:00": cannot parse "now" as "2006"'),
  ],
  [
    { metadata: { creationTimestamp: 7 } },
    cannot('json: cannot unmarshal number into Go struct field ObjectMeta.metadata.creationTimestamp of type string'),
  ],
  [
    containers({ resources: { limits: { cpu: 'lots' } } }),
    cannot("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"),
  ],
  [
    containers({ resources: { limits: 'x' } }),
    cannot(
      'json: cannot unmarshal string into Go struct field ResourceRequirements.spec.containers.resources.limits of type v1.ResourceList',
    ),
  ],
  [
    containers({ readinessProbe: { httpGet: { port: true } } }),
    cannot(
      'json: cannot unmarshal bool into Go struct field HTTPGetAction.spec.containers.readinessProbe.httpGet.port of type int32',
    ),
  ],
  [
    { kind: 'Service', apiVersion: 'v1' },
    'Service in version "v1" cannot be handled as a Pod: converting (v1.Service) to (core.Pod): unknown conversion',
  ],
  [
    { kind: 'Foo', apiVersion: 'a.b/v1' },
    'Foo in version "v1" cannot be handled as a Pod: no kind "Foo" is registered for version "a.b/v1" in scheme "pkg/api/legacyscheme/scheme.go:30"',
  ],
  [
    { apiVersion: 'a/b/c' },
    'the object provided is unrecognized (must be of type Pod): unexpected GroupVersion string: a/b/c ({"apiVersion":"a/b/c"})',
  ],
  [
    '',
    "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)",
  ],
  [
    '[]',
    `the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" } (5b5d)`,
  ],
  [
    '{"kind":1}',
    'the object provided is unrecognized (must be of type Pod): couldn\'t get version/kind; json parse error: json: cannot unmarshal number into Go struct field .kind of type string ({"kind":1})',
  ],
])('%j is refused', (body, message) => {
  expect(() => decode(body)).toThrow(
    expect.objectContaining({ message, status: expect.objectContaining({ code: 400, reason: 'BadRequest' }) }),
  );
});

test('another version of the kind is refused', () => {
  expect(() => decode({ apiVersion: 'events.k8s.io/v1', kind: 'Event' }, kindOf('Event'))).toThrow(
    'the API version in the data (events.k8s.io/v1) does not match the expected API version (v1)',
  );
});

test('Warn warns, Ignore says nothing; both drop', () => {
  const body = '{"spec":{"foo":1,"nodeName":"a","nodeName":"b"}}';
  const warned = decode(body, POD, 'Warn');
  expect(warned.warnings).toEqual(['unknown field "spec.foo"', 'duplicate field "spec.nodeName"']);
  expect(warned.object.spec).toEqual({ containers: null, nodeName: 'b' });
  expect(decode(body, POD, 'Ignore').warnings).toEqual([]);
});

test('YAML is YAML 1.1; keys that come twice are named by their line', () => {
  const yaml = 'kind: Pod\nspec:\n  hostname: a\n  priority: 0644\n  hostPID: yes\n  hostname: b\n';
  expect(decode(yaml, POD, 'Ignore', 'application/yaml').object.spec).toEqual({
    containers: null,
    hostname: 'b',
    priority: 420,
    hostPID: true,
  });
  expect(decode(yaml, POD, 'Warn', 'application/yaml').warnings).toEqual(['line 6: key "hostname" already set in map']);
  expect(() => decode('a: [', POD, 'Warn', 'application/yaml')).toThrow(
    'the object provided is unrecognized (must be of type Pod): yaml: line 1: did not find expected node content (613a205b)',
  );
});
