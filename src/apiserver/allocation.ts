import type { ApiObject } from '#apimachinery/resource.ts';
import type { Allocation, Companion } from './contract.ts';
import type { RequestScope } from './request-scope.ts';

/** What one attempt at a write has set aside. Whoever made it calls {@link end} in the end, whatever happened. */
export class Reservation<T extends ApiObject> {
  readonly #scope: RequestScope<T>;
  #allocation: Allocation<T> | undefined;

  constructor(scope: RequestScope<T>) {
    this.#scope = scope;
  }

  /** The object with what it needs, if its kind has an allocator. Throws when something cannot be had. */
  create(object: T): T {
    const { core, definition, dryRun } = this.#scope;
    this.#allocation = core.allocator(definition)?.allocateCreate(object, dryRun);
    return this.#allocation?.object ?? object;
  }

  update(next: T, previous: T): T {
    const { core, definition, dryRun } = this.#scope;
    this.#allocation = core.allocator(definition)?.allocateUpdate(next, previous, dryRun);
    return this.#allocation?.object ?? next;
  }

  /** What must be written with the object. */
  get companions(): readonly Companion[] | undefined {
    return this.#allocation?.companions;
  }

  /** The write has happened. */
  commit(): void {
    this.#allocation?.commit();
    this.#allocation = undefined;
  }

  /** Gives back what no write was committed for. */
  end(): void {
    this.#allocation?.revert();
    this.#allocation = undefined;
  }
}
