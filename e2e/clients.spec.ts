import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import {
  AppsV1Api,
  CoreV1Api,
  Exec,
  KubeConfig,
  Log,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  type V1NodeList,
  type V1Pod,
  type V1Status,
  Watch,
} from '@kubernetes/client-node';
import { expect, test } from '@playwright/test';
import { type Served, serve } from './serve.ts';

let served: Served;
let config: KubeConfig;
test.beforeAll(async () => {
  served = await serve('--workers', '1', '--no-control-plane-node', '--speed', '5');
  config = new KubeConfig();
  config.loadFromFile(served.kubeconfig);
});
test.afterAll(() => served?.stop());

const pod = (name: string): V1Pod => ({
  metadata: { name, labels: { app: name } },
  spec: { containers: [{ name: 'c', image: 'busybox', command: ['sh', '-c', 'echo started; sleep 1000'] }] },
});

async function running(core: CoreV1Api, name: string): Promise<void> {
  await expect
    .poll(async () => (await core.readNamespacedPod({ name, namespace: 'default' })).status?.phase, { timeout: 30_000 })
    .toBe('Running');
}

test('@kubernetes/client-node lists, patches, reads logs and executes', async () => {
  const core = config.makeApiClient(CoreV1Api);
  expect((await core.listNode()).items.map(({ metadata }) => metadata?.name)).toEqual(['node-1']);
  await core.createNamespacedPod({ namespace: 'default', body: pod('one') });
  const patched = await core.patchNamespacedPod(
    { name: 'one', namespace: 'default', body: { metadata: { labels: { more: 'yes' } } } },
    setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch),
  );
  expect(patched.metadata?.labels).toEqual({ app: 'one', more: 'yes' });
  await expect(core.readNamespacedPod({ name: 'none', namespace: 'default' })).rejects.toMatchObject({ code: 404 });
  await running(core, 'one');

  const logged = new PassThrough();
  let log = '';
  logged.on('data', (bytes: Buffer) => {
    log += bytes.toString();
  });
  await new Log(config).log('default', 'one', 'c', logged, { follow: false });
  await expect.poll(() => log).toBe('started\n');

  const stdout = new PassThrough();
  let said = '';
  stdout.on('data', (bytes: Buffer) => {
    said += bytes.toString();
  });
  const status = await new Promise<V1Status>((resolve, reject) => {
    new Exec(config)
      .exec('default', 'one', 'c', ['sh', '-c', 'hostname; exit 3'], stdout, null, null, false, resolve)
      .catch(reject);
  });
  expect([said, status.status, status.details?.causes?.[0]?.message]).toEqual(['one\n', 'Failure', '3']);
  await core.deleteNamespacedPod({ name: 'one', namespace: 'default', gracePeriodSeconds: 0 });
});

test('@kubernetes/client-node watches and informs', async () => {
  const core = config.makeApiClient(CoreV1Api);
  const events: string[] = [];
  const watch = await new Watch(config).watch(
    '/api/v1/namespaces/default/pods',
    { labelSelector: 'app=two' },
    (type, object: V1Pod) => events.push(`${type} ${object.metadata?.name}`),
    () => {},
  );
  const informer = makeInformer(config, '/api/v1/namespaces/default/pods', () =>
    core.listNamespacedPod({ namespace: 'default', labelSelector: 'app=two' }),
  );
  const informed: string[] = [];
  informer.on('add', ({ metadata }) => informed.push(`add ${metadata?.name}`));
  informer.on('delete', ({ metadata }) => informed.push(`delete ${metadata?.name}`));
  await informer.start();
  await core.createNamespacedPod({ namespace: 'default', body: pod('two') });
  await running(core, 'two');
  await core.deleteNamespacedPod({ name: 'two', namespace: 'default', gracePeriodSeconds: 0 });
  await expect.poll(() => events.at(-1), { timeout: 20_000 }).toBe('DELETED two');
  await expect.poll(() => informed.at(-1), { timeout: 20_000 }).toBe('delete two');
  expect([events[0], informed[0]]).toEqual(['ADDED two', 'add two']);
  await informer.stop();
  watch.abort();
});

test('@kubernetes/client-node works with apps', async () => {
  const apps = config.makeApiClient(AppsV1Api);
  const { spec } = pod('three');
  const labels = { app: 'three' };
  const deployment = await apps.createNamespacedDeployment({
    namespace: 'default',
    body: {
      metadata: { name: 'three' },
      spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    },
  });
  expect(deployment.spec?.replicas).toBe(1);
  await apps.deleteNamespacedDeployment({ name: 'three', namespace: 'default' });
});

test('curl is let in by its certificate, and is told what is wrong', () => {
  const user = config.getCurrentUser();
  const cluster = config.getCurrentCluster();
  const folder = mkdtempSync(path.join(tmpdir(), 'tabernetes-curl-'));
  const file = (name: string, base64: string | undefined): string => {
    const where = path.join(folder, name);
    writeFileSync(where, Buffer.from(base64 ?? '', 'base64'), { mode: 0o600 });
    return where;
  };
  const authority = file('ca.crt', cluster?.caData);
  const credentials = ['--cert', file('crt', user?.certData), '--key', file('key', user?.keyData)];
  const curl = (where: string, ...args: readonly string[]) =>
    spawnSync('curl', ['-sS', '--max-time', '20', '--cacert', authority, ...args, where], { encoding: 'utf8' });
  test.skip(curl(`${served.url}/version`).error !== undefined, 'SKIPPED: there is no curl on this machine');
  const ask = (where: string, ...args: readonly string[]) =>
    curl(`${served.url}${where}`, ...credentials, '-w', '\n%{http_code}', ...args).stdout;

  expect(ask('/version')).toMatch(/"gitVersion": "v1.33.0"[^]*\n200$/);
  expect(ask('/readyz?verbose')).toMatch(/\[\+\]etcd ok\n[^]*readyz check passed\n\n200$/);
  expect(ask('/nothing')).toBe('404 page not found\n\n404');
  expect(ask('/api/v1/pods', '-H', 'Accept: text/html')).toMatch(
    /only the following media types are accepted[^]*\n406$/,
  );
  expect(ask('/api/v1/pods', '-X', 'PUT')).toMatch(/does not allow this method[^]*\n405$/);
  const metrics = ask('/metrics');
  expect(metrics).toMatch(/^apiserver_request_total\{code="201",.*resource="pods".*verb="POST".*\} \d+$/m);
  expect(metrics).toMatch(/^apiserver_storage_objects\{resource="nodes"\} 1$/m);
  expect(ask('/openapi/v3/api/v1', '-H', 'Accept-Encoding: gzip', '-o', '/dev/null', '-D', '-')).toMatch(
    /content-encoding: gzip/i,
  );
  const plain = curl(served.url.replace('https', 'http'), '--http0.9').stdout;
  expect(plain).toContain('Client sent an HTTP request to an HTTPS server.');
  // Nobody else's authority is trusted.
  expect(spawnSync('curl', ['-sS', '--max-time', '20', `${served.url}/version`]).status).toBe(60);
});

test('bad flags get the usage, plain HTTP is to be had', async () => {
  const bad = spawnSync(process.execPath, ['tools/run.js', 'serve', '--nope'], { encoding: 'utf8' });
  expect([bad.status, bad.stderr.split('\n')[0]]).toEqual([1, 'error: unknown flag: --nope']);
  expect(bad.stderr).toContain('--service-cluster-ip-range');
  const bare = await serve('--insecure-http', '--no-kubelets', '--no-scheduler', '--node-names', 'a,b');
  try {
    const { items } = (await (await fetch(`${bare.url}/api/v1/nodes`)).json()) as V1NodeList;
    expect(items.map(({ metadata }) => metadata?.name)).toEqual(['a', 'b']);
    expect(bare.url).toMatch(/^http:/);
  } finally {
    bare.stop();
  }
  const tokened = await serve('--token', 'secret', '--no-kubelets');
  try {
    const out = execFileSync(
      process.execPath,
      ['tools/run.js', 'kubectl', 'get', 'namespace', 'default', '-o', 'name'],
      {
        encoding: 'utf8',
        env: { ...process.env, KUBECONFIG: tokened.kubeconfig },
      },
    );
    expect(out).toBe('namespace/default\n');
  } finally {
    tokened.stop();
  }
});
