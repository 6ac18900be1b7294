import type { ApiBackend } from '#apimachinery/api-request.ts';
import { decodeBase64 } from '#base/base64.ts';
import { decodeUtf8 } from '#base/utf8.ts';
import { Client } from '#client/client.ts';
import { DEFAULT_PATH, type ImageDefinition } from '#cri/images/image.ts';
import { imageDirectory, imageProgram } from '#cri/os/file-node.ts';
import { FileError } from '#cri/os/file-error.ts';
import { answerLate, serveHttp } from '#cri/os/serve.ts';
import type { Program, UnixProcess } from '#cri/os/unix-process.ts';
import { CoreDns } from '#dns/core-dns.ts';
import type { NetworkNamespace } from '#network/network.ts';
import { NetworkError } from '#network/network-error.ts';
import { KubeProxy } from '#proxy/kube-proxy.ts';
import { PacketFilter } from '#proxy/packet-filter.ts';
import { type ProxyConfig, readProxyConfig } from '#proxy/proxy-config.ts';
import { ServicePortCompiler } from '#proxy/service-ports.ts';
import { sha512 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

const ENV = [DEFAULT_PATH];
const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';
/** How often CoreDNS looks at its Corefile, and by how much that varies, ms. */
const RELOAD_MS = 30_000;
const RELOAD_JITTER_MS = 15_000;

/**
 * The images of components that run in Pods: kube-proxy and CoreDNS. Their programs are the components themselves, in
 * the container's process, as the Pod's service account.
 */
export function componentImages(linkOf: (host: NetworkNamespace) => ApiBackend | undefined): ImageDefinition[] {
  const compiler = new ServicePortCompiler();
  /** All nodes have the same configuration: it is read once. */
  let read: { readonly yaml: string; readonly config: ProxyConfig } | undefined;
  const configOf = (yaml: string): ProxyConfig => {
    if (read?.yaml !== yaml) read = { yaml, config: readProxyConfig(yaml) };
    return read.config;
  };
  const filters = new Map<NetworkNamespace, PacketFilter>();
  /** The packet filter of a machine's kernel; a machine that was switched off has a new one. */
  const filterOf = (network: NetworkNamespace): PacketFilter => {
    let filter = filters.get(network);
    if (!filter || !network.translation) {
      filter = new PacketFilter(network);
      filters.set(network, filter);
    }
    return filter;
  };
  return [
    {
      repository: 'registry.k8s.io/kube-proxy',
      hasTag: (tag) => /^v1\.\d+\.\d+$/.test(tag),
      sizeBytes: 31_887_094,
      config: { entrypoint: ['/usr/local/bin/kube-proxy'], env: ENV },
      files: () =>
        imageDirectory({
          usr: imageDirectory({
            local: imageDirectory({
              bin: imageDirectory({ 'kube-proxy': imageProgram(kubeProxy(linkOf, filterOf, configOf, compiler)) }),
            }),
          }),
          var: imageDirectory({}),
        }),
    },
    {
      repository: 'registry.k8s.io/coredns/coredns',
      hasTag: (tag) => /^v1\.\d+\.\d+$/.test(tag),
      sizeBytes: 20_939_036,
      config: { entrypoint: ['/coredns'], env: ENV, user: '65532:65532', workingDir: '/' },
      files: () => imageDirectory({ coredns: imageProgram(coreDns(linkOf)) }),
    },
  ];
}

function kubeProxy(
  linkOf: (host: NetworkNamespace) => ApiBackend | undefined,
  filterOf: (network: NetworkNamespace) => PacketFilter,
  configOf: (yaml: string) => ProxyConfig,
  compiler: ServicePortCompiler,
): Program {
  return async (self) => {
    const { process, system } = self;
    // Go's runtime ends a process that nobody's handler saves.
    for (const signal of ['INT', 'TERM'] as const) self.onSignal(signal, () => self.exit({ code: 2 }));
    const log = (level: 'I' | 'E', source: string, text: string) =>
      self.complain(`${klogHeader(level, process.clock.now())} ${source}] ${text}\n`);
    const flag = (name: string) => self.args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
    const path = flag('config');
    let config: ProxyConfig = { mode: 'iptables', minSyncPeriodMs: 1000, ignored: [] };
    let client: Client;
    try {
      if (path !== undefined) config = configOf(readFile(self, path));
      client = clientOf(self, linkOf, 'kube-proxy/v1.33.0 (linux/amd64) kubernetes/60a317e', flag('hostname-override'));
    } catch (error) {
      await log(
        'E',
        'server.go:148',
        `"Error running ProxyServer" err="${(error as Error).message.replaceAll('"', '\\"')}"`,
      );
      return 1;
    }
    const proxy = new KubeProxy({
      process,
      client,
      nodeName: flag('hostname-override') || system.hostname,
      host: system.network,
      filter: filterOf(system.network),
      compiler,
      config,
      log,
    });
    await proxy.run();
    return 0;
  };
}

function coreDns(linkOf: (host: NetworkNamespace) => ApiBackend | undefined): Program {
  return async (self) => {
    const { process, system } = self;
    const log = (line: string) => self.print(`${line}\n`);
    const at = self.args.findIndex((arg) => arg === '-conf' || arg === '--conf');
    const path = at < 0 ? 'Corefile' : (self.args[at + 1] ?? 'Corefile');
    let corefile: string;
    let dns: CoreDns;
    try {
      corefile = readFile(self, path);
      dns = new CoreDns({
        process,
        client: clientOf(self, linkOf, 'coredns/v1.12.0'),
        network: system.network,
        path,
        resolvers: resolversOf(self),
        log,
        serveHttp: (port, answer) => serveHttp(self, port, answer),
        beforeAnswer: () => answerLate(self),
      });
      self.onSignal('INT', () => self.exit({ code: 0 }));
      self.onSignal('TERM', () => {
        process.spawn('coredns ends', async () => {
          await log('[INFO] SIGTERM: Shutting down servers then terminating');
          const { lameduckMs } = dns;
          if (lameduckMs > 0) {
            await log(`[INFO] plugin/health: Going into lameduck mode for ${lameduckMs / 1000}s`);
            await self.sleep(lameduckMs);
          }
          self.exit({ code: 0 });
        });
      });
      await dns.start(corefile);
    } catch (error) {
      const message =
        error instanceof NetworkError
          ? `Listen: listen tcp :53: bind: ${error.message.toLowerCase()}`
          : (error as Error).message;
      await self.complain(`${message}\n`);
      return 1;
    }
    if (!dns.uses('reload')) await process.park<void>(() => {});
    const digest = (text: string) => bytesToHex(sha512(utf8ToBytes(text)));
    await log(`[INFO] plugin/reload: Running configuration SHA512 = ${digest(corefile)}`);
    for (;;) {
      await self.sleep(RELOAD_MS + process.rng.int(RELOAD_JITTER_MS));
      try {
        const next = readFile(self, path);
        if (next === corefile) continue;
        corefile = next;
        await log('[INFO] Reloading');
        dns.reload(next);
        await log(`[INFO] plugin/reload: Running configuration SHA512 = ${digest(next)}\n[INFO] Reloading complete`);
      } catch (error) {
        await log(`[ERROR] Restart failed: ${(error as Error).message}`);
      }
    }
  };
}

/** A client of whom the container's token speaks for, over the way of the machine that it runs on. Throws an Error. */
function clientOf(
  self: UnixProcess,
  linkOf: (host: NetworkNamespace) => ApiBackend | undefined,
  userAgent: string,
  node?: string,
): Client {
  const backend = linkOf(self.system.network.host);
  if (!backend)
    throw new Error(
      'unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined',
    );
  const { sub } = claimsOf(readFile(self, TOKEN));
  const namespace = sub.split(':')[2] ?? '';
  return new Client(backend, {
    user: {
      name: sub,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
      ...(node ? { extra: { 'authentication.kubernetes.io/node-name': [node] } } : {}),
    },
    userAgent,
  });
}

/** The claims of a service account's token. */
function claimsOf(token: string): { readonly sub: string } {
  const claims = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
  const bytes = decodeBase64(claims.padEnd(Math.ceil(claims.length / 4) * 4, '='));
  if (typeof bytes === 'number') throw new Error('invalid bearer token');
  return JSON.parse(decodeUtf8(bytes)) as { readonly sub: string };
}

/** Throws an Error in Go's words. */
function readFile(self: UnixProcess, path: string): string {
  try {
    return decodeUtf8(self.system.files.readFile(path, self.cwd, self.user));
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new Error(`open ${path}: ${error.message.toLowerCase()}`);
  }
}

function resolversOf(self: UnixProcess): string[] {
  return [...readFile(self, '/etc/resolv.conf').matchAll(/^nameserver\s+(\S+)/gm)].map(
    ([, server]) => server as string,
  );
}

/** `I1122 12:00:00.000000       1` */
function klogHeader(level: 'I' | 'E', now: number): string {
  const time = new Date(now).toISOString();
  const micros = String(Math.floor(now * 1000) % 1000).padStart(3, '0');
  return `${level}${time.slice(5, 7)}${time.slice(8, 10)} ${time.slice(11, 23)}${micros}       1`;
}
