import { events } from '#api/core/v1/event.ts';
import { services } from '#api/core/v1/service.ts';
import { HEADLESS, needsClusterIP } from '#api/core/v1/service-fields.ts';
import { ipAddresses } from '#api/networking/v1/ip-address.ts';
import type { IPAddress, Service } from '#api/generated/types.ts';
import { isStatus, StatusError } from '#apimachinery/status-error.ts';
import type { AuthorizerSource } from '#apiserver/authorization.ts';
import { parseTime } from '#base/clock.ts';
import { type Process, ProcessExitedError } from '#base/pump.ts';
import type { SpanId } from '#base/tracer.ts';
import { Client } from '#client/client.ts';
import type { EventObject } from '#client/event.ts';
import { SeriesEventRecorder } from '#client/event-series-recorder.ts';
import type { ObjectReference } from '#client/object-reference.ts';
import { Reflector } from '#client/reflector.ts';
import { WorkQueue } from '#client/work-queue.ts';
import type { ResourceDefinition } from '#apimachinery/resource.ts';
import { IP_ALLOCATOR, IP_FAMILY, ipAddressOf, MANAGED_BY } from './service-ip-address.ts';

/** How long an address without its Service is left alone, in ms. */
const LEAK_GRACE_MS = 60_000;

/**
 * Puts right what people do to the addresses of Services by hand: those that are missing come back, those that belong to
 * nobody go. Runs in `process`, which is the API server's, until that ends. Follows repairip.go of
 * pkg/registry/core/service/ipallocator/controller, v1.33.
 */
export function repairServiceAddresses(process: Process, client: Client, known: AuthorizerSource): void {
  const recorder = new SeriesEventRecorder(
    process,
    client,
    events as unknown as ResourceDefinition<EventObject>,
    'ipallocator-repair-controller',
    'ipallocator-repair-controller',
  );
  const queue = new WorkQueue(process, 'repair addresses');
  const look = (object: IPAddress, span: SpanId) => {
    if (!isRight(known, object)) queue.add(object.metadata.name ?? '', span);
  };
  new Reflector(
    process,
    client,
    ipAddresses,
    {},
    {
      replace(objects) {
        for (const object of objects) look(object, 0);
        for (const service of known.readAll(services)) {
          for (const address of addressesOf(service)) {
            if (!known.read(ipAddresses, undefined, address)) queue.add(address, 0);
          }
        }
      },
      apply({ type, object, span }) {
        if (type !== 'DELETED') look(object, span);
        else if (namedOwner(known, object)) queue.add(object.metadata.name ?? '', span);
      },
    },
  ).start();

  const warn = (object: ObjectReference, reason: string, action: string, note: string, span: SpanId) =>
    recorder.event(object, undefined, 'Warning', reason, action, note, span);
  const clean = async (object: IPAddress, reason: string, why: string, span: SpanId) => {
    const { name = '', uid } = object.metadata;
    const reference = { apiVersion: 'networking.k8s.io/v1', kind: 'IPAddress', name, uid };
    warn(reference, reason, 'IPAddressAllocation', `${why}: cleaning up`, span);
    await client.withCause(span).delete(ipAddresses, { name });
  };
  const repair = async (service: Service, address: string, note: string | undefined, span: SpanId) => {
    const { namespace, name, uid } = service.metadata;
    const reference = { apiVersion: 'v1', kind: 'Service', namespace, name, uid };
    if (note) warn(reference, 'ClusterIPNotAllocated', 'ClusterIPAllocation', note, span);
    await client.withCause(span).create(ipAddresses, ipAddressOf(address, service));
  };

  const check = async (name: string, span: SpanId): Promise<void> => {
    const object = known.read(ipAddresses, undefined, name);
    const owner = ownerOf(known, name);
    if (!object) {
      if (owner) await repair(owner, name, `Cluster IP [IPv4]: ${name} is not allocated; repairing`, span);
      return;
    }
    if (isRight(known, object)) return;
    const { parentRef } = object.spec;
    const { group = '', resource, namespace = '', name: parent } = parentRef;
    if (owner) {
      const { metadata } = owner;
      const note = `the ClusterIP [IPv4]: ${name} for Service ${metadata.namespace}/${metadata.name} has a wrong reference; repairing`;
      await client.withCause(span).delete(ipAddresses, { name });
      await repair(owner, name, namedOwner(known, object) ? undefined : note, span);
      return;
    }
    if (group !== '' || resource !== 'services') {
      const text = `&ParentReference{Group:${group},Resource:${resource},Namespace:${namespace},Name:${parent},}`;
      const why = `IPAddress ${name} appears to have been modified, not referencing a Service ${text}`;
      await clean(object, 'IPAddressNotAllocated', why, span);
      return;
    }
    if (known.read(services, namespace, parent)) {
      const why = `IPAddress: ${name} for Service ${namespace}/${parent} has a wrong reference;`;
      const reference = { apiVersion: 'networking.k8s.io/v1', kind: 'IPAddress', name, uid: object.metadata.uid };
      warn(reference, 'IPAddressWrongReference', 'IPAddressAllocation', `${why} cleaning up`, span);
      await client.withCause(span).delete(ipAddresses, { name });
      return;
    }
    const age = process.clock.now() - parseTime(object.metadata.creationTimestamp ?? '');
    if (age <= LEAK_GRACE_MS) {
      // Times have whole seconds.
      queue.addAfter(name, LEAK_GRACE_MS - age + 1, span);
      return;
    }
    const why = `IPAddress: ${name} for Service ${namespace}/${parent} appears to have leaked`;
    await clean(object, 'IPAddressNotAllocated', why, span);
  };

  process.spawn('repair addresses', async () => {
    for (;;) {
      const { key, span } = await queue.take();
      try {
        await check(key, span);
        queue.forget(key);
      } catch (error) {
        if (!(error instanceof StatusError || error instanceof ProcessExitedError)) throw error;
        if (!isStatus(error, 'NotFound')) queue.addRateLimited(key, span);
      }
      queue.done(key);
    }
  });
}

const addressesOf = (service: Service): readonly string[] =>
  needsClusterIP(service) ? (service.spec.clusterIPs ?? []).filter((address) => address !== HEADLESS) : [];

/** The Service that the object names, if it has the address. */
function namedOwner(known: AuthorizerSource, { metadata, spec }: IPAddress): Service | undefined {
  const { group = '', resource, namespace, name } = spec.parentRef;
  if (group !== '' || resource !== 'services') return undefined;
  const service = known.read(services, namespace, name);
  return service && addressesOf(service).includes(metadata.name ?? '') ? service : undefined;
}

/** Whichever Service has the address. */
const ownerOf = (known: AuthorizerSource, address: string): Service | undefined =>
  known.readAll(services).find((service) => addressesOf(service).includes(address));

/** Whether the object is as the allocator makes it, or not its business. */
function isRight(known: AuthorizerSource, object: IPAddress): boolean {
  const { name = '', labels } = object.metadata;
  const isManaged = labels?.[MANAGED_BY] === IP_ALLOCATOR && labels[IP_FAMILY] === 'IPv4';
  return isManaged ? namedOwner(known, object) !== undefined : !ownerOf(known, name);
}
