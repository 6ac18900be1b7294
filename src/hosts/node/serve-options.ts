import { parseArgs } from 'node:util';
import type { AuthorizationMode } from '#authorization/authorizer.ts';
import { serviceNetwork } from '#cluster/service-network.ts';
import { controllers } from '#controllers/controllers.ts';

export const USAGE = `Serves a simulated cluster's Kubernetes API on 127.0.0.1 over HTTPS.

  npm run --silent serve -- [options]

The server:
  --port P                      port to listen on (default 8001; 0 chooses a free one)
  --control-port P              port for "npm run --silent fault" (default: the one after --port)
  --kubeconfig FILE             writes a kubeconfig for the server
  --token T                     the kubeconfig has this bearer token instead of a client certificate
  --insecure-http               plain HTTP; nobody is asked who they are, and every caller is cluster-admin
  --seed S                      seed of all that chance decides (default 1)
  --speed X                     virtual seconds per second, at least 1 for real clients (default 1)

The cluster:
  --workers N                   worker nodes (default 3)
  --no-control-plane-node       no Node for the control plane
  --node-names A,B              more Nodes, which are only objects: nothing runs there
  --no-kubelets                 no nodes but those of --node-names
  --no-scheduler                Pods stay unscheduled unless they name a node
  --load-balancer               Services of type LoadBalancer get an address

As kube-apiserver has them:
  --service-cluster-ip-range CIDR   default 10.96.0.0/12
  --authorization-mode MODES        of AlwaysAllow, AlwaysDeny, Node and RBAC (default Node,RBAC)
  --enable-admission-plugins A,B    in addition to those that are on by default
  --disable-admission-plugins A,B   these are not asked

As kube-controller-manager has it:
  --controllers=A,-B                * is all (the default), A starts A, -B does not start B
`;

/** The command line cannot be understood. Its message is for people; the usage goes with it. */
export class FlagError extends Error {
  override readonly name = 'FlagError';
}

const AUTHORIZATION_MODES: readonly AuthorizationMode[] = ['AlwaysAllow', 'AlwaysDeny', 'Node', 'RBAC'];

/** As the command line of `npm run serve` says. */
export interface ServeOptions {
  readonly help: boolean;
  readonly port: number;
  readonly controlPort: number;
  readonly kubeconfig: string | undefined;
  readonly token: string | undefined;
  readonly insecureHttp: boolean;
  readonly seed: number;
  readonly speed: number;
  readonly workers: number;
  readonly controlPlaneNode: boolean;
  readonly nodeNames: readonly string[];
  readonly scheduler: boolean;
  readonly loadBalancer: boolean;
  readonly serviceCIDR: string | undefined;
  readonly authorizationModes: readonly AuthorizationMode[];
  readonly enableAdmission: readonly string[];
  readonly disableAdmission: readonly string[];
  /** Names, `-` and a name, or `*`: see {@link isControllerEnabled}. */
  readonly controllers: readonly string[];
}

/** All plugins that `--enable-admission-plugins` may name. Follows pkg/kubeapiserver/options/plugins.go, v1.33. */
const ADMISSION_PLUGINS: readonly string[] = [
  'AlwaysAdmit',
  'NamespaceAutoProvision',
  'NamespaceLifecycle',
  'NamespaceExists',
  'LimitPodHardAntiAffinityTopology',
  'LimitRanger',
  'ServiceAccount',
  'NodeRestriction',
  'TaintNodesByCondition',
  'AlwaysPullImages',
  'ImagePolicyWebhook',
  'PodSecurity',
  'PodNodeSelector',
  'Priority',
  'DefaultTolerationSeconds',
  'PodTolerationRestriction',
  'EventRateLimit',
  'ExtendedResourceToleration',
  'DefaultStorageClass',
  'StorageObjectInUseProtection',
  'OwnerReferencesPermissionEnforcement',
  'PersistentVolumeClaimResize',
  'RuntimeClass',
  'CertificateApproval',
  'CertificateSigning',
  'ClusterTrustBundleAttest',
  'CertificateSubjectRestriction',
  'DefaultIngressClass',
  'PodTopologyLabels',
  'DenyServiceExternalIPs',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionWebhook',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionWebhook',
  'ResourceQuota',
  'AlwaysDeny',
];

const text = { type: 'string' } as const;
const switchedOff = { type: 'boolean', default: false } as const;
const FLAGS = {
  help: { type: 'boolean', short: 'h', default: false },
  port: text,
  'control-port': text,
  kubeconfig: text,
  token: text,
  'insecure-http': switchedOff,
  seed: text,
  speed: text,
  workers: text,
  'no-control-plane-node': switchedOff,
  'node-names': { type: 'string', multiple: true },
  'no-kubelets': switchedOff,
  'no-scheduler': switchedOff,
  'load-balancer': switchedOff,
  'service-cluster-ip-range': text,
  'authorization-mode': { type: 'string', multiple: true },
  'enable-admission-plugins': { type: 'string', multiple: true },
  'disable-admission-plugins': { type: 'string', multiple: true },
  controllers: { type: 'string', multiple: true },
} as const;

/** Reads the command line. Throws {@link FlagError}. */
export function serveOptions(args: readonly string[]): ServeOptions {
  const flags = parse(args);
  const port = whole('port', flags.port ?? '8001', 0, 65535);
  const kubelets = !flags['no-kubelets'];
  if (!kubelets && flags.workers !== undefined) throw new FlagError('--workers and --no-kubelets exclude each other');
  const speed = Number(flags.speed ?? '1');
  if (!(speed >= 0.1 && speed <= 100)) throw new FlagError('--speed must be a number from 0.1 to 100');
  const token = flags.token;
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token))
    throw new FlagError('--token must be one or more visible ASCII characters');
  if (token !== undefined && flags['insecure-http'])
    throw new FlagError('--token and --insecure-http exclude each other: kubectl sends no token over plain HTTP');
  return {
    help: flags.help,
    port,
    controlPort: whole('control-port', flags['control-port'] ?? String(port && port + 1), 0, 65535),
    kubeconfig: flags.kubeconfig,
    token,
    insecureHttp: flags['insecure-http'],
    seed: whole('seed', flags.seed ?? '1', 0, 0xffffffff),
    speed,
    workers: kubelets ? whole('workers', flags.workers ?? '3', 0, 5000) : 0,
    controlPlaneNode: kubelets && !flags['no-control-plane-node'],
    nodeNames: nodeNames(words(flags['node-names'])),
    scheduler: !flags['no-scheduler'],
    loadBalancer: flags['load-balancer'],
    serviceCIDR: serviceCIDR(flags['service-cluster-ip-range']),
    authorizationModes: modes(words(flags['authorization-mode'] ?? ['Node,RBAC'])),
    enableAdmission: plugins('enable-admission-plugins', words(flags['enable-admission-plugins'])),
    disableAdmission: plugins('disable-admission-plugins', words(flags['disable-admission-plugins'])),
    controllers: controllerList(words(flags.controllers ?? ['*'])),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: FLAGS }).values;
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const unknown = /Unknown option '([^']+)'/.exec(said)?.[1];
    throw new FlagError(unknown ? `unknown flag: ${unknown}` : said);
  }
}

const words = (values: readonly string[] = []): string[] =>
  values.flatMap((value) => value.split(',')).filter((word) => word !== '');

function whole(name: string, given: string, low: number, high: number): number {
  const value = Number(given);
  if (given === '' || !Number.isInteger(value) || value < low || value > high)
    throw new FlagError(`--${name} must be a whole number from ${low} to ${high}`);
  return value;
}

function nodeNames(names: readonly string[]): readonly string[] {
  const bad = names.find((name) => !/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name));
  if (bad !== undefined) throw new FlagError(`--node-names: ${JSON.stringify(bad)} cannot be the name of a Node`);
  return [...new Set(names)];
}

function serviceCIDR(given: string | undefined): string | undefined {
  try {
    return given && serviceNetwork(given).cidr;
  } catch (error) {
    throw new FlagError(`--service-cluster-ip-range: ${(error as Error).message}`);
  }
}

function modes(names: readonly string[]): readonly AuthorizationMode[] {
  return names.map((name) => {
    const known = AUTHORIZATION_MODES.find((mode) => mode === name);
    if (!known) throw new FlagError(`authorization-mode ${JSON.stringify(name)} is not a valid mode`);
    return known;
  });
}

function controllerList(listed: readonly string[]): readonly string[] {
  const bad = listed.map((word) => word.replace(/^-/, '')).find((name) => name !== '*' && !isKnownController(name));
  if (bad !== undefined) throw new FlagError(`${JSON.stringify(bad)} is not in the list of known controllers`);
  return listed;
}

const isKnownController = (name: string): boolean => controllers.some((controller) => controller.name === name);

/** Whether `--controllers` starts this one. Follows controller-manager/app/helper.go, v1.33. */
export function isControllerEnabled(listed: readonly string[], name: string): boolean {
  const word = listed.find((one) => one === name || one === `-${name}`);
  return word === undefined ? listed.includes('*') : word === name;
}

function plugins(flag: string, names: readonly string[]): readonly string[] {
  const bad = names.find((name) => !ADMISSION_PLUGINS.includes(name));
  if (bad !== undefined) throw new FlagError(`${flag} plugin ${JSON.stringify(bad)} is unknown`);
  return names;
}
