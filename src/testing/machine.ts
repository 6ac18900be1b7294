import { latencyOf, type LatencyProfile } from '#base/latency.ts';
import { Process, Pump } from '#base/pump.ts';
import { Rng } from '#base/rng.ts';
import { Tracer } from '#base/tracer.ts';
import { decodeUtf8 } from '#base/utf8.ts';
import { Network } from '#network/network.ts';
import type { ContainerConfig } from '#cri/contract.ts';
import { fullRegistry } from '#cri/userland.ts';
import { ContainerRuntime } from '#cri/runtime.ts';

/** A machine with a container runtime, for tests of what runs on it. */
export function createMachine(profile: LatencyProfile = 'none') {
  const pump = new Pump({ epoch: Date.UTC(2025, 10, 22, 12) });
  const root = new Process('test', { pump, rng: new Rng(1), tracer: new Tracer(() => pump.now) });
  const network = new Network(root.child('network'), latencyOf(profile));
  const host = network.createHost('node-1', '192.168.0.11');
  const runtime = new ContainerRuntime({
    machine: root.child('machine'),
    network,
    host,
    registry: fullRegistry(),
    latency: latencyOf(profile),
  });
  runtime.updatePodCidr('10.244.1.0/24');
  let pods = 0;

  /** Runs a task and all that follows for so long; what the task returned or threw. */
  async function run<T>(work: () => Promise<T>, ms = 0): Promise<T> {
    let result: { value: T } | { error: unknown } | undefined;
    root.spawn('test', async () => {
      try {
        result = { value: await work() };
      } catch (error) {
        result = { error };
      }
    });
    await pump.run({ until: pump.now + ms });
    if (!result) throw new Error(`the task has not ended after ${ms} ms`);
    if ('error' in result) throw result.error;
    return result.value;
  }

  /** Pulls an image, and creates and starts a container in a sandbox of its own (or one that is there). */
  async function startContainer(
    image: string,
    config: Partial<ContainerConfig> = {},
    sandbox?: string,
  ): Promise<string> {
    await runtime.images.pull(image);
    const uid = `pod-${++pods}`;
    const sandboxId =
      sandbox ??
      (await runtime.runPodSandbox({
        name: uid,
        namespace: 'default',
        uid,
        attempt: 0,
        hostname: uid,
        hostNetwork: false,
      }));
    const id = await runtime.createContainer(sandboxId, {
      name: 'main',
      attempt: 0,
      image,
      command: [],
      args: [],
      env: [],
      mounts: [],
      readOnlyRoot: false,
      stdin: false,
      stdinOnce: false,
      tty: false,
      ports: [],
      annotations: {},
      ...config,
    });
    await runtime.startContainer(id);
    return id;
  }

  const logOf = (id: string) => (runtime.logs(id)?.entries ?? []).map(({ bytes }) => decodeUtf8(bytes)).join('');

  return { pump, root, network, host, runtime, run, startContainer, logOf };
}
