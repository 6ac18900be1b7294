import type { FieldError } from '#apimachinery/field-error.ts';
import { compareQuantities, quantityMilliValue } from '#apimachinery/quantity.ts';
import { defineResource } from '#apimachinery/resource.ts';
import {
  type BadValue,
  duplicate,
  forbiddenField,
  invalidField,
  isQualifiedName,
  required,
} from '#apimachinery/validation.ts';
import { mapShared, replace } from '../../fill.ts';
import { validateStandardFinalizers } from '../../finalizers.ts';
import type { LimitRange, LimitRangeItem } from '../../generated/types.ts';
import { canonicalResources, type ResourceList } from './resource-list.ts';
import {
  goQuantity,
  isOvercommitAllowed,
  validateContainerResourceName,
  validateResourceName,
} from './resource-names.ts';

const LISTS = ['default', 'defaultRequest', 'max', 'maxLimitRequestRatio', 'min'] as const;

/** The list with what others say of resources that it does not have; earlier ones first. */
const withMissing = (list: ResourceList | undefined, ...others: readonly (ResourceList | undefined)[]): ResourceList =>
  Object.fromEntries([...others.toReversed(), list].flatMap((each) => Object.entries(each ?? {})));

const isSameList = (a: ResourceList | undefined, b: ResourceList): boolean =>
  a !== undefined && Object.keys(b).length === Object.keys(a).length;

/** Follows SetDefaults_LimitRangeItem, v1.33: limits of containers follow from one another. */
function defaultItem(given: LimitRangeItem): LimitRangeItem {
  let item = given;
  if (item.type === 'Container') {
    const limits = withMissing(item.default, item.max);
    const requests = withMissing(item.defaultRequest, limits, item.min);
    if (!isSameList(item.default, limits)) item = { ...item, default: limits };
    if (!isSameList(item.defaultRequest, requests)) item = { ...item, defaultRequest: requests };
  }
  for (const list of LISTS) item = replace(item, list, canonicalResources(item[list]));
  return item;
}

function validateType(type: string, path: string, errors: FieldError[]): void {
  const messages = isQualifiedName(type);
  for (const message of messages) errors.push(invalidField(path, type, message));
  if (messages.length || type.includes('/') || ['Pod', 'Container', 'PersistentVolumeClaim'].includes(type)) return;
  errors.push(invalidField(path, type, 'must be a standard limit type or fully qualified'));
}

/** A ratio with six digits after the point, as Go's `%f` prints it. */
const ratioText = (ratio: number) => (Number.isFinite(ratio) ? ratio.toFixed(6) : '+Inf');

function validateResource(item: LimitRangeItem, name: string, path: string, errors: FieldError[]): void {
  const isPod = item.type === 'Pod';
  const min = item.min?.[name];
  const max = item.max?.[name];
  const limit = isPod ? undefined : item.default?.[name];
  const request = isPod ? undefined : item.defaultRequest?.[name];
  const ratio = item.maxLimitRequestRatio?.[name];
  const wrong = (list: string, value: string, detail: string) =>
    errors.push(invalidField(`${path}.${list}[${name}]`, goQuantity(value) as BadValue, detail));
  const ordered = (
    low: string | undefined,
    lowText: string,
    high: string | undefined,
    highText: string,
    list: string,
    shown: string | undefined,
  ) => {
    if (low === undefined || high === undefined || compareQuantities(low, high) <= 0) return;
    wrong(list, shown ?? '', `${lowText} value ${low} is greater than ${highText} value ${high}`);
  };
  ordered(min, 'min', max, 'max', 'min', min);
  ordered(min, 'min', request, 'default request', 'defaultRequest', request);
  ordered(request, 'default request', max, 'max', 'defaultRequest', request);
  ordered(request, 'default request', limit, 'default limit', 'defaultRequest', request);
  ordered(min, 'min', limit, 'default', 'default', min);
  ordered(limit, 'default', max, 'max', 'default', max);
  if (ratio !== undefined && compareQuantities(ratio, '1') < 0) {
    wrong('maxLimitRequestRatio', ratio, `ratio ${ratio} is less than 1`);
  }
  if (ratio !== undefined && min !== undefined && max !== undefined) {
    const most = quantityMilliValue(max) / quantityMilliValue(min);
    if (quantityMilliValue(ratio) / 1000 > most) {
      wrong('maxLimitRequestRatio', ratio, `ratio ${ratio} is greater than max/min = ${ratioText(most)}`);
    }
  }
  if (!isOvercommitAllowed(name) && limit !== undefined && request !== undefined && compareQuantities(limit, request)) {
    wrong('defaultRequest', request, `default value ${limit} must equal to defaultRequest value ${request} in ${name}`);
  }
}

/** Follows ValidateLimitRange of pkg/apis/core/validation, v1.33; resources in the order of their names, upstream's is random. */
function validate({ metadata, spec }: LimitRange): FieldError[] {
  const errors: FieldError[] = [];
  const types = new Set<string>();
  validateStandardFinalizers(metadata, errors);
  (spec?.limits ?? []).forEach((item, i) => {
    const path = `spec.limits[${i}]`;
    const { type } = item;
    validateType(type, `${path}.type`, errors);
    if (types.has(type)) errors.push(duplicate(`${path}.type`, type));
    types.add(type);
    const names = new Set<string>();
    const validateNames = (list: (typeof LISTS)[number]) => {
      for (const name of Object.keys(item[list] ?? {}).sort()) {
        const at = `${path}.${list}[${name}]`;
        if (type === 'Pod' || type === 'Container') validateContainerResourceName(name, at, errors);
        else validateResourceName(name, at, errors);
        names.add(name);
      }
    };
    validateNames('max');
    validateNames('min');
    for (const list of ['default', 'defaultRequest'] as const) {
      if (type !== 'Pod') validateNames(list);
      else if (Object.keys(item[list] ?? {}).length) {
        errors.push(forbiddenField(`${path}.${list}`, "may not be specified when `type` is 'Pod'"));
      }
    }
    if (type === 'PersistentVolumeClaim' && item.min?.storage === undefined && item.max?.storage === undefined) {
      const message = 'either minimum or maximum storage value is required, but neither was provided';
      errors.push(required(`${path}.limits`, message));
    }
    validateNames('maxLimitRequestRatio');
    for (const name of [...names].sort()) validateResource(item, name, path, errors);
  });
  return errors;
}

/** LimitRanges. Follows pkg/registry/core/limitrange/strategy.go, v1.33. */
export const limitRanges = defineResource<LimitRange>({
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  plural: 'limitranges',
  singular: 'limitrange',
  shortNames: ['limits'],
  scope: 'Namespaced',
  schema: 'io.k8s.api.core.v1.LimitRange',
  defaults: (limitRange) =>
    limitRange.spec?.limits
      ? replace(limitRange, 'spec', replace(limitRange.spec, 'limits', mapShared(limitRange.spec.limits, defaultItem)))
      : limitRange,
  validate,
  validateUpdate: validate,
  strategy: { allowCreateOnUpdate: true },
  ownColumns: true,
  columns: [
    { name: 'Name', type: 'string', format: 'name', cell: ({ metadata }) => metadata.name ?? '' },
    // Upstream's column has the time itself, and kubectl prints it as it comes.
    { name: 'Created At', type: 'date', cell: ({ metadata }) => metadata.creationTimestamp ?? '' },
  ],
});
