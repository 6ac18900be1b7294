import type { FieldError } from '#apimachinery/field-error.ts';
import { validateAnnotations, validateLabels } from '#apimachinery/label-validation.ts';
import type { ApiObject, ObjectMetaLike, OwnerReference, ResourceDefinition } from '#apimachinery/resource.ts';
import {
  forbiddenField,
  GoValue,
  goQuote,
  invalidField,
  isDNS1123Label,
  isDNS1123Subdomain,
  isQualifiedName,
  nameValidator,
  required,
} from '#apimachinery/validation.ts';

// Follows apimachinery/pkg/api/validation/objectmeta.go, v1.33.

const defaultName = nameValidator(isDNS1123Subdomain);
const namespaceName = nameValidator(isDNS1123Label);
const IMMUTABLE = 'field is immutable';
export const ORPHAN_FINALIZER = 'orphan';
export const FOREGROUND_FINALIZER = 'foregroundDeletion';

/** The metadata of an object as it will be stored. */
export function validateObjectMeta(definition: ResourceDefinition, metadata: ObjectMetaLike): FieldError[] {
  const errors: FieldError[] = [];
  const nameErrors = definition.validateName ?? defaultName;
  const { name, generateName, namespace } = metadata;
  if (generateName) {
    for (const message of nameErrors(generateName, true))
      errors.push(invalidField('metadata.generateName', generateName, message));
  }
  if (!name) errors.push(required('metadata.name', 'name or generateName is required'));
  else for (const message of nameErrors(name, false)) errors.push(invalidField('metadata.name', name, message));
  if (definition.scope === 'Namespaced') {
    if (!namespace) errors.push(required('metadata.namespace'));
    else
      for (const message of namespaceName(namespace, false))
        errors.push(invalidField('metadata.namespace', namespace, message));
  } else if (namespace) errors.push(forbiddenField('metadata.namespace', 'not allowed on this type'));
  if ((metadata.generation ?? 0) < 0) {
    errors.push(invalidField('metadata.generation', metadata.generation, 'must be greater than or equal to 0'));
  }
  validateLabels(metadata.labels, 'metadata.labels', errors);
  validateAnnotations(metadata.annotations, 'metadata.annotations', errors);
  validateOwners(metadata.ownerReferences, errors);
  validateFinalizers(metadata.finalizers, errors);
  return errors;
}

/** What an update may not do to metadata. */
export function validateObjectMetaUpdate(next: ObjectMetaLike, previous: ObjectMetaLike): FieldError[] {
  const errors: FieldError[] = [];
  if (previous.deletionTimestamp) {
    const known = new Set(previous.finalizers);
    const added = [...new Set(next.finalizers)].filter((finalizer) => !known.has(finalizer)).sort();
    if (added.length > 0) {
      errors.push(
        forbiddenField(
          'metadata.finalizers',
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map(goQuote).join(', ')}}`,
        ),
      );
    }
  }
  if (!next.resourceVersion)
    errors.push(invalidField('metadata.resourceVersion', '', 'must be specified for an update'));
  if ((next.generation ?? 0) < (previous.generation ?? 0)) {
    errors.push(invalidField('metadata.generation', next.generation ?? 0, 'must not be decremented'));
  }
  const immutable = (
    field: keyof ObjectMetaLike & ('name' | 'namespace' | 'uid' | 'creationTimestamp' | 'deletionTimestamp'),
  ) => {
    if ((next[field] ?? '') !== (previous[field] ?? ''))
      errors.push(invalidField(`metadata.${field}`, next[field] ?? '', IMMUTABLE));
  };
  immutable('name');
  immutable('namespace');
  immutable('uid');
  immutable('creationTimestamp');
  immutable('deletionTimestamp');
  if (next.deletionGracePeriodSeconds !== previous.deletionGracePeriodSeconds) {
    errors.push(invalidField('metadata.deletionGracePeriodSeconds', next.deletionGracePeriodSeconds, IMMUTABLE));
  }
  return errors;
}

function validateFinalizers(finalizers: readonly string[] | undefined, errors: FieldError[]): void {
  if (!finalizers) return;
  for (const finalizer of finalizers) {
    for (const message of isQualifiedName(finalizer))
      errors.push(invalidField('metadata.finalizers', finalizer, message));
  }
  if (finalizers.includes(ORPHAN_FINALIZER) && finalizers.includes(FOREGROUND_FINALIZER)) {
    const list = new GoValue(`[${finalizers.map(goQuote).join(',')}]`);
    errors.push(
      invalidField(
        'metadata.finalizers',
        list,
        `finalizer ${ORPHAN_FINALIZER} and ${FOREGROUND_FINALIZER} cannot be both set`,
      ),
    );
  }
}

function validateOwners(owners: readonly OwnerReference[] | undefined, errors: FieldError[]): void {
  if (!owners) return;
  const path = 'metadata.ownerReferences';
  let controller: string | undefined;
  for (const owner of owners) {
    const slash = owner.apiVersion.lastIndexOf('/');
    const version = owner.apiVersion.slice(slash + 1);
    if (version === '') errors.push(invalidField(`${path}.apiVersion`, owner.apiVersion, 'version must not be empty'));
    if (owner.kind === '') errors.push(invalidField(`${path}.kind`, owner.kind, 'kind must not be empty'));
    if (owner.name === '') errors.push(invalidField(`${path}.name`, owner.name, 'name must not be empty'));
    if (owner.uid === '') errors.push(invalidField(`${path}.uid`, owner.uid, 'uid must not be empty'));
    if (owner.apiVersion === 'v1' && owner.kind === 'Event') {
      errors.push(
        invalidField(path, new GoValue(JSON.stringify(owner)), '/v1, Kind=Event is disallowed from being an owner'),
      );
    }
    if (!owner.controller) continue;
    const current = `${owner.kind}/${owner.name}`;
    if (controller === undefined) controller = current;
    else {
      errors.push(
        invalidField(
          path,
          new GoValue(JSON.stringify(owners)),
          `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${current}`,
        ),
      );
    }
  }
}

/** Whether objects of this kind are ApiObjects with names, for messages. */
export const nameOf = (object: ApiObject): string => object.metadata.name ?? '';
