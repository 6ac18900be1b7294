import { expect, test } from 'vitest';
import type { ConfigMap, DaemonSet, Deployment, EndpointSlice, Pod, Service } from '#api/generated/types.ts';
import { decodeUtf8 } from '#base/utf8.ts';
import { LiveCluster } from '#testing/live-cluster.ts';
import { readBody } from '#transport/http.ts';

const PODS = '/api/v1/namespaces/default/pods';
const SYSTEM_PODS = '/api/v1/namespaces/kube-system/pods';

/** A cluster in which three nginx run behind a Service. */
async function start() {
  const live = await new LiveCluster({ workers: 2, controlPlaneNode: true }).start();
  const labels = { app: 'web' };
  await live.send('POST', '/apis/apps/v1/namespaces/default/deployments', {
    metadata: { name: 'web' },
    spec: {
      replicas: 3,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'nginx', image: 'nginx' }] } },
    },
  });
  await live.send<Service>('POST', '/api/v1/namespaces/default/services', {
    metadata: { name: 'web' },
    spec: { type: 'LoadBalancer', selector: labels, ports: [{ port: 80 }] },
  });
  await live.run(40_000);
  const service = await live.send<Service>('GET', '/api/v1/namespaces/default/services/web');
  let boxes = 0;
  const text = async (path: string) =>
    decodeUtf8(
      await readBody(
        await live.until(
          live.cluster.http.handle({ method: 'GET', path, headers: { 'user-agent': 'kubectl/v1.33.0' } }),
        ),
      ),
    );
  return Object.assign(live, {
    service,
    pods: async (path: string, app: string) =>
      (await live.send<{ items: Pod[] }>('GET', `${path}?labelSelector=${encodeURIComponent(app)}`)).items,
    log: (path: string, name: string) => text(`${path}/${name}/log`),
    /** What a command prints in a busybox of its own, or on a node. */
    async box(command: string, spec: object = {}): Promise<string> {
      const name = `box-${++boxes}`;
      await live.send('POST', PODS, {
        metadata: { name },
        spec: {
          restartPolicy: 'Never',
          containers: [{ name: 'box', image: 'busybox', command: ['sh', '-c', command] }],
          ...spec,
        },
      });
      for (let i = 0; i < 90; i++) {
        await live.run(1000);
        const { status } = await live.send<Pod>('GET', `${PODS}/${name}`);
        if (status?.phase === 'Succeeded' || status?.phase === 'Failed') break;
      }
      return text(`${PODS}/${name}/log`);
    },
  });
}

test('a Service is reached by address, node port, load balancer and name, from Pods and nodes; it is balanced', async () => {
  const live = await start();
  const daemonSet = await live.send<DaemonSet>('GET', '/apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy');
  expect(daemonSet.status?.numberReady).toBe(3);
  const coredns = await live.send<Deployment>('GET', '/apis/apps/v1/namespaces/kube-system/deployments/coredns');
  expect(coredns.status?.readyReplicas).toBe(2);
  const { clusterIP, ports } = live.service.spec;
  const balancer = live.service.status?.loadBalancer?.ingress?.[0]?.ip;
  const asked = [
    `${clusterIP}`,
    `192.168.0.11:${ports?.[0]?.nodePort}`,
    `192.168.0.12:${ports?.[0]?.nodePort}`,
    `${balancer}`,
    'web',
    'web.default',
    'web.default.svc.cluster.local',
  ];
  const get = (url: string) => `wget -qO- -T 5 http://${url} | grep -o '<title>.*</title>'`;
  const title = '<title>Welcome to nginx!</title>\n';
  expect(await live.box(asked.map(get).join('; '))).toBe(title.repeat(asked.length));
  const fromNode = asked.slice(0, 4);
  expect(await live.box(fromNode.map(get).join('; '), { hostNetwork: true })).toBe(title.repeat(4));

  expect(await live.box("printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc kubernetes.default 443")).toContain(
    'Client sent an HTTP request to an HTTPS server.',
  );
  expect(await live.box('wget -qO- http://nobody.example.com; nslookup web.example.com 2>&1 | tail -n 2')).toBe(
    "wget: bad address 'nobody.example.com'\n** server can't find web.example.com: NXDOMAIN\n\n",
  );
  await live.box(
    'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do wget -qO- web; done',
  );
  const counts = [];
  for (const { metadata } of await live.pods(PODS, 'app=web')) {
    counts.push((await live.log(PODS, metadata.name ?? '')).split('\n').filter((line) => line.includes('GET')).length);
  }
  expect(counts.reduce((sum, count) => sum + count)).toBe(30 + asked.length + 4);
  expect(Math.min(...counts)).toBeGreaterThan(5);
});

test('without CoreDNS there are no names, without kube-proxy no new rules; both come back', async () => {
  const live = await start();
  const wget = (url: string) => `wget -qO- -T 5 http://${url} >/dev/null && echo ok`;
  await live.until(live.cluster.faults.set('coredns', 'stopped'));
  await live.run(60_000);
  expect(await live.box(wget('web'))).toBe("wget: bad address 'web'\n");
  expect(await live.box(wget(live.service.spec.clusterIP ?? ''))).toBe('ok\n');
  await live.until(live.cluster.faults.set('coredns', 'running'));
  await live.run(30_000);
  expect(await live.box(wget('web'))).toBe('ok\n');

  for (const node of ['node-1', 'node-2', 'control-plane'])
    await live.until(live.cluster.faults.set(`kube-proxies/${node}`, 'stopped'));
  await live.send('POST', '/api/v1/namespaces/default/services', {
    metadata: { name: 'late' },
    spec: { clusterIP: '10.96.7.7', selector: { app: 'web' }, ports: [{ port: 80 }] },
  });
  await live.run(5000);
  expect(await live.box(wget('10.96.7.7'))).toBe('wget: download timed out\n');
  expect(await live.box(wget('web'))).toBe('ok\n');
  // A Pod that is deleted is made anew, and its program catches up.
  for (const { metadata } of await live.pods(SYSTEM_PODS, 'k8s-app=kube-proxy'))
    await live.send('DELETE', `${SYSTEM_PODS}/${metadata.name}`);
  await live.run(60_000);
  expect(await live.box(wget('10.96.7.7'))).toBe('ok\n');
});

test('a component whose container dies is started again by the kubelet', async () => {
  const live = await start();
  const [dns] = await live.pods(SYSTEM_PODS, 'k8s-app=kube-dns');
  const name = dns?.metadata.name ?? '';
  await live.until(live.cluster.faults.set(`pods/kube-system/${name}`, 'crash'));
  await live.run(3000);
  await live.until(live.cluster.faults.set(`pods/kube-system/${name}`, 'running'));
  await live.run(60_000);
  const after = await live.send<Pod>('GET', `${SYSTEM_PODS}/${name}`);
  const [status] = after.status?.containerStatuses ?? [];
  expect([status?.ready, (status?.restartCount ?? 0) > 0]).toEqual([true, true]);
  expect(await live.log(SYSTEM_PODS, name)).toContain('CoreDNS-1.12.0');

  const path = '/api/v1/namespaces/kube-system/configmaps/coredns';
  const { data } = await live.send<ConfigMap>('GET', path);
  await live.send('PATCH', path, { data: { Corefile: data?.Corefile?.replace('errors', 'errors\n    log') } });
  await live.run(180_000);
  expect(await live.box('nslookup -type=a web.default.svc.cluster.local')).toContain('Address: ');
  const logs = [];
  for (const { metadata } of await live.pods(SYSTEM_PODS, 'k8s-app=kube-dns'))
    logs.push(await live.log(SYSTEM_PODS, metadata.name ?? ''));
  expect(logs.filter((log) => log.includes('[INFO] Reloading complete'))).toHaveLength(2);
  expect(logs.join('')).toContain('"A IN web.default.svc.cluster.local. udp 47 false 512" NOERROR qr,aa,rd');

  await live.until(live.cluster.faults.set(`pods/kube-system/${name}`, 'unready'));
  await live.run(40_000);
  const slices = await live.send<{ items: EndpointSlice[] }>(
    'GET',
    '/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices',
  );
  expect(slices.items[0]?.endpoints.filter(({ conditions }) => conditions?.ready)).toHaveLength(1);
  expect(slices.items[0]?.endpoints).toHaveLength(2);
});
