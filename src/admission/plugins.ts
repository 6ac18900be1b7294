import type { AdmissionPlugin } from '#apiserver/contract.ts';
import { defaultIngressClass } from './default-ingress-class.ts';
import { defaultStorageClass } from './default-storage-class.ts';
import { certificateApproval, certificateSigning, certificateSubjectRestriction } from './certificates.ts';
import { defaultTolerationSeconds } from './default-toleration-seconds.ts';
import { limitRanger } from './limit-ranger.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { nodeRestriction } from './node-restriction.ts';
import { persistentVolumeClaimResize } from './persistent-volume-claim-resize.ts';
import { podSecurity } from './pod-security.ts';
import { priority } from './priority.ts';
import { resourceQuota } from './resource-quota.ts';
import { runtimeClass } from './runtime-class.ts';
import { serviceAccount } from './service-account.ts';
import { storageObjectInUseProtection } from './storage-object-in-use-protection.ts';
import { taintNodesByCondition } from './taint-nodes-by-condition.ts';
import { validatingAdmissionPolicy } from './validating-admission-policy.ts';
import { mutatingAdmissionWebhook, validatingAdmissionWebhook, type WebhookOptions } from './webhooks.ts';

/**
 * The plugins of every cluster, in the order of pkg/kubeapiserver/options/plugins.go, v1.33. A new one is a file and a
 * line here.
 */
export function admissionPlugins(webhooks: WebhookOptions): readonly AdmissionPlugin[] {
  return [
    namespaceLifecycle,
    limitRanger,
    serviceAccount,
    nodeRestriction,
    taintNodesByCondition,
    podSecurity,
    priority,
    defaultTolerationSeconds,
    defaultStorageClass,
    storageObjectInUseProtection,
    persistentVolumeClaimResize,
    runtimeClass,
    certificateApproval,
    certificateSigning,
    certificateSubjectRestriction,
    defaultIngressClass,
    mutatingAdmissionWebhook(webhooks),
    validatingAdmissionPolicy(webhooks.expressions),
    validatingAdmissionWebhook(webhooks),
    resourceQuota,
  ];
}

/** The plugins of a cluster in which nobody answers webhooks: for tests, and for their names. */
export const plugins: readonly AdmissionPlugin[] = admissionPlugins({
  call: () => Promise.reject(new Error('nobody is there to be called')),
  expressions: () => undefined,
});
