import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { wire } from '#api/generated/wire.ts';
import { ProtobufReader } from '#apimachinery/protobuf.ts';
import { Cluster } from '#cluster/cluster.ts';
import { userland } from '#cri/userland.ts';
import { Driver } from '../driver.ts';
import { listen } from './http-listener.ts';
import { kubeconfig } from './kubeconfig.ts';
import { nodeWall } from './wall.ts';

const USAGE = `Serves a simulated cluster's Kubernetes API on 127.0.0.1 over plain HTTP; every caller is cluster-admin.

  npm run --silent serve -- [options]

  --port P                 port to listen on (default 8001; 0 chooses a free one)
  --kubeconfig FILE        writes a kubeconfig for the server
  --workers N              worker nodes (default 3)
  --no-control-plane-node  no Node for the control plane
  --seed S                 seed of all that chance decides (default 1)
  --speed X                virtual seconds per second, at least 1 for real clients (default 1)
`;

function whole(name: string, text: string, low: number, high: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < low || value > high)
    throw new Error(`--${name} must be a whole number from ${low} to ${high}`);
  return value;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '8001' },
      kubeconfig: { type: 'string' },
      workers: { type: 'string', default: '3' },
      'no-control-plane-node': { type: 'boolean', default: false },
      seed: { type: 'string', default: '1' },
      speed: { type: 'string', default: '1' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const speed = Number(values.speed);
  if (!(speed >= 0.1 && speed <= 100)) throw new Error('--speed must be a number from 0.1 to 100');
  const cluster = new Cluster({
    userland,
    seed: whole('seed', values.seed, 0, 0xffffffff),
    epoch: Date.now(),
    workers: whole('workers', values.workers, 0, 5000),
    controlPlaneNode: !values['no-control-plane-node'],
    latency: 'realistic',
    loadBalancer: false,
    protobuf: new ProtobufReader(wire),
    hostTimer: (ms, run) => nodeWall.schedule(run, ms),
  });
  const driver = new Driver(cluster.pump, nodeWall, { speed });
  cluster.beforeInput = () => driver.sync();
  driver.onCrash = (error) => {
    process.stderr.write(
      `tabernetes: the engine crashed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exit(1);
  };
  await cluster.whenReady();
  const listener = await listen(cluster.http, whole('port', values.port, 0, 65535));
  const url = `http://127.0.0.1:${listener.port}`;
  if (values.kubeconfig) writeFileSync(values.kubeconfig, kubeconfig(url), { mode: 0o600 });
  process.stdout.write(
    `tabernetes: Kubernetes ${cluster.info.version} at ${url}, ${values.workers} workers${values.kubeconfig ? `, kubeconfig ${values.kubeconfig}` : ''}\n`,
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      driver.stop();
      void listener.close().then(() => process.exit(0));
    });
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
