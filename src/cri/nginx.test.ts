import { describe, expect, test } from 'vitest';
import { decodeUtf8, encodeUtf8 } from '#base/utf8.ts';
import { httpExchange } from '#network/http.ts';
import { createMachine } from '#testing/machine.ts';
import { imageFile } from './os/file-node.ts';

/** whoami at 10.244.1.2 (`web`), agnhost netexec at 10.244.1.3 (`net`), and nginx with a configuration at 10.244.1.4. */
async function start(conf: string, main?: string) {
  const machine = createMachine();
  await machine.run(() => machine.startContainer('traefik/whoami'));
  await machine.run(() =>
    machine.startContainer('registry.k8s.io/e2e-test-images/agnhost:2.53', { args: ['netexec', '--http-port=80'] }),
  );
  const file = (path: string, text: string) => ({ path, node: () => imageFile(encodeUtf8(text)), readOnly: true });
  const mounts = [
    file('/etc/hosts', '10.244.1.2 web\n10.244.1.3 net\n10.244.1.9 gone\n'),
    file('/etc/nginx/conf.d/default.conf', conf),
    ...(main === undefined ? [] : [file('/etc/nginx/nginx.conf', main)]),
  ];
  const id = await machine.run(() => machine.startContainer('nginx', { mounts }));
  const get = (path: string, headers: Readonly<Record<string, string>> = {}, port = 80) =>
    machine.run(async () => {
      const answer = await httpExchange(machine.root, machine.host, { address: '10.244.1.4', port }, { path, headers });
      return { status: answer.status, headers: answer.headers, text: decodeUtf8(answer.body) };
    }, 200_000);
  return { machine, id, get, log: () => machine.logOf(id), status: () => machine.runtime.containerStatus(id) };
}

const server = (body: string) => `server {\n  listen 80;\n${body}\n}\n`;

test('passes requests on', async () => {
  const { get } = await start(
    server(`
  location / { proxy_pass http://web; proxy_set_header X-Real-IP $remote_addr; proxy_set_header Host $host; }
  location /net/ { proxy_pass http://net:80/; }
  location /gone { proxy_pass http://10.244.1.3:81; }`),
  );
  const { text, headers } = await get('/path?x=1', { Host: 'shop.example', Accept: 'text/plain' });
  expect(text).toContain('GET /path?x=1 HTTP/1.1\r\nHost: shop.example\r\nAccept: text/plain\r\nConnection: close\r\n');
  expect(text).toContain('X-Real-Ip: 192.168.0.11\r\n');
  expect(headers.server).toBe('nginx/1.29.3');
  expect(await get('/net/echo?msg=hi&code=418')).toMatchObject({ status: 418, text: 'hi' });
  expect(await get('/gone')).toMatchObject({ status: 502 });
});

test('upstreams take turns, and leave it to the next', async () => {
  const { machine, get, log } = await start(
    `upstream app { server web:80; server net:80; }\n${server('location / { proxy_pass http://app; proxy_read_timeout 3s; }')}`,
  );
  const names = async () =>
    [(await get('/hostname')).text, (await get('/hostname')).text].map((text) => (text === 'pod-2' ? 'net' : 'web'));
  expect(await names()).toEqual(['web', 'net']);
  machine.runtime.setPodFault('pod-1', 'hang');
  expect(await names()).toEqual(['net', 'net']);
  expect(log()).toContain(
    '[error] 29#29: *1 upstream timed out (110: Connection timed out) while reading response header from upstream, client: 192.168.0.11, server: localhost, request: "GET /hostname HTTP/1.1", upstream: "http://10.244.1.2:80/hostname", host: "10.244.1.4"\n',
  );
});

test('locations, variables, several servers', async () => {
  const { get } = await start(
    `${server(`
  server_name one.example;
  add_header X-Served-By $hostname;
  location = /exact { return 200 "exact\\n"; }
  location /pre { return 200 'prefix $request_uri'; }
  location ~* \\.PNG$ { return 404; }
  location ^~ /pre/fix { return 200 longest; }
  location /old { return 301 http://$host/new; }
  location /app { try_files $uri /index.html; }
  location /files/ { alias /usr/share/nginx/html/; }`)}${server('  server_name two.example;\n  return 200 "I am $hostname, $http_x_one\\n";')}`,
  );
  const cases: [string, object][] = [
    ['/exact', { text: 'exact\n', headers: { 'x-served-by': 'pod-3', 'content-type': 'application/octet-stream' } }],
    ['/pre?a', { text: 'prefix /pre?a' }],
    ['/pre/x.png', { status: 404 }],
    ['/pre/fix.png', { text: 'longest' }],
    ['/old', { status: 301, headers: { location: 'http://one.example/new' } }],
    ['/app/x', { status: 404 }],
    ['/files/50x.html', { status: 200 }],
  ];
  for (const [path, expected] of cases) expect(await get(path, { Host: 'one.example' })).toMatchObject(expected);
  expect((await get('/', { Host: 'two.example', 'X-One': '1' })).text).toBe('I am pod-3, 1\n');
});

describe('what it does not start with', () => {
  const cases: [string, string, string?][] = [
    ['return 200 "open', 'unexpected end of file, expecting ";" or "}" in /etc/nginx/conf.d/default.conf:3'],
    ['location ~ ( { return 200; }', 'pcre2_compile() failed in "(" in /etc/nginx/conf.d/default.conf:3'],
    [
      'location / { proxy_pass http://nope:8080; }',
      'host not found in upstream "nope:8080" in /etc/nginx/conf.d/default.conf:3',
    ],
    ['location / { return 200', 'unexpected "}" in /etc/nginx/conf.d/default.conf:4'],
    [
      'location / { proxy_pass https://web; }',
      'proxy_pass https://web is not emulated in this cluster: use http:// and no variables in /etc/nginx/conf.d/default.conf:3',
    ],
    [
      '',
      'open() "/etc/nginx/none.conf" failed (2: No such file or directory) in /etc/nginx/nginx.conf:1',
      'include none.conf;',
    ],
  ];
  for (const [body, message, main] of cases) {
    test(message, async () => {
      const { machine, log, status } = await start(server(body), main);
      await machine.run(async () => {}, 30_000);
      expect(status()).toMatchObject({ state: 'Exited', exitCode: 1 });
      expect(log().split('\n').at(-2)).toBe(`nginx: [emerg] ${message}`);
      expect(log()).toMatch(/\n2025\/11\/22 12:00:\d\d \[emerg\] 1#1: /);
    });
  }

  test('what has no effect is named', async () => {
    const { log, status } = await start(server('  limit_rate 5k;'));
    expect(status()?.state).toBe('Running');
    expect(log()).toContain('not emulated: limit_rate has no effect here\n');
  });
});
