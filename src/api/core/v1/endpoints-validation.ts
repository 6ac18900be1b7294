import type { FieldError } from '#apimachinery/field-error.ts';
import { parseAddress, validateLegacyIP } from '#apimachinery/ip-validation.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import {
  invalidField,
  isDNS1123Label,
  isDNS1123Subdomain,
  isQualifiedName,
  isValidPortNum,
  type NameValidator,
  notSupported,
  required,
} from '#apimachinery/validation.ts';
import { validateStandardFinalizers } from '../../finalizers.ts';
import type { EndpointAddress, EndpointPort, Endpoints, EndpointSubset } from '../../generated/types.ts';

/** In the order in which messages list them. */
export const PORT_PROTOCOLS: readonly string[] = ['SCTP', 'TCP', 'UDP'];

/** What a name validator says about a field. */
export function validateText(
  check: NameValidator,
  value: string | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (value === undefined) return;
  for (const message of check(value)) errors.push(invalidField(path, value, message));
}

/** An address that traffic may be sent to. Follows ValidateEndpointIP of pkg/apis/core/validation, v1.33. */
export function validateEndpointIP(address: string, path: string, errors: FieldError[]): void {
  const bytes = parseAddress(address)?.bytes;
  const bad = (message: string) => errors.push(invalidField(path, address, message));
  if (!bytes) {
    bad('must be a valid IP address');
    return;
  }
  const [a = 0, b = 0, c = 0] = bytes;
  const isIPv4 = bytes.length === 4;
  const last = bytes.at(-1);
  const restIsZero = bytes.slice(0, -1).every((byte) => byte === 0);
  if (restIsZero && last === 0) bad(`may not be unspecified (${address})`);
  if (isIPv4 ? a === 127 : restIsZero && last === 1) bad('may not be in the loopback range (127.0.0.0/8, ::1/128)');
  if (isIPv4 ? a === 169 && b === 254 : a === 0xfe && (b & 0xc0) === 0x80)
    bad('may not be in the link-local range (169.254.0.0/16, fe80::/10)');
  if (isIPv4 ? a === 224 && b === 0 && c === 0 : a === 0xff && (b & 0x0f) === 2)
    bad('may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)');
}

function validateAddress({ ip, hostname, nodeName }: EndpointAddress, path: string, errors: FieldError[]): void {
  validateLegacyIP(ip, `${path}.ip`, errors);
  validateText(isDNS1123Label, hostname || undefined, `${path}.hostname`, errors);
  validateText(isDNS1123Subdomain, nodeName, `${path}.nodeName`, errors);
  validateEndpointIP(ip, `${path}.ip`, errors);
}

function validatePort(port: EndpointPort, needsName: boolean, path: string, errors: FieldError[]): void {
  if (needsName && !port.name) errors.push(required(`${path}.name`));
  else validateText(isDNS1123Label, port.name || undefined, `${path}.name`, errors);
  for (const message of isValidPortNum(port.port)) errors.push(invalidField(`${path}.port`, port.port, message));
  if (!port.protocol) errors.push(required(`${path}.protocol`));
  else if (!PORT_PROTOCOLS.includes(port.protocol))
    errors.push(notSupported(`${path}.protocol`, port.protocol, PORT_PROTOCOLS));
  validateText(isQualifiedName, port.appProtocol, `${path}.appProtocol`, errors);
}

function validateSubset(subset: EndpointSubset, path: string, errors: FieldError[]): void {
  const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
  if (addresses.length + notReadyAddresses.length === 0)
    errors.push(required(path, 'must specify `addresses` or `notReadyAddresses`'));
  addresses.forEach((address, i) => validateAddress(address, `${path}.addresses[${i}]`, errors));
  notReadyAddresses.forEach((address, i) => validateAddress(address, `${path}.notReadyAddresses[${i}]`, errors));
  ports.forEach((port, i) => validatePort(port, ports.length > 1, `${path}.ports[${i}]`, errors));
}

/** Follows ValidateEndpoints of pkg/apis/core/validation, v1.33: what was stored once may stay as it is. */
export function validateEndpoints({ metadata, subsets = [] }: Endpoints, previous?: Endpoints): FieldError[] {
  const errors: FieldError[] = [];
  validateStandardFinalizers(metadata, errors);
  const ofSubsets: FieldError[] = [];
  subsets.forEach((subset, i) => validateSubset(subset, `subsets[${i}]`, ofSubsets));
  if (ofSubsets.length > 0 && !(previous && semanticEqual(previous.subsets, subsets))) errors.push(...ofSubsets);
  return errors;
}
