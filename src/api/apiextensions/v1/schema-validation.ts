import type { FieldError } from '#apimachinery/field-error.ts';
import { itemsOf, propertyOf, type SchemaProps, valuesOf } from '#apimachinery/structural-schema.ts';
import {
  child,
  forbiddenField,
  GoValue,
  goQuote,
  goStrings,
  index,
  internalFieldError,
  invalidField,
  keyed,
  notSupported,
  required,
} from '#apimachinery/validation.ts';
import type { ValidationRule } from '../../generated/types.ts';
import { validateDefaults } from './default-validation.ts';
import type { SchemaExpressions } from './expressions.ts';
import { findFieldPath } from './field-path.ts';
import { notStructural, validateStructural } from './structural-invariants.ts';

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];
const META: ReadonlySet<string> = new Set(['metadata', 'kind', 'apiVersion']);
/** What may stand at the root when there is a status subresource, whose schema is looked at alone. */
const AT_ROOT =
  'Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations';
const ROOT_FIELDS: ReadonlySet<string> = new Set(
  AT_ROOT.split(' ').map((name) =>
    name.replace(/^X(.)(.*)$/, (_, first: string, rest: string) => `x-kubernetes-${first.toLowerCase()}${rest}`),
  ),
);

/** How strict an update is: what was wrong before may stay so. */
export interface SchemaOptions {
  readonly mustBeStructural: boolean;
  readonly mustBePruned: boolean;
  readonly validTypes: boolean;
  readonly atomicSets: boolean;
  readonly goodListKeys: boolean;
}

/** Follows validateCustomResourceDefinitionValidation of apis/apiextensions/validation, v1.33. `path` is the validation's. */
export function validateSchemaOfVersion(
  schema: SchemaProps,
  hasStatus: boolean,
  options: SchemaOptions,
  expressions: SchemaExpressions | undefined,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const at = child(path, 'openAPIV3Schema');
  if (hasStatus) rootRules(schema, at, errors);
  if (schema.nullable) errors.push(forbiddenField(child(at, 'nullable'), 'nullable cannot be true at the root'));
  let why: string | undefined;
  let withRules = false;
  if (options.mustBeStructural) {
    why = notStructural(schema);
    const found = why ? [] : validateStructural(schema, at);
    if (!why && found.length === 0) found.push(...validateDefaults(schema, at, options.mustBePruned, expressions));
    errors.push(...found);
    withRules = !why && found.length === 0;
  }
  const walk = new SchemaWalk(options, withRules ? { expressions } : undefined);
  const start: Surroundings = { insideMeta: false, noDefaults: undefined, uncorrelatable: undefined };
  walk.visit(schema, at, start, true, true);
  errors.push(...walk.errors, ...walk.ruleErrors);
  if (errors.length === 0 && why) errors.push(invalidField(at, '', why));
  return errors;
}

function rootRules(schema: SchemaProps, at: string, errors: FieldError[]): void {
  if ((schema.type ?? '') !== '' && schema.type !== 'object') {
    const message =
      'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
    errors.push(invalidField(child(at, 'type'), schema.type, message));
    return;
  }
  for (const [key, value] of Object.entries(schema)) {
    const name = key.startsWith('x-') ? camel(key) : key;
    const isZero = value === undefined || value === false || value === '' || value === 0;
    if (isZero || ROOT_FIELDS.has(name) || ROOT_FIELDS.has(name[0]?.toUpperCase() + name.slice(1))) continue;
    const message = `only [${AT_ROOT}] fields are allowed at the root of the schema if the status subresource is enabled`;
    // Upstream prints the whole Go structure, addresses of its memory included.
    errors.push(invalidField(at, new GoValue('apiextensions.JSONSchemaProps{...}'), message));
    return;
  }
}

/** `x-kubernetes-preserve-unknown-fields` → `x-kubernetes-preserveUnknownFields` */
const camel = (key: string): string =>
  `x-kubernetes-${key.slice('x-kubernetes-'.length).replace(/-(.)/g, (_, char: string) => char.toUpperCase())}`;

interface Surroundings {
  readonly insideMeta: boolean;
  /** Why defaults are not allowed here. */
  readonly noDefaults: string | undefined;
  /** The first schema above that an old value cannot be followed through. */
  readonly uncorrelatable: string | undefined;
}

/** Follows ValidateCustomResourceDefinitionOpenAPISchema, v1.33. */
class SchemaWalk {
  readonly errors: FieldError[] = [];
  readonly ruleErrors: FieldError[] = [];
  readonly #options: SchemaOptions;
  readonly #rules: { readonly expressions: SchemaExpressions | undefined } | undefined;

  constructor(options: SchemaOptions, rules: { readonly expressions: SchemaExpressions | undefined } | undefined) {
    this.#options = options;
    this.#rules = rules;
  }

  /** `withRules`: rules are only compiled outside of combinations. */
  visit(schema: SchemaProps, path: string, around: Surroundings, isRoot: boolean, withRules: boolean): void {
    const before = this.errors.length;
    this.#standard(schema, path, around);
    if (schema.uniqueItems) {
      const message = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic';
      this.#forbid(path, 'uniqueItems', message);
    }
    this.#values(schema, path, around, withRules);
    for (const [key, property] of Object.entries(schema.properties ?? {})) {
      let own = around;
      if ((isRoot || schema['x-kubernetes-embedded-resource']) && META.has(key))
        own = { ...own, insideMeta: true, ...(isRoot ? { noDefaults: `in top-level ${key}` } : {}) };
      this.visit(property, keyed(child(path, 'properties'), key), own, false, withRules);
    }
    const { not, allOf = [], oneOf = [], anyOf = [], definitions = {}, dependencies = {} } = schema;
    const inner = (each: SchemaProps, at: string) => this.visit(each, at, around, false, false);
    if (not) inner(not, child(path, 'not'));
    allOf.forEach((each, i) => inner(each, index(child(path, 'allOf'), i)));
    oneOf.forEach((each, i) => inner(each, index(child(path, 'oneOf'), i)));
    anyOf.forEach((each, i) => inner(each, index(child(path, 'anyOf'), i)));
    for (const [key, each] of Object.entries(definitions)) inner(each, keyed(child(path, 'definitions'), key));
    this.#items(schema, path, around, withRules);
    for (const [key, each] of Object.entries(dependencies)) {
      if (!Array.isArray(each)) inner(each as SchemaProps, keyed(child(path, 'dependencies'), key));
    }
    this.#extensions(schema, path);
    this.#rulesOf(schema, path, around, isRoot, withRules, before);
  }

  #forbid(path: string, key: string, message: string): void {
    this.errors.push(forbiddenField(child(path, key), message));
  }

  #standard(schema: SchemaProps, path: string, around: Surroundings): void {
    const { type = '' } = schema;
    const unsupported = (key: string) => this.#forbid(path, key, `${key} is not supported`);
    if (this.#options.validTypes && type !== '' && !TYPES.includes(type))
      this.errors.push(notSupported(child(path, 'type'), type, TYPES));
    if (schema.default !== undefined && around.noDefaults !== undefined)
      this.#forbid(path, 'default', `must not be set ${around.noDefaults}`);
    if (schema.id) unsupported('id');
    if (schema.additionalItems !== undefined) unsupported('additionalItems');
    if (Object.keys(schema.patternProperties ?? {}).length > 0) unsupported('patternProperties');
    if (Object.keys(schema.definitions ?? {}).length > 0) unsupported('definitions');
    if (schema.dependencies !== undefined) unsupported('dependencies');
    if (schema.$ref !== undefined) unsupported('$ref');
    if (type === 'null') this.#forbid(path, 'type', 'type cannot be set to null, use nullable as an alternative');
    if (Array.isArray(schema.items) && schema.items.length > 0)
      this.#forbid(path, 'items', 'items must be a schema object and not an array');
    if (around.insideMeta && schema['x-kubernetes-embedded-resource'])
      this.#forbid(path, 'x-kubernetes-embedded-resource', 'must not be used inside of resource meta');
  }

  #values(schema: SchemaProps, path: string, around: Surroundings, withRules: boolean): void {
    const { additionalProperties, properties } = schema;
    if (additionalProperties === undefined) return;
    if (Object.keys(properties ?? {}).length > 0 && additionalProperties !== true)
      this.#forbid(path, 'additionalProperties', 'additionalProperties and properties are mutual exclusive');
    const values = valuesOf(schema);
    if (!values) return;
    const noDefaults = 'inside additionalProperties applying to object metadata';
    const own = around.insideMeta ? { ...around, noDefaults } : around;
    this.visit(values, child(path, 'additionalProperties'), own, false, withRules);
  }

  #items(schema: SchemaProps, path: string, around: Surroundings, withRules: boolean): void {
    const { items } = schema;
    if (!items) return;
    const isMap = schema['x-kubernetes-list-type'] === 'map';
    const own = isMap ? around : { ...around, uncorrelatable: around.uncorrelatable ?? path };
    const single = itemsOf(schema);
    if (single) this.visit(single, child(path, 'items'), own, false, withRules);
    else
      (items as readonly SchemaProps[]).forEach((each, i) =>
        this.visit(each, index(child(path, 'items'), i), own, false, withRules),
      );
  }

  #extensions(schema: SchemaProps, path: string): void {
    const { errors } = this;
    const { type = '' } = schema;
    const listType = schema['x-kubernetes-list-type'];
    const mapType = schema['x-kubernetes-map-type'];
    const at = (key: string) => child(path, key);
    const mustBe = (wanted: string, extension: string) => {
      const message = `must be ${wanted} if ${extension} is specified`;
      errors.push(type === '' ? required(at('type'), message) : invalidField(at('type'), type, message));
    };
    if (schema['x-kubernetes-preserve-unknown-fields'] === false)
      errors.push(invalidField(at('x-kubernetes-preserve-unknown-fields'), false, 'must be true or undefined'));
    if (mapType !== undefined && type !== 'object') mustBe('object', 'x-kubernetes-map-type');
    if (mapType !== undefined && mapType !== 'atomic' && mapType !== 'granular')
      errors.push(notSupported(at('x-kubernetes-map-type'), mapType, ['atomic', 'granular']));
    if (listType !== undefined && type !== 'array') mustBe('array', 'x-kubernetes-list-type');
    else if (this.#options.atomicSets && listType === 'set') {
      const items = itemsOf(schema);
      const message = 'must be atomic as item of a list with x-kubernetes-list-type=set';
      const itemList = items?.['x-kubernetes-list-type'];
      if (items?.type === 'array' && itemList !== undefined && itemList !== 'atomic')
        errors.push(invalidField(child(at('items'), 'x-kubernetes-list-type'), itemList, message));
      if (items?.type === 'object' && items['x-kubernetes-map-type'] !== 'atomic')
        errors.push(invalidField(child(at('items'), 'x-kubernetes-map-type'), itemList, message));
    }
    if (listType !== undefined && !['atomic', 'set', 'map'].includes(listType))
      errors.push(notSupported(at('x-kubernetes-list-type'), listType, ['atomic', 'set', 'map']));
    const keys = schema['x-kubernetes-list-map-keys'] ?? [];
    if (keys.length > 0 && listType !== 'map') {
      const message = 'must be map if x-kubernetes-list-map-keys is non-empty';
      const field = at('x-kubernetes-list-type');
      errors.push(listType === undefined ? required(field, message) : invalidField(field, listType, message));
    }
    if (listType === 'map') this.#listMap(schema, keys, path);
    if (this.#options.goodListKeys) errors.push(...listKeyErrors(schema, path));
  }

  #listMap(schema: SchemaProps, keys: readonly string[], path: string): void {
    const { errors } = this;
    const keysAt = child(path, 'x-kubernetes-list-map-keys');
    const itemsAt = child(path, 'items');
    if (keys.length === 0) errors.push(required(keysAt, 'must not be empty if x-kubernetes-list-type is map'));
    if (schema.items === undefined)
      errors.push(required(itemsAt, 'must have a schema if x-kubernetes-list-type is map'));
    const items = itemsOf(schema);
    if (schema.items !== undefined && !items) {
      const message = 'must only have a single schema if x-kubernetes-list-type is map';
      errors.push(invalidField(itemsAt, new GoValue('apiextensions.JSONSchemaPropsOrArray{...}'), message));
    }
    if (!items) return;
    if (items.type !== 'object') {
      const message = "must be object if parent array's x-kubernetes-list-type is map";
      errors.push(invalidField(child(itemsAt, 'type'), items.type ?? '', message));
      return;
    }
    keys.forEach((key, i) => {
      const property = propertyOf(items, key);
      if (!property) errors.push(invalidField(keysAt, goStrings(keys), 'entries must all be names of item properties'));
      else if (property.type === 'array' || property.type === 'object') {
        const message = "must be a scalar type if parent array's x-kubernetes-list-type is map";
        errors.push(invalidField(child(keyed(child(itemsAt, 'properties'), key), 'type'), items.type, message));
      }
      if (keys.indexOf(key) < i)
        errors.push(invalidField(keysAt, goStrings(keys), 'must not contain duplicate entries'));
    });
  }

  #rulesOf(
    schema: SchemaProps,
    path: string,
    around: Surroundings,
    isRoot: boolean,
    withRules: boolean,
    errorsBefore: number,
  ): void {
    const rules = schema['x-kubernetes-validations'] ?? [];
    const at = child(path, 'x-kubernetes-validations');
    rules.forEach((rule, i) => this.errors.push(...ruleErrors(rule, schema, index(at, i))));
    if (rules.length === 0 || !withRules || !this.#rules || this.errors.length > errorsBefore) return;
    const { expressions } = this.#rules;
    if (!expressions) {
      this.ruleErrors.push(internalFieldError(at, 'expressions are not available on this server'));
      return;
    }
    const isResource = isRoot || schema['x-kubernetes-embedded-resource'] === true;
    expressions.compile(schema, isResource).forEach(({ error, messageError, usesOldSelf }, i) => {
      const rule = rules[i] as ValidationRule;
      const ruleAt = index(at, i);
      if (error !== undefined) this.ruleErrors.push(invalidField(child(ruleAt, 'rule'), goRule(rule), error));
      if (messageError !== undefined)
        this.ruleErrors.push(invalidField(child(ruleAt, 'messageExpression'), goRule(rule), messageError));
      if (usesOldSelf && around.uncorrelatable !== undefined) {
        const message = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${around.uncorrelatable}`;
        this.ruleErrors.push(invalidField(child(ruleAt, 'rule'), rule.rule, message));
      }
      if (!usesOldSelf && rule.optionalOldSelf !== undefined) {
        const message = 'may not be set if oldSelf is not used in rule';
        this.ruleErrors.push(invalidField(child(ruleAt, 'optionalOldSelf'), rule.optionalOldSelf, message));
      }
    });
  }
}

/** A rule as Go's %#v prints it. */
function goRule({
  rule,
  message = '',
  messageExpression = '',
  reason,
  fieldPath = '',
  optionalOldSelf,
}: ValidationRule) {
  // Upstream prints addresses of its memory for pointers that are set.
  const pointer = (type: string, value: unknown) => `(*${type})(${value === undefined ? 'nil' : '0xc000000000'})`;
  const fields = [
    `Rule:${goQuote(rule)}`,
    `Message:${goQuote(message)}`,
    `MessageExpression:${goQuote(messageExpression)}`,
    `Reason:${pointer('apiextensions.FieldValueErrorReason', reason)}`,
    `FieldPath:${goQuote(fieldPath)}`,
    `OptionalOldSelf:${pointer('bool', optionalOldSelf)}`,
  ];
  return new GoValue(`apiextensions.ValidationRule{${fields.join(', ')}}`);
}

/** The keys of list maps must be there and not null, as must be the items of sets and maps. */
function listKeyErrors(schema: SchemaProps, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const items = itemsOf(schema);
  const listType = schema['x-kubernetes-list-type'];
  if (!items || (listType !== 'set' && listType !== 'map')) return errors;
  const at = child(path, 'items');
  if (items.nullable)
    errors.push(forbiddenField(child(at, 'nullable'), `cannot be nullable when x-kubernetes-list-type is ${listType}`));
  if (listType === 'set') return errors;
  for (const key of schema['x-kubernetes-list-map-keys'] ?? []) {
    const property = propertyOf(items, key);
    if (!property) continue;
    const keyAt = keyed(child(at, 'properties'), key);
    const why = 'this property is in x-kubernetes-list-map-keys, so it';
    if (!items.required?.includes(key) && property.default === undefined)
      errors.push(required(child(keyAt, 'default'), `${why} must have a default or be a required property`));
    if (property.nullable) errors.push(forbiddenField(child(keyAt, 'nullable'), `${why} cannot be nullable`));
  }
  return errors;
}

const hasNewlines = (text: string): boolean => /[\n\r]/.test(text);

function ruleErrors(rule: ValidationRule, schema: SchemaProps, path: string): FieldError[] {
  const { message = '', messageExpression = '', fieldPath = '', reason } = rule;
  const errors: FieldError[] = [];
  const ruleText = (rule.rule ?? '').trim();
  const messageAt = child(path, 'message');
  if (ruleText === '') errors.push(required(child(path, 'rule'), 'rule is not specified'));
  else if (message !== '' && message.trim() === '')
    errors.push(invalidField(messageAt, message, 'message must be non-empty if specified'));
  else if (hasNewlines(message.trim()))
    errors.push(invalidField(messageAt, message, 'message must not contain line breaks'));
  else if (hasNewlines(ruleText) && message.trim() === '')
    errors.push(required(messageAt, 'message must be specified if rule contains line breaks'));
  if (messageExpression !== '' && messageExpression.trim() === '')
    errors.push(required(child(path, 'messageExpression'), 'messageExpression must be non-empty if specified'));
  if (reason !== undefined && !REASONS.includes(reason))
    errors.push(notSupported(child(path, 'reason'), reason, REASONS));
  const fieldAt = child(path, 'fieldPath');
  if (fieldPath !== '' && fieldPath.trim() === '')
    errors.push(invalidField(fieldAt, fieldPath, 'fieldPath must be non-empty if specified'));
  if (hasNewlines(fieldPath)) errors.push(invalidField(fieldAt, fieldPath, 'fieldPath must not contain line breaks'));
  if (fieldPath !== '' && notStructural(schema) === undefined && 'why' in findFieldPath(fieldPath, schema))
    errors.push(invalidField(fieldAt, fieldPath, 'fieldPath must be a valid path'));
  return errors;
}

/** Whether a schema has sets of what is no value, bad keys of list maps, or a type that is made up. */
export function looseIn(schema: SchemaProps): {
  readonly sets: boolean;
  readonly listKeys: boolean;
  readonly types: boolean;
} {
  const items = itemsOf(schema);
  const isSet = schema['x-kubernetes-list-type'] === 'set';
  const itemList = items?.['x-kubernetes-list-type'];
  return {
    sets:
      isSet &&
      ((items?.type === 'array' && itemList !== undefined && itemList !== 'atomic') ||
        (items?.type === 'object' && items['x-kubernetes-map-type'] !== 'atomic')),
    listKeys: listKeyErrors(schema, '').length > 0,
    types: (schema.type ?? '') !== '' && !TYPES.includes(schema.type as string),
  };
}
