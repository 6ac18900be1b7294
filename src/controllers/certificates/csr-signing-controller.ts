import { certificateSigningRequests } from '#api/certificates/v1/certificate-signing-request.ts';
import type { CertificateSigningRequest } from '#api/generated/types.ts';
import { formatTime } from '#base/clock.ts';
import type { SpanId } from '#base/tracer.ts';
import { encodeBase64 } from '#base/base64.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import { type CertificateTerms, defineController } from '../define-controller.ts';

const SIGNER = 'kubernetes.io/kube-apiserver-client';
const BACKDATE_MS = 5 * 60_000;
const SHORT_MS = 8 * 3_600_000;
const MIN_MS = 10 * 60_000;
/** `--cluster-signing-duration` as it is by default. */
const LONGEST_MS = 365 * 86_400_000;

/** What is to be done with a request: sign it on these terms, or say why that will never be. Undefined: nothing. */
export function planSigning(
  { spec, status }: CertificateSigningRequest,
  nowMs: number,
): CertificateTerms | { readonly failure: string } | undefined {
  const has = (type: string) => status?.conditions?.some((condition) => condition.type === type) ?? false;
  const hasFailed = status?.conditions?.some(({ type, status: is }) => type === 'Failed' && is === 'True');
  if (spec.signerName !== SIGNER || status?.certificate || !has('Approved') || has('Denied') || hasFailed)
    return undefined;
  const usages = spec.usages ?? [];
  const foreign = usages.find((usage) => !['digital signature', 'key encipherment', 'client auth'].includes(usage));
  if (foreign !== undefined) return { failure: `invalid usage for client certificate: ${foreign}` };
  if (!usages.includes('client auth')) return { failure: 'missing required usage for client certificate: client auth' };
  const wantedMs = (spec.expirationSeconds ?? LONGEST_MS / 1000) * 1000;
  const lifetimeMs = Math.min(Math.max(wantedMs, MIN_MS), LONGEST_MS);
  return {
    request: spec.request,
    usages,
    notBeforeMs: nowMs - BACKDATE_MS,
    notAfterMs: nowMs + lifetimeMs - (lifetimeMs < SHORT_MS ? 0 : BACKDATE_MS),
  };
}

/**
 * Signs the approved requests of users for client certificates, where there is an authority's key (`signCertificate`).
 * Follows pkg/controller/certificates/signer, v1.33. Differs from upstream: the signers of kubelets' certificates do nothing.
 */
export const csrSigningController = defineController({
  name: 'certificatesigningrequest-signing-controller',
  serviceAccount: 'certificate-controller',
  create({ process, queue, watch, config: { signCertificate } }) {
    if (!signCertificate) return { reconcile: async () => {} };
    const changed = ({ metadata }: CertificateSigningRequest, span: SpanId) => queue.add(metadata.name ?? '', span);
    const lister = watch(certificateSigningRequests, {
      add: changed,
      update: (_before, request, span) => changed(request, span),
    });
    return {
      async reconcile({ client }, { name }) {
        const found = lister.get({ name });
        const plan = found && planSigning(found, process.clock.now());
        if (!found || !plan) return;
        if (!('failure' in plan)) {
          const certificate = encodeBase64(encodeUtf8(signCertificate(plan)));
          await client.updateStatus(certificateSigningRequests, { ...found, status: { ...found.status, certificate } });
          return;
        }
        const lastUpdateTime = formatTime(process.clock.now());
        const reason = 'SignerValidationFailure';
        const failed = { type: 'Failed', status: 'True', reason, message: plan.failure, lastUpdateTime };
        const conditions = [...(found.status?.conditions ?? []), failed];
        await client.updateStatus(certificateSigningRequests, { ...found, status: { ...found.status, conditions } });
      },
    };
  },
});
