import type { FieldError } from '#apimachinery/field-error.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { validateStandardFinalizers } from '../../finalizers.ts';
import type { ServiceAccount } from '../../generated/types.ts';

const ENFORCE_MOUNTABLE_SECRETS = 'kubernetes.io/enforce-mountable-secrets';

/** References to secrets keep nothing but the name. */
function withBareSecrets(account: ServiceAccount): ServiceAccount {
  const bare = account.secrets?.every((secret) => Object.keys(secret).every((key) => key === 'name')) ?? true;
  return bare ? account : { ...account, secrets: account.secrets?.map(({ name }) => ({ name })) };
}

function hasAnnotation(account: ServiceAccount | undefined): boolean {
  return Object.hasOwn(account?.metadata.annotations ?? {}, ENFORCE_MOUNTABLE_SECRETS);
}

function validate({ metadata }: ServiceAccount): FieldError[] {
  const errors: FieldError[] = [];
  validateStandardFinalizers(metadata, errors);
  return errors;
}

/** ServiceAccounts. Follows pkg/registry/core/serviceaccount/strategy.go, v1.33. */
export const serviceAccounts = defineResource<ServiceAccount>({
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  singular: 'serviceaccount',
  shortNames: ['sa'],
  scope: 'Namespaced',
  schema: 'io.k8s.api.core.v1.ServiceAccount',
  validate,
  validateUpdate: validate,
  strategy: {
    prepareForCreate: withBareSecrets,
    prepareForUpdate: withBareSecrets,
    returnsDeletedObject: true,
    warnings: (account, previous) =>
      hasAnnotation(account) && !hasAnnotation(previous)
        ? [
            `metadata.annotations[${ENFORCE_MOUNTABLE_SECRETS}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`,
          ]
        : [],
  },
  columns: [{ name: 'Secrets', type: 'string', cell: ({ secrets = [] }) => secrets.length }],
});
