import { writeFileSync } from 'node:fs';
import { plugins } from '#admission/plugins.ts';
import { wire } from '#api/generated/wire.ts';
import { ProtobufReader } from '#apimachinery/protobuf.ts';
import { CelRules } from '#apiserver/cel-rules.ts';
import { Cluster } from '#cluster/cluster.ts';
import { serviceNetwork } from '#cluster/service-network.ts';
import { userland } from '#cri/userland.ts';
import { Driver } from '../driver.ts';
import { CertificateAuthority } from './certificate-authority.ts';
import { faultServer } from './fault-server.ts';
import { Listener, type ListenerOptions } from './http-listener.ts';
import { kubeconfig, type KubeconfigOptions } from './kubeconfig.ts';
import { postOutside } from './post-outside.ts';
import { FlagError, isControllerEnabled, type ServeOptions, serveOptions, USAGE } from './serve-options.ts';
import { nodeWall } from './wall.ts';

/** Who asks over plain HTTP, and whom `--token` stands for. */
const SUPERUSER = { name: 'kubernetes-admin', groups: ['system:masters'] } as const;
/** Whom the kubeconfig's certificate names, as that of `kubeadm init` does. */
const ADMIN = {
  commonName: 'kubernetes-admin',
  organizations: ['kubeadm:cluster-admins'],
  usage: 'client',
} as const;
/** By which names the API server is called. */
const SERVER_NAMES = [
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
  'control-plane',
  'localhost',
];

/** Listens while kube-apiserver runs; while it does not, connections are refused, as without a process behind the port. */
function follow(cluster: Cluster, listener: Listener): Promise<void> {
  const runs = cluster.faults.list().some(({ target, state }) => target === 'kube-apiserver' && state === 'running');
  return runs ? listener.reopen() : listener.close();
}

/** How the port is secured, and what a client needs to be let in. */
function security(
  { insecureHttp, token, serviceCIDR }: ServeOptions,
  authority: CertificateAuthority,
): { readonly listener: ListenerOptions; readonly client: Pick<KubeconfigOptions, 'authority' | 'credentials'> } {
  if (insecureHttp) return { listener: { others: SUPERUSER }, client: {} };
  const { certificate, key } = authority.issue({
    commonName: 'kube-apiserver',
    usage: 'server',
    dnsNames: SERVER_NAMES,
    addresses: ['127.0.0.1', '192.168.0.10', serviceNetwork(serviceCIDR ?? '10.96.0.0/12').kubernetes],
  });
  return {
    listener: {
      tls: { certificate, key, authority: authority.certificate },
      ...(token ? { tokens: new Map([[token, SUPERUSER]]) } : {}),
    },
    client: { authority: authority.certificate, credentials: token ? { token } : authority.issue(ADMIN) },
  };
}

/** Refuses plugins that kube-apiserver has and this cluster has not, so that nobody relies on them. */
function checkAdmission({ enableAdmission }: ServeOptions): void {
  const missing = enableAdmission.filter((wanted) => !plugins.some(({ name }) => name === wanted));
  if (missing.length) throw new FlagError(`admission plugins that are not modelled: ${missing.join(', ')}`);
}

async function main(): Promise<void> {
  const options = serveOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(USAGE);
    return;
  }
  checkAdmission(options);
  const authority = new CertificateAuthority('kubernetes', Date.now());
  const { seed, workers, controlPlaneNode, loadBalancer, nodeNames, scheduler, serviceCIDR } = options;
  const cluster = new Cluster({
    userland,
    expressions: new CelRules(),
    seed,
    epoch: Date.now(),
    workers,
    controlPlaneNode,
    latency: 'realistic',
    loadBalancer,
    nodeNames,
    scheduler,
    serviceCIDR,
    rootCA: authority.certificate,
    signCertificate: (terms) => authority.sign(terms),
    authorizationModes: options.authorizationModes,
    anonymous: !options.insecureHttp,
    admits: (plugin) => !options.disableAdmission.includes(plugin),
    controls: (controller) => isControllerEnabled(options.controllers, controller),
    protobuf: new ProtobufReader(wire),
    hostTimer: (ms, run) => nodeWall.schedule(run, ms),
    postOutside,
  });
  const driver = new Driver(cluster.pump, nodeWall, { speed: options.speed });
  cluster.beforeInput = () => driver.sync();
  driver.onCrash = (error) => {
    process.stderr.write(
      `tabernetes: the engine crashed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exit(1);
  };
  await cluster.whenReady();
  const secured = security(options, authority);
  const listener = await Listener.open(cluster.http, options.port, secured.listener);
  const control = await Listener.open(
    faultServer(cluster.faults, () => follow(cluster, listener)),
    options.controlPort,
  );
  const url = `${options.insecureHttp ? 'http' : 'https'}://127.0.0.1:${listener.port}`;
  const controlUrl = `http://127.0.0.1:${control.port}`;
  const file = options.kubeconfig;
  if (file) writeFileSync(file, kubeconfig({ server: url, control: controlUrl, ...secured.client }), { mode: 0o600 });
  process.stdout.write(
    `tabernetes: Kubernetes ${cluster.info.version} at ${url}, ${workers} workers, faults at ${controlUrl}${file ? `, kubeconfig ${file}` : ''}\n`,
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      driver.stop();
      void Promise.all([listener.close(), control.close()]).then(() => process.exit(0));
    });
  }
}

main().catch((error: unknown) => {
  const said = `error: ${error instanceof Error ? error.message : String(error)}\n`;
  process.stderr.write(error instanceof FlagError ? `${said}\n${USAGE}` : said);
  process.exit(1);
});
