import { Cluster } from '#cluster/cluster.ts';
import { servePort } from '#transport/port.ts';
import { Driver, type DriverHost } from '../driver.ts';
import { createControl, serveControl } from '../engine-control.ts';
import type { WorkerInit } from './protocol.ts';

/** A worker's wall. `setTimeout(0)` waits 4 ms when nested; a message to oneself does not. */
function workerWall(): DriverHost {
  const { port1, port2 } = new MessageChannel();
  const queue: (() => void)[] = [];
  port1.onmessage = () => queue.shift()?.();
  return {
    now: () => performance.now(),
    schedule(run, ms) {
      let cancelled = false;
      if (ms >= 1) {
        const timer = setTimeout(run, ms);
        return () => clearTimeout(timer);
      }
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

addEventListener('message', (event: MessageEvent<WorkerInit>) => {
  const [http, control] = event.ports as [MessagePort, MessagePort];
  const { seed, epoch, workers, controlPlaneNode, speed } = event.data;
  const cluster = new Cluster({ seed, epoch, workers, controlPlaneNode, latency: 'realistic', loadBalancer: true });
  const wall = workerWall();
  const driver = new Driver(cluster.pump, wall, { speed });
  cluster.beforeInput = () => driver.sync();
  servePort(http, cluster.http);
  serveControl(control, createControl(cluster, driver, wall));
});
