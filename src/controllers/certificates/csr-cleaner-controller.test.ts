import { expect, test } from 'vitest';
import { certificateSigningRequests } from '#api/certificates/v1/certificate-signing-request.ts';
import { RSA_REQUEST } from '#testing/certificate-requests.ts';
import { TestControllers } from '#testing/controllers.ts';
import { decoded } from '#testing/kind.ts';
import { csrCleanerController } from './csr-cleaner-controller.ts';

const HOUR_MS = 3_600_000;

test('old requests go', async () => {
  const api = new TestControllers([csrCleanerController]);
  await api.run(1000);
  const make = async (name: string, condition?: string, certificate?: string) => {
    const manifest = `metadata: {name: ${name}}\nspec: {request: ${RSA_REQUEST}, usages: [any], signerName: example.com/a}`;
    await api.do(async (client) => {
      const made = await client.create(certificateSigningRequests, decoded(certificateSigningRequests, manifest));
      if (!condition) return;
      const status = { conditions: [{ type: condition, status: 'True' }] };
      const answered = await client.updateSubresource(certificateSigningRequests, { ...made, status }, 'approval');
      if (certificate === undefined) return;
      await client.updateStatus(certificateSigningRequests, {
        ...answered,
        status: { ...answered.status, certificate },
      });
    });
  };
  const names = async () =>
    (await api.do((client) => client.list(certificateSigningRequests))).items.map(({ metadata }) => metadata.name);
  await make('approved', 'Approved');
  await make('denied', 'Denied');
  await make('issued', 'Approved', btoa('-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n'));
  await make('pending');
  await api.run(HOUR_MS);
  expect(await names()).toEqual(['approved', 'denied', 'issued', 'pending']);
  await api.run(HOUR_MS);
  expect(await names()).toEqual(['approved', 'pending']);
  await api.run(24 * HOUR_MS);
  expect(await names()).toEqual(['approved']);
});
