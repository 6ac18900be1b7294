import type { DriverHost } from '../driver.ts';

/** A browser's wall, in a page or a worker. `setTimeout(0)` waits 4 ms when nested; a message to oneself does not. */
export function browserWall(): DriverHost {
  // Kept from before the guard, which makes them throw while the engine runs.
  const { setTimeout, clearTimeout } = globalThis;
  const { port1, port2 } = new MessageChannel();
  const queue: (() => void)[] = [];
  port1.onmessage = () => queue.shift()?.();
  return {
    now: () => performance.now(),
    schedule(run, ms) {
      if (ms >= 1) {
        const timer = setTimeout(run, ms);
        return () => clearTimeout(timer);
      }
      let cancelled = false;
      queue.push(() => {
        if (!cancelled) run();
      });
      port2.postMessage(0);
      return () => {
        cancelled = true;
      };
    },
  };
}
