import type { DriverHost } from '../driver.ts';

/** The wall of a Node process: its monotonic clock and its timers. */
export const nodeWall: DriverHost = {
  now: () => performance.now(),
  schedule(run, ms) {
    if (ms <= 0) {
      const immediate = setImmediate(run);
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
