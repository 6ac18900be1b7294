import { decodeBase64 } from '#base/base64.ts';
import { formatTime } from '#base/clock.ts';
import type { FieldError } from '#apimachinery/field-error.ts';
import { humanDuration } from '#apimachinery/human-duration.ts';
import { defineResource } from '#apimachinery/resource.ts';
import {
  byteLength,
  duplicate,
  forbiddenField,
  GoValue,
  goQuote,
  invalidField,
  isDNS1123Label,
  isDNS1123Subdomain,
  notSupported,
  required,
  tooLong,
} from '#apimachinery/validation.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
  CertificateSigningRequestSpec,
} from '../../generated/types.ts';
import { derSequence, parseRequest, pemBlocks } from './certificate-request.ts';

// Follows pkg/apis/certificates/validation and pkg/registry/certificates/certificates/strategy.go, v1.33. What upstream lets
// pass in updates of objects that were stored before a rule existed cannot occur here.

const USAGES = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
];
const APPROVAL = ['Approved', 'Denied'];
const MIN_EXPIRATION_SECONDS = 600;

type Conditions = readonly CertificateSigningRequestCondition[];
const conditionsOf = ({ status }: CertificateSigningRequest): Conditions => status?.conditions ?? [];
const ofType = (request: CertificateSigningRequest, type: string) =>
  conditionsOf(request).filter((condition) => condition.type === type);

/** Validates who shall sign. Follows pkg/apis/core/validation/names.go. */
function validateSignerName(signer: string, path: string, errors: FieldError[]): void {
  if (signer === '') {
    errors.push(required(path));
    return;
  }
  const [domain = '', name = '', ...more] = signer.split('/');
  if (more.length || !signer.includes('/')) {
    const message = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    errors.push(invalidField(path, signer, message));
    return;
  }
  if (byteLength(domain) > 253) errors.push(tooLong(path, 253));
  const labels = domain.split('.');
  const check = (part: string, list: readonly string[], messagesOf: (label: string) => readonly string[]) => {
    const bad = list.find((label) => messagesOf(label).length > 0);
    for (const message of bad === undefined ? [] : messagesOf(bad)) {
      errors.push(invalidField(path, part, `validating label ${goQuote(bad ?? '')}: ${message}`));
    }
  };
  check(domain, labels, isDNS1123Label);
  if (labels.length < 2) {
    errors.push(invalidField(path, domain, 'should be a domain with at least two segments separated by dots'));
  }
  check(name, name.split('.'), isDNS1123Subdomain);
  if (byteLength(signer) > 571) errors.push(tooLong(path, 571));
}

function requestProblem(request: string): string | undefined {
  try {
    return parseRequest(request).isSigned === false ? 'crypto/rsa: verification error' : undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** A field of bytes as Go prints it. */
function goBytes(field: string): GoValue {
  const bytes = decodeBase64(field);
  if (typeof bytes === 'number' || bytes.length === 0) return new GoValue(field === '' ? '[]byte(nil)' : '[]byte{}');
  return new GoValue(`[]byte{${Array.from(bytes, (byte) => `0x${byte.toString(16)}`).join(', ')}}`);
}

function validateSpec(spec: CertificateSigningRequestSpec, errors: FieldError[]): void {
  const { request: bytes, usages = [], signerName, expirationSeconds } = spec;
  const request = bytes ?? '';
  const problem = requestProblem(request);
  if (problem !== undefined) errors.push(invalidField('spec.request', goBytes(request), problem));
  if (usages.length === 0) errors.push(required('spec.usages'));
  usages.forEach((usage, i) => {
    if (!USAGES.includes(usage)) errors.push(notSupported(`spec.usages[${i}]`, usage, USAGES));
  });
  usages.forEach((usage, i) => {
    if (usages.indexOf(usage) < i) errors.push(duplicate(`spec.usages[${i}]`, usage));
  });
  if (signerName === 'kubernetes.io/legacy-unknown') {
    const message = 'the legacy signerName is not allowed via this API version';
    errors.push(invalidField('spec.signerName', signerName, message));
  } else validateSignerName(signerName ?? '', 'spec.signerName', errors);
  if (expirationSeconds !== undefined && expirationSeconds < MIN_EXPIRATION_SECONDS) {
    const message = 'may not specify a duration less than 600 seconds (10 minutes)';
    errors.push(invalidField('spec.expirationSeconds', expirationSeconds, message));
  }
}

function validateConditions(conditions: Conditions, errors: FieldError[]): void {
  const seen = new Set<string>();
  conditions.forEach(({ type, status }, i) => {
    const path = `status.conditions[${i}]`;
    if (!type) errors.push(required(`${path}.type`));
    const allowed = [...APPROVAL, 'Failed'].includes(type) ? ['True'] : ['False', 'True', 'Unknown'];
    if (!status) errors.push(required(`${path}.status`));
    else if (!allowed.includes(status)) errors.push(notSupported(`${path}.status`, status, allowed));
    if (APPROVAL.some((other) => other !== type && APPROVAL.includes(type) && seen.has(other))) {
      errors.push(invalidField(`${path}.type`, type, 'Approved and Denied conditions are mutually exclusive'));
    }
    if (seen.has(type)) errors.push(duplicate(`${path}.type`, type));
    seen.add(type);
  });
}

function certificateProblem(certificate: string): string | undefined {
  const blocks = pemBlocks(certificate);
  try {
    for (const { type, hasHeaders, bytes } of blocks) {
      if (type !== 'CERTIFICATE') return `only CERTIFICATE PEM blocks are allowed, found ${goQuote(type)}`;
      if (hasHeaders) return 'no PEM block headers are permitted';
      derSequence(bytes);
    }
  } catch {
    return 'x509: malformed certificate';
  }
  return blocks.length === 0 ? 'must contain at least one CERTIFICATE PEM block' : undefined;
}

function validate(request: CertificateSigningRequest): FieldError[] {
  const errors: FieldError[] = [];
  validateSpec(request.spec ?? {}, errors);
  validateConditions(conditionsOf(request), errors);
  const { certificate } = request.status ?? {};
  const problem = certificate ? certificateProblem(certificate) : undefined;
  if (problem !== undefined) errors.push(invalidField('status.certificate', '<certificate data>', problem));
  return errors;
}

/** `writes`: the half of the status that the endpoint is for. */
const validateUpdate =
  (writes: 'conditions' | 'certificate' | undefined) =>
  (next: CertificateSigningRequest, previous: CertificateSigningRequest): FieldError[] => {
    const errors = validate(next);
    const path = 'status.conditions';
    const change = (type: string) => ofType(next, type).length - ofType(previous, type).length;
    for (const type of [...APPROVAL, 'Failed']) {
      if (change(type) < 0) {
        errors.push(forbiddenField(path, `updates may not remove a condition of type ${goQuote(type)}`));
      }
    }
    for (const type of writes === 'conditions' ? [] : APPROVAL) {
      if (change(type) > 0) {
        errors.push(forbiddenField(path, `updates may not add a condition of type ${goQuote(type)}`));
      }
    }
    const old = previous.status?.certificate ?? '';
    if ((next.status?.certificate ?? '') !== old) {
      if (writes !== 'certificate') {
        errors.push(forbiddenField('status.certificate', 'updates may not set certificate content'));
      } else if (old) {
        errors.push(forbiddenField('status.certificate', 'updates may not modify existing certificate content'));
      }
    }
    return errors;
  };

/** Conditions with the times that they lack. */
function withTimes(conditions: Conditions, previous: Conditions, now: number): Conditions {
  return conditions.map((condition) => {
    const old = previous.find(({ type, status }) => type === condition.type && status === condition.status);
    return {
      ...condition,
      lastUpdateTime: condition.lastUpdateTime ?? formatTime(now),
      lastTransitionTime: condition.lastTransitionTime ?? old?.lastTransitionTime ?? formatTime(now),
    };
  });
}

/** Approvals and denials as they were, unless some came or went, which validation refuses. */
function withOldApproval(next: CertificateSigningRequest, previous: CertificateSigningRequest): Conditions {
  let conditions = conditionsOf(next);
  for (const type of APPROVAL) {
    const old = ofType(previous, type);
    if (ofType(next, type).length !== old.length) continue;
    conditions = conditions.map((condition) => (condition.type === type ? (old[0] ?? condition) : condition));
  }
  return conditions;
}

function stateOf(request: CertificateSigningRequest): string {
  const types = conditionsOf(request).map(({ type }) => type);
  const state = types.includes('Denied') ? 'Denied' : types.includes('Approved') ? 'Approved' : 'Pending';
  return `${state}${types.includes('Failed') ? ',Failed' : ''}${request.status?.certificate ? ',Issued' : ''}`;
}

/** CertificateSigningRequests. */
export const certificateSigningRequests = defineResource<CertificateSigningRequest>({
  group: 'certificates.k8s.io',
  version: 'v1',
  kind: 'CertificateSigningRequest',
  plural: 'certificatesigningrequests',
  singular: 'certificatesigningrequest',
  shortNames: ['csr'],
  scope: 'Cluster',
  schema: 'io.k8s.api.certificates.v1.CertificateSigningRequest',
  validateName: () => [],
  validate,
  validateUpdate: validateUpdate(undefined),
  notModelled({ spec }) {
    const unsigned =
      spec.signerName === 'kubernetes.io/kube-apiserver-client'
        ? 'spec.signerName: only where the host has the key of the authority is what is approved signed'
        : 'spec.signerName: nobody by this name signs in this cluster: what is approved gets no certificate by itself';
    const unchecked = 'spec.request: its signature is not checked: only those of RSA with SHA-256 are';
    return parseRequest(spec.request).isSigned ? [unsigned] : [unsigned, unchecked];
  },
  resetFields: {
    object: ['spec', 'status'],
    status: ['spec', 'status.conditions'],
    approval: ['spec', 'status.certificate'],
  },
  strategy: {
    prepareForCreate(request, { user }) {
      const { username: _name, uid: _uid, groups: _groups, extra: _extra, ...asked } = request.spec;
      return {
        ...request,
        spec: {
          ...asked,
          ...(user?.name ? { username: user.name } : {}),
          ...(user?.uid ? { uid: user.uid } : {}),
          ...(user?.groups.length ? { groups: user.groups } : {}),
          ...(user?.extra && Object.keys(user.extra).length ? { extra: user.extra } : {}),
        },
        status: {},
      };
    },
    prepareForUpdate: (next, { spec, status }) => ({ ...next, spec, status }),
  },
  subresources: {
    approval: {
      prepareForUpdate(next, previous, { now }) {
        const conditions = withTimes(conditionsOf(next), conditionsOf(previous), now);
        return { ...next, spec: previous.spec, status: { ...previous.status, conditions } };
      },
      validateUpdate: validateUpdate('conditions'),
    },
    status: {
      prepareForUpdate(next, previous, { now }) {
        const conditions = withTimes(withOldApproval(next, previous), conditionsOf(previous), now);
        return { ...next, spec: previous.spec, status: { ...next.status, conditions } };
      },
      validateUpdate: validateUpdate('certificate'),
    },
  },
  selectableFields: { 'spec.signerName': ({ spec }) => spec.signerName },
  ownColumns: true,
  columns: [
    nameColumn,
    ageColumn,
    { name: 'SignerName', type: 'string', cell: ({ spec }) => spec.signerName || '<none>' },
    { name: 'Requestor', type: 'string', cell: ({ spec }) => spec.username ?? '' },
    {
      name: 'RequestedDuration',
      type: 'string',
      cell: ({ spec: { expirationSeconds } }) =>
        expirationSeconds === undefined ? '<none>' : humanDuration(expirationSeconds * 1000),
    },
    { name: 'Condition', type: 'string', cell: stateOf },
  ],
});
