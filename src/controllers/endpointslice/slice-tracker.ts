import type { EndpointSlice } from '#api/generated/types.ts';
import type { Index } from '#client/indexer.ts';

export const SERVICE_NAME = 'kubernetes.io/service-name';
export const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';

/** Slices by `namespace/service|manager`. */
export const byServiceAndManager: Index<EndpointSlice> = {
  name: 'service and manager',
  values: (slice) => {
    const key = serviceKeyOf(slice);
    return key && `${key}|${slice.metadata.labels?.[MANAGED_BY] ?? ''}`;
  },
};

/** The key of the Service that a slice says it belongs to. */
export function serviceKeyOf({ metadata: { namespace, labels } }: EndpointSlice): string | undefined {
  const name = labels?.[SERVICE_NAME];
  return name ? `${namespace}/${name}` : undefined;
}

const DELETION_EXPECTED = -1;

/**
 * The generations of the slices that a controller has written, so that it knows whether its informer shows them yet and
 * whether a change is its own. Follows staging/src/k8s.io/endpointslice/util/endpointslice_tracker.go, v1.33.
 */
export class SliceTracker {
  readonly #services = new Map<string, Map<string, number>>();

  has(slice: EndpointSlice): boolean {
    return this.#generations(slice)?.has(slice.metadata.uid ?? '') ?? false;
  }

  /** Whether the slice is newer than what was written, or somebody else's work. */
  shouldSync(slice: EndpointSlice): boolean {
    const known = this.#generations(slice)?.get(slice.metadata.uid ?? '');
    return known === undefined || generationOf(slice) > known;
  }

  /** Whether the slices of a Service are not what was written last: the informer lags behind. */
  isStale(serviceKey: string, slices: readonly EndpointSlice[]): boolean {
    const generations = this.#services.get(serviceKey);
    if (!generations) return false;
    const seen = new Set<string>();
    for (const slice of slices) {
      const { uid = '' } = slice.metadata;
      seen.add(uid);
      const known = generations.get(uid);
      if (known !== undefined && (known === DELETION_EXPECTED || known > generationOf(slice))) return true;
    }
    for (const [uid, known] of generations) if (known !== DELETION_EXPECTED && !seen.has(uid)) return true;
    return false;
  }

  /** The slice was written. */
  update(slice: EndpointSlice): void {
    this.#set(slice, generationOf(slice));
  }

  /** The slice was deleted, which the informer has yet to show. */
  expectDeletion(slice: EndpointSlice): void {
    this.#set(slice, DELETION_EXPECTED);
  }

  /** The informer shows that the slice is gone. False: nobody here deleted it. */
  handleDeletion(slice: EndpointSlice): boolean {
    const generations = this.#generations(slice);
    const { uid = '' } = slice.metadata;
    const known = generations?.get(uid);
    generations?.delete(uid);
    return known === undefined || known === DELETION_EXPECTED;
  }

  /** The Service is gone. */
  forget(serviceKey: string): void {
    this.#services.delete(serviceKey);
  }

  #generations(slice: EndpointSlice): Map<string, number> | undefined {
    return this.#services.get(serviceKeyOf(slice) ?? '');
  }

  #set(slice: EndpointSlice, generation: number): void {
    const key = serviceKeyOf(slice) ?? '';
    const generations = this.#services.get(key) ?? new Map<string, number>();
    this.#services.set(key, generations);
    generations.set(slice.metadata.uid ?? '', generation);
  }
}

function generationOf({ metadata }: EndpointSlice): number {
  return metadata.generation ?? 0;
}
