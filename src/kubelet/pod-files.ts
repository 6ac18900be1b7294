import type { Pod } from '#api/generated/types.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import { newFile } from '#cri/os/file-node.ts';
import type { Mount } from '#cri/os/file-system.ts';
import type { KubeletConfig } from './config.ts';

const MAX_HOSTNAME = 63;

/** A Pod's host name, and its domain if it has a subdomain. Follows GeneratePodHostNameAndDomain of pkg/kubelet/kubelet_pods.go, v1.33. */
export function podHostname(pod: Pod, clusterDomain: string): { readonly hostname: string; readonly domain: string } {
  const { hostname = pod.metadata.name ?? '', subdomain } = pod.spec;
  const cut = hostname.length <= MAX_HOSTNAME ? hostname : hostname.slice(0, MAX_HOSTNAME).replace(/[-.]+$/, '');
  return { hostname: cut, domain: subdomain ? `${subdomain}.${pod.metadata.namespace}.svc.${clusterDomain}` : '' };
}

/** /etc/hosts as the kubelet manages it. */
export function hostsFile(pod: Pod, address: string | undefined, config: KubeletConfig): string {
  const { hostname, domain } = podHostname(pod, config.clusterDomain);
  const base =
    '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n';
  const own = pod.spec.hostNetwork
    ? `# Kubernetes-managed hosts file (host network).\n${base}${config.nodeAddress}\t${config.nodeName}\n`
    : `# Kubernetes-managed hosts file.\n${base}${address === undefined ? '' : `${address}\t${domain ? `${hostname}.${domain}\t` : ''}${hostname}\n`}`;
  const aliases = pod.spec.hostAliases ?? [];
  if (aliases.length === 0) return own;
  const lines = aliases.map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join('\t')}\n`).join('');
  return `${own}\n# Entries added by HostAliases.\n${lines}`;
}

/** /etc/resolv.conf by the Pod's DNS policy. Follows pkg/kubelet/network/dns/dns.go, v1.33. */
export function resolvFile(pod: Pod, { clusterDns, clusterDomain, nodeDns }: KubeletConfig): string {
  const { dnsPolicy = 'ClusterFirst', dnsConfig = {}, hostNetwork } = pod.spec;
  const cluster = dnsPolicy === 'ClusterFirstWithHostNet' || (dnsPolicy === 'ClusterFirst' && !hostNetwork);
  const searches = cluster
    ? [`${pod.metadata.namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain]
    : [];
  const base = cluster ? clusterDns : dnsPolicy === 'None' ? undefined : nodeDns;
  const nameservers = [...(base === undefined ? [] : [base]), ...(dnsConfig.nameservers ?? [])];
  const options = new Map<string, string>(cluster ? [['ndots', '5']] : []);
  for (const { name = '', value = '' } of dnsConfig.options ?? []) options.set(name, value);
  const search = [...new Set([...searches, ...(dnsConfig.searches ?? [])])];
  return [
    ...(search.length > 0 ? [`search ${search.join(' ')}`] : []),
    ...nameservers.map((server) => `nameserver ${server}`),
    ...(options.size > 0
      ? [`options ${[...options].map(([name, value]) => (value ? `${name}:${value}` : name)).join(' ')}`]
      : []),
  ]
    .map((line) => `${line}\n`)
    .join('');
}

/** The files that every container of the Pod gets besides its volumes. */
export function podFileMounts(
  pod: Pod,
  address: string | undefined,
  config: KubeletConfig,
  now: number,
): readonly Mount[] {
  const owner = { pod: pod.metadata.uid };
  const file = (path: string, text: () => string): Mount => ({
    path,
    node: () => newFile(owner, encodeUtf8(text()), now),
    readOnly: false,
  });
  return [
    file('/etc/hosts', () => hostsFile(pod, address, config)),
    file('/etc/hostname', () => `${podHostname(pod, config.clusterDomain).hostname}\n`),
    file('/etc/resolv.conf', () => resolvFile(pod, config)),
  ];
}
