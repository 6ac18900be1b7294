import { describe, expect, test } from 'vitest';
import { decodeUtf8, encodeUtf8 } from '#base/utf8.ts';
import { httpExchange } from '#network/http.ts';
import { createMachine } from '#testing/machine.ts';
import type { ContainerConfig } from './contract.ts';

/** A container of an image at 10.244.1.2 (the first) and what tests do with it. */
async function start(image: string, config: Partial<ContainerConfig> = {}, machine = createMachine()) {
  const { runtime, run } = machine;
  const id = await run(() => machine.startContainer(image, config));
  const pod = runtime.listPodSandboxes()[0]?.address ?? '';
  return {
    machine,
    id,
    pod,
    log: () => machine.logOf(id),
    get: (port: number, path: string, { method = 'GET', body = '', ms = 0 } = {}) =>
      run(async () => {
        const {
          status,
          headers,
          body: bytes,
        } = await httpExchange(
          machine.root,
          machine.host,
          { address: pod, port },
          { path, method, headers: { 'User-Agent': 'test' }, body: encodeUtf8(body) },
        );
        return { status, headers, text: decodeUtf8(bytes) };
      }, ms),
    sh: (script: string, ms = 0) =>
      run(async () => {
        const { stdout, stderr, exitCode } = await runtime.execSync(id, ['sh', '-c', script]);
        return { out: decodeUtf8(stdout) + decodeUtf8(stderr), exitCode };
      }, ms),
    stop: async (graceMs = 30_000) => {
      await run(() => runtime.stopContainer(id, graceMs), graceMs);
      return runtime.containerStatus(id)?.exitCode;
    },
    status: () => runtime.containerStatus(id),
    wait: (ms: number) => run(async () => {}, ms),
  };
}

test('alpine: a shell, and no repository for packages', async () => {
  const { sh } = await start('alpine:3.20', { command: ['sleep', '1000'] });
  expect((await sh('cat /etc/alpine-release')).out).toBe('3.22.2\n');
  const { out, exitCode } = await sh('apk add --no-cache curl');
  expect(exitCode).toBe(1);
  expect(out).toContain('ERROR: unable to select packages:\n  curl (no such package):\n    required by: world[curl]\n');
  expect(out).toContain('there is no network beyond this cluster');
});

describe('curlimages/curl', () => {
  const cases: [string, Partial<ContainerConfig>, string, number][] = [
    ["arguments are curl's", { args: ['-s', '10.244.1.2:5678'] }, 'hello-world\n', 0],
    ['a URL', { args: ['http://10.244.1.2:5678/', '--no-progress-meter'] }, 'hello-world\n', 0],
    ['a command', { args: ['sh', '-c', 'id -un'] }, 'curl_user\n', 0],
    ['nothing', {}, "curl: try 'curl --help' or 'curl --manual' for more information\n", 2],
  ];
  for (const [name, config, out, exitCode] of cases) {
    test(name, async () => {
      const { machine } = await start('hashicorp/http-echo');
      const { log, status } = await start('curlimages/curl', config, machine);
      expect(log()).toBe(out);
      expect(status()).toMatchObject({ state: 'Exited', exitCode });
    });
  }
});

test('http-echo: one text, a log line for each request, 2 when told to end', async () => {
  const echo = await start('hashicorp/http-echo:1.0', { args: ['-text=hi there', '-listen=:80'] });
  expect(await echo.get(80, '/any?x')).toMatchObject({
    status: 200,
    text: 'hi there\n',
    headers: { 'x-app-name': 'http-echo' },
  });
  expect(await echo.get(80, '/health')).toMatchObject({ text: '{"status":"ok"}\n' });
  expect(await echo.stop()).toBe(2);
  expect(echo.log()).toBe(
    '2025/11/22 12:00:00 [INFO] server is listening on :80\n2025/11/22 12:00:00 10.244.1.2 192.168.0.11:32768 "GET /any HTTP/1.1" 200 9 "test" 10.2µs\n2025/11/22 12:00:00 [INFO] received interrupt, shutting down...\n',
  );
  const bad = await start('hashicorp/http-echo', { args: ['-nope'] });
  expect([bad.status()?.exitCode, bad.log().split('\n')[0]]).toEqual([2, 'flag provided but not defined: -nope']);
});

test('whoami: who answers and what was asked', async () => {
  const who = await start('traefik/whoami:v1.11', { env: [['WHOAMI_NAME', 'one']] });
  expect((await who.get(80, '/x?wait=2s', { ms: 2000 })).text).toBe(
    'Name: one\nHostname: pod-1\nIP: 127.0.0.1\nIP: 10.244.1.2\nRemoteAddr: 192.168.0.11:32768\nGET /x?wait=2s HTTP/1.1\r\nHost: 10.244.1.2\r\nUser-Agent: test\r\nConnection: close\r\n\r\n',
  );
  expect(JSON.parse((await who.get(80, '/api')).text)).toMatchObject({
    hostname: 'pod-1',
    ip: ['127.0.0.1', '10.244.1.2'],
    url: '/api',
  });
  await who.get(80, '/health', { method: 'POST', body: '503' });
  expect((await who.get(80, '/health')).status).toBe(503);
  expect(await who.stop()).toBe(2);
});

test('agnhost: netexec, connect, pause', async () => {
  const net = await start('registry.k8s.io/e2e-test-images/agnhost:2.53', { args: ['netexec', '--http-port=80'] });
  const { pod } = net;
  expect(await net.get(80, '/hostname')).toMatchObject({ status: 200, text: 'pod-1' });
  expect(await net.get(80, '/echo?msg=a+b%21&code=418')).toMatchObject({ status: 418, text: 'a b!' });
  expect((await net.get(80, '/clientip')).text).toMatch(/^192\.168\.0\.11:\d+$/);
  expect((await net.get(80, '/')).text).toMatch(/^NOW: 2025-11-22 12:00:\d\d \+0000 UTC m=\+\d+\.0{9}$/);
  expect(await net.get(80, '/readyz')).toMatchObject({ status: 200, text: 'ok' });
  expect(await net.sh(`/agnhost connect ${pod}:80 --timeout=1s`)).toEqual({ out: '', exitCode: 0 });
  expect(await net.sh(`/agnhost connect --timeout=1s ${pod}:81`)).toEqual({ out: 'REFUSED\n', exitCode: 1 });
  expect(await net.sh('/agnhost connect --timeout 1s 10.9.9.9:80', 2000)).toEqual({ out: 'TIMEOUT\n', exitCode: 1 });
  expect(await net.sh(`echo hostname | nc -u -w 1 ${pod} 8081`, 2000)).toEqual({ out: 'pod-1', exitCode: 0 });
  expect(net.log()).toContain(
    '2025/11/22 12:00:00 Started HTTP server on port 80\n2025/11/22 12:00:00 GET /hostname\n',
  );
  expect(await net.stop()).toBe(0);
  const paused = await start('registry.k8s.io/e2e-test-images/agnhost:2.39');
  expect(paused.log()).toBe('Paused\n');
  expect(await paused.stop()).toBe(2);
});

test('httpd: its page, its logs, graceful end', async () => {
  const web = await start('httpd:2.4-alpine');
  expect(await web.get(80, '/')).toMatchObject({
    status: 200,
    text: '<html><body><h1>It works!</h1></body></html>\n',
    headers: { server: 'Apache/2.4.62 (Unix)', 'content-type': 'text/html' },
  });
  expect((await web.get(80, '/nope')).text).toContain('<p>The requested URL was not found on this server.</p>');
  expect(await web.get(80, '/', { method: 'PUT' })).toMatchObject({ status: 405 });
  await web.sh('mkdir htdocs/d && touch htdocs/d/x && rm htdocs/index.html');
  expect(await web.get(80, '/d')).toMatchObject({ status: 301, headers: { location: 'http://10.244.1.2/d/' } });
  expect((await web.get(80, '/d/')).text).toContain('<title>Index of /d</title>');
  expect(await web.stop()).toBe(0);
  const name =
    "AH00558: httpd: Could not reliably determine the server's fully qualified domain name, using 10.244.1.2. Set the 'ServerName' directive globally to suppress this message\n";
  const head = '[Sat Nov 22 12:00:00.000000 2025]';
  const access = (request: string, rest: string) =>
    `192.168.0.11 - - [22/Nov/2025:12:00:00 +0000] "${request} HTTP/1.1" ${rest}\n`;
  expect(web.log()).toBe(
    [
      name,
      name,
      `${head} [mpm_event:notice] [pid 1:tid 1] AH00489: Apache/2.4.62 (Unix) configured -- resuming normal operations\n`,
      `${head} [core:notice] [pid 1:tid 1] AH00094: Command line: 'httpd -D FOREGROUND'\n`,
      access('GET /', '200 45'),
      access('GET /nope', '404 196'),
      access('PUT /', '405 220'),
      access('GET /d', '301 228'),
      access('GET /d/', '200 191'),
      `${head} [mpm_event:notice] [pid 1:tid 1] AH00492: caught SIGWINCH, shutting down gracefully\n`,
    ].join(''),
  );
});

describe('hey', () => {
  async function load(args: string[], ms: number, fault?: 'slow' | 'hang') {
    const { machine, id } = await start('httpd');
    if (fault) machine.runtime.setPodFault('pod-1', fault);
    const hey = await start('williamyeh/hey', { args }, machine);
    await hey.wait(ms);
    const served = machine
      .logOf(id)
      .split('\n')
      .filter((line) => line.includes('"GET / ')).length;
    return { out: hey.log(), served, exitCode: hey.status()?.exitCode };
  }

  test('so many requests, slowly', async () => {
    const { out, served, exitCode } = await load(['-n', '6', '-c', '2', 'http://10.244.1.2/'], 20_000, 'slow');
    expect([served, exitCode]).toEqual([6, 0]);
    expect(out).toBe(`
Summary:
  Total:	15.0000 secs
  Slowest:	5.0000 secs
  Fastest:	5.0000 secs
  Average:	5.0000 secs
  Requests/sec:	0.4000
  
  Total data:	270 bytes
  Size/request:	45 bytes

Response time histogram:
  5.000 [6]	|${'■'.repeat(40)}
${'  5.000 [0]\t|\n'.repeat(10)}

Latency distribution:
  10% in 5.0000 secs
  25% in 5.0000 secs
  50% in 5.0000 secs
  75% in 5.0000 secs
  0% in 0.0000 secs
  0% in 0.0000 secs
  0% in 0.0000 secs

Details (average, fastest, slowest):
  DNS+dialup:	0.0000 secs, 0.0000 secs, 0.0000 secs
  DNS-lookup:	0.0000 secs, 0.0000 secs, 0.0000 secs
  req write:	0.0000 secs, 0.0000 secs, 0.0000 secs
  resp wait:	5.0000 secs, 5.0000 secs, 5.0000 secs
  resp read:	0.0000 secs, 0.0000 secs, 0.0000 secs

Status code distribution:
  [200]	6 responses



`);
  });

  test('for so long, so many a second', async () => {
    const { out, served } = await load(['-z', '5s', '-c', '2', '-q', '10', 'http://10.244.1.2'], 6000);
    expect([served, /Requests\/sec:\t(\d+)/.exec(out)?.[1]]).toEqual([100, '20']);
  });

  test('what goes wrong', async () => {
    expect((await load(['-n', '4', '-c', '2', 'http://10.244.1.2:81/'], 1000)).out).toContain(
      'Error distribution:\n  [4]\tGet "http://10.244.1.2:81/": dial tcp 10.244.1.2:81: connect: connection refused\n',
    );
    expect((await load(['-n', '1', '-c', '1', '-t', '2', 'http://10.244.1.2/'], 3000, 'hang')).out).toContain(
      '[1]\tGet "http://10.244.1.2/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)\n',
    );
    expect(await load(['-n', '1', 'http://10.244.1.2/'], 0)).toMatchObject({ exitCode: 1 });
  });

  test('a loop of wget does as well', async () => {
    const { machine, id } = await start('httpd');
    const script = 'while true; do wget -q -O- http://10.244.1.2; sleep 0.5; done';
    const loop = await start('busybox', { command: ['sh', '-c', script] }, machine);
    await loop.wait(9900);
    expect(machine.logOf(id).split('"GET / ').length - 1).toBe(20);
    expect(loop.log()).toBe('<html><body><h1>It works!</h1></body></html>\n'.repeat(20));
  });
});
