import type { MutatingWebhook, ValidatingWebhook } from '../../generated/types.ts';

/** What a webhook is when it does not say so. Follows pkg/apis/admissionregistration/v1/defaults.go, v1.33. */
export function defaultWebhook<W extends MutatingWebhook | ValidatingWebhook>(webhook: W): W {
  const { clientConfig, rules } = webhook;
  const service = clientConfig?.service;
  return {
    failurePolicy: 'Fail',
    matchPolicy: 'Equivalent',
    namespaceSelector: {},
    objectSelector: {},
    timeoutSeconds: 10,
    ...webhook,
    ...(service ? { clientConfig: { ...clientConfig, service: { port: 443, ...service } } } : {}),
    ...(rules ? { rules: rules.map((rule) => ({ scope: '*', ...rule })) } : {}),
  };
}
