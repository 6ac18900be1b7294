import type { ConfigMap, Container, Pod, Secret, Service } from '#api/generated/types.ts';
import { isStatus } from '#apimachinery/status-error.ts';
import { decodeBase64 } from '#base/base64.ts';
import { decodeUtf8 } from '#base/utf8.ts';
import type { Lister } from '#client/indexer.ts';
import { type DownwardContext, podFieldValue, resourceFieldValue } from './downward-api.ts';
import { expand } from './expansion.ts';
import { isStaticPod } from './static-pod.ts';

/** Where a container's environment comes from. */
export interface EnvironmentSources extends DownwardContext {
  /** Throws a StatusError NotFound. */
  configMap(namespace: string, name: string): Promise<ConfigMap>;
  secret(namespace: string, name: string): Promise<Secret>;
  /** Services that have been seen so far, and whether these are all. */
  readonly services: { readonly synced: boolean; readonly lister: Pick<Lister<Service>, 'get' | 'list'> };
}

/**
 * A container's environment variables in the order in which they are declared, then those of the Services. Throws an
 * Error whose message the kubelet reports (CreateContainerConfigError). Follows makeEnvironmentVariables of
 * pkg/kubelet/kubelet_pods.go, v1.33.
 */
export async function containerEnvironment(
  pod: Pod,
  container: Container,
  sources: EnvironmentSources,
): Promise<readonly (readonly [string, string])[]> {
  const { namespace = '' } = pod.metadata;
  const variables = new Map<string, string>();
  const { synced, lister } = sources.services;
  if (!synced && !isStaticPod(pod)) {
    throw new Error('services have not yet been read at least once, cannot construct envvars');
  }
  const services = serviceVariables(lister, namespace, pod.spec.enableServiceLinks !== false);
  const valueOf = (name: string) => variables.get(name) ?? services.get(name);
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    const ref = configMapRef ?? secretRef;
    if (!ref) continue;
    const found = await orMissing(ref.optional, () =>
      configMapRef ? sources.configMap(namespace, ref.name ?? '') : sources.secret(namespace, ref.name ?? ''),
    );
    for (const [key, value] of Object.entries(found?.data ?? {})) {
      variables.set(prefix + key, configMapRef ? value : secretText(value));
    }
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    let text: string | undefined = value ?? '';
    if (text !== '') text = expand(text, valueOf);
    else if (valueFrom?.fieldRef) text = podFieldValue(valueFrom.fieldRef, pod, sources);
    else if (valueFrom?.resourceFieldRef)
      text = resourceFieldValue(valueFrom.resourceFieldRef, pod, container, sources);
    else if (valueFrom?.configMapKeyRef) {
      const { name: map = '', key, optional } = valueFrom.configMapKeyRef;
      const found = await orMissing(optional, () => sources.configMap(namespace, map));
      text = keyOf(found?.data, key, optional || !found, `ConfigMap ${namespace}/${map}`);
    } else if (valueFrom?.secretKeyRef) {
      const { name: secret = '', key, optional } = valueFrom.secretKeyRef;
      const found = await orMissing(optional, () => sources.secret(namespace, secret));
      const encoded = keyOf(found?.data, key, optional || !found, `Secret ${namespace}/${secret}`);
      text = encoded === undefined ? undefined : secretText(encoded);
    }
    if (text !== undefined) variables.set(name, text);
  }
  return [...variables, ...[...services].filter(([name]) => !variables.has(name))];
}

function keyOf(
  data: Readonly<Record<string, string>> | undefined,
  key: string,
  optional: boolean | undefined,
  where: string,
): string | undefined {
  if (data && Object.hasOwn(data, key)) return data[key];
  if (optional) return undefined;
  throw new Error(`couldn't find key ${key} in ${where}`);
}

async function orMissing<T>(optional: boolean | undefined, get: () => Promise<T>): Promise<T | undefined> {
  try {
    return await get();
  } catch (error) {
    if (optional && isStatus(error, 'NotFound')) return undefined;
    throw error;
  }
}

function secretText(encoded: string): string {
  const bytes = decodeBase64(encoded);
  return typeof bytes === 'number' ? '' : decodeUtf8(bytes);
}

/**
 * What containers are told of Services by their environment: of the API server's, and, with `links`, of those of their
 * own namespace. Follows pkg/kubelet/envvars, v1.33.
 */
export function serviceVariables(
  services: Pick<Lister<Service>, 'get' | 'list'>,
  namespace: string,
  links: boolean,
): Map<string, string> {
  const chosen = new Map<string, Service>();
  const master = services.get({ namespace: 'default', name: 'kubernetes' });
  for (const service of [...(master ? [master] : []), ...(links ? services.list(namespace) : [])]) {
    const { clusterIP } = service.spec;
    if (clusterIP && clusterIP !== 'None') chosen.set(service.metadata.name ?? '', service);
  }
  const variables = new Map<string, string>();
  for (const [name, { spec }] of chosen) {
    const prefix = name.toUpperCase().replaceAll('-', '_');
    const host = spec.clusterIP as string;
    const [first] = spec.ports ?? [];
    if (!first) continue;
    variables.set(`${prefix}_SERVICE_HOST`, host);
    variables.set(`${prefix}_SERVICE_PORT`, String(first.port));
    for (const { name: port, port: number } of spec.ports ?? []) {
      if (port) variables.set(`${prefix}_SERVICE_PORT_${port.toUpperCase().replaceAll('-', '_')}`, String(number));
    }
    for (const [i, { port, protocol = 'TCP' }] of (spec.ports ?? []).entries()) {
      const url = `${protocol.toLowerCase()}://${host}:${port}`;
      if (i === 0) variables.set(`${prefix}_PORT`, url);
      const key = `${prefix}_PORT_${port}_${protocol}`;
      variables.set(key, url);
      variables.set(`${key}_PROTO`, protocol.toLowerCase());
      variables.set(`${key}_PORT`, String(port));
      variables.set(`${key}_ADDR`, host);
    }
  }
  return variables;
}
