import type { Rng } from './rng.ts';

/** What takes time: each is drawn from a range of its own. */
export type LatencyKind =
  | 'request' // a caller's request on its way to the API server, and its handling
  | 'commit' // etcd: from the transaction to its durable commit
  | 'delivery' // a watch event on its way to one watcher
  | 'schedule' // one scheduling cycle
  | 'sandbox' // a Pod sandbox with its network
  | 'image-resolve' // asking the registry for a name
  | 'container-create'
  | 'container-start'
  | 'container-stop' // from the signal to the exit of a process that heeds it
  | 'network'; // one way between two Pods

/** A model of latencies. `sample` returns milliseconds of virtual time; 0 means that nothing parks. */
export interface Latency {
  readonly profile: LatencyProfile;
  sample(kind: LatencyKind, rng: Rng): number;
  /** How long pulling `bytes` takes, milliseconds. */
  pull(bytes: number, rng: Rng): number;
}

export type LatencyProfile = 'none' | 'realistic';

/** Ranges in milliseconds, chosen near what an idle cluster on a laptop shows. */
const RANGES: Readonly<Record<LatencyKind, readonly [number, number]>> = {
  request: [1, 3],
  commit: [2, 5],
  delivery: [1, 2],
  schedule: [0.5, 2],
  sandbox: [120, 320],
  'image-resolve': [200, 600],
  'container-create': [30, 90],
  'container-start': [200, 600],
  'container-stop': [20, 120],
  network: [0.1, 0.4],
};
const PULL_BYTES_PER_MS = 40_000;

/** The latency model of a profile: `none` for tests and benchmarks, `realistic` for people. */
export function latencyOf(profile: LatencyProfile): Latency {
  if (profile === 'none') return { profile, sample: () => 0, pull: () => 0 };
  return {
    profile,
    sample(kind, rng) {
      const [low, high] = RANGES[kind];
      return Math.round((low + (high - low) * rng.float()) * 1000) / 1000;
    },
    pull: (bytes, rng) => Math.round((bytes / PULL_BYTES_PER_MS) * (0.8 + 0.4 * rng.float())),
  };
}
