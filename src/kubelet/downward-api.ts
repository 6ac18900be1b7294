import type { Container, ObjectFieldSelector, Pod, ResourceFieldSelector } from '#api/generated/types.ts';
import { parseQuantity } from '#apimachinery/quantity.ts';
import { goQuote } from '#apimachinery/validation.ts';

/** What the Pod does not know of itself. */
export interface DownwardContext {
  readonly hostAddress: string;
  readonly podAddress: string | undefined;
  /** The node's, which stand in for limits that are not set. */
  readonly allocatable: Readonly<Record<string, string>>;
}

/** The value of a field of the Pod. Throws an Error with upstream's words. Follows pkg/fieldpath and podFieldSelectorRuntimeValue, v1.33. */
export function podFieldValue({ fieldPath }: ObjectFieldSelector, pod: Pod, context: DownwardContext): string {
  const { metadata, spec } = pod;
  switch (fieldPath) {
    case 'metadata.name':
      return metadata.name ?? '';
    case 'metadata.namespace':
      return metadata.namespace ?? '';
    case 'metadata.uid':
      return metadata.uid ?? '';
    case 'metadata.labels':
      return formatMap(metadata.labels);
    case 'metadata.annotations':
      return formatMap(metadata.annotations);
    case 'spec.nodeName':
      return spec.nodeName ?? '';
    case 'spec.serviceAccountName':
      return spec.serviceAccountName ?? '';
    case 'status.hostIP':
    case 'status.hostIPs':
      return context.hostAddress;
    case 'status.podIP':
    case 'status.podIPs':
      return context.podAddress ?? '';
  }
  const [, map, key] = /^metadata\.(labels|annotations)\['([^']*)'\]$/.exec(fieldPath) ?? [];
  if (map === undefined || key === undefined) throw new Error(`unsupported fieldPath: ${fieldPath}`);
  const values = map === 'labels' ? metadata.labels : metadata.annotations;
  return values && Object.hasOwn(values, key) ? (values[key] as string) : '';
}

function formatMap(map: Readonly<Record<string, string>> | undefined): string {
  return Object.keys(map ?? {})
    .sort()
    .map((key) => `${key}=${goQuote((map as Record<string, string>)[key] as string)}`)
    .join('\n');
}

/** The value of a container's request or limit, in units of the divisor, rounded up. Follows pkg/api/v1/resource, v1.33. */
export function resourceFieldValue(
  { containerName, resource, divisor }: ResourceFieldSelector,
  pod: Pod,
  own: Container | undefined,
  { allocatable }: DownwardContext,
): string {
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const container = containerName ? containers.find(({ name }) => name === containerName) : own;
  if (!container) throw new Error(`container ${containerName ?? ''} not found`);
  const [, kind = '', name = ''] = /^(requests|limits)\.(.+)$/.exec(resource) ?? [];
  const { requests = {}, limits = {} } = container.resources ?? {};
  const values = kind === 'limits' ? limits : requests;
  const fallback =
    kind === 'limits' && ['cpu', 'memory', 'ephemeral-storage'].includes(name) ? allocatable[name] : undefined;
  const amount = parseQuantity(values[name] ?? fallback ?? '0').nanos;
  // CPU counts in thousandths, all else in whole units.
  const unit = name === 'cpu' ? 1_000_000n : 1_000_000_000n;
  const given = divisor === undefined || divisor === '' || divisor === '0' ? '1' : divisor;
  const up = (nanos: bigint) => (nanos + unit - 1n) / unit;
  const by = up(parseQuantity(given).nanos);
  return String((up(amount) + by - 1n) / by);
}
