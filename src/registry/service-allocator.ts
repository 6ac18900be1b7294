import { endpoints } from '#api/core/v1/endpoints.ts';
import { services } from '#api/core/v1/service.ts';
import { HEADLESS, needsClusterIP, needsHealthCheck, nodePortsOf } from '#api/core/v1/service-fields.ts';
import { goAddresses } from '#api/core/v1/service-validation-addresses.ts';
import type { Service, ServicePort, ServiceSpec } from '#api/generated/types.ts';
import { internalError, invalid, StatusError } from '#apimachinery/status-error.ts';
import { invalidField } from '#apimachinery/validation.ts';
import type { Allocation, AllocatorSource, Companion, ResourceAllocator } from '#apiserver/contract.ts';
import { ClusterIPs } from './service-cluster-ips.ts';
import { goneWith, madeFor } from './service-ip-address.ts';
import { withFamilies } from './service-ip-families.ts';
import { withAllocatedValues, withClusterIPs } from './service-linked-fields.ts';
import { NodePortOperation, NodePorts, type PortRange } from './service-node-ports.ts';

export interface ServiceRanges {
  /** Such as `10.96.0.0/12`. */
  readonly clusterIPs: string;
  readonly nodePorts: PortRange;
}

interface Pools {
  readonly addresses: ClusterIPs;
  readonly ports: NodePorts;
}

/**
 * Addresses and node ports of Services. Each address is an IPAddress, written and deleted with the Service. What is taken is known from the Services in the store when the first one is
 * written, and from then on from what was written. Follows pkg/registry/core/service/storage/alloc.go, v1.33.
 */
export class ServiceAllocator implements ResourceAllocator<Service> {
  readonly resource = services;
  readonly deletedWith = endpoints;
  readonly #ranges: ServiceRanges;
  readonly #source: AllocatorSource;
  #pools: Pools | undefined;

  constructor(ranges: ServiceRanges, source: AllocatorSource) {
    this.#ranges = ranges;
    this.#source = source;
  }

  allocateCreate(given: Service, dryRun: boolean): Allocation<Service> {
    const pools = this.#takenPools();
    const service = withFamilies(withClusterIPs(given, undefined), undefined);
    const address = takeAddress(service, pools.addresses, dryRun);
    const operation = new NodePortOperation(pools.ports, dryRun);
    return transaction(service, address, undefined, operation, pools, () => {
      const { spec } = address;
      if (!hasNodePorts(spec)) return { ...service, spec };
      const ports = newNodePorts(service, operation);
      const healthCheckNodePort = needsHealthCheck(spec) ? healthCheckPort(spec, operation) : undefined;
      return {
        ...service,
        spec: { ...spec, ...(ports && { ports }), ...(healthCheckNodePort && { healthCheckNodePort }) },
      };
    });
  }

  allocateUpdate(given: Service, previous: Service, dryRun: boolean): Allocation<Service> {
    const pools = this.#takenPools();
    const service = withFamilies(withClusterIPs(withAllocatedValues(given, previous), previous), previous);
    const becomesExternal = needsClusterIP(previous) && !needsClusterIP(service);
    const address =
      needsClusterIP(service) && !needsClusterIP(previous)
        ? takeAddress(service, pools.addresses, dryRun)
        : { spec: service.spec };
    const operation = new NodePortOperation(pools.ports, dryRun);
    return transaction(service, address, becomesExternal && !dryRun ? previous : undefined, operation, pools, () => {
      const old = previous.spec;
      let { spec } = address;
      if (hasNodePorts(spec)) {
        const ports = changedNodePorts(service, previous, operation);
        spec = ports ? { ...spec, ports } : spec;
      } else {
        for (const port of allocatedPorts(old)) operation.release(port);
      }
      if (needsHealthCheck(spec) && !needsHealthCheck(old))
        spec = { ...spec, healthCheckNodePort: healthCheckPort(spec, operation) };
      else if (needsHealthCheck(old) && !needsHealthCheck(spec) && old.healthCheckNodePort)
        operation.release(old.healthCheckNodePort);
      return { ...service, spec };
    });
  }

  companionsOf(service: Service): readonly Companion[] {
    return addressesOf(service).map(goneWith);
  }

  release(service: Service): void {
    const { addresses, ports } = this.#takenPools();
    releaseAddresses(service, addresses);
    for (const port of allocatedPorts(service.spec)) ports.release(port);
    const { healthCheckNodePort } = service.spec;
    if (healthCheckNodePort && needsHealthCheck(service.spec)) ports.release(healthCheckNodePort);
  }

  #takenPools(): Pools {
    if (this.#pools) return this.#pools;
    const { rng } = this.#source;
    const addresses = new ClusterIPs(this.#ranges.clusterIPs, { ...this.#source, rng: rng.fork('cluster IPs') });
    const ports = new NodePorts(this.#ranges.nodePorts, rng.fork('node ports'));
    for (const { spec } of this.#source.readAll(services)) {
      for (const address of spec.clusterIPs ?? []) addresses.note(address);
      for (const port of allocatedPorts(spec)) ports.allocate(port);
      if (spec.healthCheckNodePort) ports.allocate(spec.healthCheckNodePort);
    }
    this.#pools = { addresses, ports };
    return this.#pools;
  }
}

interface Address {
  readonly spec: ServiceSpec;
  /** What was taken, to be given back if the write does not happen. */
  readonly taken?: string;
}

/** Makes an allocation of `fill`'s object; undoes everything when it throws. */
function transaction(
  service: Service,
  { taken }: Address,
  losesAddress: Service | undefined,
  operation: NodePortOperation,
  { addresses }: Pools,
  fill: () => Service,
): Allocation<Service> {
  const revert = () => {
    operation.revert();
    if (taken !== undefined) addresses.release(taken);
  };
  try {
    return {
      object: fill(),
      companions:
        taken !== undefined ? [madeFor(taken, service)] : losesAddress && addressesOf(losesAddress).map(goneWith),
      commit() {
        operation.commit();
        if (losesAddress) releaseAddresses(losesAddress, addresses);
      },
      revert,
    };
  } catch (error) {
    revert();
    throw error;
  }
}

function addressesOf(service: Service): readonly string[] {
  const { clusterIPs = [] } = service.spec;
  return needsClusterIP(service) ? clusterIPs.filter((address) => address !== HEADLESS) : [];
}

function releaseAddresses(service: Service, addresses: ClusterIPs): void {
  for (const address of addressesOf(service)) addresses.release(address);
}

/** The cluster has one family, so that one address is all that a Service can have. */
function takeAddress(service: Service, addresses: ClusterIPs, dryRun: boolean): Address {
  const { spec } = service;
  const [asked] = spec.clusterIPs ?? [];
  if (!needsClusterIP(service) || asked === HEADLESS) return { spec };
  if (asked) {
    const why = addresses.allocate(asked, dryRun);
    if (why !== undefined) {
      const message = `failed to allocate IP ${asked}: ${why}`;
      throw invalid(services, service.metadata.name ?? '', [
        invalidField('spec.clusterIPs', goAddresses(spec.clusterIPs), message),
      ]);
    }
    return dryRun ? { spec } : { spec, taken: asked };
  }
  const next = addresses.allocateNext(dryRun);
  if ('why' in next) throw internalError(`failed to allocate a serviceIP: ${next.why}`);
  const { address } = next;
  const filled = { ...spec, clusterIP: address, clusterIPs: [address] };
  return dryRun ? { spec: filled } : { spec: filled, taken: address };
}

function takePort(service: Service, i: number, port: number, operation: NodePortOperation): void {
  const why = operation.allocate(port);
  if (why === undefined) return;
  throw invalid(services, service.metadata.name ?? '', [invalidField(`spec.ports[${i}].nodePort`, port, why)]);
}

function takeNextPort(operation: NodePortOperation): number {
  const port = operation.allocateNext();
  if (port === undefined) throw internalError('failed to allocate a nodePort: range is full');
  return port;
}

const hasNodePorts = ({ type }: ServiceSpec): boolean => type === 'NodePort' || type === 'LoadBalancer';

/**
 * The node ports that are the Service's own. Differs from upstream: those that somebody writes into an ExternalName, which
 * validation lets pass, are not given back when it goes; they may be another's.
 */
const allocatedPorts = (spec: ServiceSpec): number[] => (hasNodePorts(spec) ? nodePortsOf(spec) : []);

/** A load balancer may do without node ports. */
const givesNodePorts = ({ type, allocateLoadBalancerNodePorts }: ServiceSpec): boolean =>
  type === 'NodePort' || allocateLoadBalancerNodePorts !== false;

/** Ports of the same number, which differ in their protocol, share a node port. */
function newNodePorts(service: Service, operation: NodePortOperation): ServicePort[] | undefined {
  const { spec } = service;
  const shared = new Map<number, number>();
  return spec.ports?.map((servicePort, i) => {
    const { port, nodePort } = servicePort;
    if (!nodePort && !givesNodePorts(spec)) return servicePort;
    const sibling = shared.get(port);
    if (sibling === undefined) {
      const asked = spec.ports?.find((other) => other.port === port && other.nodePort)?.nodePort;
      if (asked) takePort(service, i, asked, operation);
      const taken = asked || takeNextPort(operation);
      shared.set(port, taken);
      return { ...servicePort, nodePort: taken };
    }
    if (!nodePort) return { ...servicePort, nodePort: sibling };
    if (nodePort !== sibling) takePort(service, i, nodePort, operation);
    return servicePort;
  });
}

function changedNodePorts(
  service: Service,
  previous: Service,
  operation: NodePortOperation,
): ServicePort[] | undefined {
  const { spec } = service;
  const before = allocatedPorts(previous.spec);
  const taken = new Set<number>();
  const seen = new Set<string>();
  const ports = spec.ports?.map((servicePort, i) => {
    let { nodePort } = servicePort;
    if (!nodePort && !givesNodePorts(spec)) return servicePort;
    if (!nodePort) nodePort = takeNextPort(operation);
    else if (!before.includes(nodePort) && !taken.has(nodePort)) {
      takePort(service, i, nodePort, operation);
      taken.add(nodePort);
    }
    const pair = `{${servicePort.protocol} ${nodePort}}`;
    if (seen.has(pair)) throw new StatusError(500, '', `duplicate nodePort: ${pair}`);
    seen.add(pair);
    return { ...servicePort, nodePort };
  });
  const now = ports?.map(({ nodePort }) => nodePort) ?? [];
  for (const port of before) if (!now.includes(port)) operation.release(port);
  return ports;
}

function healthCheckPort({ healthCheckNodePort }: ServiceSpec, operation: NodePortOperation): number {
  if (!healthCheckNodePort) {
    const port = operation.allocateNext();
    if (port === undefined) throw internalError('failed to allocate a HealthCheck NodePort 0: range is full');
    return port;
  }
  const why = operation.allocate(healthCheckNodePort);
  if (why !== undefined)
    throw internalError(`failed to allocate requested HealthCheck NodePort ${healthCheckNodePort}: ${why}`);
  return healthCheckNodePort;
}
