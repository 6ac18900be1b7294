import type { RequestOptions } from '#apimachinery/api-request.ts';
import type { ApiObject, FieldGetter, ResourceDefinition } from '#apimachinery/resource.ts';
import {
  type FieldRequirement,
  type LabelSelectorTerms,
  matchesLabels,
  parseFieldSelector,
  parseLabelSelector,
  SelectorError,
} from '#apimachinery/selectors.ts';
import { badRequest } from '#apimachinery/status-error.ts';
import { goQuote } from '#apimachinery/validation.ts';

/** Which objects a list or a watch is about. */
export interface Selection<T extends ApiObject> {
  readonly namespace: string | undefined;
  /** Objects of one name only. */
  readonly name: string | undefined;
  /** A selectable field that must have one value: what an index can answer. */
  readonly indexed: { readonly field: string; readonly get: FieldGetter<T>; readonly value: string } | undefined;
  /** No selectors: every object of the namespace (or of all) belongs. */
  readonly everything: boolean;
  /** Whether an object belongs, its namespace apart. */
  matches(object: T): boolean;
}

/** What the options of a list or a watch select. Throws 400 for selectors that do not parse or name unknown fields. */
export function selectionOf<T extends ApiObject>(
  definition: ResourceDefinition<T>,
  requested: { readonly namespace?: string; readonly name?: string; readonly options: RequestOptions },
): Selection<T> {
  const { labelSelector, fieldSelector } = requested.options;
  const labels = labelSelector ? parsed(() => parseLabelSelector(labelSelector)) : [];
  const fields = (fieldSelector ? parsed(() => parseFieldSelector(fieldSelector)) : []).map((requirement) =>
    fieldTest(definition, requirement),
  );
  let { namespace, name } = requested;
  let indexed: Selection<T>['indexed'];
  if (name !== undefined) {
    const selected = fields.find(({ field, operator }) => field === 'metadata.name' && operator === '=');
    if (fields.length > 0 && selected?.value !== name)
      throw badRequest("fieldSelector metadata.name doesn't match requested name");
  }
  for (const { field, operator, value, get } of fields) {
    if (operator !== '=') continue;
    if (field === 'metadata.name') name ??= value;
    else if (field === 'metadata.namespace') namespace ??= value;
    else indexed ??= { field, get, value };
  }
  return {
    namespace,
    name,
    indexed,
    everything: labels.length === 0 && fields.length === 0 && name === undefined,
    matches: matcher(labels, fields, requested.name),
  };
}

interface FieldTest<T> extends FieldRequirement {
  readonly get: FieldGetter<T>;
}

function fieldTest<T extends ApiObject>(
  definition: ResourceDefinition<T>,
  requirement: FieldRequirement,
): FieldTest<T> {
  const { field } = requirement;
  if (field === 'metadata.name') return { ...requirement, get: ({ metadata }) => metadata.name ?? '' };
  if (field === 'metadata.namespace') return { ...requirement, get: ({ metadata }) => metadata.namespace ?? '' };
  const known = definition.selectableFields;
  if (!known)
    throw badRequest(`${goQuote(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`);
  const get = Object.hasOwn(known, field) ? known[field] : undefined;
  if (!get) throw badRequest(`field label not supported: ${field}`);
  return { ...requirement, get };
}

function matcher<T extends ApiObject>(
  labels: LabelSelectorTerms,
  fields: readonly FieldTest<T>[],
  name: string | undefined,
): (object: T) => boolean {
  if (labels.length === 0 && fields.length === 0)
    return name === undefined ? () => true : ({ metadata }) => metadata.name === name;
  return (object) =>
    (name === undefined || object.metadata.name === name) &&
    matchesLabels(labels, object.metadata.labels) &&
    fields.every(({ get, operator, value }) => (get(object) === value) === (operator === '='));
}

function parsed<R>(parse: () => R): R {
  try {
    return parse();
  } catch (error) {
    throw error instanceof SelectorError ? badRequest(error.message) : error;
  }
}
