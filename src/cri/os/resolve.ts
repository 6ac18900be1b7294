import { decodeUtf8 } from '#base/utf8.ts';
import { parseIPv4 } from '#network/address.ts';
import { DnsError, type DnsMessage, queryDns } from '#network/dns.ts';
import { NetworkError } from '#network/network-error.ts';
import { FileError } from './file-error.ts';
import type { UnixProcess } from './unix-process.ts';

/** What /etc/resolv.conf says, with the C libraries' defaults. */
export interface ResolverConfig {
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly ndots: number;
  readonly timeoutMs: number;
  readonly attempts: number;
}

/**
 * What getaddrinfo finds: the addresses and the name that they belong to; or that there is no such name (`unknown`), or
 * that no name server could tell (`again`).
 */
export type Resolution =
  | { readonly addresses: readonly [string, ...string[]]; readonly canonicalName: string }
  | { readonly failure: 'unknown' | 'again' };

const DNS_PORT = 53;
const MAX_SERVERS = 3;

/** Reads /etc/resolv.conf; no name server there means one on this host. */
export function resolverConfig(self: UnixProcess): ResolverConfig {
  const servers: string[] = [];
  let search: readonly string[] = [];
  const options: Record<'ndots' | 'timeout' | 'attempts', number> = { ndots: 1, timeout: 5, attempts: 2 };
  for (const line of linesOfFile(self, '/etc/resolv.conf')) {
    const [key, ...words] = line.trim().split(/\s+/);
    if (key === 'nameserver' && words[0] && servers.length < MAX_SERVERS) servers.push(words[0]);
    else if (key === 'search' || key === 'domain') search = words.filter((word) => word !== '.');
    else if (key === 'options') {
      for (const word of words) {
        const option = /^(ndots|timeout|attempts):(\d+)$/.exec(word);
        if (option) options[option[1] as keyof typeof options] = Number(option[2]);
      }
    }
  }
  return {
    servers: servers.length > 0 ? servers : ['127.0.0.1'],
    search,
    ndots: options.ndots,
    timeoutMs: Math.max(1, options.timeout) * 1000,
    attempts: Math.max(1, options.attempts),
  };
}

/**
 * Finds a host as the C library of the image does: a literal address, /etc/hosts, then the name servers, for IPv4
 * addresses only. Parks the calling task. glibc puts the search list behind a name with enough dots, musl leaves it out;
 * glibc takes "connection refused" for an answer, musl waits.
 */
export async function lookUpHost(self: UnixProcess, name: string): Promise<Resolution> {
  if (parseIPv4(name) !== undefined) return { addresses: [name], canonicalName: name };
  const wanted = name.toLowerCase().replace(/\.$/, '');
  for (const line of linesOfFile(self, '/etc/hosts')) {
    const [address, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (address && parseIPv4(address) !== undefined && names.some((one) => one.toLowerCase() === wanted))
      return { addresses: [address], canonicalName: names[0] as string };
  }
  if (wanted === 'localhost') return { addresses: ['127.0.0.1'], canonicalName: name };
  const musl = isMusl(self);
  const config = resolverConfig(self);
  for (const candidate of candidates(name, config, musl)) {
    const found = await ask(self, config, candidate, musl);
    if (typeof found !== 'string') return found;
    if (found === 'unknown') continue;
    // Nobody answered: musl gives up, glibc still tries the name as it is.
    const last = musl || candidate === wanted ? found : await ask(self, config, wanted, musl);
    return typeof last === 'string' ? { failure: 'again' } : last;
  }
  return { failure: 'unknown' };
}

/** The first address of a host; undefined when it is not known. May park. */
export async function resolveHost(self: UnixProcess, name: string): Promise<string | undefined> {
  const found = await lookUpHost(self, name);
  return 'failure' in found ? undefined : found.addresses[0];
}

/** What the C library says of a name that it did not find. */
export function resolutionError(self: UnixProcess, failure: 'unknown' | 'again'): string {
  if (isMusl(self)) return failure === 'unknown' ? 'Name does not resolve' : 'Try again';
  return failure === 'unknown' ? 'Name or service not known' : 'Temporary failure in name resolution';
}

/** Whether the image's programs use musl, as Alpine's do. */
export function isMusl(self: UnixProcess): boolean {
  return self.system.files.exists(MUSL);
}

/** The dynamic linker by which an image is told to be one with musl. */
export const MUSL = '/lib/ld-musl-x86_64.so.1';

function candidates(name: string, { search, ndots }: ResolverConfig, musl: boolean): readonly string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)];
  const bare = name.toLowerCase();
  const searched = search.map((domain) => `${bare}.${domain}`);
  const dots = bare.split('.').length - 1;
  if (dots >= ndots) return musl ? [bare] : [bare, ...searched];
  return [...searched, bare];
}

async function ask(
  self: UnixProcess,
  { servers, timeoutMs, attempts }: ResolverConfig,
  name: string,
  musl: boolean,
): Promise<Resolution | 'unknown' | 'again'> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    for (const address of servers) {
      // musl asks all servers at once, and again within one timeout.
      const limit = musl ? timeoutMs / attempts / servers.length : timeoutMs;
      const began = self.process.clock.now();
      let answer: DnsMessage | undefined;
      try {
        answer = await queryDns(
          self.process,
          self.system.network,
          { address, port: DNS_PORT },
          `${name.replace(/\.$/, '')}.`,
          'A',
          limit,
        );
      } catch (error) {
        if (error instanceof DnsError) return 'unknown';
        if (!(error instanceof NetworkError)) throw error;
        const rest = began + limit - self.process.clock.now();
        if (musl && rest > 0) await self.sleep(rest);
      }
      if (answer?.rcode === 'NXDOMAIN') return 'unknown';
      if (answer?.rcode !== 'NOERROR') continue;
      const found = answer.answers.flatMap((record) => (record.type === 'A' ? [record] : []));
      const [first] = found;
      if (!first) return 'unknown';
      return {
        addresses: [first.address, ...found.slice(1).map((record) => record.address)],
        canonicalName: first.name.replace(/\.$/, ''),
      };
    }
  }
  return 'again';
}

function linesOfFile(self: UnixProcess, path: string): readonly string[] {
  try {
    return decodeUtf8(self.system.files.readFile(path)).split('\n');
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    return [];
  }
}
