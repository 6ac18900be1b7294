import type { FieldError } from '#apimachinery/field-error.ts';
import { jsonEqual } from '#apimachinery/equal.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { prune } from '#apimachinery/structural-prune.ts';
import { type SchemaProps, someSchema } from '#apimachinery/structural-schema.ts';
import {
  byteLength,
  child,
  duplicate,
  forbiddenField,
  goQuote,
  GoValue,
  goStrings,
  index,
  invalidField,
  isDNS1035Label,
  isDNS1123Subdomain,
  isValidPortNum,
  keyed,
  notSupported,
  required,
  tooMany,
} from '#apimachinery/validation.ts';
import type {
  CustomResourceColumnDefinition,
  CustomResourceConversion,
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
  CustomResourceSubresources,
  SelectableField,
} from '../../generated/types.ts';
import { approvalOf, isConditionTrue, isProtectedGroup } from './crd-conditions.ts';
import type { SchemaExpressions } from './expressions.ts';
import { findFieldPath } from './field-path.ts';
import { looseIn, type SchemaOptions, validateSchemaOfVersion } from './schema-validation.ts';
import { notStructural, validateStructural } from './structural-invariants.ts';

// Follows apiextensions-apiserver/pkg/apis/apiextensions/validation, v1.33. Upstream validates an internal form, in which
// what all versions have in common stands at the top: errors name these fields (`spec.validation.openAPIV3Schema`).

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string'];
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];
const REVIEW_VERSIONS = ['v1', 'v1beta1'];
const MAX_SELECTABLE = 8;

interface Options extends SchemaOptions {
  readonly needsSchema: boolean;
  readonly knownReviewVersion: boolean;
  readonly immutableNames: boolean;
}

const STRICT: Options = {
  needsSchema: true,
  knownReviewVersion: true,
  immutableNames: false,
  mustBeStructural: true,
  mustBePruned: true,
  validTypes: true,
  atomicSets: true,
  goodListKeys: true,
};

/** Everything of a new definition but its metadata. */
export function validateDefinition(
  crd: CustomResourceDefinition,
  expressions: SchemaExpressions | undefined,
): FieldError[] {
  const errors: FieldError[] = [];
  const { spec, metadata } = crd;
  if (metadata.name !== `${spec.names?.plural}.${spec.group}`) {
    const message = 'must be spec.names.plural+"."+spec.group';
    errors.push(invalidField('metadata.name', metadata.name ?? '', message));
  }
  validateSpec(spec, STRICT, expressions, errors);
  validateRest(crd, undefined, errors);
  return errors;
}

/** What an update is checked for: what was wrong before may stay so. */
export function validateDefinitionUpdate(
  next: CustomResourceDefinition,
  previous: CustomResourceDefinition,
  expressions: SchemaExpressions | undefined,
): FieldError[] {
  const errors: FieldError[] = [];
  const options = optionsFor(previous);
  validateSpec(next.spec, options, expressions, errors);
  const same = (now: unknown, before: unknown, path: string) => {
    if (now !== before) errors.push(invalidField(path, now as string, 'field is immutable'));
  };
  if (options.immutableNames) {
    same(next.spec.scope, previous.spec.scope, 'spec.scope');
    same(next.spec.names.kind, previous.spec.names.kind, 'spec.names.kind');
  }
  same(next.spec.group, previous.spec.group, 'spec.group');
  same(next.spec.names.plural, previous.spec.names.plural, 'spec.names.plural');
  validateRest(next, previous, errors);
  return errors;
}

/** The status, as an update of it is checked. */
export function validateDefinitionStatus({ status }: CustomResourceDefinition): FieldError[] {
  const errors: FieldError[] = [];
  validateNames(status?.acceptedNames, 'status.acceptedNames', errors);
  return errors;
}

function validateRest(
  next: CustomResourceDefinition,
  previous: CustomResourceDefinition | undefined,
  errors: FieldError[],
): void {
  errors.push(...validateDefinitionStatus(next));
  validateStoredVersions(next, errors);
  validateApproval(next, previous, errors);
  if (next.spec.preserveUnknownFields && !previous?.spec.preserveUnknownFields) {
    const message =
      'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';
    errors.push(invalidField('spec.preserveUnknownFields', true, message));
  }
}

const schemaOf = (version: CustomResourceDefinitionVersion): SchemaProps | undefined => version.schema?.openAPIV3Schema;

function optionsFor(previous: CustomResourceDefinition): Options {
  const { versions, conversion } = previous.spec;
  const schemas = versions.flatMap((version) => schemaOf(version) ?? []);
  const anywhere = (test: (schema: SchemaProps) => boolean) => schemas.some((schema) => someSchema(schema, test));
  const structural = (schema: SchemaProps) =>
    notStructural(schema) === undefined && validateStructural(schema, '').length === 0;
  const reviewVersions = conversion?.webhook?.conversionReviewVersions ?? [];
  return {
    needsSchema: versions.every((version) => schemaOf(version) !== undefined),
    knownReviewVersion:
      reviewVersions.length === 0 || reviewVersions.some((version) => REVIEW_VERSIONS.includes(version)),
    immutableNames: isConditionTrue(previous, 'Established'),
    mustBeStructural: schemas.every(structural),
    mustBePruned: !anywhere(
      (schema) =>
        schema.default !== undefined && !jsonEqual(prune(schema.default, schema, false).value, schema.default),
    ),
    validTypes: !anywhere((schema) => looseIn(schema).types),
    atomicSets: !anywhere((schema) => looseIn(schema).sets),
    goodListKeys: !anywhere((schema) => looseIn(schema).listKeys),
  };
}

/** The versions in upstream's internal form: what they have in common, and the rest of each. */
interface Hoisted {
  readonly schema?: SchemaProps;
  readonly subresources?: CustomResourceSubresources;
  readonly columns?: readonly CustomResourceColumnDefinition[];
  readonly selectableFields?: readonly SelectableField[];
  readonly common: ReadonlySet<keyof CustomResourceDefinitionVersion>;
}

const HOISTED = ['schema', 'subresources', 'additionalPrinterColumns', 'selectableFields'] as const;

function hoist(versions: readonly CustomResourceDefinitionVersion[]): Hoisted {
  const first = versions[0];
  const common = new Set<keyof CustomResourceDefinitionVersion>();
  for (const key of HOISTED) {
    if (first && versions.every((version) => semanticEqual(version[key], first[key]))) common.add(key);
  }
  return {
    common,
    ...(first && common.has('schema') ? { schema: schemaOf(first) } : {}),
    ...(first && common.has('subresources') ? { subresources: first.subresources } : {}),
    ...(first && common.has('additionalPrinterColumns') ? { columns: first.additionalPrinterColumns } : {}),
    ...(first && common.has('selectableFields') ? { selectableFields: first.selectableFields } : {}),
  };
}

function validateSpec(
  spec: CustomResourceDefinitionSpec,
  given: Options,
  expressions: SchemaExpressions | undefined,
  errors: FieldError[],
): void {
  const { group, scope, names, preserveUnknownFields: keeps } = spec;
  const versions = spec.versions ?? [];
  const hoisted = hoist(versions);
  const schemas = versions.flatMap((version) => schemaOf(version) ?? []);
  if (group === '') errors.push(required('spec.group'));
  else {
    const messages = isDNS1123Subdomain(group);
    if (messages.length > 0) errors.push(invalidField('spec.group', group, messages.join(',')));
    else if (!group.includes('.'))
      errors.push(invalidField('spec.group', group, 'should be a domain with at least one dot'));
  }
  validateEnum('spec.scope', scope, ['Cluster', 'Namespaced'], errors);
  const hasDefaults = schemas.some((schema) => someSchema(schema, (each) => each.default !== undefined));
  const options = { ...given, mustBeStructural: given.mustBeStructural || !keeps || hasDefaults || extended(schemas) };
  if (!hoisted.schema) {
    versions.forEach((version, i) => {
      if (!hoisted.common.has('schema') && schemaOf(version)) return;
      const path = `spec.versions[${i}].schema.openAPIV3Schema`;
      if (given.needsSchema) errors.push(required(path, 'schemas are required'));
      else if (!keeps && version.served) errors.push(required(path, 'because otherwise all fields are pruned'));
    });
  }
  if (hasDefaults && keeps)
    errors.push(
      invalidField('spec.preserveUnknownFields', true, 'must be false in order to use defaults in the schema'),
    );
  validateVersions(versions, hoisted, options, expressions, errors);
  for (const field of ['plural', 'singular', 'kind', 'listKind'] as const)
    if (!names[field]) errors.push(required(`spec.names.${field}`));
  validateNames(names, 'spec.names', errors);
  const hasStatus = versions.some(({ subresources }) => subresources?.status !== undefined);
  if (hoisted.schema)
    errors.push(...validateSchemaOfVersion(hoisted.schema, hasStatus, options, expressions, 'spec.validation'));
  validateSubresources(hoisted.subresources, 'spec.subresources', errors);
  validateColumns(hoisted.columns, 'spec.additionalPrinterColumns', errors);
  if (hoisted.selectableFields?.length) {
    const why = 'selectableFields may only be set when validations.schema is included';
    validateSelectable(hoisted.selectableFields, hoisted.schema, why, 'spec.selectableFields', errors);
  }
  const { conversion } = spec;
  if (conversion && conversion.strategy !== 'None' && keeps) {
    const message = 'must be None if spec.preserveUnknownFields is true';
    errors.push(invalidField('spec.conversion.strategy', conversion.strategy, message));
  }
  if (conversion) validateConversion(conversion, options.knownReviewVersion, errors);
}

function extended(schemas: readonly SchemaProps[]): boolean {
  return schemas.some((schema) =>
    someSchema(
      schema,
      (each) =>
        each['x-kubernetes-embedded-resource'] === true ||
        each['x-kubernetes-int-or-string'] === true ||
        each['x-kubernetes-preserve-unknown-fields'] !== undefined ||
        each['x-kubernetes-list-type'] !== undefined ||
        Boolean(each['x-kubernetes-list-map-keys']?.length) ||
        Boolean(each['x-kubernetes-validations']?.length),
    ),
  );
}

function validateVersions(
  versions: readonly CustomResourceDefinitionVersion[],
  { common }: Hoisted,
  options: Options,
  expressions: SchemaExpressions | undefined,
  errors: FieldError[],
): void {
  versions.forEach((version, i) => {
    const path = `spec.versions[${i}]`;
    for (const message of isDNS1035Label(version.name ?? '').slice(0, 1))
      errors.push(invalidField(`${path}.name`, version.name ?? '', message));
    validateWarning(version, path, errors);
    const schema = common.has('schema') ? undefined : schemaOf(version);
    const hasStatus = version.subresources?.status !== undefined;
    if (schema) errors.push(...validateSchemaOfVersion(schema, hasStatus, options, expressions, `${path}.schema`));
    if (!common.has('subresources')) validateSubresources(version.subresources, `${path}.subresources`, errors);
    if (!common.has('additionalPrinterColumns'))
      validateColumns(version.additionalPrinterColumns, `${path}.additionalPrinterColumns`, errors);
    if (!common.has('selectableFields') && version.selectableFields?.length) {
      const why = 'selectableFields may only be set when version.schema.openAPIV3Schema is not included';
      validateSelectable(version.selectableFields, schema, why, `${path}.selectableFields`, errors);
    }
  });
  const names = versions.map(({ name }) => name);
  const wrong = (message: string) => errors.push(invalidField('spec.versions', goVersions(versions, common), message));
  if (new Set(names).size < names.length) wrong('must contain unique version names');
  if (versions.filter(({ storage }) => storage).length !== 1)
    wrong('must have exactly one version marked as storage version');
}

/** Versions in Go notation. Upstream prints addresses of its memory for what is set in one version only. */
function goVersions(
  versions: readonly CustomResourceDefinitionVersion[],
  common: ReadonlySet<keyof CustomResourceDefinitionVersion>,
): GoValue {
  const one = (version: CustomResourceDefinitionVersion) => {
    const { name, served, storage, deprecated = false } = version;
    const pointer = (key: keyof CustomResourceDefinitionVersion, type: string) =>
      `(*${type})(${common.has(key) || version[key] === undefined ? 'nil' : '0xc000000000'})`;
    const fields = [
      `Name:${goQuote(name)}, Served:${served}, Storage:${storage}, Deprecated:${deprecated}`,
      `DeprecationWarning:${pointer('deprecationWarning', 'string')}`,
      `Schema:${pointer('schema', 'apiextensions.CustomResourceValidation')}`,
      `Subresources:${pointer('subresources', 'apiextensions.CustomResourceSubresources')}`,
      'AdditionalPrinterColumns:[]apiextensions.CustomResourceColumnDefinition(nil)',
      'SelectableFields:[]apiextensions.SelectableField(nil)',
    ];
    return `apiextensions.CustomResourceDefinitionVersion{${fields.join(', ')}}`;
  };
  return new GoValue(`[]apiextensions.CustomResourceDefinitionVersion{${versions.map(one).join(', ')}}`);
}

function validateWarning(
  { deprecated, deprecationWarning: text }: CustomResourceDefinitionVersion,
  path: string,
  errors: FieldError[],
): void {
  if (text === undefined) return;
  const wrong = (message: string) => errors.push(invalidField(`${path}.deprecationWarning`, text, message));
  if (!deprecated) {
    wrong('can only be set for deprecated versions');
    return;
  }
  if (byteLength(text) > 256) wrong('must be <= 256 characters long');
  if (text === '') wrong('must not be an empty string');
  const at = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.exec(text);
  if (at)
    wrong(
      `must only contain printable UTF-8 characters; non-printable character found at index ${byteLength(text.slice(0, at.index))}`,
    );
}

function validateEnum(path: string, value: string, accepted: readonly string[], errors: FieldError[]): void {
  if (value === '') errors.push(required(path));
  else if (!accepted.includes(value)) errors.push(notSupported(path, value, accepted));
}

function validateNames(
  names: Partial<CustomResourceDefinitionNames> | undefined,
  path: string,
  errors: FieldError[],
): void {
  const { plural = '', singular = '', kind = '', listKind = '', shortNames = [], categories = [] } = names ?? {};
  const label = (at: string, value: string) => {
    const messages = isDNS1035Label(value);
    if (messages.length > 0) errors.push(invalidField(at, value, messages.join(',')));
  };
  const mixedCase = (at: string, value: string) => {
    const messages = isDNS1035Label(value.toLowerCase());
    const start = 'may have mixed case, but should otherwise match: ';
    if (messages.length > 0) errors.push(invalidField(at, value, start + messages.join(',')));
  };
  if (plural) label(`${path}.plural`, plural);
  if (singular) label(`${path}.singular`, singular);
  if (kind) mixedCase(`${path}.kind`, kind);
  if (listKind) mixedCase(`${path}.listKind`, listKind);
  shortNames.forEach((name, i) => label(index(`${path}.shortNames`, i), name));
  if (kind && kind === listKind)
    errors.push(invalidField(`${path}.listKind`, listKind, 'kind and listKind may not be the same'));
  categories.forEach((name, i) => label(index(`${path}.categories`, i), name));
}

function validateColumns(
  columns: readonly CustomResourceColumnDefinition[] | undefined,
  path: string,
  errors: FieldError[],
): void {
  columns?.forEach(({ name, type, format = '', jsonPath }, i) => {
    const at = (field: string) => child(index(path, i), field);
    if (!name) errors.push(required(at('name')));
    const types = `must be one of ${COLUMN_TYPES.join(',')}`;
    if (type === '') errors.push(required(at('type'), types));
    else if (!COLUMN_TYPES.includes(type)) errors.push(invalidField(at('type'), type, types));
    if (format !== '' && !COLUMN_FORMATS.includes(format))
      errors.push(invalidField(at('format'), format, `must be one of ${COLUMN_FORMATS.join(',')}`));
    if (jsonPath === '') errors.push(required(at('JSONPath')));
    else validateSimplePath(jsonPath, at('JSONPath'), errors);
  });
}

function validateSimplePath(text: string, path: string, errors: FieldError[]): boolean {
  if (text.startsWith('.')) return true;
  errors.push(invalidField(path, text, 'must be a simple json path starting with .'));
  return false;
}

function validateSubresources(
  subresources: CustomResourceSubresources | undefined,
  path: string,
  errors: FieldError[],
): void {
  const { scale } = subresources ?? {};
  if (!scale) return;
  const check = (field: 'specReplicasPath' | 'statusReplicasPath', root: string) => {
    const at = `${path}.scale.${field}`;
    const value = scale[field] ?? '';
    if (value === '') errors.push(required(at));
    else if (validateSimplePath(value, at, errors) && !value.startsWith(`${root}.`))
      errors.push(invalidField(at, value, `should be a json path under ${root}`));
  };
  check('specReplicasPath', '.spec');
  check('statusReplicasPath', '.status');
  const { labelSelectorPath: selector } = scale;
  if (!selector) return;
  const at = `${path}.scale.labelSelectorPath`;
  if (validateSimplePath(selector, at, errors) && !/^\.(spec|status)\./.test(selector))
    errors.push(invalidField(at, selector, 'should be a json path under either .spec or .status'));
}

function validateSelectable(
  fields: readonly SelectableField[],
  schema: SchemaProps | undefined,
  without: string,
  path: string,
  errors: FieldError[],
): void {
  if (!schema) {
    errors.push(invalidField(path, '', without));
    return;
  }
  const seen = new Set<string>();
  fields.forEach(({ jsonPath }, i) => {
    const at = child(index(path, i), 'jsonPath');
    if (jsonPath === '') {
      errors.push(required(at));
      return;
    }
    const found = findFieldPath(jsonPath, schema, false);
    if ('why' in found) {
      errors.push(invalidField(at, jsonPath, `is an invalid path: ${found.why}`));
      return;
    }
    if (found.root === 'metadata') errors.push(invalidField(at, jsonPath, 'must not point to fields in metadata'));
    if (!['string', 'boolean', 'integer'].includes(found.schema.type ?? '')) {
      const message =
        'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.';
      errors.push(invalidField(at, jsonPath, message));
    }
    if (seen.has(found.path)) errors.push(duplicate(at, jsonPath));
    seen.add(found.path);
  });
  if (seen.size > MAX_SELECTABLE) errors.push(tooMany(path, seen.size, MAX_SELECTABLE));
}

function validateConversion(conversion: CustomResourceConversion, knownVersion: boolean, errors: FieldError[]): void {
  const path = 'spec.conversion';
  const { strategy, webhook } = conversion;
  validateEnum(`${path}.strategy`, strategy, ['None', 'Webhook'], errors);
  const clientAt = `${path}.webhookClientConfig`;
  const versionsAt = `${path}.conversionReviewVersions`;
  const client = webhook?.clientConfig;
  const versions = webhook?.conversionReviewVersions ?? [];
  if (strategy !== 'Webhook') {
    const message = 'should not be set when strategy is not set to Webhook';
    if (client) errors.push(forbiddenField(clientAt, message));
    if (versions.length > 0) errors.push(forbiddenField(versionsAt, message));
    return;
  }
  if (!client) errors.push(required(clientAt, 'required when strategy is set to Webhook'));
  else if ((client.url === undefined) === (client.service === undefined))
    errors.push(required(clientAt, 'exactly one of url or service is required'));
  else if (client.url !== undefined) validateWebhookURL(client.url, `${clientAt}.url`, errors);
  else if (client.service) {
    // Upstream hands name and namespace over the other way round.
    const { name, namespace, port = 443, path: urlPath } = client.service;
    const at = `${clientAt}.service`;
    if (!namespace) errors.push(required(`${at}.name`, 'service name is required'));
    if (!name) errors.push(required(`${at}.namespace`, 'service namespace is required'));
    const portErrors = isValidPortNum(port);
    if (portErrors.length > 0)
      errors.push(invalidField(`${at}.port`, port, `port is not valid: ${portErrors.join(', ')}`));
    if (urlPath !== undefined) validateWebhookPath(urlPath, `${at}.path`, errors);
  }
  if (versions.length === 0) errors.push(required(versionsAt));
  versions.forEach((version, i) => {
    if (versions.indexOf(version) < i) errors.push(invalidField(index(versionsAt, i), version, 'duplicate version'));
    else
      for (const message of isDNS1035Label(version)) errors.push(invalidField(index(versionsAt, i), version, message));
  });
  if (versions.length > 0 && knownVersion && !versions.some((version) => REVIEW_VERSIONS.includes(version))) {
    const message = `must include at least one of ${REVIEW_VERSIONS.join(', ')}`;
    errors.push(invalidField(versionsAt, goStrings(versions), message));
  }
}

function validateWebhookURL(url: string, path: string, errors: FieldError[]): void {
  const form = '; desired format: https://host[/path]';
  const [, scheme = '', authority = '', , query = '', fragment = ''] =
    /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/.exec(url) ?? [];
  const at = authority.lastIndexOf('@');
  const host = authority.slice(at + 1);
  if (scheme !== 'https') errors.push(invalidField(path, scheme, `'https' is the only allowed URL scheme${form}`));
  if (host === '') errors.push(invalidField(path, host, `host must be specified${form}`));
  if (at >= 0) errors.push(invalidField(path, authority.slice(0, at), 'user information is not permitted in the URL'));
  if (fragment) errors.push(invalidField(path, fragment, 'fragments are not permitted in the URL'));
  if (query) errors.push(invalidField(path, query, 'query parameters are not permitted in the URL'));
}

function validateWebhookPath(urlPath: string, path: string, errors: FieldError[]): void {
  if (urlPath === '/' || urlPath === '') return;
  const wrong = (message: string) => errors.push(invalidField(path, urlPath, message));
  if (urlPath === '//') {
    wrong('segment[0] may not be empty');
    return;
  }
  if (!urlPath.startsWith('/')) wrong("must start with a '/'");
  urlPath
    .slice(1)
    .replace(/\/$/, '')
    .split('/')
    .forEach((step, i) => {
      if (step === '') wrong(`segment[${i}] may not be empty`);
      else for (const message of isDNS1123Subdomain(step)) wrong(`segment[${i}]: ${message}`);
    });
}

function validateStoredVersions({ spec, status }: CustomResourceDefinition, errors: FieldError[]): void {
  const path = 'status.storedVersions';
  const stored = status?.storedVersions ?? [];
  if (stored.length === 0) {
    errors.push(invalidField(path, goStrings(stored), 'must have at least one stored version'));
    return;
  }
  const versions = spec.versions ?? [];
  for (const { name, storage } of versions) {
    if (storage && !stored.includes(name))
      errors.push(invalidField(path, goStrings(stored), `must have the storage version ${name}`));
  }
  stored.forEach((name, i) => {
    if (versions.some((version) => version.name === name)) return;
    const message = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
    errors.push(invalidField(index(path, i), name, message));
  });
}

function validateApproval(
  next: CustomResourceDefinition,
  previous: CustomResourceDefinition | undefined,
  errors: FieldError[],
): void {
  if (!isProtectedGroup(next.spec.group ?? '')) return;
  const { state, reason } = approvalOf(next);
  if (previous && approvalOf(previous).state === state) return;
  const path = keyed('metadata.annotations', 'api-approved.kubernetes.io');
  if (state === 'Missing') errors.push(required(path, reason));
  if (state === 'Invalid')
    errors.push(invalidField(path, next.metadata.annotations?.['api-approved.kubernetes.io'], reason));
}
