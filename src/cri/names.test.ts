import { describe, expect, test } from 'vitest';
import { decodeUtf8, encodeUtf8 } from '#base/utf8.ts';
import { decodeDns, encodeDns, type DnsRecord } from '#network/dns.ts';
import { createMachine } from '#testing/machine.ts';
import { imageFile } from './os/file-node.ts';

const RESOLV_CONF =
  'search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 192.168.0.11\noptions ndots:5\n';
const NAMES: Readonly<Record<string, readonly string[]>> = {
  'web.default.svc.cluster.local.': ['10.244.1.2'],
  'headless.default.svc.cluster.local.': ['10.244.1.2', '10.244.1.7'],
  'example.com.': ['93.184.216.34'],
};

/** nginx as `web`, a name server on the node, and what a command in a container of an image prints. */
async function setUp(image: string, mode: 'answers' | 'silent' | 'absent' = 'answers') {
  const machine = createMachine();
  const asked: string[] = [];
  if (mode !== 'absent')
    machine.host.listenDatagram(machine.root, 53, (bytes) => {
      const query = decodeDns(bytes);
      const [question] = query.questions;
      if (!question || mode === 'silent') return undefined;
      asked.push(`${question.type} ${question.name}`);
      const { name, type } = question;
      const known = NAMES[name];
      const answers: DnsRecord[] =
        type === 'PTR'
          ? [{ name, ttl: 5, type, target: 'web.default.svc.cluster.local.' }]
          : type === 'A'
            ? (known ?? []).map((address) => ({ name, ttl: 5, type, address }))
            : [];
      const rcode = known || type === 'PTR' ? 'NOERROR' : 'NXDOMAIN';
      return encodeDns({ ...query, response: true, authoritative: true, rcode, answers });
    });
  await machine.run(() => machine.startContainer('nginx'));
  const mounts = [
    { path: '/etc/resolv.conf', node: () => imageFile(encodeUtf8(RESOLV_CONF)), readOnly: false },
    {
      path: '/etc/hosts',
      node: () => imageFile(encodeUtf8('10.244.1.3 box\n10.244.1.2 db database\n')),
      readOnly: false,
    },
  ];
  const id = await machine.run(() => machine.startContainer(image, { command: ['sleep', '100000'], mounts }));
  const sh = async (script: string) => {
    const { pump } = machine;
    const start = pump.now;
    let seconds = 0;
    asked.length = 0;
    const { stdout, stderr, exitCode } = await machine.run(async () => {
      const result = await machine.runtime.execSync(id, ['sh', '-c', script]);
      seconds = (pump.now - start) / 1000;
      return result;
    }, 100_000);
    return { out: decodeUtf8(stdout) + decodeUtf8(stderr), exitCode, seconds, asked: [...asked] };
  };
  return { machine, id, sh };
}

describe('names', () => {
  const cases: [string, string, object][] = [
    [
      'by the search list',
      'wget -qO- web | grep -c Welcome',
      { out: '2\n', asked: ['A web.default.svc.cluster.local.'] },
    ],
    ['/etc/hosts comes first', 'wget -qO- database | grep -c Welcome', { out: '2\n', asked: [] }],
    [
      'with a namespace',
      'wget -qO- web.default | grep -c Welcome',
      { out: '2\n', asked: ['A web.default.default.svc.cluster.local.', 'A web.default.svc.cluster.local.'] },
    ],
    [
      'unknown',
      'wget -qO- nope; ping nope; nc nope 80',
      {
        out: "wget: bad address 'nope'\nping: bad address 'nope'\nnc: bad address 'nope'\n",
        exitCode: 1,
        asked: [1, 2, 3].flatMap(() =>
          ['default.svc.cluster.local.', 'svc.cluster.local.', 'cluster.local.', ''].map((rest) => `A nope.${rest}`),
        ),
      },
    ],
    [
      'absolute',
      'ping -c 1 -W 1 example.com. | head -1',
      { out: 'PING example.com. (93.184.216.34): 56 data bytes\n', asked: ['A example.com.'] },
    ],
  ];
  for (const [name, script, expected] of cases) {
    test(name, async () => {
      const { sh } = await setUp('busybox');
      expect(await sh(script)).toMatchObject(expected);
    });
  }

  test('curl and getent, with glibc', async () => {
    const { sh } = await setUp('nginx');
    expect(await sh('curl -s -o /dev/null -w "%{http_code} %{remote_ip}" http://web')).toMatchObject({
      out: '200 10.244.1.2',
    });
    expect(await sh('curl -sS http://nope')).toMatchObject({
      out: 'curl: (6) Could not resolve host: nope\n',
      exitCode: 6,
    });
    expect(await sh('getent hosts web; getent hosts nope')).toMatchObject({
      out: '10.244.1.2      web.default.svc.cluster.local\n',
      exitCode: 2,
    });
  });

  test('nobody answers', async () => {
    const glibc = await setUp('busybox', 'silent');
    expect(await glibc.sh('wget -qO- web')).toMatchObject({ out: "wget: bad address 'web'\n", seconds: 20 });
    expect(await glibc.sh('nslookup web')).toMatchObject({
      out: ';; connection timed out; no servers could be reached\n\n',
      exitCode: 1,
      seconds: 5,
    });
    const musl = await setUp('alpine', 'silent');
    expect(await musl.sh('wget -qO- web')).toMatchObject({ out: "wget: bad address 'web'\n", seconds: 5 });
    const refused = await setUp('busybox', 'absent');
    expect(await refused.sh('wget -qO- web')).toMatchObject({ out: "wget: bad address 'web'\n", seconds: 0 });
  });
});

describe('nslookup', () => {
  const server = 'Server:\t\t192.168.0.11\nAddress:\t192.168.0.11:53\n\n';
  const cases: [string, string, number][] = [
    [
      'web',
      `${server}Name:\tweb.default.svc.cluster.local\nAddress: 10.244.1.2\n\n** server can't find web.svc.cluster.local: NXDOMAIN\n\n** server can't find web.cluster.local: NXDOMAIN\n\n\n** server can't find web.svc.cluster.local: NXDOMAIN\n\n** server can't find web.cluster.local: NXDOMAIN\n\n`,
      1,
    ],
    [
      'web.default',
      `${server}** server can't find web.default: NXDOMAIN\n\n** server can't find web.default: NXDOMAIN\n\n`,
      1,
    ],
    [
      'headless.default.svc.cluster.local',
      `${server}Name:\theadless.default.svc.cluster.local\nAddress: 10.244.1.2\nName:\theadless.default.svc.cluster.local\nAddress: 10.244.1.7\n\n\n`,
      0,
    ],
    ['10.244.1.2', `${server}2.1.244.10.in-addr.arpa\tname = web.default.svc.cluster.local\n\n`, 0],
    ['-type=a example.com', `${server}Name:\texample.com\nAddress: 93.184.216.34\n\n`, 0],
    ['-type=x example.com', 'nslookup: invalid query type "x"\n', 1],
  ];
  for (const [words, out, exitCode] of cases) {
    test(words, async () => {
      const { sh } = await setUp('busybox');
      expect(await sh(`nslookup ${words}`)).toMatchObject({ out, exitCode });
    });
  }
});
