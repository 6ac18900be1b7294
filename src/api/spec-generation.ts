import type { ObjectMetaLike, Strategy } from '#apimachinery/resource.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';

interface WithSpec {
  readonly metadata: ObjectMetaLike;
  readonly spec?: unknown;
}

/** The next object with a generation one higher than before where `spec` has changed. */
export function withSpecGeneration<T extends WithSpec>(next: T, previous: T): T {
  if (semanticEqual(next.spec, previous.spec)) return next;
  return { ...next, metadata: { ...next.metadata, generation: (previous.metadata.generation ?? 0) + 1 } };
}

/** The strategy of kinds without status whose generation counts the changes of `spec`. */
export function specGeneration<T extends WithSpec>(): Strategy<T> {
  return {
    prepareForCreate: (object) => ({ ...object, metadata: { ...object.metadata, generation: 1 } }),
    prepareForUpdate: withSpecGeneration,
  };
}

/** The same for kinds with a status, which begins as `initial` and which only the status endpoint writes. */
export function specGenerationAndStatus<T extends WithSpec & { readonly status?: unknown }>(
  initial: T['status'],
): Strategy<T> {
  return {
    prepareForCreate: (object) => ({ ...object, metadata: { ...object.metadata, generation: 1 }, status: initial }),
    prepareForUpdate: (next, previous) => withSpecGeneration({ ...next, status: previous.status }, previous),
  };
}

/** What a status endpoint leaves of the object's metadata: annotations, labels, owners and finalizers stay as they were. */
export function metadataForStatus<M extends ObjectMetaLike>(previous: M, next: M): M {
  return {
    ...next,
    deletionTimestamp: previous.deletionTimestamp,
    generation: previous.generation,
    labels: previous.labels,
    annotations: previous.annotations,
    finalizers: previous.finalizers,
    ownerReferences: previous.ownerReferences,
  };
}
