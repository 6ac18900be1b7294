import type { Clock } from '#base/clock.ts';

const EXPIRY_MS = 5 * 60_000;

interface Expected {
  readonly since: number;
  creations: number;
  /** Keys of the objects whose deletion has not been seen. */
  readonly deletions: Set<string>;
}

/**
 * What a controller has done and its informers have not shown yet: while something is expected, the store is known to
 * be stale and the controller must not count on it. Follows pkg/controller/controller_utils.go
 * (UIDTrackingControllerExpectations), v1.33.
 */
export class Expectations {
  readonly #clock: Clock;
  readonly #expected = new Map<string, Expected>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The key's owner is about to create so many objects. Replaces what was expected before. */
  expectCreations(key: string, count: number): void {
    this.#expected.set(key, { since: this.#clock.now(), creations: count, deletions: new Set() });
  }

  /** The key's owner is about to delete these objects. Replaces what was expected before. */
  expectDeletions(key: string, objects: Iterable<string>): void {
    this.#expected.set(key, { since: this.#clock.now(), creations: 0, deletions: new Set(objects) });
  }

  /** The key's owner is about to create so many objects and to delete these. Replaces what was expected before. */
  expect(key: string, creations: number, deletions: Iterable<string>): void {
    this.#expected.set(key, { since: this.#clock.now(), creations, deletions: new Set(deletions) });
  }

  /** A creation was seen, or failed. */
  creationObserved(key: string): void {
    const expected = this.#expected.get(key);
    if (expected && expected.creations > 0) expected.creations--;
  }

  /** A deletion was seen, or failed. */
  deletionObserved(key: string, object: string): void {
    this.#expected.get(key)?.deletions.delete(object);
  }

  /** Whether all was seen, or has been waited for too long, or nothing is expected. */
  satisfied(key: string): boolean {
    const expected = this.#expected.get(key);
    if (!expected) return true;
    return (expected.creations <= 0 && expected.deletions.size === 0) || this.#clock.now() - expected.since > EXPIRY_MS;
  }

  /** The key's owner is gone. */
  forget(key: string): void {
    this.#expected.delete(key);
  }
}
