import type { SpanId } from '#base/tracer.ts';
import type { Etcd, LeaseId } from '#etcd/etcd.ts';

const REUSE_MS = 60_000;
const REUSE_SHARE = 0.05;
const MAX_OBJECTS = 1000;

/**
 * Leases for objects that go by themselves. Objects written shortly after one another share a lease, which lasts longer
 * than each asked for by the time it is shared. Follows apiserver's storage/etcd3/lease_manager.go, v1.33.
 */
export class LeaseSource {
  readonly #etcd: Etcd<unknown>;
  readonly #shared = new Map<number, { readonly id: LeaseId; readonly grantedAt: number; objects: number }>();

  constructor(etcd: Etcd<unknown>) {
    this.#etcd = etcd;
  }

  /** A lease that lasts at least `ttlSeconds` from now. */
  leaseFor(ttlSeconds: number, now: number, cause: SpanId): LeaseId {
    const reuseMs = Math.min(REUSE_MS, Math.floor(ttlSeconds * REUSE_SHARE) * 1000);
    const shared = this.#shared.get(ttlSeconds);
    if (shared && now <= shared.grantedAt + reuseMs && shared.objects < MAX_OBJECTS) {
      shared.objects++;
      return shared.id;
    }
    const id = this.#etcd.grantLease(ttlSeconds * 1000 + reuseMs, cause);
    this.#shared.set(ttlSeconds, { id, grantedAt: now, objects: 1 });
    return id;
  }
}
