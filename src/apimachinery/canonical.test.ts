import { expect, test } from 'vitest';
import { schemas } from '#api/schemas.ts';
import { canonicalObject } from './canonical.ts';
import { decodeObject } from './decode.ts';
import { lookupStruct } from './schema.ts';

const POD = lookupStruct(schemas, 'io.k8s.api.core.v1.Pod');
const text = (value: unknown) => JSON.stringify(value);

const pod = {
  spec: {
    volumes: [{ name: 'v', emptyDir: {} }],
    containers: [{ image: 'nginx', name: 'c', args: [], env: undefined }],
    hostNetwork: false,
  },
  metadata: { name: 'web', labels: {}, annotations: { a: 'b' } },
  status: {
    containerStatuses: [{ name: 'c', ready: true, state: { running: {} } }],
    conditions: [{ type: 'Ready', status: 'True' }],
  },
};

test('gives what decoding its JSON would give', () => {
  const canonical = canonicalObject(POD, pod);
  expect(text(canonical)).toBe(text(decodeObject(POD, JSON.parse(text(pod))).object));
  expect(text(canonical)).toContain('"lastState":{},"ready":true,"restartCount":0,"image":"","imageID":""');
});

test('shares what is canonical', () => {
  const canonical = canonicalObject(POD, pod);
  expect(canonicalObject(POD, canonical)).toBe(canonical);
  const next = canonicalObject(POD, { ...canonical, metadata: { ...canonical.metadata, labels: { x: 'y' } } });
  expect(next.spec).toBe(canonical.spec);
  expect(next.status).toBe(canonical.status);
  expect(text(next.metadata)).toBe(
    '{"name":"web","creationTimestamp":null,"labels":{"x":"y"},"annotations":{"a":"b"}}',
  );
});

test('one object may stand for two types', () => {
  const shared = {};
  const both = { metadata: shared, spec: { containers: [{ name: 'c', resources: shared, lifecycle: shared }] } };
  expect(canonicalObject(POD, both)).toEqual({
    metadata: { creationTimestamp: null },
    spec: { containers: [{ name: 'c', resources: {}, lifecycle: {} }] },
    status: {},
  });
});
