import type { FieldError } from '#apimachinery/field-error.ts';
import { compareQuantities, parseQuantity, quantityMilliValue, quantityValue } from '#apimachinery/quantity.ts';
import { GoValue, invalidField, isQualifiedName } from '#apimachinery/validation.ts';

// Names of compute resources. Follows pkg/apis/core/helper and the resource rules of pkg/apis/core/validation, v1.33.

const REQUESTS_PREFIX = 'requests.';
export const HUGE_PAGES_PREFIX = 'hugepages-';
const COUNTED = [
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
];
const STANDARD: readonly string[] = [
  ...['cpu', 'memory', 'ephemeral-storage', 'storage'],
  ...['requests.cpu', 'requests.memory', 'requests.ephemeral-storage', 'requests.storage'],
  ...['limits.cpu', 'limits.memory', 'limits.ephemeral-storage'],
  ...COUNTED,
];
const STANDARD_CONTAINER: readonly string[] = ['cpu', 'memory', 'ephemeral-storage'];

export const isHugePageResource = (name: string): boolean => name.startsWith(HUGE_PAGES_PREFIX);

/** In the kubernetes.io namespace, where names without a prefix are too. */
export const isNativeResource = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/');

/** Provided by a vendor, such as `example.com/gpu`. */
export const isExtendedResource = (name: string): boolean =>
  !isNativeResource(name) &&
  !name.startsWith(REQUESTS_PREFIX) &&
  isQualifiedName(`${REQUESTS_PREFIX}${name}`).length === 0;

/** Whether a limit may be above the request. */
export const isOvercommitAllowed = (name: string): boolean => isNativeResource(name) && !isHugePageResource(name);

/** A well-formed resource name; returns whether it is. */
export function validateResourceName(name: string, path: string, errors: FieldError[]): boolean {
  const messages = isQualifiedName(name);
  for (const message of messages) errors.push(invalidField(path, name, message));
  if (messages.length) return false;
  const standard =
    STANDARD.includes(name) || isHugePageResource(name) || name.startsWith(`${REQUESTS_PREFIX}${HUGE_PAGES_PREFIX}`);
  if (name.includes('/') || standard) return true;
  errors.push(invalidField(path, name, 'must be a standard resource type or fully qualified'));
  return false;
}

/** A resource that a container may ask for. */
export function validateContainerResourceName(name: string, path: string, errors: FieldError[]): void {
  validateResourceName(name, path, errors);
  if (!name.includes('/')) {
    if (!STANDARD_CONTAINER.includes(name) && !isHugePageResource(name)) {
      errors.push(invalidField(path, name, 'must be a standard resource for containers'));
    }
  } else if (!isNativeResource(name) && !isExtendedResource(name)) {
    errors.push(invalidField(path, name, "doesn't follow extended resource name standard"));
  }
}

/** An amount of a resource: not negative, and whole where the resource is counted. */
export function validateResourceQuantity(name: string, quantity: string, path: string, errors: FieldError[]): void {
  if (compareQuantities(quantity, '0') < 0) {
    errors.push(invalidField(path, quantity, 'must be greater than or equal to 0'));
  }
  if ((COUNTED.includes(name) || isExtendedResource(name)) && quantityMilliValue(quantity) % 1000 !== 0) {
    errors.push(invalidField(path, goQuantity(quantity), 'must be an integer'));
  }
}

/** Whether an amount of huge pages is a whole number of pages. */
export function isHugePageMultiple(name: string, quantity: string): boolean {
  let size: number;
  try {
    const text = name.slice(HUGE_PAGES_PREFIX.length);
    if (parseQuantity(text).nanos <= 0n || quantityMilliValue(text) % 1000 !== 0) return false;
    size = quantityValue(text);
  } catch {
    return false;
  }
  return quantityValue(quantity) % size === 0;
}

/** A Quantity in Go notation, as messages show it that were handed the structure. */
export function goQuantity(text: string): GoValue {
  const { nanos, format } = parseQuantity(text);
  let value = nanos;
  let scale = -9;
  for (; value % 10n === 0n && scale < 0; scale++) value /= 10n;
  return new GoValue(
    `resource.Quantity{i:resource.int64Amount{value:${value}, scale:${scale}}, d:resource.infDecAmount{Dec:(*inf.Dec)(nil)}, s:"", Format:"${format}"}`,
  );
}
