import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { wire } from '#api/generated/wire.ts';
import { schemas } from '#api/schemas.ts';
import { ObjectCodec } from './codec.ts';
import { DecodeError, decodeObject } from './decode.ts';
import type { ReadValue } from './json-reader.ts';
import { ProtobufReader } from './protobuf.ts';
import { lookupStruct } from './schema.ts';

/** What kubectl v1.33 sent, and what the same command prints with `--dry-run=client -o json`. */
interface Recorded {
  readonly command: string;
  readonly hex: string;
  readonly object?: { readonly apiVersion: string; readonly kind: string };
}
const recorded: Recorded[] = JSON.parse(
  readFileSync(new URL('testdata/kubectl-protobuf.json', import.meta.url), 'utf8'),
);
const codec = new ObjectCodec(schemas, new ProtobufReader(wire));
const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));
const decode = (hex: string) => codec.decodePlain(bytesOf(hex), 'application/vnd.kubernetes.protobuf');
const sent = (command: string) =>
  recorded.filter((each) => each.command.startsWith(command)).map(({ hex }) => decode(hex));

test.each(recorded.filter(({ object }) => object))('$command', ({ hex, object }) => {
  const name = schemas.names().find((each) => {
    const schema = schemas.lookup(each);
    const groupVersion = ({ group, version }: { group: string; version: string }) =>
      group ? `${group}/${version}` : version;
    return (
      schema?.kind === 'struct' &&
      schema.kinds?.some((kind) => kind.kind === object!.kind && groupVersion(kind) === object!.apiVersion)
    );
  })!;
  // The names are in the envelope.
  const {
    kind: _kind,
    apiVersion: _apiVersion,
    ...json
  } = decodeObject(lookupStruct(schemas, name), object as unknown as ReadValue).object;
  expect(JSON.stringify(decode(hex))).toBe(JSON.stringify(json));
});

test('what has no dry run', () => {
  expect(sent('kubectl create token')).toEqual([
    {
      metadata: { creationTimestamp: null },
      spec: {
        audiences: ['a'],
        expirationSeconds: 600,
        boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p', uid: 'u' },
      },
      status: { token: '', expirationTimestamp: null },
    },
  ]);
  const status = { allowed: false };
  const metadata = { creationTimestamp: null };
  expect(sent('kubectl auth can-i')).toEqual([
    {
      metadata,
      status,
      spec: { resourceAttributes: { namespace: 'default', verb: 'create', resource: 'pods', subresource: 'log' } },
    },
    { metadata, status, spec: { nonResourceAttributes: { verb: 'get', path: '/logs' } } },
  ]);
  expect(sent('kubectl autoscale').map((object) => (object as { spec: unknown }).spec)).toMatchObject([
    {
      minReplicas: 2,
      maxReplicas: 5,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
      ],
    },
    { minReplicas: 2, maxReplicas: 5, targetCPUUtilizationPercentage: 80 },
  ]);
  expect(sent('kubectl auth whoami')).toEqual([{ metadata, status: { userInfo: {} } }]);
});

test('an endpoint gets an object with its names', () => {
  const body = bytesOf(recorded.find(({ command }) => command.includes('namespace shop'))!.hex);
  const expected = { group: '', version: 'v1', kind: 'Namespace', schema: 'io.k8s.api.core.v1.Namespace' };
  const options = { fieldValidation: 'Strict', warn: () => {} } as const;
  expect(codec.decode(body, 'application/vnd.kubernetes.protobuf', expected, options)).toEqual({
    kind: 'Namespace',
    apiVersion: 'v1',
    metadata: { name: 'shop', creationTimestamp: null },
    spec: {},
    status: {},
  });
  expect(() => codec.decode(body.subarray(0, -1), 'application/vnd.kubernetes.protobuf', expected, options)).toThrow(
    'unexpected EOF',
  );
  expect(() => codec.decode(new Uint8Array([1, 2]), 'application/vnd.kubernetes.protobuf', expected, options)).toThrow(
    'the object provided is unrecognized (must be of type Namespace): provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] (0102)',
  );
});

test('a broken message is an error', () => {
  expect(() => new ProtobufReader(wire).read(bytesOf('6b387300ff'))).toThrow(new DecodeError('unexpected EOF'));
});
