import type { FieldError } from '#apimachinery/field-error.ts';
import { parseAddress, validateLegacyCIDR, validateLegacyIP } from '#apimachinery/ip-validation.ts';
import { validateLabels } from '#apimachinery/label-validation.ts';
import {
  duplicate,
  forbiddenField,
  GoValue,
  goQuote,
  invalidField,
  isDNS1123Label,
  isDNS1123Subdomain,
  isQualifiedName,
  isValidPortName,
  isValidPortNum,
  notSupported,
  required,
} from '#apimachinery/validation.ts';
import { validateStandardFinalizers } from '../../finalizers.ts';
import type { Service, ServicePort, ServiceSpec } from '../../generated/types.ts';
import { PORT_PROTOCOLS, validateEndpointIP, validateText } from './endpoints-validation.ts';
import { externallyAccessible, isHeadless, needsHealthCheck } from './service-fields.ts';
import { validateAddressesUpdate, validateServiceAddresses } from './service-validation-addresses.ts';

// Follows ValidateService and its like of pkg/apis/core/validation, v1.33.

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'] as const;
const AFFINITIES = ['ClientIP', 'None'] as const;
const TRAFFIC_POLICIES = ['Cluster', 'Local'] as const;
const TRAFFIC_DISTRIBUTIONS = ['PreferClose'] as const;
const MAX_AFFINITY_SECONDS = 86_400;
const TOPOLOGY_MODE = 'service.kubernetes.io/topology-mode';
/** The old name of {@link TOPOLOGY_MODE}. */
export const TOPOLOGY_HINTS = 'service.kubernetes.io/topology-aware-hints';
const SOURCE_RANGES = 'service.beta.kubernetes.io/load-balancer-source-ranges';
const ONLY_LOAD_BALANCER = "may only be used when `type` is 'LoadBalancer'";

function validateOneOf(
  value: string | undefined,
  supported: readonly string[],
  path: string,
  errors: FieldError[],
): void {
  if (!value) errors.push(required(path));
  else if (!supported.includes(value)) errors.push(notSupported(path, value, supported));
}

function validateAnnotations({ metadata }: Service, errors: FieldError[]): void {
  const { annotations = {} } = metadata;
  if (!Object.hasOwn(annotations, TOPOLOGY_MODE) || !Object.hasOwn(annotations, TOPOLOGY_HINTS)) return;
  const mode = annotations[TOPOLOGY_MODE];
  if (mode === annotations[TOPOLOGY_HINTS]) return;
  const message = `must match annotations[${TOPOLOGY_HINTS}] when both are specified`;
  errors.push(invalidField(`metadata.annotations[${TOPOLOGY_MODE}]`, mode, message));
}

/** What the type asks for and rules out. */
function validateType(spec: ServiceSpec, errors: FieldError[]): void {
  const { type } = spec;
  if ((type === 'LoadBalancer' || type === 'NodePort') && isHeadless(spec)) {
    const message = `may not be set to 'None' for ${type} services`;
    errors.push(invalidField('spec.clusterIPs[0]', spec.clusterIPs?.[0], message));
  }
  if (type !== 'ExternalName') return;
  const bare = 'may not be set for ExternalName services';
  if (spec.clusterIPs?.length) errors.push(forbiddenField('spec.clusterIPs', bare));
  if (spec.ipFamilies?.length) errors.push(forbiddenField('spec.ipFamilies', bare));
  if (spec.ipFamilyPolicy !== undefined) errors.push(forbiddenField('spec.ipFamilyPolicy', bare));
  const name = (spec.externalName ?? '').replace(/\.$/, '');
  if (name) validateText(isDNS1123Subdomain, name, 'spec.externalName', errors);
  else errors.push(required('spec.externalName'));
}

function validatePort(servicePort: ServicePort, needsName: boolean, path: string, errors: FieldError[]): void {
  const { name, port, protocol, targetPort = 0, appProtocol } = servicePort;
  if (needsName && !name) errors.push(required(`${path}.name`));
  else validateText(isDNS1123Label, name || undefined, `${path}.name`, errors);
  for (const message of isValidPortNum(port)) errors.push(invalidField(`${path}.port`, port, message));
  validateOneOf(protocol, PORT_PROTOCOLS, `${path}.protocol`, errors);
  const wrong = typeof targetPort === 'number' ? isValidPortNum(targetPort) : isValidPortName(targetPort);
  for (const message of wrong) errors.push(invalidField(`${path}.targetPort`, targetPort, message));
  validateText(isQualifiedName, appProtocol, `${path}.appProtocol`, errors);
}

function validatePorts({ ports = [] }: ServiceSpec, errors: FieldError[]): void {
  const names = new Set<string>();
  ports.forEach((port, i) => {
    const path = `spec.ports[${i}]`;
    const { name } = port;
    const ofPort: FieldError[] = [];
    validatePort(port, ports.length > 1, path, ofPort);
    if (name && names.has(name)) {
      // After what is wrong with the name itself.
      const after = ofPort.filter(({ field }) => field === `${path}.name`).length;
      ofPort.splice(after, 0, duplicate(`${path}.name`, name));
    }
    if (name) names.add(name);
    errors.push(...ofPort);
  });
}

const goPort = ({ protocol = '', port }: ServicePort): GoValue =>
  new GoValue(
    `core.ServicePort{Name:"", Protocol:${goQuote(protocol)}, AppProtocol:(*string)(nil), Port:${port}, TargetPort:intstr.IntOrString{Type:0, IntVal:0, StrVal:""}, NodePort:0}`,
  );

/** Of ports and node ports, each may be there once for a protocol. */
function validateDistinctPorts({ type, ports = [] }: ServiceSpec, errors: FieldError[]): void {
  if (type === 'ClusterIP') {
    ports.forEach(({ nodePort }, i) => {
      const message = "may not be used when `type` is 'ClusterIP'";
      if (nodePort) errors.push(forbiddenField(`spec.ports[${i}].nodePort`, message));
    });
  }
  const nodePorts = new Set<string>();
  ports.forEach(({ protocol, nodePort }, i) => {
    if (!nodePort) return;
    const key = `${protocol} ${nodePort}`;
    if (nodePorts.has(key)) errors.push(duplicate(`spec.ports[${i}].nodePort`, nodePort));
    nodePorts.add(key);
  });
  const own = new Set<string>();
  ports.forEach((port, i) => {
    const key = `${port.protocol} ${port.port}`;
    if (own.has(key)) errors.push(duplicate(`spec.ports[${i}]`, goPort(port)));
    own.add(key);
  });
}

function validateAffinity({ sessionAffinity, sessionAffinityConfig }: ServiceSpec, errors: FieldError[]): void {
  validateOneOf(sessionAffinity, AFFINITIES, 'spec.sessionAffinity', errors);
  const path = 'spec.sessionAffinityConfig';
  if (sessionAffinity === 'None' && sessionAffinityConfig)
    errors.push(forbiddenField(path, 'must not be set when session affinity is None'));
  if (sessionAffinity !== 'ClientIP') return;
  const { clientIP } = sessionAffinityConfig ?? {};
  const seconds = clientIP?.timeoutSeconds;
  const why = 'when session affinity type is ClientIP';
  if (!sessionAffinityConfig) errors.push(required(path, why));
  else if (!clientIP) errors.push(required(`${path}.clientIP`, why));
  else if (seconds === undefined) errors.push(required(`${path}.clientIP.timeoutSeconds`, why));
  else if (seconds <= 0 || seconds > MAX_AFFINITY_SECONDS) {
    const message = `must be greater than 0 and less than ${MAX_AFFINITY_SECONDS}`;
    errors.push(invalidField(`${path}.clientIP.timeoutSeconds`, seconds, message));
  }
}

function validateExternalIPs({ spec }: Service, previous: Service | undefined, errors: FieldError[]): void {
  spec.externalIPs?.forEach((address, i) => {
    const before = errors.length;
    validateLegacyIP(address, `spec.externalIPs[${i}]`, errors, previous?.spec.externalIPs);
    if (errors.length === before) validateEndpointIP(address, `spec.externalIPs[${i}]`, errors);
  });
}

function validateSourceRanges({ metadata, spec }: Service, previous: Service | undefined, errors: FieldError[]): void {
  const { type, loadBalancerSourceRanges: ranges = [] } = spec;
  if (ranges.length > 0) {
    const path = 'spec.LoadBalancerSourceRanges';
    if (type !== 'LoadBalancer') errors.push(forbiddenField(path, ONLY_LOAD_BALANCER));
    const known = previous?.spec.loadBalancerSourceRanges?.map((range) => range.trim()) ?? [];
    ranges.forEach((range, i) => {
      if (!known.includes(range.trim())) validateLegacyCIDR(range.trim(), `${path}[${i}]`, errors);
    });
    return;
  }
  const text = metadata.annotations?.[SOURCE_RANGES];
  if (text === undefined) return;
  const path = `metadata.annotations[${SOURCE_RANGES}]`;
  if (type !== 'LoadBalancer') errors.push(forbiddenField(path, ONLY_LOAD_BALANCER));
  if (previous?.metadata.annotations?.[SOURCE_RANGES] === text || text.trim() === '') return;
  for (const range of text.split(',')) validateLegacyCIDR(range.trim(), path, errors);
}

function validateLoadBalancerClass({ type, loadBalancerClass }: ServiceSpec, errors: FieldError[]): void {
  const path = 'spec.loadBalancerClass';
  if (type === 'LoadBalancer') validateText(isQualifiedName, loadBalancerClass, path, errors);
  else if (loadBalancerClass !== undefined) errors.push(forbiddenField(path, ONLY_LOAD_BALANCER));
}

function validateTraffic(spec: ServiceSpec, errors: FieldError[]): void {
  const { type, externalTrafficPolicy, healthCheckNodePort, internalTrafficPolicy, trafficDistribution } = spec;
  const external = 'spec.externalTrafficPolicy';
  if (externallyAccessible(spec)) validateOneOf(externalTrafficPolicy, TRAFFIC_POLICIES, external, errors);
  else if (externalTrafficPolicy)
    errors.push(invalidField(external, externalTrafficPolicy, 'may only be set for externally-accessible services'));
  const check = 'spec.healthCheckNodePort';
  if (!needsHealthCheck(spec)) {
    const message = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    if (healthCheckNodePort) errors.push(invalidField(check, healthCheckNodePort, message));
  } else if (!healthCheckNodePort) errors.push(required(check));
  else {
    for (const message of isValidPortNum(healthCheckNodePort))
      errors.push(invalidField(check, healthCheckNodePort, message));
  }
  const internal = 'spec.internalTrafficPolicy';
  const hasInternal = type === 'ClusterIP' || type === 'NodePort' || type === 'LoadBalancer';
  if (hasInternal || internalTrafficPolicy !== undefined)
    validateOneOf(internalTrafficPolicy, TRAFFIC_POLICIES, internal, errors);
  if (trafficDistribution !== undefined && !TRAFFIC_DISTRIBUTIONS.includes(trafficDistribution as 'PreferClose'))
    errors.push(notSupported('spec.trafficDistribution', trafficDistribution, TRAFFIC_DISTRIBUTIONS));
}

/** Follows ValidateService: `previous` has values that may stay though they would no longer be taken. */
export function validateService(service: Service, previous?: Service): FieldError[] {
  const errors: FieldError[] = [];
  const { metadata, spec } = service;
  validateStandardFinalizers(metadata, errors);
  validateAnnotations(service, errors);
  if (!spec.ports?.length && !isHeadless(spec) && spec.type !== 'ExternalName') errors.push(required('spec.ports'));
  validateType(spec, errors);
  validatePorts(spec, errors);
  validateLabels(spec.selector, 'spec.selector', errors);
  validateAffinity(spec, errors);
  validateServiceAddresses(service, previous, errors);
  validateExternalIPs(service, previous, errors);
  validateOneOf(spec.type, TYPES, 'spec.type', errors);
  validateDistinctPorts(spec, errors);
  validateSourceRanges(service, previous, errors);
  const { allocateLoadBalancerNodePorts } = spec;
  if (allocateLoadBalancerNodePorts !== undefined && spec.type !== 'LoadBalancer')
    errors.push(forbiddenField('spec.allocateLoadBalancerNodePorts', ONLY_LOAD_BALANCER));
  if (allocateLoadBalancerNodePorts === undefined && spec.type === 'LoadBalancer')
    errors.push(required('allocateLoadBalancerNodePorts'));
  validateLoadBalancerClass(spec, errors);
  validateTraffic(spec, errors);
  return errors;
}

/** Follows ValidateServiceUpdate. */
export function validateServiceUpdate(service: Service, previous: Service): FieldError[] {
  const errors: FieldError[] = [];
  const { spec } = service;
  const old = previous.spec;
  validateAddressesUpdate(service, previous, errors);
  if (spec.type === 'LoadBalancer' && old.type === 'LoadBalancer' && spec.loadBalancerClass !== old.loadBalancerClass) {
    errors.push(invalidField('spec.loadBalancerClass', spec.loadBalancerClass, 'may not change once set'));
  }
  validateLoadBalancerClass(spec, errors);
  if (
    needsHealthCheck(old) &&
    needsHealthCheck(spec) &&
    (old.healthCheckNodePort ?? 0) !== (spec.healthCheckNodePort ?? 0)
  )
    errors.push(forbiddenField('spec.healthCheckNodePort', 'field is immutable'));
  return [...errors, ...validateService(service, previous)];
}

const IP_MODES = ['Proxy', 'VIP'] as const;

/** Follows ValidateServiceStatusUpdate. */
export function validateServiceStatusUpdate({ metadata, spec, status }: Service, previous: Service): FieldError[] {
  const errors: FieldError[] = [];
  validateStandardFinalizers(metadata, errors);
  const { ingress = [] } = status?.loadBalancer ?? {};
  const path = 'status.loadBalancer.ingress';
  if (spec.type !== 'LoadBalancer' && ingress.length > 0) {
    errors.push(forbiddenField(path, "may only be used when `spec.type` is 'LoadBalancer'"));
    return errors;
  }
  const known = previous.status?.loadBalancer?.ingress?.flatMap(({ ip }) => (ip ? [ip] : []));
  ingress.forEach(({ ip, ipMode, hostname }, i) => {
    const at = `${path}[${i}]`;
    if (ip) validateLegacyIP(ip, `${at}.ip`, errors, known);
    if (ipMode === undefined) {
      if (ip) errors.push(required(`${at}.ipMode`, 'must be specified when `ip` is set'));
    } else if (!ip) errors.push(forbiddenField(`${at}.ipMode`, 'may not be specified when `ip` is not set'));
    else if (!IP_MODES.includes(ipMode as 'VIP')) errors.push(notSupported(`${at}.ipMode`, ipMode, IP_MODES));
    if (!hostname) return;
    validateText(isDNS1123Subdomain, hostname, `${at}.hostname`, errors);
    if (parseAddress(hostname))
      errors.push(invalidField(`${at}.hostname`, hostname, 'must be a DNS name, not an IP address'));
  });
  return errors;
}
