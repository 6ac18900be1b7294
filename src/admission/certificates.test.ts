import { expect, test } from 'vitest';
import { certificateSigningRequests } from '#api/certificates/v1/certificate-signing-request.ts';
import { alwaysAllow, type Authorizer } from '#apiserver/authorization.ts';
import type { Client } from '#client/client.ts';
import { RSA_REQUEST } from '#testing/certificate-requests.ts';
import { decoded } from '#testing/kind.ts';
import { TestApi } from '#testing/test-api.ts';
import { certificateApproval, certificateSigning, certificateSubjectRestriction } from './certificates.ts';

const request = (signer: string) =>
  decoded(
    certificateSigningRequests,
    `metadata: {name: jane}\nspec: {request: ${RSA_REQUEST}, usages: [client auth], signerName: ${signer}}`,
  );

/** A server on which everybody may do everything, but approve and sign as it is said. */
function answers<T>(signers: readonly string[], work: (client: Client) => Promise<T>): Promise<T> {
  const authorizer: Authorizer = {
    ...alwaysAllow,
    authorize: (access) =>
      access.resource === 'signers' && !signers.includes(`${access.verb} ${access.name}`)
        ? { allowed: false, denied: false, reason: '' }
        : alwaysAllow.authorize(access),
  };
  const admission = [certificateApproval, certificateSigning, certificateSubjectRestriction];
  return new TestApi('none', false, { admission, authorizer: () => authorizer }).do(work);
}

test('who may approve and sign', async () => {
  const approve = async (client: Client) => {
    const made = await client.create(certificateSigningRequests, request('example.com/a'));
    const status = { conditions: [{ type: 'Approved', status: 'True' }] };
    return client.updateSubresource(certificateSigningRequests, { ...made, status }, 'approval');
  };
  const fail = async (client: Client) => {
    const made = await client.create(certificateSigningRequests, request('example.com/a'));
    const status = { conditions: [{ type: 'Failed', status: 'True' }] };
    return client.updateStatus(certificateSigningRequests, { ...made, status });
  };
  await answers(['approve example.com/a'], approve);
  await answers(['approve example.com/*'], approve);
  await answers(['sign example.com/a'], fail);
  const refused = (verb: string) => ({
    message: `certificatesigningrequests.certificates.k8s.io "jane" is forbidden: user not permitted to ${verb} requests with signerName "example.com/a"`,
  });
  await expect(answers(['sign example.com/a'], approve)).rejects.toMatchObject(refused('approve'));
  await expect(answers(['approve example.com/a'], fail)).rejects.toMatchObject(refused('sign'));
});

test('nobody becomes a master by certificate', async () => {
  const create = (signer: string) =>
    answers([], (client) => client.create(certificateSigningRequests, request(signer)));
  await create('kubernetes.io/kubelet-serving');
  await expect(create('kubernetes.io/kube-apiserver-client')).rejects.toMatchObject({
    message:
      'certificatesigningrequests.certificates.k8s.io "jane" is forbidden: use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed',
  });
});
