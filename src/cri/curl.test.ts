import { describe, expect, test } from 'vitest';
import { decodeUtf8 } from '#base/utf8.ts';
import { createMachine } from '#testing/machine.ts';
import type { PodFault } from './contract.ts';

/** What a command in the curl image prints and does; httpd is 10.244.1.2, agnhost netexec 10.244.1.3. */
async function ask(script: string, fault?: PodFault) {
  const machine = createMachine();
  await machine.run(() => machine.startContainer('httpd'));
  await machine.run(() =>
    machine.startContainer('registry.k8s.io/e2e-test-images/agnhost:2.53', { args: ['netexec', '--http-port=80'] }),
  );
  const id = await machine.run(() => machine.startContainer('curlimages/curl', { command: ['sleep', '100000'] }));
  machine.runtime.setPodFault('pod-1', fault);
  const start = machine.pump.now;
  let seconds = 0;
  const { stdout, stderr, exitCode } = await machine.run(async () => {
    const result = await machine.runtime.execSync(id, ['sh', '-c', `cd /tmp; ${script}`]);
    seconds = (machine.pump.now - start) / 1000;
    return result;
  }, 600_000);
  return { out: decodeUtf8(stdout), err: decodeUtf8(stderr), exitCode, seconds };
}

const PAGE = '<html><body><h1>It works!</h1></body></html>\n';

describe('curl', () => {
  const cases: [string, string, object][] = [
    ['a page', 'curl -s 10.244.1.2', { out: PAGE, err: '', exitCode: 0 }],
    ['its head', 'curl -sI 10.244.1.2 | head -1; curl -si 10.244.1.2 | tail -1', { out: `HTTP/1.1 200 OK\r\n${PAGE}` }],
    [
      'a status',
      'curl -s -o /dev/null -w "%{http_code} %{size_download} %{url_effective}\\n" http://10.244.1.2/nope',
      { out: '404 196 http://10.244.1.2/nope\n' },
    ],
    [
      'a failure',
      'curl -fsS http://10.244.1.2/nope',
      { out: '', err: 'curl: (22) The requested URL returned error: 404\n', exitCode: 22 },
    ],
    [
      'data',
      'curl -s -d a=1 -d b=2 -H "X-One: 1" 10.244.1.3/header?key=content-type; curl -s -G -d msg=hi 10.244.1.3/echo',
      { out: 'application/x-www-form-urlencodedhi' },
    ],
    [
      'a redirection',
      'curl -sL "10.244.1.3/redirect?location=/hostname"; curl -s -o x -w "%{http_code}" "10.244.1.3/redirect?location=/"',
      { out: 'pod-2302' },
    ],
    [
      'a file',
      'curl -s -o page http://10.244.1.2/; curl -sO http://10.244.1.2/index.html; cat page index.html',
      { out: PAGE + PAGE },
    ],
    [
      'nobody listens',
      'curl -sS 10.244.1.2:81',
      {
        err: 'curl: (7) Failed to connect to 10.244.1.2 port 81 after 0 ms: Could not connect to server\n',
        exitCode: 7,
      },
    ],
    [
      'nobody there',
      'curl -sS -m 2 10.9.9.9',
      { err: 'curl: (28) Connection timed out after 2000 milliseconds\n', exitCode: 28, seconds: 2 },
    ],
    [
      'nobody there, for long',
      'curl -sS --connect-timeout 3 10.9.9.9',
      { err: 'curl: (28) Connection timed out after 3000 milliseconds\n', exitCode: 28, seconds: 3 },
    ],
    ['retries of a refusal', 'curl -sS --retry 2 --retry-connrefused 10.244.1.2:81 2>&1 | tail -1', { seconds: 3 }],
    [
      'retries of a status',
      'curl --retry 3 --retry-delay 2 "10.244.1.3/echo?code=503" 2>&1 | grep -a Warning',
      {
        out: [3, 2, 1]
          .map(
            (left) =>
              `Warning: Problem: HTTP error. Will retry in 2 seconds. ${left} retr${left === 1 ? 'y' : 'ies'} left.\n`,
          )
          .join(''),
        seconds: 6,
      },
    ],
    [
      'no such option',
      'curl --nope 10.244.1.2; curl -m',
      {
        err: "curl: option --nope: is unknown\ncurl: try 'curl --help' or 'curl --manual' for more information\ncurl: option -m: requires parameter\ncurl: try 'curl --help' or 'curl --manual' for more information\n",
        exitCode: 2,
      },
    ],
    [
      'not http',
      'curl -s https://10.244.1.2; echo $?; curl -sS ftp://10.244.1.2',
      { out: '35\n', err: 'curl: (1) Protocol "ftp" not supported\n', exitCode: 1 },
    ],
    [
      'everything',
      'curl -sv http://10.244.1.3/hostname',
      {
        out: 'pod-2',
        err: '*   Trying 10.244.1.3:80...\n* Connected to 10.244.1.3 (10.244.1.3) port 80\n* using HTTP/1.x\n> GET /hostname HTTP/1.1\n> Host: 10.244.1.3\n> User-Agent: curl/8.14.1\n> Accept: */*\n> \n* Request completely sent off\n< HTTP/1.1 200 OK\n< Date: Sat, 22 Nov 2025 12:00:00 GMT\n< Content-Type: text/plain; charset=utf-8\n< Content-Length: 5\n< Connection: close\n< \n{ [5 bytes data]\n* shutting down connection #0\n',
      },
    ],
  ];
  for (const [name, script, expected] of cases) {
    test(name, async () => {
      expect(await ask(script)).toMatchObject(expected);
    });
  }

  test('of what hangs, is slow, or unready', async () => {
    expect(await ask('curl -sS -m 3 10.244.1.2', 'hang')).toMatchObject({
      err: 'curl: (28) Operation timed out after 3000 milliseconds with 0 bytes received\n',
      exitCode: 28,
    });
    expect(await ask('curl -s -o /dev/null -w %{time_total} 10.244.1.2', 'slow')).toMatchObject({ out: '5.000000' });
    expect(await ask('curl -s -o /dev/null -w %{http_code} 10.244.1.2', 'unready')).toMatchObject({ out: '503' });
  });
});

describe('wget of busybox', () => {
  const cases: [string, string, object][] = [
    ['to a file', 'wget http://10.244.1.2/index.html && cat index.html', { out: PAGE, exitCode: 0 }],
    [
      'a post',
      'wget -qO- --post-data x "http://10.244.1.3/header?key=content-type"',
      { out: 'application/x-www-form-urlencoded' },
    ],
    [
      'a failure',
      'wget -O- http://10.244.1.2/nope',
      {
        err: 'Connecting to 10.244.1.2 (10.244.1.2:80)\nwget: server returned error: HTTP/1.1 404 Not Found\n',
        exitCode: 1,
      },
    ],
    [
      'whether it is there',
      'wget --spider http://10.244.1.2',
      { err: 'Connecting to 10.244.1.2 (10.244.1.2:80)\nremote file exists\n', exitCode: 0 },
    ],
    [
      'a refusal',
      'wget -qO- 10.244.1.2:81',
      { err: "wget: can't connect to remote host (10.244.1.2): Connection refused\n", exitCode: 1 },
    ],
    ['nobody there', 'wget -qO- -T 2 10.9.9.9', { err: 'wget: download timed out\n', exitCode: 1, seconds: 2 }],
  ];
  for (const [name, script, expected] of cases) {
    test(name, async () => {
      expect(await ask(script)).toMatchObject(expected);
    });
  }
});
