import { expect, test } from 'vitest';
import type { CertificateSigningRequestSpec } from '#api/generated/types.ts';
import { planSigning } from './csr-signing-controller.ts';

const DAY_MS = 86_400_000;
const plan = (spec: Partial<CertificateSigningRequestSpec>, ...types: string[]) =>
  planSigning(
    {
      metadata: { name: 'jane' },
      spec: {
        request: 'PEM',
        signerName: 'kubernetes.io/kube-apiserver-client',
        usages: ['client auth'],
        ...spec,
      },
      status: { conditions: types.map((type) => ({ type, status: 'True' })) },
    },
    DAY_MS,
  );

test('who is approved gets a certificate for as long as asked, within limits', () => {
  const until = (expirationSeconds?: number) => {
    const terms = plan({ expirationSeconds }, 'Approved');
    return terms && 'notAfterMs' in terms ? terms.notAfterMs - DAY_MS : undefined;
  };
  expect([until(), until(1), until(3600), until(86_400), until(1e9)]).toEqual([
    365 * DAY_MS - 300_000,
    600_000,
    3_600_000,
    DAY_MS - 300_000,
    365 * DAY_MS - 300_000,
  ]);
  expect(plan({}, 'Approved')).toMatchObject({
    request: 'PEM',
    usages: ['client auth'],
    notBeforeMs: DAY_MS - 300_000,
  });
});

test('what is not signed, and what never will be', () => {
  expect([plan({}), plan({}, 'Approved', 'Denied'), plan({}, 'Approved', 'Failed')]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(plan({ signerName: 'example.com/mine' }, 'Approved')).toBeUndefined();
  expect(plan({ usages: ['client auth', 'server auth'] }, 'Approved')).toEqual({
    failure: 'invalid usage for client certificate: server auth',
  });
  expect(plan({ usages: ['digital signature'] }, 'Approved')).toEqual({
    failure: 'missing required usage for client certificate: client auth',
  });
});
