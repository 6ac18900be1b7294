import { describe, expect, test } from 'vitest';
import { decodeUtf8, encodeUtf8 } from '#base/utf8.ts';
import { httpExchange } from '#network/http.ts';
import { createMachine } from '#testing/machine.ts';
import { imageFile, newDirectory, newFile } from './os/file-node.ts';
import { parseReference, ReferenceError } from './reference.ts';
import { isOneTypoAway } from './registry.ts';
import { fullRegistry } from './userland.ts';

describe('names of images', () => {
  const cases: [string, string][] = [
    ['nginx', 'docker.io/library/nginx'],
    ['nginx:1.27', 'docker.io/library/nginx 1.27'],
    ['me/app', 'docker.io/me/app'],
    ['registry.k8s.io/pause:3.10', 'registry.k8s.io/pause 3.10'],
    ['localhost:5000/a/b', 'localhost:5000/a/b'],
    ['localhost/a', 'localhost/a'],
    ['Nginx', 'invalid reference format: repository name (library/Nginx) must be lowercase'],
    ['nginx:', 'invalid reference format'],
    ['a b', 'invalid reference format'],
    ['', 'invalid reference format'],
    ['nginx@sha256:abc', 'invalid reference format'],
  ];
  for (const [name, expected] of cases) {
    test(name, () => {
      let found: string;
      try {
        const { repository, tag } = parseReference(name);
        found = tag ? `${repository} ${tag}` : repository;
      } catch (error) {
        if (!(error instanceof ReferenceError)) throw error;
        found = error.message;
      }
      expect(found).toBe(expected);
    });
  }

  test('one typo away', () => {
    expect(
      ['ngnix', 'nginxx', 'ngin', 'mginx', 'nginx', 'ngxin', 'gninxx', 'httpd'].filter((name) =>
        isOneTypoAway('nginx', name),
      ),
    ).toEqual(['ngnix', 'nginxx', 'ngin', 'mginx']);
  });
});

describe('what the registry answers', () => {
  const cases: [string, string][] = [
    ['nginx', 'docker.io/library/nginx:latest'],
    ['nginx:1.14.2', 'docker.io/library/nginx:1.14.2'],
    ['nginx:alpine', 'docker.io/library/nginx:alpine'],
    ['nginx:1.27-alpine', 'docker.io/library/nginx:1.27-alpine'],
    ['busybox:1.28', 'docker.io/library/busybox:1.28'],
    ['ghcr.io/me/app:v3', 'ghcr.io/me/app:v3'],
    [
      'nginx:1.161',
      'rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.161": failed to resolve reference "docker.io/library/nginx:1.161": docker.io/library/nginx:1.161: not found',
    ],
    [
      'ngnix',
      'rpc error: code = Unknown desc = failed to pull and unpack image "docker.io/library/ngnix:latest": failed to resolve reference "docker.io/library/ngnix:latest": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed',
    ],
    [
      'x.invalid/app',
      'rpc error: code = Unknown desc = failed to pull and unpack image "x.invalid/app:latest": failed to resolve reference "x.invalid/app:latest": failed to do request: Head "https://x.invalid/v2/app/manifests/latest": dial tcp: lookup x.invalid: no such host',
    ],
  ];
  for (const [name, expected] of cases) {
    test(name, () => {
      let found: string;
      try {
        found = fullRegistry().resolve(name).name;
      } catch (error) {
        found = (error as Error).message;
      }
      expect(found).toBe(expected);
    });
  }
});

test('nginx serves its files, logs, and ends on its stop signal', async () => {
  const machine = createMachine();
  const { runtime, run, host } = machine;
  const id = await run(() => machine.startContainer('nginx'));
  const get = (path: string) =>
    run(() =>
      httpExchange(
        machine.root,
        host,
        { address: '10.244.1.2', port: 80 },
        { path, headers: { 'User-Agent': 'test' } },
      ),
    );
  const page = await get('/');
  expect(page.status).toBe(200);
  expect(page.headers).toMatchObject({ server: 'nginx/1.29.3', 'content-type': 'text/html', 'content-length': '615' });
  expect(decodeUtf8(page.body)).toContain('<h1>Welcome to nginx!</h1>');
  expect((await get('/nope')).status).toBe(404);
  await run(() => runtime.execSync(id, ['sh', '-c', 'echo changed > /usr/share/nginx/html/index.html']));
  expect(decodeUtf8((await get('/index.html')).body)).toBe('changed\n');
  expect(machine.logOf(id).split('\n').slice(-4, -1)).toEqual([
    '2025/11/22 12:00:00 [error] 29#29: *1 open() "/usr/share/nginx/html/nope" failed (2: No such file or directory), client: 192.168.0.11, server: localhost, request: "GET /nope HTTP/1.1", host: "10.244.1.2"',
    '192.168.0.11 - - [22/Nov/2025:12:00:00 +0000] "GET /nope HTTP/1.1" 404 153 "-" "test" "-"',
    '192.168.0.11 - - [22/Nov/2025:12:00:00 +0000] "GET /index.html HTTP/1.1" 200 8 "-" "test" "-"',
  ]);
  expect(machine.logOf(id)).toMatch(/^\/docker-entrypoint\.sh: \/docker-entrypoint\.d\/ is not empty/);
  await run(() => runtime.stopContainer(id, 30_000));
  expect(runtime.containerStatus(id)).toMatchObject({ state: 'Exited', exitCode: 0, reason: 'Completed' });
});

test('curl in one Pod reaches nginx in another; changes stay in their own container', async () => {
  const machine = createMachine();
  await machine.run(() => machine.startContainer('nginx'));
  const second = await machine.run(() => machine.startContainer('nginx'));
  await machine.run(() => machine.runtime.execSync(second, ['rm', '/usr/share/nginx/html/index.html']));
  const exec = async (...command: string[]) =>
    decodeUtf8((await machine.run(() => machine.runtime.execSync(second, command))).stdout);
  expect(await exec('curl', '-s', 'http://10.244.1.2')).toContain('Welcome to nginx!');
  expect(await exec('curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', 'localhost:80')).toBe('403');
});

describe('how containers end', () => {
  const cases: [string, string[], number, number, object][] = [
    ['sleep as PID 1 does not hear SIGTERM', ['sleep', '3600'], 30_000, 30, { exitCode: 137, reason: 'Error' }],
    ['so does a shell that sleeps', ['sh', '-c', 'sleep 3600; true'], 5_000, 5, { exitCode: 137, reason: 'Error' }],
    [
      'a trap is heard',
      ['sh', '-c', 'trap "exit 3" TERM; sleep 3600 & wait'],
      30_000,
      0,
      { exitCode: 3, reason: 'Error' },
    ],
    [
      'grace 0 is SIGKILL',
      ['sh', '-c', 'trap "exit 3" TERM; sleep 3600 & wait'],
      0,
      0,
      { exitCode: 137, reason: 'Error' },
    ],
  ];
  for (const [name, command, graceMs, seconds, expected] of cases) {
    test(name, async () => {
      const machine = createMachine();
      const id = await machine.run(() => machine.startContainer('busybox', { command }));
      await machine.run(async () => {}, 1000);
      const start = machine.pump.now;
      let ended = 0;
      await machine.run(async () => {
        await machine.runtime.stopContainer(id, graceMs);
        ended = machine.pump.now;
      }, 60_000);
      expect(machine.runtime.containerStatus(id)).toMatchObject({ state: 'Exited', ...expected });
      expect((ended - start) / 1000).toBe(seconds);
    });
  }

  test('what cannot be executed', async () => {
    const machine = createMachine();
    const failure =
      'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "foo": executable file not found in $PATH: unknown';
    await expect(machine.run(() => machine.startContainer('busybox', { command: ['foo'] }))).rejects.toThrow(
      `rpc error: code = Unknown desc = ${failure}`,
    );
    const [sandbox] = machine.runtime.listPodSandboxes();
    expect(machine.runtime.listContainers(sandbox?.id ?? '')).toMatchObject([
      { state: 'Exited', exitCode: 128, reason: 'StartError', message: failure, startedAt: 0 },
    ]);
  });
});

test('an image that is not emulated runs, says so, and answers on its ports', async () => {
  const machine = createMachine();
  const id = await machine.run(() =>
    machine.startContainer('example.com/shop/cart:v2', { command: ['/cart', '--verbose'], ports: [8080] }),
  );
  expect(machine.logOf(id)).toBe(
    'The image example.com/shop/cart:v2 is not emulated: this is a plain process that runs until it is stopped and answers HTTP on port 8080.\n',
  );
  const answer = await machine.run(() =>
    httpExchange(machine.root, machine.host, { address: '10.244.1.2', port: 8080 }, { path: '/' }),
  );
  expect(answer.status).toBe(200);
  await machine.run(() => machine.runtime.stopContainer(id, 1000));
  expect(machine.runtime.containerStatus(id)).toMatchObject({ exitCode: 0 });
});

describe('exec', () => {
  async function open(tty: boolean, command = ['sh']) {
    const machine = createMachine();
    const id = await machine.run(() => machine.startContainer('busybox', { command: ['sleep', '1000'] }));
    let out = '';
    let exit: number | undefined;
    const session = await machine.run(() =>
      machine.runtime.exec(
        id,
        { command, stdin: true, tty },
        {
          write: (_, bytes) => {
            out += decodeUtf8(bytes);
          },
          exited: (code) => {
            exit = code;
          },
        },
      ),
    );
    const type = async (text: string, ms = 0) => {
      machine.root.post('type', () => session.write(encodeUtf8(text)));
      await machine.pump.run({ until: machine.pump.now + ms });
      const shown = out;
      out = '';
      return shown;
    };
    return { machine, session, type, exit: () => exit };
  }

  test('a shell on a terminal: prompt, editing, history, ^C, ^D', async () => {
    const { type, exit } = await open(true);
    const plain = (text: string) => text.replace(new RegExp(`${String.fromCharCode(27)}\\[\\d*[A-Z]`, 'g'), '');
    expect(await type('')).toBe('/ # ');
    expect(plain(await type('echo hellp\x7fo\r'))).toMatch(/\r\nhello\r\n\/ # $/);
    expect(plain(await type('cd /tm\t\r'))).toMatch(/\r\n\/tmp # $/);
    expect(plain(await type('\x1b[A\x1b[A\r'))).toMatch(/\r\nhello\r\n\/tmp # $/);
    await type('sleep 100\r', 1000);
    expect(await type('\x03')).toBe('^C\r\n/tmp # ');
    expect(plain(await type('echo $?\r'))).toMatch(/130\r\n\/tmp # $/);
    expect(await type('if true; then\r')).toMatch(/> $/);
    expect(plain(await type('echo in; fi\r'))).toMatch(/in\r\n\/tmp # $/);
    expect(plain(await type('nope\r'))).toMatch(/sh: nope: not found\r\n/);
    expect(exit()).toBeUndefined();
    await type('\x04');
    expect(exit()).toBe(127);
  });

  test('a shell on a pipe runs lines as they come', async () => {
    const { type, machine, session, exit } = await open(false);
    expect(await type('echo a; x=5\necho $x\n')).toBe('a\n5\n');
    machine.root.post('close', () => session.closeInput());
    await machine.pump.run({ until: machine.pump.now });
    expect(exit()).toBe(0);
  });

  test('cat on a terminal echoes twice and ends with ^D', async () => {
    const { type, exit } = await open(true, ['cat']);
    expect(await type('hi\r')).toBe('hi\r\nhi\r\n');
    await type('\x04');
    expect(exit()).toBe(0);
  });

  test('what is not there', async () => {
    await expect(open(false, ['foo'])).rejects.toThrow(
      /OCI runtime exec failed: exec failed: unable to start container process: exec: "foo": executable file not found in \$PATH: unknown$/,
    );
  });
});

test('volumes are shared, read-only ones refuse, users are respected', async () => {
  const machine = createMachine();
  const volume = newDirectory({}, 0);
  const config = newDirectory({}, 0);
  config.entries.set('key', newFile(config.owner, encodeUtf8('value\n'), 0));
  const mounts = [
    { path: '/data', node: () => volume, readOnly: false },
    { path: '/etc/config', node: () => config, readOnly: true },
    { path: '/etc/hosts', node: () => imageFile(encodeUtf8('127.0.0.1 localhost me\n')), readOnly: false },
  ];
  const first = await machine.run(() => machine.startContainer('busybox', { command: ['sleep', '1000'], mounts }));
  const second = await machine.run(() =>
    machine.startContainer('busybox', {
      command: ['sleep', '1000'],
      mounts,
      user: { uid: 1000, groups: [] },
      readOnlyRoot: true,
    }),
  );
  const sh = async (id: string, script: string) => {
    const { stdout, stderr, exitCode } = await machine.run(() => machine.runtime.execSync(id, ['sh', '-c', script]));
    return `${decodeUtf8(stdout)}${decodeUtf8(stderr)}${exitCode}`;
  };
  expect(await sh(first, 'echo hello > /data/x; cat /etc/config/key; ls /etc/config; cat /etc/hosts')).toBe(
    'value\nkey\n127.0.0.1 localhost me\n0',
  );
  expect(await sh(second, 'cat /data/x; id -u')).toBe('hello\n1000\n0');
  expect(await sh(second, 'echo no > /data/y')).toBe("sh: can't create /data/y: Permission denied\n1");
  expect(await sh(first, 'echo no > /etc/config/key')).toBe(
    "sh: can't create /etc/config/key: Read-only file system\n1",
  );
  expect(await sh(second, 'touch /tmp/x')).toBe('touch: /tmp/x: Read-only file system\n1');
  expect(await sh(first, 'rm /data')).toBe("rm: '/data' is a directory\n1");
});
