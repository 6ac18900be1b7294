import type { FieldError } from '#apimachinery/field-error.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { invalidField, isDNS1123Label, isQualifiedName, nameValidator } from '#apimachinery/validation.ts';
import { validateStandardFinalizer, validateStandardFinalizers } from '../../finalizers.ts';
import type { Namespace } from '../../generated/types.ts';

/** The finalizer that the namespace controller removes when the namespace is empty. */
export const KUBERNETES_FINALIZER = 'kubernetes';
const NAME_LABEL = 'kubernetes.io/metadata.name';

function withNameLabel(namespace: Namespace): Namespace {
  const { metadata } = namespace;
  if (!metadata.name || metadata.labels?.[NAME_LABEL] === metadata.name) return namespace;
  return { ...namespace, metadata: { ...metadata, labels: { ...metadata.labels, [NAME_LABEL]: metadata.name } } };
}

/** Follows SetDefaults_Namespace and SetDefaults_NamespaceStatus of pkg/apis/core/v1, v1.33. */
function defaults(namespace: Namespace): Namespace {
  const named = withNameLabel(namespace);
  const filled = named.spec && named.status?.phase;
  return filled
    ? named
    : { ...named, spec: named.spec ?? {}, status: { ...named.status, phase: named.status?.phase || 'Active' } };
}

function validateFinalizerName(name: string, path: string, errors: FieldError[]): void {
  for (const message of isQualifiedName(name)) errors.push(invalidField(path, name, message));
  validateStandardFinalizer(name, path, errors);
}

function validate({ metadata, spec }: Namespace): FieldError[] {
  const errors: FieldError[] = [];
  validateStandardFinalizers(metadata, errors);
  for (const finalizer of spec.finalizers ?? []) validateFinalizerName(finalizer, 'spec.finalizers', errors);
  return errors;
}

/** Checks the finalizers that PUT …/finalize sets. Follows ValidateNamespaceFinalizeUpdate, v1.33. */
function validateFinalize({ spec }: Namespace): FieldError[] {
  const errors: FieldError[] = [];
  spec.finalizers?.forEach((finalizer, i) => validateFinalizerName(finalizer, `spec.finalizers[${i}]`, errors));
  return errors;
}

function validateStatusUpdate({ metadata, status }: Namespace): FieldError[] {
  const phase = status?.phase ?? '';
  if (!metadata.deletionTimestamp) {
    return phase === 'Active'
      ? []
      : [invalidField('status.Phase', phase, "may only be 'Active' if `deletionTimestamp` is empty")];
  }
  return phase === 'Terminating'
    ? []
    : [invalidField('status.Phase', phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")];
}

/** Namespaces. They end in two steps: DELETE marks them Terminating, and `finalize` lets go when they are empty. */
export const namespaces = defineResource<Namespace>({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  singular: 'namespace',
  shortNames: ['ns'],
  scope: 'Cluster',
  schema: 'io.k8s.api.core.v1.Namespace',
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  validateName: nameValidator(isDNS1123Label),
  defaults,
  validate,
  validateUpdate: validate,
  // Follows pkg/registry/core/namespace/strategy.go, v1.33.
  strategy: {
    prepareForCreate(namespace) {
      const finalizers = namespace.spec.finalizers ?? [];
      return {
        ...namespace,
        spec: finalizers.includes(KUBERNETES_FINALIZER)
          ? namespace.spec
          : { ...namespace.spec, finalizers: [...finalizers, KUBERNETES_FINALIZER] },
        status: { phase: 'Active' },
      };
    },
    prepareForUpdate: (next, previous) => ({
      ...next,
      spec: { ...next.spec, finalizers: previous.spec.finalizers },
      status: previous.status,
    }),
    canonicalize: withNameLabel,
    returnsDeletedObject: true,
    holdsDeletion: ({ spec }) => (spec.finalizers?.length ?? 0) > 0,
    prepareForDelete: (namespace) => ({ ...namespace, status: { ...namespace.status, phase: 'Terminating' } }),
  },
  subresources: {
    status: {
      prepareForUpdate: (next, previous) => ({ ...next, spec: previous.spec }),
      validateUpdate: validateStatusUpdate,
    },
    finalize: {
      prepareForUpdate: (next, previous) => ({ ...next, status: previous.status }),
      validateUpdate: validateFinalize,
    },
  },
  selectableFields: { 'status.phase': ({ status }) => status?.phase ?? '' },
  columns: [{ name: 'Status', type: 'string', cell: ({ status }) => status?.phase ?? '' }],
});
