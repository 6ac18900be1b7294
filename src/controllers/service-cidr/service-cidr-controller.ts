import { ipAddresses } from '#api/networking/v1/ip-address.ts';
import { serviceCIDRs } from '#api/networking/v1/service-cidr.ts';
import type { IPAddress, ServiceCIDR } from '#api/generated/types.ts';
import { type IPPrefix, parsePrefix, prefixContains, prefixesOverlap, prefixOffers } from '#apimachinery/ip-prefix.ts';
import { parseAddress } from '#apimachinery/ip-validation.ts';
import { isStatus } from '#apimachinery/status-error.ts';
import { formatTime, parseTime } from '#base/clock.ts';
import type { SpanId } from '#base/tracer.ts';
import { defineController, type ReconcileContext } from '../define-controller.ts';

const FINALIZER = 'networking.k8s.io/service-cidr-finalizer';
const FIELD_MANAGER = 'service-cidr-controller';
/** How long after its deletion a range stays, so that everybody who gives addresses has heard of it. */
const DELETION_GRACE_MS = 10_000;
const MAX_RETRIES = 15;

const READY = { status: 'True', reason: '', message: 'Kubernetes Service CIDR is ready' } as const;
const TERMINATING = {
  status: 'False',
  reason: 'Terminating',
  message: 'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
} as const;

const prefixesOf = ({ spec }: ServiceCIDR): readonly IPPrefix[] =>
  (spec.cidrs ?? []).flatMap((cidr) => parsePrefix(cidr) ?? []);

/** The address of an IPAddress that the API server made for a Service. */
function addressOf({ metadata }: IPAddress): readonly number[] | undefined {
  if (metadata.labels?.['ipaddress.kubernetes.io/managed-by'] !== 'ipallocator.k8s.io') return undefined;
  return parseAddress(metadata.name ?? '')?.bytes;
}

const offers = (range: ServiceCIDR, address: readonly number[]): boolean =>
  prefixesOf(range).some((prefix) => prefixOffers(prefix, address));

/** Whether no Service's address is without a range when this one goes. */
export function canDelete(
  range: ServiceCIDR,
  all: readonly ServiceCIDR[],
  addresses: () => readonly IPAddress[],
): boolean {
  const others = all.filter(({ metadata }) => metadata.name !== range.metadata.name);
  const isCovered = (prefix: IPPrefix) =>
    others.some((other) => prefixesOf(other).some((outer) => prefixContains(outer, prefix)));
  if (prefixesOf(range).every(isCovered)) return true;
  return !addresses().some((one) => {
    const address = addressOf(one);
    return address && offers(range, address) && !others.some((other) => offers(other, address));
  });
}

/**
 * Says of ranges of Services' addresses that they are ready, and keeps those that are still in use. Follows
 * pkg/controller/servicecidrs, v1.33.
 *
 * Differs from upstream: a condition that says what it shall say is left alone, so that its time stays.
 */
export const serviceCIDRController = defineController({
  name: 'service-cidr-controller',
  serviceAccount: 'service-cidrs-controller',
  workers: 5,
  maxRetries: MAX_RETRIES,
  create({ process, queue, watch }) {
    const ranges = watch(serviceCIDRs, {
      add(range, span) {
        const own = prefixesOf(range);
        const overlaps = (other: ServiceCIDR) => prefixesOf(other).some((a) => own.some((b) => prefixesOverlap(a, b)));
        for (const other of ranges.list()) if (overlaps(other)) queue.add(other.metadata.name ?? '', span);
      },
      update: (_, range, span) => queue.add(range.metadata.name ?? '', span),
    });
    // Addresses matter to ranges that are being deleted only.
    const lookAtRanges = (one: IPAddress, span: SpanId) => {
      for (const range of ranges.list()) {
        if (!range.metadata.deletionTimestamp) continue;
        const address = addressOf(one);
        if (address && offers(range, address)) queue.add(range.metadata.name ?? '', span);
      }
    };
    const addresses = watch(ipAddresses, { add: lookAtRanges, delete: lookAtRanges });

    const say = async ({ client }: ReconcileContext, range: ServiceCIDR, what: typeof READY | typeof TERMINATING) => {
      const { name = '' } = range.metadata;
      const found = range.status?.conditions?.find(({ type }) => type === 'Ready');
      if (found?.status === what.status && found.reason === what.reason && found.message === what.message) return;
      const condition = { type: 'Ready', ...what, lastTransitionTime: formatTime(process.clock.now()) };
      const body = {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'ServiceCIDR',
        metadata: { name },
        status: { conditions: [condition] },
      };
      const options = { fieldManager: FIELD_MANAGER, force: true, subresource: 'status' };
      await client.patch(serviceCIDRs, { name }, 'application/apply-patch+yaml', body, options);
    };
    const patch = async ({ client }: ReconcileContext, name: string, metadata: object) => {
      try {
        await client.patch(serviceCIDRs, { name }, 'application/strategic-merge-patch+json', { metadata });
      } catch (error) {
        if (!isStatus(error, 'NotFound')) throw error;
      }
    };
    return {
      async reconcile(ctx, { name }) {
        const range = ranges.get({ name });
        if (!range) return;
        const { deletionTimestamp, finalizers = [] } = range.metadata;
        if (deletionTimestamp === undefined) {
          if (!finalizers.includes(FINALIZER)) await patch(ctx, name, { finalizers: [FINALIZER] });
          await say(ctx, range, READY);
          return;
        }
        if (!canDelete(range, ranges.list(), () => addresses.list())) {
          await say(ctx, range, TERMINATING);
          return;
        }
        const wait = parseTime(deletionTimestamp) + DELETION_GRACE_MS - process.clock.now();
        if (wait > 0) return { requeueAfterMs: wait };
        if (finalizers.includes(FINALIZER))
          await patch(ctx, name, { '$deleteFromPrimitiveList/finalizers': [FINALIZER] });
      },
    };
  },
});
