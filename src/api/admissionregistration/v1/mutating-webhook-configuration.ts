import { defineResource } from '#apimachinery/resource.ts';
import type { MutatingWebhookConfiguration } from '../../generated/types.ts';
import { defaultWebhook } from './webhook-defaults.ts';

/** MutatingWebhookConfigurations: who is asked to change objects before they are stored. */
export const mutatingWebhookConfigurations = defineResource<MutatingWebhookConfiguration>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingWebhookConfiguration',
  plural: 'mutatingwebhookconfigurations',
  singular: 'mutatingwebhookconfiguration',
  categories: ['api-extensions'],
  scope: 'Cluster',
  schema: 'io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration',
  defaults: (object) => ({
    ...object,
    ...(object.webhooks
      ? {
          webhooks: object.webhooks.map((webhook) => ({ reinvocationPolicy: 'Never', ...defaultWebhook(webhook) })),
        }
      : {}),
  }),
  columns: [{ name: 'Webhooks', type: 'integer', cell: ({ webhooks = [] }) => webhooks.length }],
});
