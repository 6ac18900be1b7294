import { defineResource, type ResourceDefinition } from '#apimachinery/resource.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { mapShared, replace } from '../../fill.ts';
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
} from '../../generated/types.ts';
import { CLEANUP_FINALIZER, isConditionTrue, withCondition } from './crd-conditions.ts';
import {
  validateDefinition,
  validateDefinitionStatus,
  validateDefinitionUpdate,
} from './custom-resource-definition-validation.ts';
import type { SchemaExpressions } from './expressions.ts';
import { normalizedSchema } from './schema-normalization.ts';

/** Follows SetDefaults_CustomResourceDefinition of apiextensions/v1/defaults.go, v1.33. */
function defaults(crd: CustomResourceDefinition): CustomResourceDefinition {
  let spec = crd.spec ?? ({} as CustomResourceDefinitionSpec);
  let names = spec.names ?? ({} as CustomResourceDefinitionNames);
  if (!names.singular && names.kind) names = { ...names, singular: names.kind.toLowerCase() };
  if (!names.listKind && names.kind) names = { ...names, listKind: `${names.kind}List` };
  spec = replace(spec, 'names', names);
  spec = replace(spec, 'versions', mapShared(spec.versions ?? [], defaultVersion));
  if (!spec.conversion) spec = { ...spec, conversion: { strategy: 'None' } };
  const service = spec.conversion?.webhook?.clientConfig?.service;
  if (service && service.port === undefined) {
    const { webhook } = spec.conversion as Required<NonNullable<typeof spec.conversion>>;
    const clientConfig = { ...webhook.clientConfig, service: { ...service, port: 443 } };
    spec = {
      ...spec,
      conversion: { strategy: spec.conversion?.strategy ?? '', webhook: { ...webhook, clientConfig } },
    };
  }
  const next = replace(crd, 'spec', spec);
  if (next.status?.storedVersions?.length) return next;
  return { ...next, status: { ...next.status, storedVersions: storageVersions(spec) } };
}

function defaultVersion(version: CustomResourceDefinitionVersion): CustomResourceDefinitionVersion {
  const schema = version.schema?.openAPIV3Schema;
  if (!schema) return version;
  const openAPIV3Schema = normalizedSchema(schema);
  return openAPIV3Schema === schema ? version : { ...version, schema: { openAPIV3Schema } };
}

function storageVersions({ versions }: CustomResourceDefinitionSpec): readonly string[] {
  const storage = versions.find((version) => version.storage);
  return storage ? [storage.name] : [];
}

/** The status with the storage version among those that objects may be stored in. */
function withStored(crd: CustomResourceDefinition): CustomResourceDefinition {
  const stored = crd.status?.storedVersions ?? [];
  const added = storageVersions(crd.spec).filter((name) => !stored.includes(name));
  return added.length === 0 ? crd : { ...crd, status: { ...crd.status, storedVersions: [...stored, ...added] } };
}

/** Deletion begins: instances go first. Follows Delete of registry/customresourcedefinition/etcd.go, v1.33. */
function prepareForDelete(crd: CustomResourceDefinition): CustomResourceDefinition {
  if (isConditionTrue(crd, 'Terminating')) return crd;
  const { finalizers = [], deletionTimestamp = '' } = crd.metadata;
  const held = finalizers.includes(CLEANUP_FINALIZER)
    ? crd
    : { ...crd, metadata: { ...crd.metadata, finalizers: [...finalizers, CLEANUP_FINALIZER] } };
  const message = 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon';
  const condition = { type: 'Terminating', status: 'True', reason: 'InstanceDeletionPending', message };
  return withCondition(held, condition, deletionTimestamp as string);
}

/**
 * CustomResourceDefinitions, whose expression rules are checked by what `expressions` gives at the time; where it gives
 * nothing, rules are refused.
 */
export function customResourceDefinitionsWith(
  expressions: () => SchemaExpressions | undefined,
): ResourceDefinition<CustomResourceDefinition> {
  return defineResource<CustomResourceDefinition>({
    group: 'apiextensions.k8s.io',
    version: 'v1',
    kind: 'CustomResourceDefinition',
    plural: 'customresourcedefinitions',
    singular: 'customresourcedefinition',
    shortNames: ['crd', 'crds'],
    categories: ['api-extensions'],
    scope: 'Cluster',
    schema: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition',
    storagePrefix: 'apiextensions.k8s.io/customresourcedefinitions',
    defaults,
    validate: (crd) => validateDefinition(crd, expressions()),
    validateUpdate: (next, previous) => validateDefinitionUpdate(next, previous, expressions()),
    notModelled: ({ spec }) =>
      spec.conversion?.strategy === 'Webhook' ? ['spec.conversion.webhook: conversion webhooks are not called'] : [],
    strategy: {
      allowUnconditionalUpdate: false,
      prepareForCreate: (crd) => {
        const { name } = crd.metadata;
        return withStored({ ...crd, metadata: { ...crd.metadata, name, generation: 1 }, status: {} });
      },
      prepareForUpdate(given, previous) {
        const next = { ...given, status: previous.status };
        const isSame = semanticEqual(next.spec, previous.spec);
        const generation = (previous.metadata.generation ?? 0) + 1;
        return withStored(isSame ? next : { ...next, metadata: { ...next.metadata, generation } });
      },
      holdsDeletion: ({ metadata }) => metadata.deletionTimestamp === undefined,
      prepareForDelete,
    },
    resetFields: { status: ['metadata', 'spec'] },
    subresources: {
      status: {
        prepareForUpdate: (next, previous) => ({ ...next, spec: previous.spec }),
        validateUpdate: validateDefinitionStatus,
      },
    },
    ownColumns: true,
    columns: [
      {
        name: 'Name',
        type: 'string',
        format: 'name',
        cell: ({ metadata }) => metadata.name ?? '',
      },
      { name: 'Created At', type: 'date', cell: ({ metadata }) => metadata.creationTimestamp ?? null },
    ],
  });
}

/** CustomResourceDefinitions, as clients name them. */
export const customResourceDefinitions = customResourceDefinitionsWith(() => undefined);
