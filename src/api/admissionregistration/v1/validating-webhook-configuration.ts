import { defineResource } from '#apimachinery/resource.ts';
import type { ValidatingWebhookConfiguration } from '../../generated/types.ts';
import { defaultWebhook } from './webhook-defaults.ts';

/** ValidatingWebhookConfigurations: who is asked whether objects may be stored. */
export const validatingWebhookConfigurations = defineResource<ValidatingWebhookConfiguration>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingWebhookConfiguration',
  plural: 'validatingwebhookconfigurations',
  singular: 'validatingwebhookconfiguration',
  categories: ['api-extensions'],
  scope: 'Cluster',
  schema: 'io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration',
  defaults: (object) => ({
    ...object,
    ...(object.webhooks ? { webhooks: object.webhooks.map((webhook) => defaultWebhook(webhook)) } : {}),
  }),
  columns: [{ name: 'Webhooks', type: 'integer', cell: ({ webhooks = [] }) => webhooks.length }],
});
