import { Cluster } from '#cluster/cluster.ts';
import { userland } from '#cri/userland.ts';
import { type HttpResponse, readBody } from '#transport/http.ts';

/** How a run of the scenario differs from the plain one; its digest must not. */
export interface Variant {
  /** Hops to the host after every turn. */
  readonly strictHop?: () => Promise<void>;
  /** The pump is stopped after so many turns again and again, as by a debugger. */
  readonly turnsAtATime?: number;
  /** Watches and lists from outside, as a page has them. */
  readonly observers?: boolean;
}

const EPOCH = Date.UTC(2025, 0, 1);

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

function pod(name: string, image: string, command?: readonly string[]) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name } },
    spec: { containers: [{ name: 'main', image, ...(command ? { command } : {}) }], terminationGracePeriodSeconds: 5 },
  };
}

const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const deployment = {
  metadata: { name: 'front' },
  spec: {
    replicas: 5,
    selector: { matchLabels: { app: 'front' } },
    template: { metadata: { labels: { app: 'front' } }, spec: { containers: [{ name: 'main', image: 'nginx:1.26' }] } },
  },
};
const nextImage = { spec: { template: { spec: { containers: [{ name: 'main', image: 'nginx:1.27' }] } } } };

const POD_PATH = '/api/v1/namespaces/default/pods';

/** What is asked from outside, at which second of virtual time: requests, and faults (FAULT, the target, the state). */
const INPUTS: readonly (readonly [second: number, method: string, path: string, body?: unknown])[] = [
  [20, 'POST', POD_PATH, pod('web', 'nginx')],
  [20, 'POST', POD_PATH, pod('shell', 'busybox', ['sh', '-c', 'for i in 1 2 3; do echo $i; sleep 1; done; exit 1'])],
  [21, 'POST', POD_PATH, pod('typo', 'ngnix')],
  [
    22,
    'POST',
    POD_PATH,
    { ...pod('far', 'nginx'), spec: { ...pod('far', 'nginx').spec, nodeSelector: { disk: 'ssd' } } },
  ],
  [23, 'POST', DEPLOYMENTS, deployment],
  [30, 'PATCH', `${POD_PATH}/web`, { metadata: { labels: { tier: 'front' } } }],
  [31, 'POST', '/api/v1/namespaces', { metadata: { name: 'team' } }],
  [38, 'PATCH', `${DEPLOYMENTS}/front`, nextImage],
  [40, 'DELETE', `${POD_PATH}/web`],
  [42, 'PATCH', `${DEPLOYMENTS}/front/scale`, { spec: { replicas: 2 } }],
  [45, 'DELETE', '/api/v1/namespaces/team'],
  [50, 'FAULT', 'kube-scheduler', 'stopped'],
  [50, 'FAULT', 'nodes/node-1', 'unplugged'],
  [51, 'PATCH', `${DEPLOYMENTS}/front/scale`, { spec: { replicas: 4 } }],
  [55, 'FAULT', 'kube-scheduler', 'running'],
  [60, 'FAULT', 'etcd', 'stopped'],
  [62, 'FAULT', 'etcd', 'running'],
  [65, 'FAULT', 'kube-apiserver', 'stopped'],
  [66, 'POST', POD_PATH, pod('refused', 'nginx')],
  [70, 'FAULT', 'kube-apiserver', 'running'],
  [72, 'FAULT', 'kubelets/node-2', 'stopped'],
  [75, 'FAULT', 'kube-controller-manager', 'stopped'],
  [76, 'FAULT', 'kube-controller-manager', 'running'],
  [80, 'FAULT', 'nodes/node-2', 'off'],
  [90, 'FAULT', 'nodes/node-2', 'running'],
  [95, 'FAULT', 'nodes/node-1', 'running'],
  [100, 'FAULT', 'pods/default/shell', 'hang'],
];

/** Runs a cluster through three minutes of virtual time and returns the digest of all that happened. */
export async function runScenario(variant: Variant = {}): Promise<ReturnType<Cluster['digest']>> {
  const cluster = new Cluster({
    userland,
    seed: 7,
    epoch: EPOCH,
    workers: 2,
    controlPlaneNode: true,
    latency: 'realistic',
    loadBalancer: true,
    logTurns: true,
    ...(variant.strictHop ? { strictHop: variant.strictHop } : {}),
  });
  const { pump } = cluster;
  const runTo = async (second: number) => {
    const until = EPOCH + second * 1000;
    for (;;) {
      const ran = await pump.run({ until, ...(variant.turnsAtATime ? { maxTurns: variant.turnsAtATime } : {}) });
      if (variant.observers) observe(cluster).catch(ignore);
      if (!variant.turnsAtATime || ran < variant.turnsAtATime) return;
    }
  };
  if (variant.observers) watchAll(cluster);
  for (const [second, method, path, body] of INPUTS) {
    await runTo(second);
    if (method === 'FAULT') {
      cluster.faults.set(path, body as string).catch(ignore);
      continue;
    }
    const answer = cluster.http.handle({
      method,
      path,
      headers: {
        'user-agent': 'kubectl/v1.33.0',
        'content-type': method === 'PATCH' ? 'application/strategic-merge-patch+json' : 'application/json',
      },
      ...(body ? { body: encode(body) } : {}),
    });
    answer.catch(ignore);
  }
  await runTo(180);
  return cluster.digest();
}

/** What is refused is part of the scenario. */
const ignore = () => {};

async function observe(cluster: Cluster): Promise<void> {
  const response = await cluster.http.handle({ method: 'GET', path: '/api/v1/pods', headers: {} });
  await readBody(response);
}

function watchAll(cluster: Cluster): void {
  for (const resource of ['pods', 'nodes', 'events', 'configmaps']) {
    void cluster.http
      .handle({ method: 'GET', path: `/api/v1/${resource}?watch=1`, headers: {} })
      .then((response: HttpResponse) => {
        if (!(response.body instanceof Uint8Array)) {
          response.body.start(
            () => {},
            () => {},
          );
        }
      });
  }
}
