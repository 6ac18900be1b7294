import { Cluster } from '#cluster/cluster.ts';
import { servePort } from '#transport/port.ts';
import { guardAmbient } from '../ambient-guard.ts';
import { Driver } from '../driver.ts';
import { createControl, serveControl } from '../engine-control.ts';
import { browserWall } from './browser-wall.ts';
import type { WorkerInit } from './protocol.ts';

addEventListener('message', (event: MessageEvent<WorkerInit>) => {
  const [http, control] = event.ports as [MessagePort, MessagePort];
  const { seed, epoch, workers, controlPlaneNode, speed } = event.data;
  const wall = browserWall();
  const cluster = new Cluster({
    seed,
    epoch,
    workers,
    controlPlaneNode,
    latency: 'realistic',
    loadBalancer: true,
    hostTimer: (ms, run) => wall.schedule(run, ms),
  });
  guardAmbient(cluster.pump);
  const driver = new Driver(cluster.pump, wall, { speed });
  cluster.beforeInput = () => driver.sync();
  // What containers of users run is a part of its own: the graph is alive before it is there. Inputs wait for it.
  const installed = Promise.all([
    import('#cri/userland.ts').then(({ userland }) => cluster.install(userland)),
    import('#apiserver/cel-rules.ts').then(({ CelRules }) => cluster.installExpressions(new CelRules())),
  ]);
  servePort(http, {
    async handle(request) {
      if (request.method !== 'GET' && request.method !== 'HEAD') await installed;
      return cluster.http.handle(request);
    },
    async upgrade(request) {
      await installed;
      return cluster.http.upgrade(request);
    },
  });
  serveControl(control, createControl(cluster, driver, wall));
});
