import { certificateSigningRequests } from '#api/certificates/v1/certificate-signing-request.ts';
import { parseRequest } from '#api/certificates/v1/certificate-request.ts';
import type { CertificateSigningRequest } from '#api/generated/types.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { goQuote } from '#apimachinery/validation.ts';
import type { AdmissionAttributes, AdmissionPlugin, RequestContext } from '#apiserver/contract.ts';
import { admissionForbidden } from './forbidden.ts';

const { group } = certificateSigningRequests;
const resources = [certificateSigningRequests];
const KUBE_APISERVER_CLIENT = 'kubernetes.io/kube-apiserver-client';

/** Who approves or denies must be allowed to do so for the signer. Follows plugin/pkg/admission/certificates/approval, v1.33. */
export const certificateApproval: AdmissionPlugin = {
  name: 'CertificateApproval',
  resources,
  validate(attributes, context) {
    const { operation, subresource, oldObject } = attributes;
    if (operation !== 'UPDATE' || subresource !== 'approval') return;
    demand(attributes, context, 'approve', oldObject as CertificateSigningRequest);
  },
};

/** Who issues or fails must be allowed to do so for the signer. Follows plugin/pkg/admission/certificates/signing, v1.33. */
export const certificateSigning: AdmissionPlugin = {
  name: 'CertificateSigning',
  resources,
  validate(attributes, context) {
    const { operation, subresource, object, oldObject } = attributes;
    if (operation !== 'UPDATE' || subresource !== 'status') return;
    const old = oldObject as CertificateSigningRequest;
    if (!semanticEqual((object as CertificateSigningRequest).status, old.status)) {
      demand(attributes, context, 'sign', old);
    }
  },
};

/** Nobody asks for a certificate of the masters. Follows plugin/pkg/admission/certificates/subjectrestriction, v1.33. */
export const certificateSubjectRestriction: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  resources,
  validate(attributes) {
    const { operation, subresource, object } = attributes;
    if (operation !== 'CREATE' || subresource) return;
    const { signerName, request } = (object as CertificateSigningRequest).spec;
    if (signerName !== KUBE_APISERVER_CLIENT || !parseRequest(request).organizations.includes('system:masters')) return;
    const why = `use of ${KUBE_APISERVER_CLIENT} signer with system:masters group is not allowed`;
    throw admissionForbidden(attributes, why);
  },
};

/** By the signer's name, or by all names of its domain. */
function demand(
  attributes: AdmissionAttributes,
  { authorizer }: RequestContext,
  verb: 'approve' | 'sign',
  { spec: { signerName } }: CertificateSigningRequest,
): void {
  const { user } = attributes;
  const may = (name: string) =>
    authorizer.authorize({ verb, group, version: '*', resource: 'signers', name, user }).allowed;
  if (may(signerName) || may(`${signerName.split('/')[0]}/*`)) return;
  throw admissionForbidden(attributes, `user not permitted to ${verb} requests with signerName ${goQuote(signerName)}`);
}
