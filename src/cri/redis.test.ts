import { describe, expect, test } from 'vitest';
import { decodeUtf8, encodeUtf8 } from '#base/utf8.ts';
import { httpExchange } from '#network/http.ts';
import { createMachine } from '#testing/machine.ts';
import type { ContainerConfig } from './contract.ts';
import { imageFile, newDirectory } from './os/file-node.ts';
import { encodeResp, RespReader, type RespValue, splitWords } from './images/redis-protocol.ts';

async function startRedis(config: Partial<ContainerConfig> = {}, machine = createMachine()) {
  const id = await machine.run(() => machine.startContainer('redis:7.4', config));
  const sh = async (container: string, script: string, ms = 0) => {
    const { stdout, stderr, exitCode } = await machine.run(
      () => machine.runtime.execSync(container, ['sh', '-c', script]),
      ms,
    );
    return { out: decodeUtf8(stdout) + decodeUtf8(stderr), exitCode };
  };
  return { machine, id, sh, cli: async (words: string) => (await sh(id, `redis-cli ${words}`)).out };
}

test('RESP: values there and back, in pieces', async () => {
  const values: RespValue[] = ['häh\r\n', '', 5, null, [], ['a', [1, null]], { simple: 'OK' }, { error: 'ERR no' }];
  for (const value of values) {
    const bytes = encodeResp(value);
    let at = 0;
    const reader = new RespReader({ read: async () => (at < bytes.length ? bytes.subarray(at, ++at) : undefined) });
    expect(await reader.value()).toEqual(value);
    expect(await reader.value()).toBeUndefined();
  }
  expect(splitWords(`set "a b\\n\\x41" 'it\\'s' x`)).toEqual(['set', 'a b\nA', "it's", 'x']);
  expect(splitWords('"open')).toBeUndefined();
});

test('redis: how it starts and ends', async () => {
  const { machine, id, cli, sh } = await startRedis();
  expect((await sh(id, 'stat -c %U /data')).out).toBe('redis\n');
  await cli('set kept yes');
  await machine.run(() => machine.runtime.stopContainer(id, 10_000));
  const at = '1:M 22 Nov 2025 12:00:00.000';
  expect(machine.logOf(id)).toBe(
    `1:C 22 Nov 2025 12:00:00.000 * oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo
1:C 22 Nov 2025 12:00:00.000 * Redis version=7.4.1, bits=64, commit=00000000, modified=0, pid=1, just started
1:C 22 Nov 2025 12:00:00.000 # Warning: no config file specified, using the default config. In order to specify a config file use redis-server /path/to/redis.conf
${at} * monotonic clock: POSIX clock_gettime
${at} * Running mode=standalone, port=6379.
${at} * Server initialized
${at} * Ready to accept connections tcp
1:signal-handler (1763812800) Received SIGTERM scheduling shutdown...
${at} * User requested shutdown...
${at} * Saving the final RDB snapshot before exiting.
${at} * DB saved on disk
${at} # Redis is now ready to exit, bye bye...
`,
  );
  expect(machine.runtime.containerStatus(id)).toMatchObject({ exitCode: 0, reason: 'Completed' });
});

describe('redis-cli', () => {
  const cases: [string, string][] = [
    ['ping', 'PONG\n'],
    ['ping hello', 'hello\n'],
    ['set a 1; redis-cli get a; redis-cli get b', 'OK\n1\n\n'],
    ['incr n; redis-cli incr n; redis-cli decr n; redis-cli incrby n 5', '1\n2\n1\n6\n'],
    ['set s x; redis-cli incr s', 'OK\nERR value is not an integer or out of range\n\n'],
    [
      'set a 1; redis-cli set b 2; redis-cli exists a b c; redis-cli del a c; redis-cli dbsize; redis-cli keys "*"',
      'OK\nOK\n2\n1\n1\nb\n',
    ],
    [
      'set a 1 EX 10; redis-cli ttl a; redis-cli ttl b; sleep 4; redis-cli ttl a; sleep 7; redis-cli get a',
      'OK\n10\n-2\n6\n\n',
    ],
    ['set a 1; redis-cli expire a 5; redis-cli persist a; redis-cli ttl a', 'OK\n1\n1\n-1\n'],
    ['set a 1 NX; redis-cli set a 2 NX; redis-cli get a; redis-cli flushall; redis-cli get a', 'OK\n\n1\nOK\n\n'],
    ['nope a b', "ERR unknown command 'nope', with args beginning with: 'a' 'b' \n\n"],
    ['get', "ERR wrong number of arguments for 'get' command\n\n"],
    ['hset h f v', "ERR the command 'hset' is not emulated in this cluster\n\n"],
    [
      'rpush l a b; redis-cli lpush l z; redis-cli lrange l 0 -1; redis-cli lpop l; redis-cli get l',
      '2\n3\nz\na\nb\nz\nWRONGTYPE Operation against a key holding the wrong kind of value\n\n',
    ],
    ['config get "maxmemory*"', 'maxmemory\n0\nmaxmemory-policy\nnoeviction\nmaxmemory-samples\n5\n'],
    [
      '--no-raw mset a 1 b "x y"; redis-cli --no-raw mget a b c; redis-cli --no-raw incr a; redis-cli --no-raw nope',
      'OK\n1) "1"\n2) "x y"\n3) (nil)\n(integer) 2\n(error) ERR unknown command \'nope\', with args beginning with: \n',
    ],
    [
      '-n 1 set a 1; redis-cli get a; redis-cli -n 1 get a; redis-cli info keyspace | tr -d "\\r"',
      'OK\n\n1\n# Keyspace\ndb1:keys=1,expires=0,avg_ttl=0\n\n',
    ],
    ['info | grep -c redis_version:7.4.1', '1\n'],
    [
      '-p 7000 ping; redis-cli -h nope ping',
      'Could not connect to Redis at 127.0.0.1:7000: Connection refused\nCould not connect to Redis at nope:6379: Temporary failure in name resolution\n',
    ],
    ['-x; printf "set k 1\\nincr k\\n" | redis-cli', "Unrecognized option or bad number of args for: '-x'\nOK\n2\n"],
  ];
  for (const [words, expected] of cases) {
    test(words, async () => {
      const { sh, id } = await startRedis();
      const { out } = await sh(id, `(redis-cli ${words}) 2>&1`, 60_000);
      expect(out).toBe(expected);
    });
  }

  test('inline commands, from another Pod', async () => {
    const { machine, sh } = await startRedis();
    const box = await machine.run(() => machine.startContainer('busybox', { command: ['sleep', '1000'] }));
    const script = String.raw`printf 'PING\r\nset q "a b"\r\nGET q\r\nset "open\r\n' | nc 10.244.1.2 6379`;
    expect((await sh(box, script)).out).toBe(
      '+PONG\r\n+OK\r\n$3\r\na b\r\n-ERR Protocol error: unbalanced quotes in request\r\n',
    );
  });

  test('on a terminal', async () => {
    const { machine, id } = await startRedis();
    let out = '';
    let exit: number | undefined;
    const session = await machine.run(() =>
      machine.runtime.exec(
        id,
        { command: ['redis-cli'], stdin: true, tty: true },
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
    machine.root.post('type', () => session.write(encodeUtf8('incr n\rselect 2\rexit\r')));
    await machine.pump.run({ until: machine.pump.now });
    const plain = out.replace(new RegExp(`${String.fromCharCode(27)}\\[\\d*[A-Z]`, 'g'), '');
    expect(plain).toBe(
      '127.0.0.1:6379> incr n\r\n(integer) 1\r\n127.0.0.1:6379> select 2\r\nOK\r\n127.0.0.1:6379[2]> exit\r\n',
    );
    expect(exit).toBe(0);
  });
});

test('redis: settings from a file, a password, and data that outlives it', async () => {
  const volume = newDirectory({}, 0);
  const conf = encodeUtf8('# mine\nmaxmemory 2mb\nmaxmemory-policy allkeys-lru\nrequirepass s3cret\nappendonly yes\n');
  const mounts = [
    { path: '/data', node: () => volume, readOnly: false },
    { path: '/etc/redis.conf', node: () => imageFile(conf), readOnly: true },
  ];
  const config = { mounts, args: ['/etc/redis.conf'] };
  const { machine, id, cli } = await startRedis(config);
  expect(await cli('get a')).toBe('NOAUTH Authentication required.\n\n');
  expect(await cli('--no-auth-warning -a s3cret config get maxmemory')).toBe('maxmemory\n2097152\n');
  expect(await cli('--no-auth-warning -a s3cret set a 1')).toBe('OK\n');
  expect(await cli('--no-auth-warning -a wrong get a 2>&1')).toContain('AUTH failed: WRONGPASS');
  await machine.run(async () => {}, 1000);
  await machine.run(() => machine.runtime.stopContainer(id, 0));
  expect(machine.runtime.containerStatus(id)).toMatchObject({ exitCode: 137 });
  const next = await startRedis(config, machine);
  expect(await next.cli('--no-auth-warning -a s3cret get a')).toBe('1\n');
  expect(machine.logOf(next.id)).toContain('* Done loading RDB, keys loaded: 1, keys expired: 0.\n');
  const bad = await startRedis({ args: ['--nope', 'x'] });
  expect(bad.machine.logOf(bad.id)).toContain(">>> 'nope x'\nBad directive or wrong number of arguments\n");
  expect(bad.machine.runtime.containerStatus(bad.id)).toMatchObject({ exitCode: 1 });
});

test('hit-counter counts in redis, and says what is wrong with it', async () => {
  const { machine, id, cli } = await startRedis();
  const hosts = { path: '/etc/hosts', node: () => imageFile(encodeUtf8('10.244.1.2 redis\n')), readOnly: false };
  const web = await machine.run(() =>
    machine.startContainer('tabernetes/hit-counter:1.0', {
      mounts: [hosts],
      env: [['REDIS_PORT', 'tcp://10.96.0.7:6379']],
    }),
  );
  const get = (path: string, ms = 0) =>
    machine.run(async () => {
      const { status, body } = await httpExchange(
        machine.root,
        machine.host,
        { address: '10.244.1.3', port: 8080 },
        { path },
      );
      return `${status} ${decodeUtf8(body)}`;
    }, ms);
  expect(await get('/')).toBe('200 Hello! I have been seen 1 times. I am pod-2.\n');
  await get('/');
  expect(await cli('get hits')).toBe('2\n');
  expect(await get('/healthz')).toBe('200 ok\n');
  machine.runtime.setPodFault('pod-1', 'hang');
  expect(await get('/', 3000)).toBe('503 Redis at redis:6379 cannot be reached: Connection timed out\n');
  machine.runtime.setPodFault('pod-1', undefined);
  await machine.run(() => machine.runtime.stopContainer(id, 1000));
  expect(await get('/')).toBe('503 Redis at redis:6379 cannot be reached: Connection refused\n');
  expect(machine.logOf(web)).toMatch(
    /^2025-11-22 12:00:00 listening on port 8080, counting in redis at redis:6379\n2025-11-22 12:00:00 192\.168\.0\.11 GET \/ 200\n/,
  );
  const alone = await machine.run(() => machine.startContainer('tabernetes/hit-counter', { env: [['PORT', '80']] }));
  const { stdout } = await machine.run(
    () => machine.runtime.execSync(alone, ['wget', '-qO-', '-S', 'localhost']),
    10_000,
  );
  expect(decodeUtf8(stdout)).toBe('');
  expect(machine.logOf(alone)).toContain('GET / 503');
});
