import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Deployment, DeploymentStatus, Pod } from '#api/generated/types.ts';

/**
 * Benchmarks. Each case runs in a process of its own, several times where it is short, and reports medians; machines are
 * noisy, so the output carries a fixed calibration loop: compare ratios to it.
 *
 *   npm run bench                      a table
 *   npm run --silent bench -- --json   one JSON object
 */
const CASE = process.env.BENCH_CASE;
const EPOCH = Date.UTC(2025, 0, 1);

interface PodsResult {
  readonly pods: number;
  readonly nodes: number;
  readonly wall_ms: number;
  readonly cpu_ms: number;
  readonly heap_mb: number;
}

const cpuMs = (since?: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
};
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] as number;
const round = (value: number, digits = 1): number => Number(value.toFixed(digits));

/** A loop of integer arithmetic whose cost depends on the machine alone, ms. */
function calibrate(): number {
  const started = performance.now();
  let x = 1;
  for (let i = 0; i < 200_000_000; i++) x = (Math.imul(x, 1664525) + 1013904223) | 0;
  const ms = performance.now() - started;
  return x === 42 ? Number.NaN : ms;
}

async function newCluster(workers: number) {
  const { Cluster } = await import('#cluster/cluster.ts');
  const { userland } = await import('#cri/userland.ts');
  const cluster = new Cluster({
    userland,
    seed: 1,
    epoch: EPOCH,
    workers,
    controlPlaneNode: false,
    latency: 'none',
    loadBalancer: false,
  });
  return cluster;
}

type BenchCluster = Awaited<ReturnType<typeof newCluster>>;

/** Runs until `done`, at most `ms` of virtual time. */
async function runUntil(cluster: BenchCluster, done: () => boolean, ms = 120_000): Promise<void> {
  const end = cluster.pump.now + ms;
  while (!done()) {
    const due = cluster.pump.hasReady ? cluster.pump.now : cluster.pump.nextDue();
    if (due === undefined || due > end) throw new Error('the cluster did not get there in time');
    await cluster.pump.run({ until: due, shouldYield: done });
  }
}

async function readyCluster(workers: number): Promise<BenchCluster> {
  const cluster = await newCluster(workers);
  let up = false;
  void cluster.whenReady().then(() => (up = true));
  await runUntil(cluster, () => up);
  return cluster;
}

/** A cluster that has come to rest: taints of the start are gone, what belongs to the cluster itself runs. */
async function restingCluster(workers: number): Promise<BenchCluster> {
  const cluster = await readyCluster(workers);
  await cluster.pump.run({ until: cluster.pump.now + 10_000 });
  return cluster;
}

/** Runs a task to its end. */
async function runTask(cluster: BenchCluster, name: string, run: () => Promise<unknown>): Promise<void> {
  let done = false;
  cluster.root.spawn(name, async () => {
    await run();
    done = true;
  });
  await runUntil(cluster, () => done);
}

async function bootCase(): Promise<unknown> {
  const started = performance.now();
  await import('#cluster/cluster.ts');
  const loaded = performance.now();
  await readyCluster(3);
  return { boot_ms: performance.now() - loaded, load_ms: loaded - started };
}

function podManifest(name: string) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels: { app: 'bench' } },
    spec: {
      containers: [
        {
          name: 'nginx',
          image: 'nginx',
          ports: [{ containerPort: 80 }],
          resources: { requests: { cpu: '10m', memory: '16Mi' } },
        },
      ],
    },
  };
}

/** Counts Pods that have become Ready, as a watch of its own tells. */
async function countReady(cluster: BenchCluster): Promise<ReadonlySet<string>> {
  const { pods } = await import('#api/core/v1/pod.ts');
  const ready = new Set<string>();
  const event = ({ object }: { readonly object: Pod }) => {
    const { conditions } = object.status ?? {};
    if (conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'))
      ready.add(object.metadata.name ?? '');
  };
  await runTask(cluster, 'watch', () =>
    cluster.adminClient().watch(pods, { namespace: 'default' }, { event, closed: () => {} }),
  );
  return ready;
}

/** Creates Pods, numbered from `from`, one request after the other. */
async function createPods(cluster: BenchCluster, from: number, to: number): Promise<void> {
  const { pods } = await import('#api/core/v1/pod.ts');
  const client = cluster.adminClient();
  cluster.root.spawn('create', async () => {
    for (let i = from; i < to; i++) await client.create(pods, podManifest(`pod-${i}`) as never);
  });
}

async function podsOn(nodes: number, count: number): Promise<PodsResult> {
  const cluster = await restingCluster(nodes);
  const ready = await countReady(cluster);
  globalThis.gc?.();
  const wall = performance.now();
  const cpu = process.cpuUsage();
  await createPods(cluster, 0, count);
  await runUntil(cluster, () => ready.size >= count);
  const result = { wall_ms: round(performance.now() - wall), cpu_ms: round(cpuMs(cpu)) };
  globalThis.gc?.();
  return { pods: count, nodes, ...result, heap_mb: round(process.memoryUsage().heapUsed / 2 ** 20) };
}

/** The run with the median of what `by` says. */
async function medianRun<T>(times: number, run: () => Promise<T>, by: (result: T) => number): Promise<T> {
  const results: T[] = [];
  while (results.length < times) results.push(await run());
  return results.sort((a, b) => by(a) - by(b))[times >> 1] as T;
}

/** 10, 100 and 1,000 Pods, each three times on clusters of their own, in one process: the first ones warm it up. */
async function podsCase(): Promise<unknown> {
  const pods: PodsResult[] = [];
  for (const count of [10, 100, 1_000]) {
    pods.push(
      await medianRun(
        3,
        () => podsOn(50, count),
        (result) => result.cpu_ms,
      ),
    );
  }
  return { pods };
}

/** What 500 Pods cost on an empty cluster, and 500 more after them. */
async function marginalCase(): Promise<unknown> {
  await podsOn(50, 100);
  const cluster = await restingCluster(50);
  const ready = await countReady(cluster);
  const batch = async (from: number, to: number) => {
    const cpu = process.cpuUsage();
    await createPods(cluster, from, to);
    await runUntil(cluster, () => ready.size >= to);
    return round(cpuMs(cpu));
  };
  return { first_500_cpu_ms: await batch(0, 500), last_500_cpu_ms: await batch(500, 1000) };
}

interface DeploymentResult {
  readonly pods: number;
  readonly nodes: number;
  readonly ready_cpu_ms: number;
  readonly rollout_cpu_ms: number;
  readonly to_zero_cpu_ms: number;
  readonly heap_mb: number;
}

/** A Deployment until all its Pods are Ready, rolled to another image, and taken down to nothing. */
async function deploymentOf(count: number, nodes: number): Promise<DeploymentResult> {
  const cluster = await restingCluster(nodes);
  const { deployments } = await import('#api/apps/v1/deployment.ts');
  const { pods } = await import('#api/core/v1/pod.ts');
  const client = cluster.adminClient();
  const key = { namespace: 'default', name: 'web' };
  let status: DeploymentStatus = {};
  let generation = 0;
  const left = new Set<string>();
  await runTask(cluster, 'watch', async () => {
    const { namespace } = key;
    const event = ({ object }: { readonly object: Deployment }) => {
      generation = object.metadata.generation ?? 0;
      status = object.status ?? {};
    };
    await client.watch(deployments, { namespace }, { event, closed: () => {} });
    const podEvent = ({ type, object }: { readonly type: string; readonly object: Pod }) => {
      if (type === 'DELETED') left.delete(object.metadata.name ?? '');
      else left.add(object.metadata.name ?? '');
    };
    await client.watch(pods, { namespace }, { event: podEvent, closed: () => {} });
  });
  const isComplete = () => {
    const { observedGeneration, replicas, updatedReplicas, availableReplicas } = status;
    return [
      observedGeneration === generation,
      ...[replicas, updatedReplicas, availableReplicas].map((n) => n === count),
    ].every(Boolean);
  };
  const cpuOf = async (act: () => Promise<unknown>, done: () => boolean): Promise<number> => {
    globalThis.gc?.();
    const cpu = process.cpuUsage();
    await runTask(cluster, 'act', act);
    await runUntil(cluster, done, 3_600_000);
    return round(cpuMs(cpu));
  };
  const { spec } = podManifest('web');
  const labels = { app: 'web' };
  const deployment = {
    metadata: key,
    spec: { replicas: count, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
  const setImage = { spec: { template: { spec: { containers: [{ name: 'nginx', image: 'nginx:1.27' }] } } } };
  const ready = await cpuOf(() => client.create(deployments, deployment as never), isComplete);
  globalThis.gc?.();
  const heap = round(process.memoryUsage().heapUsed / 2 ** 20);
  const rollout = await cpuOf(
    () => client.patch(deployments, key, 'application/strategic-merge-patch+json', setImage),
    isComplete,
  );
  const toZero = await cpuOf(
    () => client.patch(deployments, key, 'application/merge-patch+json', { spec: { replicas: 0 } }),
    () => left.size === 0,
  );
  return { pods: count, nodes, ready_cpu_ms: ready, rollout_cpu_ms: rollout, to_zero_cpu_ms: toZero, heap_mb: heap };
}

/** Each size on clusters of its own, all but the largest three times, in one process: the first ones warm it up. */
async function deploymentCase(): Promise<unknown> {
  const deployment: DeploymentResult[] = [];
  for (const count of [10, 100, 1_000, 5_000]) {
    const times = count <= 1_000 ? 3 : 1;
    deployment.push(
      await medianRun(
        times,
        () => deploymentOf(count, 250),
        (result) => result.ready_cpu_ms,
      ),
    );
  }
  return { deployment };
}

async function apiCase(): Promise<unknown> {
  const cluster = await readyCluster(0);
  const { configMaps } = await import('#api/core/v1/config-map.ts');
  const client = cluster.adminClient();
  const time = async (n: number, work: (i: number) => Promise<unknown>): Promise<number> => {
    const rounds: number[] = [];
    for (let round = 0; round < 7; round++) {
      const started = performance.now();
      let done = false;
      cluster.root.spawn('bench', async () => {
        for (let i = 0; i < n; i++) await work(round * n + i);
        done = true;
      });
      await runUntil(cluster, () => done);
      rounds.push(((performance.now() - started) * 1000) / n);
    }
    return median(rounds);
  };
  const object = (i: number) => ({ metadata: { name: `c-${i}`, namespace: 'default' }, data: { a: '1', b: '2' } });
  const create = await time(1000, (i) => client.create(configMaps, object(i) as never));
  const get = await time(1000, (i) => client.get(configMaps, { namespace: 'default', name: `c-${i % 7000}` }));
  const patch = await time(1000, (i) =>
    client.patch(configMaps, { namespace: 'default', name: `c-${i % 7000}` }, 'application/merge-patch+json', {
      data: { a: String(i) },
    }),
  );
  await runTask(cluster, 'clear', () => client.deleteCollection(configMaps, { namespace: 'default' }));
  await time(1000 / 7, (i) => client.create(configMaps, object(i) as never));
  const list = await time(20, () => client.list(configMaps, { namespace: 'default', limit: 0 }));
  return { create_us: round(create), get_us: round(get), list_1000_us: round(list), patch_us: round(patch) };
}

async function watchCase(): Promise<unknown> {
  const cluster = await readyCluster(0);
  const { configMaps } = await import('#api/core/v1/config-map.ts');
  const client = cluster.adminClient();
  let events = 0;
  for (let i = 0; i < 50; i++) {
    await runTask(cluster, 'watch', () =>
      client.watch(configMaps, { namespace: 'default' }, { event: () => void events++, closed: () => {} }),
    );
  }
  events = 0;
  const writes = 1000;
  const started = performance.now();
  cluster.root.spawn('create', async () => {
    for (let i = 0; i < writes; i++)
      await client.create(configMaps, {
        metadata: { name: `w-${i}`, namespace: 'default' },
        data: { a: String(i) },
      } as never);
  });
  await runUntil(cluster, () => events >= writes * 50);
  return { events_per_s_50: Math.round((events * 1000) / (performance.now() - started)) };
}

/** Serves for the HTTP case; prints its port, and its CPU on SIGUSR2. */
async function serverCase(): Promise<void> {
  const cluster = await newCluster(0);
  const { Driver } = await import('../driver.ts');
  const { Listener } = await import('./http-listener.ts');
  const { nodeWall } = await import('./wall.ts');
  const driver = new Driver(cluster.pump, nodeWall);
  cluster.beforeInput = () => driver.sync();
  await cluster.whenReady();
  const { port } = await Listener.open(cluster.http, 0);
  process.on('SIGUSR2', () => process.stdout.write(`cpu ${cpuMs()}\n`));
  process.stdout.write(`port ${port}\n`);
}

async function httpCase(): Promise<unknown> {
  const server = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    env: { ...process.env, BENCH_CASE: 'server' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  const waiting: ((line: string) => void)[] = [];
  server.stdout.setEncoding('utf8').on('data', (text: string) => {
    for (const line of text.trim().split('\n')) {
      const wake = waiting.shift();
      if (wake) wake(line);
      else lines.push(line);
    }
  });
  const next = () =>
    new Promise<string>((resolve) => (lines.length ? resolve(lines.shift() as string) : waiting.push(resolve)));
  try {
    const port = Number((await next()).split(' ')[1]);
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    const post = (i: number) =>
      new Promise<void>((resolve, reject) => {
        const body = JSON.stringify({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: `h-${i}` },
          data: { a: '1' },
        });
        const request = httpRequest(
          {
            port,
            host: '127.0.0.1',
            agent,
            method: 'POST',
            path: '/api/v1/namespaces/default/configmaps',
            headers: { 'content-type': 'application/json', 'content-length': body.length },
          },
          (response) => {
            response.resume().on('end', resolve);
            if (response.statusCode !== 201) reject(new Error(`create answered ${response.statusCode}`));
          },
        );
        request.on('error', reject);
        request.end(body);
      });
    const run = async (from: number, count: number) => {
      let i = from;
      await Promise.all(
        Array.from({ length: 8 }, async () => {
          while (i < from + count) await post(i++);
        }),
      );
    };
    await run(0, 500);
    server.kill('SIGUSR2');
    const before = Number((await next()).split(' ')[1]);
    const started = performance.now();
    await run(1000, 2000);
    const seconds = (performance.now() - started) / 1000;
    server.kill('SIGUSR2');
    const after = Number((await next()).split(' ')[1]);
    agent.destroy();
    return { create_per_s: Math.round(2000 / seconds), create_cpu_ms: round((after - before) / 2000, 3) };
  } finally {
    server.kill('SIGKILL');
  }
}

/**
 * Bytes of the built page, gzipped: the engine (the worker with what it imports), what users' containers are made of, and
 * all that loads before the first Pod can be Ready.
 */
function sizes(): unknown {
  const dist = 'dist';
  const files: string[] = [];
  const walk = (folder: string) => {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (statSync(path).isDirectory()) walk(path);
      else files.push(path);
    }
  };
  try {
    walk(dist);
  } catch {
    return { engine_gzip_kb: null, first_pod_gzip_kb: null };
  }
  const gzip = (path: string) => gzipSync(readFileSync(path)).length;
  /** A file and what it imports statically. */
  const closure = (start: readonly string[]): Set<string> => {
    const found = new Set(start);
    for (const path of found) {
      if (!path.endsWith('.js')) continue;
      const text = readFileSync(path, 'utf8');
      for (const match of text.matchAll(
        /(?:^|[;}\s])(?:import|export)\s*(?:[\w*{}\s,$]*?from\s*)?["'](\.[^"']+\.js)["']/g,
      ))
        found.add(join(path, '..', match[1] as string));
    }
    return found;
  };
  const sum = (paths: Iterable<string>) => [...paths].reduce((total, path) => total + gzip(path), 0);
  const worker = files.filter((path) => /worker-[^/]*\.js$/.test(path) && !/editor|yaml|json/.test(path));
  const html = readFileSync(join(dist, 'index.html'), 'utf8');
  const first = [...html.matchAll(/(?:src|href)="\.?\/?([^"]+\.(?:js|css))"/g)].map((match) =>
    join(dist, match[1] as string),
  );
  const engine = closure(worker);
  const page = closure(first);
  const userland = closure(files.filter((path) => /userland-[^/]*\.js$/.test(path)));
  const all = new Set([...engine, ...userland, ...page, join(dist, 'index.html')]);
  return {
    engine_gzip_kb: round(sum(engine) / 1024),
    userland_gzip_kb: round(sum([...userland].filter((path) => !engine.has(path))) / 1024),
    first_pod_gzip_kb: round(sum(all) / 1024),
  };
}

function runCase(name: string): Record<string, number> {
  const result = spawnSync(process.execPath, [...process.execArgv, '--expose-gc', ...process.argv.slice(1)], {
    env: { ...process.env, BENCH_CASE: name },
    encoding: 'utf8',
    maxBuffer: 1 << 24,
  });
  if (result.status !== 0) throw new Error(`the case ${name} failed:\n${result.stderr}`);
  return JSON.parse(result.stdout) as Record<string, number>;
}

/** The run with the median of what `by` says. */
function medianOf<T>(times: number, run: () => T, by: (result: T) => number): T {
  return Array.from({ length: times }, run).sort((a, b) => by(a) - by(b))[times >> 1] as T;
}

const medianCase = (name: string, times: number, key: string): Record<string, number> =>
  medianOf(
    times,
    () => runCase(name),
    (result) => result[key] as number,
  );

const CASES: Readonly<Record<string, () => unknown>> = {
  boot: bootCase,
  pods: podsCase,
  deployment: deploymentCase,
  marginal: marginalCase,
  api: apiCase,
  watch: watchCase,
  http: httpCase,
  server: serverCase,
};

async function main(): Promise<void> {
  if (CASE) {
    const result = await CASES[CASE]?.();
    if (CASE !== 'server') {
      process.stdout.write(`${JSON.stringify(result)}\n`);
      process.exit(0);
    }
    return;
  }
  const result = {
    machine: { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version },
    calibration_ms: round(median([calibrate(), calibrate(), calibrate()])),
    boot_ms: round(medianCase('boot', 5, 'boot_ms').boot_ms as number),
    pods: runCase('pods').pods as unknown as readonly PodsResult[],
    deployment: runCase('deployment').deployment as unknown as readonly DeploymentResult[],
    marginal: medianCase('marginal', 3, 'last_500_cpu_ms'),
    api: medianCase('api', 3, 'create_us'),
    http: medianCase('http', 3, 'create_cpu_ms'),
    watch: medianCase('watch', 3, 'events_per_s_50'),
    size: sizes(),
  };
  if (process.argv.includes('--json')) {
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  const lines = Object.entries(result).flatMap(([name, value]) =>
    Array.isArray(value)
      ? value.map((entry) => `${name.padEnd(16)}${JSON.stringify(entry)}`)
      : [`${name.padEnd(16)}${JSON.stringify(value)}`],
  );
  process.stdout.write(`${lines.join('\n')}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
});
