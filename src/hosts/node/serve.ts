import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { wire } from '#api/generated/wire.ts';
import { ProtobufReader } from '#apimachinery/protobuf.ts';
import { CelRules } from '#apiserver/cel-rules.ts';
import { Cluster } from '#cluster/cluster.ts';
import { userland } from '#cri/userland.ts';
import { Driver } from '../driver.ts';
import { faultServer } from './fault-server.ts';
import { Listener } from './http-listener.ts';
import { kubeconfig } from './kubeconfig.ts';
import { nodeWall } from './wall.ts';

const USAGE = `Serves a simulated cluster's Kubernetes API on 127.0.0.1 over plain HTTP; every caller is cluster-admin.

  npm run --silent serve -- [options]

  --port P                 port to listen on (default 8001; 0 chooses a free one)
  --control-port P         port for "npm run --silent fault" (default: the one after --port)
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

/** Listens while kube-apiserver runs; while it does not, connections are refused, as without a process behind the port. */
function follow(cluster: Cluster, listener: Listener): Promise<void> {
  const runs = cluster.faults.list().some(({ target, state }) => target === 'kube-apiserver' && state === 'running');
  return runs ? listener.reopen() : listener.close();
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '8001' },
      'control-port': { type: 'string' },
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
    expressions: new CelRules(),
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
  const wanted = whole('port', values.port, 0, 65535);
  const listener = await Listener.open(cluster.http, wanted);
  const controlPort = whole('control-port', values['control-port'] ?? String(wanted && wanted + 1), 0, 65535);
  const control = await Listener.open(
    faultServer(cluster.faults, () => follow(cluster, listener)),
    controlPort,
  );
  const url = `http://127.0.0.1:${listener.port}`;
  const controlUrl = `http://127.0.0.1:${control.port}`;
  if (values.kubeconfig) writeFileSync(values.kubeconfig, kubeconfig(url, controlUrl), { mode: 0o600 });
  process.stdout.write(
    `tabernetes: Kubernetes ${cluster.info.version} at ${url}, ${values.workers} workers, faults at ${controlUrl}${values.kubeconfig ? `, kubeconfig ${values.kubeconfig}` : ''}\n`,
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      driver.stop();
      void Promise.all([listener.close(), control.close()]).then(() => process.exit(0));
    });
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
