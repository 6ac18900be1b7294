/** Thrown by {@link assert}: a bug of ours, never a condition that a caller may meet and handle. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** States what must hold; a failure is our own bug and is loud (the page shows it, CI fails). */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}
