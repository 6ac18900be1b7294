import type { FieldError } from '#apimachinery/field-error.ts';
import { parseAddress, validateLegacyIP } from '#apimachinery/ip-validation.ts';
import { validateLabels } from '#apimachinery/label-validation.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import {
  duplicate,
  internalFieldError,
  invalidField,
  isDNS1123Label,
  isDNS1123Subdomain,
  isQualifiedName,
  isValidLabelValue,
  type NameValidator,
  notSupported,
  required,
  tooMany,
} from '#apimachinery/validation.ts';
import { PORT_PROTOCOLS, validateEndpointIP, validateText } from '../../core/v1/endpoints-validation.ts';
import { validateStandardFinalizers } from '../../finalizers.ts';
import type { DiscoveryV1EndpointPort, Endpoint, EndpointHints, EndpointSlice } from '../../generated/types.ts';

// Follows pkg/apis/discovery/validation, v1.33.

const ADDRESS_TYPES: readonly string[] = ['FQDN', 'IPv4', 'IPv6'];
const MAX_TOPOLOGY_LABELS = 16;
const MAX_ADDRESSES = 100;
const MAX_PORTS = 20_000;
const MAX_ENDPOINTS = 1000;
const MAX_HINTS = 8;
const ZONE = 'topology.kubernetes.io/zone';

function validatePorts(ports: readonly DiscoveryV1EndpointPort[], errors: FieldError[]): void {
  if (ports.length > MAX_PORTS) {
    errors.push(tooMany('ports', ports.length, MAX_PORTS));
    return;
  }
  const names = new Set<string>();
  ports.forEach(({ name = '', protocol, appProtocol }, i) => {
    const path = `ports[${i}]`;
    validateText(isDNS1123Label, name || undefined, `${path}.name`, errors);
    if (names.has(name)) errors.push(duplicate(`${path}.name`, name));
    names.add(name);
    if (protocol === undefined) errors.push(required(`${path}.protocol`));
    else if (!PORT_PROTOCOLS.includes(protocol))
      errors.push(notSupported(`${path}.protocol`, protocol, PORT_PROTOCOLS));
    validateText(isQualifiedName, appProtocol, `${path}.appProtocol`, errors);
  });
}

/** Follows IsFullyQualifiedDomainName of apimachinery's util/validation. */
function validateDomainName(given: string, path: string, errors: FieldError[]): void {
  if (given === '') {
    errors.push(required(path));
    return;
  }
  const name = given.endsWith('.') ? given.slice(0, -1) : given;
  const wrong = isDNS1123Subdomain(name);
  if (wrong.length > 0) errors.push(invalidField(path, name, wrong.join(',')));
  else if (!name.includes('.'))
    errors.push(invalidField(path, name, 'should be a domain with at least two segments separated by dots'));
  else {
    const label = name.split('.').find((part) => isDNS1123Label(part).length > 0);
    if (label !== undefined) errors.push(invalidField(path, label, isDNS1123Label(label).join(',')));
  }
}

/** A family that came after strict rules existed has them. */
function validateStrictIP(address: string, path: string, errors: FieldError[]): void {
  const parsed = parseAddress(address);
  if (!parsed) validateLegacyIP(address, path, errors);
  else if (parsed.nonStandard) {
    const isMapped = address.includes(':');
    const message = isMapped ? 'must not be an IPv4-mapped IPv6 address' : 'must not have leading 0s';
    errors.push(invalidField(path, address, message));
  } else if (parsed.text !== address)
    errors.push(invalidField(path, address, `must be in canonical form ("${parsed.text}")`));
}

function validateAddress(address: string, type: string, parent: string, i: number, errors: FieldError[]): void {
  const path = `${parent}[${i}]`;
  if (type === 'FQDN') validateDomainName(address, path, errors);
  if (type !== 'IPv4' && type !== 'IPv6') return;
  const before = errors.length;
  if (type === 'IPv4') validateLegacyIP(address, path, errors);
  else validateStrictIP(address, path, errors);
  if (errors.length > before) return;
  const isIPv4 = parseAddress(address)?.bytes.length === 4;
  // Upstream names the list here.
  if (isIPv4 !== (type === 'IPv4')) errors.push(invalidField(parent, address, `must be an ${type} address`));
  validateEndpointIP(address, path, errors);
}

function validateHintNames(
  items: readonly { readonly name: string }[],
  check: NameValidator,
  path: string,
  errors: FieldError[],
): boolean {
  if (items.length > MAX_HINTS) {
    errors.push(tooMany(path, items.length, MAX_HINTS));
    return false;
  }
  const names = new Set<string>();
  items.forEach(({ name }, i) => {
    if (names.has(name)) errors.push(duplicate(`${path}[${i}].name`, name));
    names.add(name);
    validateText(check, name, `${path}[${i}].name`, errors);
  });
  return true;
}

function validateHints({ forZones = [], forNodes = [] }: EndpointHints, path: string, errors: FieldError[]): void {
  if (validateHintNames(forZones, isValidLabelValue, `${path}.forZones`, errors))
    validateHintNames(forNodes, isDNS1123Subdomain, `${path}.forNodes`, errors);
}

function validateEndpoint(endpoint: Endpoint, type: string, path: string, errors: FieldError[]): void {
  const { nodeName, deprecatedTopology, hostname, hints } = endpoint;
  const addresses = endpoint.addresses ?? [];
  const at = `${path}.addresses`;
  if (addresses.length === 0) errors.push(required(at, 'must contain at least 1 address'));
  else if (addresses.length > MAX_ADDRESSES) errors.push(tooMany(at, addresses.length, MAX_ADDRESSES));
  addresses.forEach((address, i) => validateAddress(address, type, at, i, errors));
  validateText(isDNS1123Subdomain, nodeName, `${path}.nodeName`, errors);
  if (deprecatedTopology) {
    const topology = `${path}.deprecatedTopology`;
    const count = Object.keys(deprecatedTopology).length;
    if (count > MAX_TOPOLOGY_LABELS) errors.push(tooMany(topology, count, MAX_TOPOLOGY_LABELS));
    validateLabels(deprecatedTopology, topology, errors);
    if (Object.hasOwn(deprecatedTopology, ZONE))
      errors.push(internalFieldError(`${topology}[${ZONE}]`, 'reserved key was not removed in conversion'));
  }
  validateText(isDNS1123Label, hostname, `${path}.hostname`, errors);
  if (hints) validateHints(hints, `${path}.hints`, errors);
}

/** Follows ValidateEndpointSlice: endpoints that were stored once may stay as they are. */
export function validateEndpointSlice(slice: EndpointSlice, previous?: EndpointSlice): FieldError[] {
  const { metadata, addressType, ports, endpoints } = slice;
  const errors: FieldError[] = [];
  validateStandardFinalizers(metadata, errors);
  if (!addressType) errors.push(required('addressType'));
  else if (!ADDRESS_TYPES.includes(addressType)) errors.push(notSupported('addressType', addressType, ADDRESS_TYPES));
  validatePorts(ports ?? [], errors);
  const count = endpoints?.length ?? 0;
  const ofEndpoints: FieldError[] = [];
  if (count > MAX_ENDPOINTS) ofEndpoints.push(tooMany('endpoints', count, MAX_ENDPOINTS));
  else endpoints?.forEach((endpoint, i) => validateEndpoint(endpoint, addressType, `endpoints[${i}]`, ofEndpoints));
  if (ofEndpoints.length > 0 && !(previous && semanticEqual(previous.endpoints, endpoints)))
    errors.push(...ofEndpoints);
  return errors;
}

/** Follows ValidateEndpointSliceUpdate. */
export function validateEndpointSliceUpdate(slice: EndpointSlice, previous: EndpointSlice): FieldError[] {
  const errors = validateEndpointSlice(slice, previous);
  if (slice.addressType !== previous.addressType)
    errors.push(invalidField('addressType', slice.addressType, 'field is immutable'));
  return errors;
}
