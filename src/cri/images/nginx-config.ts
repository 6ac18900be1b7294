import { decodeUtf8 } from '#base/utf8.ts';
import { parseIPv4 } from '#network/address.ts';
import { FileError } from '../os/file-error.ts';
import { lookUpHost } from '../os/resolve.ts';
import type { UnixProcess } from '../os/unix-process.ts';

/** A configuration that nginx does not start with; the message is nginx'. */
export class NginxConfigError extends Error {
  override readonly name = 'NginxConfigError';
}

interface Directive {
  readonly name: string;
  readonly args: readonly string[];
  /** `in FILE:LINE` */
  readonly where: string;
  readonly block?: readonly Directive[];
}

/** Where requests are passed on to. */
export interface Proxy {
  /** `host` or `host:port` as it is written. */
  readonly host: string;
  /** Replaces what the location matched; undefined: the path goes on as it is. */
  readonly uri?: string;
  readonly peers: readonly { readonly address: string; readonly port: number }[];
  readonly headers: readonly (readonly [string, string])[];
  readonly connectTimeoutMs: number;
  readonly readTimeoutMs: number;
}

/** What holds in a server, or in one of its locations. */
export interface Scope {
  readonly root: string;
  readonly alias?: string;
  readonly defaultType: string;
  /** Of `return`: the status and the text or URL. */
  readonly fixed?: { readonly status: number; readonly text: string };
  readonly proxy?: Proxy;
  readonly tryFiles?: readonly string[];
  readonly addedHeaders: readonly (readonly [string, string])[];
}

export interface Location extends Scope {
  readonly modifier: '' | '=' | '^~' | '~' | '~*';
  readonly path: string;
  readonly regex?: RegExp;
}

export interface Server extends Scope {
  readonly ports: readonly number[];
  readonly names: readonly string[];
  readonly locations: readonly Location[];
}

export interface NginxConfig {
  readonly servers: readonly Server[];
  /** The first directive that has no effect here. */
  readonly unread?: string;
}

const MAIN = '/etc/nginx/nginx.conf';
const KNOWN = new Set(
  'user worker_processes error_log pid events worker_connections http include default_type log_format access_log sendfile tcp_nopush tcp_nodelay keepalive_timeout types server listen server_name root index alias location return error_page add_header charset proxy_pass proxy_set_header proxy_http_version proxy_connect_timeout proxy_read_timeout proxy_send_timeout proxy_buffering upstream try_files client_max_body_size gzip server_tokens daemon worker_rlimit_nofile keepalive zone autoindex'.split(
    ' ',
  ),
);
const BLOCKS = ['events', 'http', 'server', 'location', 'upstream', 'types'];
const PROXY_TIMEOUT_MS = 60_000;

/** Reads /etc/nginx/nginx.conf and what it includes, and resolves upstreams. Throws {@link NginxConfigError}. */
export async function loadNginxConfig(self: UnixProcess): Promise<NginxConfig> {
  const main = readFile(self, MAIN);
  if (main === undefined) throw new NginxConfigError(`open() "${MAIN}" failed (2: No such file or directory)`);
  const directives = parse(self, MAIN, main);
  const http = directives.find(({ name }) => name === 'http')?.block ?? [];
  const upstreams = new Map<string, Proxy['peers']>();
  for (const { args, block = [] } of http.filter(({ name }) => name === 'upstream')) {
    const peers: Proxy['peers'][number][] = [];
    for (const entry of block.filter(({ name }) => name === 'server'))
      peers.push(...(await peersOf(self, entry.args[0] ?? '', entry.where)));
    upstreams.set(args[0] ?? '', peers);
  }
  const base: Scope = { root: '/etc/nginx/html', defaultType: 'text/plain', addedHeaders: [] };
  const outer = await scopeOf(self, http, base, upstreams);
  const servers: Server[] = [];
  for (const { block = [] } of http.filter(({ name }) => name === 'server')) {
    const scope = await scopeOf(self, block, outer, upstreams);
    const locations: Location[] = [];
    for (const directive of flatLocations(block)) locations.push(await locationOf(self, directive, scope, upstreams));
    const ports = all(block, 'listen').map(([where = '']) => Number(/(\d+)$/.exec(where)?.[1] ?? 80));
    servers.push({
      ...scope,
      ports: [...new Set(ports.length > 0 ? ports : [80])],
      names: all(block, 'server_name').flat(),
      locations,
    });
  }
  const unread = firstUnread(directives);
  return { servers, ...(unread ? { unread } : {}) };
}

function readFile(self: UnixProcess, path: string): string | undefined {
  try {
    return decodeUtf8(self.system.files.readFile(path));
  } catch (error) {
    if (error instanceof FileError) return undefined;
    throw error;
  }
}

const TOKENS = /\s+|#[^\n]*|"((?:\\[^]|[^"\\])*)"|'((?:\\[^]|[^'\\])*)'|([{};])|((?:\$\{\w+\}|[^\s{};"'])+)/y;

function parse(self: UnixProcess, file: string, text: string): readonly Directive[] {
  const stack: Directive[][] = [[]];
  const open: { readonly name: string; readonly args: readonly string[]; readonly where: string }[] = [];
  let words: string[] = [];
  let line = 1;
  let began = 1;
  let at = 0;
  const fail = (what: string) => new NginxConfigError(`${what} in ${file}:${line}`);
  // Its own: what is included is parsed meanwhile.
  const tokens = new RegExp(TOKENS);
  for (let match = tokens.exec(text); match; match = tokens.exec(text)) {
    const [whole, double, single, sign, plain] = match;
    at = tokens.lastIndex;
    if (words.length === 0) began = line;
    const word = double ?? single;
    if (word !== undefined) words.push(unescape(word));
    else if (plain !== undefined) words.push(plain);
    else if (sign === ';') {
      const [name, ...args] = words;
      if (name === undefined) throw fail('unexpected ";"');
      words = [];
      (stack.at(-1) as Directive[]).push(...made(self, { name, args, where: `in ${file}:${began}` }));
    } else if (sign === '{') {
      const [name, ...args] = words;
      if (name === undefined) throw fail('unexpected "{"');
      words = [];
      open.push({ name, args, where: `in ${file}:${began}` });
      stack.push([]);
    } else if (sign === '}') {
      const head = open.pop();
      if (words.length > 0 || !head) throw fail('unexpected "}"');
      const block = stack.pop() as Directive[];
      (stack.at(-1) as Directive[]).push({ ...head, block });
    }
    line += whole.split('\n').length - 1;
  }
  if (open.length > 0 || words.length > 0 || at < text.length)
    throw fail(`unexpected end of file, expecting ${open.length > 0 && words.length === 0 ? '"}"' : '";" or "}"'}`);
  return stack[0] as Directive[];
}

/** A directive, or what it includes. */
function made(self: UnixProcess, directive: Directive): readonly Directive[] {
  const { name, args, where } = directive;
  if (BLOCKS.includes(name) && name !== 'server')
    throw new NginxConfigError(`directive "${name}" has no opening "{" ${where}`);
  if (name !== 'include') return [directive];
  const [given = ''] = args;
  const path = given.startsWith('/') ? given : `/etc/nginx/${given}`;
  if (path.endsWith('/mime.types')) return [{ name: 'types', args: [], where, block: [] }];
  const directory = path.slice(0, path.lastIndexOf('/'));
  const pattern = path.slice(path.lastIndexOf('/') + 1);
  let files = [path];
  if (pattern.includes('*')) {
    const regex = new RegExp(
      `^${pattern
        .split('*')
        .map((part) => part.replace(/[.?+^$[\]\\(){}|]/g, '\\$&'))
        .join('.*')}$`,
    );
    files = self.system.files.exists(directory)
      ? self.system.files
          .list(directory)
          .filter((one) => regex.test(one) && !one.startsWith('.'))
          .map((one) => `${directory}/${one}`)
      : [];
  }
  return files.flatMap((file) => {
    const text = readFile(self, file);
    if (text === undefined)
      throw new NginxConfigError(`open() "${file}" failed (2: No such file or directory) ${where}`);
    return parse(self, file, text);
  });
}

function unescape(text: string): string {
  const letters: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };
  return text.replace(/\\([nrt"'\\])/g, (_, letter: string) => letters[letter] ?? letter);
}

function all(block: readonly Directive[], name: string): readonly (readonly string[])[] {
  return block.filter((one) => one.name === name).map(({ args }) => args);
}

function flatLocations(block: readonly Directive[]): readonly Directive[] {
  return block.flatMap((one) => (one.name === 'location' ? [one, ...flatLocations(one.block ?? [])] : []));
}

function firstUnread(block: readonly Directive[]): string | undefined {
  for (const { name, block: inner = [] } of block) {
    const found = KNOWN.has(name) ? (name === 'types' ? undefined : firstUnread(inner)) : name;
    if (found) return found;
  }
  return undefined;
}

async function locationOf(
  self: UnixProcess,
  { args, block = [], where }: Directive,
  outer: Scope,
  upstreams: ReadonlyMap<string, Proxy['peers']>,
): Promise<Location> {
  const [first = '', second] = args;
  const modifier = second === undefined ? '' : (first as Location['modifier']);
  const path = second ?? first;
  const { fixed: _fixed, proxy: _proxy, alias: _alias, tryFiles: _tryFiles, ...inherited } = outer;
  return {
    ...(await scopeOf(self, block, inherited, upstreams)),
    modifier,
    path,
    ...(modifier.startsWith('~') ? { regex: regexOf(path, modifier === '~*', where) } : {}),
  };
}

function regexOf(pattern: string, ignoreCase: boolean, where: string): RegExp {
  try {
    return new RegExp(pattern, ignoreCase ? 'i' : '');
  } catch {
    throw new NginxConfigError(`pcre2_compile() failed in "${pattern}" ${where}`);
  }
}

async function scopeOf(
  self: UnixProcess,
  block: readonly Directive[],
  outer: Scope,
  upstreams: ReadonlyMap<string, Proxy['peers']>,
): Promise<Scope> {
  const last = (name: string) => block.filter((one) => one.name === name).at(-1);
  const root = last('root')?.args[0];
  const alias = last('alias')?.args[0];
  const returned = last('return');
  const pass = last('proxy_pass');
  const added = all(block, 'add_header').map(([name = '', value = '']): [string, string] => [name, value]);
  const numeric = Number(returned?.args[0]);
  return {
    ...outer,
    ...(root === undefined ? {} : { root: root.replace(/(.)\/$/, '$1') }),
    ...(alias === undefined ? {} : { alias }),
    defaultType: last('default_type')?.args[0] ?? outer.defaultType,
    ...(returned
      ? {
          fixed: Number.isNaN(numeric)
            ? { status: 302, text: returned.args[0] ?? '' }
            : { status: numeric, text: returned.args[1] ?? '' },
        }
      : {}),
    ...(pass ? { proxy: await proxyOf(self, pass, block, upstreams) } : {}),
    ...(last('try_files') ? { tryFiles: last('try_files')?.args } : {}),
    addedHeaders: added.length > 0 ? added : outer.addedHeaders,
  };
}

async function proxyOf(
  self: UnixProcess,
  { args: [target = ''], where }: Directive,
  block: readonly Directive[],
  upstreams: ReadonlyMap<string, Proxy['peers']>,
): Promise<Proxy> {
  const match = /^http:\/\/([^/]+)(\/.*)?$/.exec(target);
  if (!match)
    throw new NginxConfigError(
      target.includes('$') || target.startsWith('https:')
        ? `proxy_pass ${target} is not emulated in this cluster: use http:// and no variables ${where}`
        : `invalid URL prefix ${where}`,
    );
  const [, host = '', uri] = match;
  if (host.includes('$'))
    throw new NginxConfigError(`proxy_pass ${target} is not emulated in this cluster: use no variables ${where}`);
  const ms = (name: string) => {
    const text = block.find((one) => one.name === name)?.args[0];
    const seconds = /^(\d+)(ms|s|m)?$/.exec(text ?? '');
    return seconds ? Number(seconds[1]) * ({ ms: 1, s: 1000, m: 60_000 }[seconds[2] ?? 's'] ?? 1000) : PROXY_TIMEOUT_MS;
  };
  return {
    host,
    ...(uri === undefined ? {} : { uri }),
    peers: upstreams.get(host) ?? (await peersOf(self, host, where)),
    headers: all(block, 'proxy_set_header').map(([name = '', value = '']): [string, string] => [name, value]),
    connectTimeoutMs: ms('proxy_connect_timeout'),
    readTimeoutMs: ms('proxy_read_timeout'),
  };
}

/** Names are resolved once, when nginx starts. */
async function peersOf(self: UnixProcess, target: string, where: string): Promise<Proxy['peers']> {
  const [host = '', port = '80'] = target.split(':');
  if (parseIPv4(host) !== undefined) return [{ address: host, port: Number(port) }];
  const found = await lookUpHost(self, host);
  if ('failure' in found) throw new NginxConfigError(`host not found in upstream "${target}" ${where}`);
  return found.addresses.map((address) => ({ address, port: Number(port) }));
}

/** The location that a path falls into, as nginx chooses: exact, `^~`, regular expressions in order, longest prefix. */
export function locationFor({ locations }: Server, path: string): Location | undefined {
  const exact = locations.find((one) => one.modifier === '=' && one.path === path);
  if (exact) return exact;
  let longest: Location | undefined;
  for (const one of locations) {
    const prefix = one.modifier === '' || one.modifier === '^~';
    if (prefix && path.startsWith(one.path) && one.path.length > (longest?.path.length ?? -1)) longest = one;
  }
  if (longest?.modifier === '^~') return longest;
  return locations.find(({ regex }) => regex?.test(path)) ?? longest;
}

/** The server that a request means by its Host header; the first one on the port if none does. */
export function serverFor({ servers }: NginxConfig, port: number, host: string): Server | undefined {
  const listening = servers.filter(({ ports }) => ports.includes(port));
  const name = host.replace(/:\d+$/, '').toLowerCase();
  return listening.find(({ names }) => names.some((one) => one.toLowerCase() === name)) ?? listening[0];
}
