import { connectPort } from '#transport/port.ts';
import type { ClusterSession } from '../control.ts';
import { connectControl } from '../engine-control.ts';
import type { WorkerInit } from './protocol.ts';

/** What a session may choose; the rest is the default cluster. */
export type SessionOptions = Partial<WorkerInit>;

/** Starts a cluster in a Web Worker. It is usable at once: what is asked before it is up waits. */
export function openSession(options: SessionOptions = {}): ClusterSession {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'tabernetes' });
  const http = new MessageChannel();
  const control = new MessageChannel();
  const init: WorkerInit = {
    seed: options.seed ?? crypto.getRandomValues(new Uint32Array(1))[0] ?? 1,
    epoch: options.epoch ?? Date.now(),
    workers: options.workers ?? 3,
    controlPlaneNode: options.controlPlaneNode ?? true,
    speed: options.speed ?? 1,
  };
  worker.postMessage(init, [http.port2, control.port2]);
  const server = connectPort(http.port1);
  const remote = connectControl(control.port1);
  worker.addEventListener('error', (event) => {
    event.preventDefault();
    remote.fail(event.message || 'the worker could not be started');
  });
  worker.addEventListener('messageerror', () => remote.fail('a message of the worker could not be read'));
  remote.onCrash((message) => server.fail(new Error(message)));
  return {
    http: server,
    control: remote,
    close() {
      worker.terminate();
      remote.fail('the session was closed');
    },
  };
}
