import { DnsError, type DnsMessage, type DnsRecord, queryDns } from '#network/dns.ts';
import { parseIPv4 } from '#network/address.ts';
import { NetworkError } from '#network/network-error.ts';
import { lookUpHost, resolverConfig } from '../os/resolve.ts';
import { type Applet, type Invocation, usageError } from './applet.ts';
import { findGroup, findUser } from './users.ts';

const TYPES = ['SOA', 'NS', 'A', 'AAAA', 'CNAME', 'MX', 'TXT', 'SRV', 'PTR', 'ANY'];
const TIMEOUT_SECONDS = 5;
const DNS_PORT = 53;

const bare = (name: string) => name.replace(/(.)\.$/, '$1');

/**
 * nslookup as busybox has it since 1.29: it asks the name servers itself, for A and AAAA; a name without dots with every
 * domain of the search list, any other name as it is.
 */
export const nslookup: Applet = {
  name: 'nslookup',
  usage: '[-type=QUERY_TYPE] [-debug] HOST [DNS_SERVER]',
  raw: true,
  async run(call) {
    const { self } = call;
    const types: string[] = [];
    let port = DNS_PORT;
    let timeoutMs = TIMEOUT_SECONDS * 1000;
    let debug = false;
    const words = [...call.operands];
    while (words[0]?.startsWith('-')) {
      const [, option = '', value = ''] = /^-([^=]*)=?(.*)$/.exec(words.shift() as string) ?? [];
      if (option !== '' && ('type'.startsWith(option) || 'querytype'.startsWith(option))) {
        const type = value.toUpperCase();
        if (!TYPES.includes(type)) {
          await call.fail(`invalid query type "${value}"`);
          return 1;
        }
        types.push(type);
      } else if (option === 'port') port = Number(value);
      else if (option === 'timeout') timeoutMs = Number(value) * 1000;
      else if (option === 'debug') debug = true;
      else if (option !== 'retry') return usageError(call, nslookup);
    }
    const [host, server] = words;
    if (host === undefined || words.length > 2) return usageError(call, nslookup);
    const config = resolverConfig(self);
    const queries = queriesFor(host, types, config.search);
    for (const name of server === undefined ? config.servers : [server]) {
      const found = await lookUpHost(self, name);
      if ('failure' in found) {
        await call.fail(`bad address '${name}'`);
        return 1;
      }
      const asked = await askAll(call, name, { address: found.addresses[0], port }, queries, timeoutMs, debug);
      if (asked.answered > 0) {
        for (const query of asked.missing) await self.print(`*** Can't find ${query}: No answer\n`);
        if (asked.missing.length > 0) await self.print('\n');
        return asked.failed ? 1 : 0;
      }
    }
    await self.print(';; connection timed out; no servers could be reached\n\n');
    return 1;
  },
};

interface Query {
  readonly name: string;
  readonly type: string;
}

function queriesFor(host: string, types: readonly string[], search: readonly string[]): readonly Query[] {
  if (types.length === 0 && parseIPv4(host) !== undefined)
    return [{ name: `${host.split('.').reverse().join('.')}.in-addr.arpa`, type: 'PTR' }];
  return (types.length > 0 ? TYPES.filter((type) => types.includes(type)) : ['A', 'AAAA']).flatMap((type) =>
    type === 'PTR' || search.length === 0 || host.includes('.')
      ? [{ name: host, type }]
      : search.map((domain) => ({ name: `${host}.${domain}`, type })),
  );
}

async function askAll(
  call: Invocation,
  name: string,
  server: { readonly address: string; readonly port: number },
  queries: readonly Query[],
  timeoutMs: number,
  debug: boolean,
) {
  const { self } = call;
  const { clock } = self.process;
  const until = clock.now() + timeoutMs;
  const missing: string[] = [];
  let answered = 0;
  let failed = false;
  for (const query of queries) {
    let answer: DnsMessage | undefined;
    // What is left is shared by those that did not answer: they were all sent at once.
    while (!answer && clock.now() < until) {
      try {
        answer = await queryDns(
          self.process,
          self.system.network,
          server,
          query.name,
          query.type,
          Math.min(timeoutMs / 2, until - clock.now()),
        );
      } catch (error) {
        if (!(error instanceof NetworkError || error instanceof DnsError)) throw error;
        await call.fail(`read: ${error.message}`);
        await self.sleep(Math.min(timeoutMs / 2, until - clock.now()));
      }
    }
    if (!answer) {
      missing.push(query.name);
      continue;
    }
    if (answered++ === 0) await self.print(`Server:\t\t${name}\nAddress:\t${server.address}:${server.port}\n\n`);
    if (answer.rcode !== 'NOERROR') {
      failed = true;
      await self.print(`** server can't find ${query.name}: ${answer.rcode}\n`);
    } else {
      const head = answer.authoritative ? (debug ? 'authoritative answer:\n' : '') : 'Non-authoritative answer:\n';
      await self.print(head + answer.answers.map(recordLines).join(''));
    }
    await self.print('\n');
  }
  return { answered, failed, missing };
}

function recordLines(record: DnsRecord): string {
  const name = bare(record.name);
  switch (record.type) {
    case 'A':
      return `Name:\t${name}\nAddress: ${record.address}\n`;
    case 'CNAME':
      return `${name}\tcanonical name = ${bare(record.target)}\n`;
    case 'NS':
      return `${name}\tnameserver = ${bare(record.target)}\n`;
    case 'PTR':
      return `${name}\tname = ${bare(record.target)}\n`;
    case 'SRV':
      return `${name}\tservice = ${record.priority} ${record.weight} ${record.port} ${bare(record.target)}\n`;
    case 'TXT':
      return `${name}\ttext = "${record.texts[0] ?? ''}"\n`;
    case 'SOA':
      return `${name}\n\torigin = ${bare(record.primary)}\n\tmail addr = ${bare(record.mailbox)}\n\tserial = ${record.serial}\n\trefresh = ${record.refresh}\n\tretry = ${record.retry}\n\texpire = ${record.expire}\n\tminimum = ${record.minimum}\n`;
    default:
      return '';
  }
}

/** getent of the C libraries: hosts, ahosts, passwd and group. */
export const getent: Applet = {
  name: 'getent',
  usage: 'database key ...',
  raw: true,
  async run(call) {
    const { self } = call;
    const [database = '', ...keys] = call.operands;
    let status = 0;
    for (const key of keys) {
      let line: string | undefined;
      if (database === 'hosts' || database.startsWith('ahosts')) {
        const found = await lookUpHost(self, key);
        if (!('failure' in found)) {
          line =
            database === 'hosts'
              ? `${found.addresses[0].padEnd(15)} ${found.canonicalName}\n`
              : found.addresses
                  .flatMap((address, i) =>
                    ['STREAM', 'DGRAM', 'RAW'].map((kind, k) =>
                      `${address.padEnd(15)} ${kind.padEnd(6)} ${i === 0 && k === 0 ? found.canonicalName : ''}`.trimEnd(),
                    ),
                  )
                  .map((text) => `${text}\n`)
                  .join('');
        }
      } else if (database === 'passwd') {
        const user = findUser(self.system.files, key);
        line = user && `${user.name}:x:${user.uid}:${user.gid}::${user.home}:\n`;
      } else if (database === 'group') {
        const group = findGroup(self.system.files, key);
        line = group === undefined ? undefined : `${key}:x:${group}:\n`;
      } else {
        await self.complain(
          `Unknown database: ${database}\nTry \`getent --help' or \`getent --usage' for more information.\n`,
        );
        return 1;
      }
      if (line === undefined) status = 2;
      else await self.print(line);
    }
    return status;
  },
};
