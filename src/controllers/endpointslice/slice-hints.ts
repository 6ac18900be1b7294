import { jsonEqual } from '#apimachinery/equal.ts';
import { endpointsOf } from '#api/discovery/v1/endpoint-slice.ts';
import type { Endpoint, EndpointHints, EndpointSlice, Service } from '#api/generated/types.ts';

/** Slices of a Service, by what is about to happen to them. */
export interface ChangedSlices {
  readonly create: readonly EndpointSlice[];
  readonly update: readonly EndpointSlice[];
  readonly unchanged: readonly EndpointSlice[];
}

/** Gives endpoints their hints, for which slices may have to be updated that nothing else changes. */
export type AssignHints = (slices: ChangedSlices) => Pick<ChangedSlices, 'create' | 'update'>;

/** Hints that depend on nothing but the endpoint. */
export function hintEach(hintsOf: (endpoint: Endpoint) => EndpointHints | undefined): AssignHints {
  const hinted = (slice: EndpointSlice): EndpointSlice => {
    let changed = false;
    const endpoints = endpointsOf(slice).map((endpoint) => {
      const { hints: previous, ...plain } = endpoint;
      const hints = hintsOf(endpoint);
      if (jsonEqual(previous, hints)) return endpoint;
      changed = true;
      return hints ? { ...plain, hints } : plain;
    });
    return changed ? { ...slice, endpoints } : slice;
  };
  return ({ create, update, unchanged }) => ({
    create: create.map(hinted),
    update: [
      ...update.map(hinted),
      ...unchanged.flatMap((slice) => {
        const next = hinted(slice);
        return next === slice ? [] : [next];
      }),
    ],
  });
}

/**
 * The hints that a Service's `trafficDistribution` asks for: PreferClose, an endpoint's own zone. Follows
 * staging/src/k8s.io/endpointslice/trafficdist, v1.33, with PreferSameTrafficDistribution off, which is the default.
 */
export function trafficHints({ spec: { trafficDistribution } }: Service): AssignHints {
  return hintEach(({ zone, conditions }) =>
    trafficDistribution === 'PreferClose' && zone && conditions?.ready ? { forZones: [{ name: zone }] } : undefined,
  );
}
