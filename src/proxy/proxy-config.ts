import { readYaml } from '#apimachinery/yaml-reader.ts';
import type { ProxyMode } from './packet-filter.ts';

/** What kube-proxy reads of its KubeProxyConfiguration. */
export interface ProxyConfig {
  readonly mode: ProxyMode;
  /** The least time between two syncs, ms. */
  readonly minSyncPeriodMs: number;
  /** Fields that ask for something that is not modelled. */
  readonly ignored: readonly string[];
}

/** Fields that would change where traffic goes, or what is listened on, if they were modelled. */
const NOT_MODELLED = [
  'bindAddress',
  'featureGates',
  'healthzBindAddress',
  'iptables.localhostNodePorts',
  'iptables.masqueradeAll',
  'ipvs.excludeCIDRs',
  'ipvs.strictARP',
  'metricsBindAddress',
  'nodePortAddresses',
] as const;
/** What these fields may say and be as if they were not there. */
const DEFAULTS: readonly unknown[] = [undefined, null, '', false, '0.0.0.0', '0.0.0.0:10256', '127.0.0.1:10249'];

const UNITS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * Reads a KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1). Throws an Error that says what is wrong, or what is not
 * modelled: the mode nftables, and other IPVS schedulers than `rr`. Follows pkg/proxy/apis/config/v1alpha1/defaults.go, v1.33.
 */
export function readProxyConfig(yaml: string): ProxyConfig {
  const config = record(readYaml(yaml));
  if (config.kind !== 'KubeProxyConfiguration' || config.apiVersion !== 'kubeproxy.config.k8s.io/v1alpha1')
    throw new Error(`no kind "${text(config.kind)}" is registered for version "${text(config.apiVersion)}"`);
  const mode = config.mode ?? '';
  if (mode !== '' && mode !== 'iptables' && mode !== 'ipvs') {
    throw new Error(
      mode === 'nftables'
        ? 'the mode nftables is not emulated, use iptables or ipvs'
        : `KubeProxyConfiguration.Mode: Invalid value: "${text(mode)}": must be iptables, ipvs, nftables or blank (blank means the best-available proxy [currently iptables])`,
    );
  }
  const own = record(config[mode || 'iptables']);
  const scheduler = own.scheduler ?? '';
  if (mode === 'ipvs' && scheduler !== '' && scheduler !== 'rr')
    throw new Error(`the IPVS scheduler ${text(scheduler)} is not emulated, use rr`);
  const period = durationMs(own.minSyncPeriod);
  return {
    mode: mode || 'iptables',
    minSyncPeriodMs: period > 0 ? period : mode === 'ipvs' ? 0 : 1000,
    ignored: NOT_MODELLED.filter((field) => {
      const [outer = '', inner] = field.split('.');
      const value = inner === undefined ? config[outer] : record(config[outer])[inner];
      const asked = field === 'iptables.localhostNodePorts' ? value === false : !DEFAULTS.includes(value);
      return asked && !(typeof value === 'object' && value !== null && Object.keys(value).length === 0);
    }),
  };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function durationMs(value: unknown): number {
  let ms = 0;
  for (const [, number, unit] of text(value).matchAll(/([\d.]+)(ns|us|ms|s|m|h)/g))
    ms += Number(number) * (UNITS[unit as string] as number);
  return ms;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? '');
}
