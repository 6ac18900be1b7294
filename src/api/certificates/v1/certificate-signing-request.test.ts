import { expect, test } from 'vitest';
import { encodeBase64 } from '#base/base64.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import type { CertificateSigningRequest } from '../../generated/types.ts';
import { createErrors, decoded, texts } from '#testing/kind.ts';
import { EC_REQUEST, RSA_REQUEST } from '#testing/certificate-requests.ts';
import { parseRequest } from './certificate-request.ts';
import { certificateSigningRequests } from './certificate-signing-request.ts';

const manifest = (spec: string, request = RSA_REQUEST) =>
  `metadata: {name: "any: name"}\nspec: {request: ${request}, ${spec}}`;
const VALID = 'signerName: example.com/x, usages: [client auth]';

test('requests are read, and RSA signatures checked', () => {
  expect(parseRequest(RSA_REQUEST)).toEqual({ organizations: ['devs', 'system:masters'], isSigned: true });
  expect(parseRequest(EC_REQUEST)).toEqual({ organizations: [], isSigned: undefined });
  const pem = atob(RSA_REQUEST);
  const check = (changed: string, message: string) => expect(() => parseRequest(btoa(changed))).toThrow(message);
  check('', 'PEM block type must be CERTIFICATE REQUEST');
  check(pem.replaceAll('REQUEST', 'QUESTION'), 'PEM block type must be CERTIFICATE REQUEST');
  check(
    '-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n',
    'asn1: syntax error: data truncated',
  );
  const last = pem.lastIndexOf('\n-----END') - 8;
  const forged = `${pem.slice(0, last)}${pem[last] === 'A' ? 'B' : 'A'}${pem.slice(last + 1)}`;
  expect(parseRequest(btoa(forged)).isSigned).toBe(false);
});

test('what a request is refused for', () => {
  const check = (spec: string, ...errors: string[]) =>
    expect(createErrors(certificateSigningRequests, manifest(spec))).toEqual(errors);
  check(VALID);
  check(
    'signerName: kubernetes.io/legacy-unknown',
    'spec.usages: Required value',
    'spec.signerName: Invalid value: "kubernetes.io/legacy-unknown": the legacy signerName is not allowed via this API version',
  );
  check(
    'signerName: a, usages: [signing, signing, sleeping], expirationSeconds: 599',
    expect.stringMatching(
      /^spec.usages\[2\]: Unsupported value: "sleeping": supported values: "any", /,
    ) as unknown as string,
    'spec.usages[1]: Duplicate value: "signing"',
    `spec.signerName: Invalid value: "a": must be a fully qualified domain and path of the form 'example.com/signer-name'`,
    'spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 600 seconds (10 minutes)',
  );
  check(
    'signerName: local/x, usages: [any]',
    'spec.signerName: Invalid value: "local": should be a domain with at least two segments separated by dots',
  );
  const junk = manifest(VALID, encodeBase64(encodeUtf8('ab')));
  expect(createErrors(certificateSigningRequests, junk)).toEqual([
    'spec.request: Invalid value: []byte{0x61, 0x62}: PEM block type must be CERTIFICATE REQUEST',
  ]);
});

test('who asks, approves and issues', () => {
  const { strategy, subresources } = certificateSigningRequests;
  const asked = decoded(certificateSigningRequests, manifest(`${VALID}, username: root, groups: [system:masters]`));
  const user = { name: 'jane', uid: '7', groups: ['devs'], extra: { from: ['home'] } };
  const made = strategy?.prepareForCreate?.(asked, { now: 0, user }) as CertificateSigningRequest;
  expect(made.spec).toMatchObject({ username: 'jane', uid: '7', groups: ['devs'], extra: { from: ['home'] } });
  const write = (endpoint: 'approval' | 'status', to: CertificateSigningRequest['status'], from = made) => {
    const next = subresources?.[endpoint]?.prepareForUpdate({ ...from, status: to }, from, { now: 1000 });
    const errors = texts(subresources?.[endpoint]?.validateUpdate(next as CertificateSigningRequest, from));
    return { next: next as CertificateSigningRequest, errors };
  };
  const approved = { type: 'Approved', status: 'True' };
  const approval = write('approval', { conditions: [approved], certificate: 'YQ==' });
  expect(approval.errors).toEqual([]);
  const time = '1970-01-01T00:00:01Z';
  expect(approval.next.status).toEqual({
    conditions: [{ ...approved, lastUpdateTime: time, lastTransitionTime: time }],
  });
  expect(write('approval', { conditions: [] }, approval.next).errors).toEqual([
    'status.conditions: Forbidden: updates may not remove a condition of type "Approved"',
  ]);
  expect(write('approval', { conditions: [approved, { type: 'Denied', status: 'False' }] }).errors).toEqual([
    'status.conditions[1].status: Unsupported value: "False": supported values: "True"',
    'status.conditions[1].type: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive',
  ]);
  expect(write('status', { conditions: [approved], certificate: 'YQ==' }).errors).toEqual([
    'status.certificate: Invalid value: "<certificate data>": must contain at least one CERTIFICATE PEM block',
    'status.conditions: Forbidden: updates may not add a condition of type "Approved"',
  ]);
  const certificate = btoa('-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n');
  const issued = write('status', { ...approval.next.status, certificate }, approval.next);
  expect(issued.errors).toEqual([]);
  const state = certificateSigningRequests.columns?.find(({ name }) => name === 'Condition');
  expect(state?.cell(issued.next, 0)).toBe('Approved,Issued');
  expect(
    write('status', { ...issued.next.status, certificate: btoa(`\n${atob(certificate)}`) }, issued.next).errors,
  ).toEqual(['status.certificate: Forbidden: updates may not modify existing certificate content']);
});
