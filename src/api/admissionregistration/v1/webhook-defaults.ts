import type { MatchResources, MutatingWebhook, ValidatingWebhook } from '../../generated/types.ts';

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

/** The same for what policies and their bindings match. */
export function defaultMatchResources(match: MatchResources | undefined): MatchResources | undefined {
  if (!match) return match;
  const scoped = (rules: MatchResources['resourceRules']) => rules?.map((rule) => ({ scope: '*', ...rule }));
  return {
    matchPolicy: 'Equivalent',
    namespaceSelector: {},
    objectSelector: {},
    ...match,
    ...(match.resourceRules ? { resourceRules: scoped(match.resourceRules) } : {}),
    ...(match.excludeResourceRules ? { excludeResourceRules: scoped(match.excludeResourceRules) } : {}),
  };
}
