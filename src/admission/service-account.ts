import { pods } from '#api/core/v1/pod.ts';
import { secretNames } from '#api/core/v1/pod-references.ts';
import { isMirrorPod } from '#api/core/v1/pod-status.ts';
import { serviceAccounts } from '#api/core/v1/service-account.ts';
import type { Container, Pod, PodSpec, ServiceAccount, Volume } from '#api/generated/types.ts';
import { deepFreeze } from '#apimachinery/json.ts';
import type { AdmissionAttributes, AdmissionPlugin, RequestContext } from '#apiserver/contract.ts';
import { admissionForbidden } from './forbidden.ts';

const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const TOKEN_VOLUME_PREFIX = 'kube-api-access-';
const ENFORCE_MOUNTABLE_SECRETS = 'kubernetes.io/enforce-mountable-secrets';

/** How often, and how long between (ms; upstream draws from 100 to 200), a new namespace's account is looked for. */
const ATTEMPTS = 10;
const RETRY_MS = 150;

/**
 * Gives Pods an account, its pull secrets and its token. The default account of a new namespace is waited for.
 * Follows plugin/pkg/admission/serviceaccount, v1.33.
 */
export const serviceAccount: AdmissionPlugin = {
  name: 'ServiceAccount',
  resources: [pods],
  wait(attributes, context) {
    const pod = createdPod(attributes);
    if (!pod || isMirrorPod(pod) || accountName(pod) !== 'default') return undefined;
    return findAccount(attributes, context, 'default') ? undefined : waitForDefault(attributes, context);
  },
  admit(attributes, context) {
    const pod = createdPod(attributes);
    if (!pod || isMirrorPod(pod)) return attributes.object;
    const name = accountName(pod);
    const account = lookUp(attributes, context, name);
    let { spec } = pod;
    if (spec.serviceAccountName !== name || spec.serviceAccount !== name) {
      spec = { ...spec, serviceAccountName: name, serviceAccount: name };
    }
    if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) {
      spec = withToken(spec, context);
    }
    if (!spec.imagePullSecrets?.length && account.imagePullSecrets?.length) {
      spec = { ...spec, imagePullSecrets: account.imagePullSecrets.map((secret) => ({ name: secret.name })) };
    }
    return spec === pod.spec ? pod : ({ ...pod, spec } as Pod);
  },
  validate(attributes, context) {
    const pod = createdPod(attributes) ?? debuggedPod(attributes);
    if (!pod) return;
    if (isMirrorPod(pod) && attributes.operation === 'CREATE') {
      validateMirrorPod(attributes, pod);
      return;
    }
    if (!pod.spec.serviceAccountName) {
      const { namespace = '' } = attributes;
      const why = `no service account specified for pod ${namespace}/${pod.metadata.name ?? ''}`;
      throw admissionForbidden(attributes, why);
    }
    const account = lookUp(attributes, context, pod.spec.serviceAccountName);
    if (!/^(?:1|t|T|TRUE|true|True)$/.test(account.metadata.annotations?.[ENFORCE_MOUNTABLE_SECRETS] ?? '')) return;
    const why = forbiddenSecret(pod, account, attributes.subresource === 'ephemeralcontainers');
    if (why) throw admissionForbidden(attributes, why);
  },
};

const accountName = ({ spec }: Pod): string => spec.serviceAccountName || 'default';

function createdPod(attributes: AdmissionAttributes): Pod | undefined {
  const { operation, subresource, object } = attributes;
  return operation === 'CREATE' && !subresource ? (object as Pod | undefined) : undefined;
}

function debuggedPod(attributes: AdmissionAttributes): Pod | undefined {
  const { operation, subresource, object } = attributes;
  const isDebugging = operation === 'UPDATE' && subresource === 'ephemeralcontainers';
  return isDebugging ? (object as Pod | undefined) : undefined;
}

function findAccount(
  { namespace }: AdmissionAttributes,
  context: RequestContext,
  name: string,
): ServiceAccount | undefined {
  return context.read(serviceAccounts, namespace, name);
}

async function waitForDefault(attributes: AdmissionAttributes, context: RequestContext): Promise<void> {
  for (let attempt = 1; attempt < ATTEMPTS; attempt++) {
    await context.sleep(RETRY_MS);
    if (findAccount(attributes, context, 'default')) return;
  }
}

function lookUp(attributes: AdmissionAttributes, context: RequestContext, name: string): ServiceAccount {
  const account = findAccount(attributes, context, name);
  if (account) return account;
  const why = `error looking up service account ${attributes.namespace}/${name}: serviceaccount "${name}" not found`;
  throw admissionForbidden(attributes, why);
}

/** Mounts the token into every container that has nothing at its place. */
function withToken(spec: PodSpec, context: RequestContext): PodSpec {
  const { volumes = [], containers, initContainers } = spec;
  const hasToken = ({ volumeMounts }: Container) => volumeMounts?.some(({ mountPath }) => mountPath === TOKEN_PATH);
  const present = volumes.find((volume) => volume.name.startsWith(TOKEN_VOLUME_PREFIX))?.name;
  const wanted = [...containers, ...(initContainers ?? [])].some((container) => !hasToken(container));
  if (!wanted) return spec;
  const name = present ?? `${TOKEN_VOLUME_PREFIX}${context.suffix(5)}`;
  const mount = { name, readOnly: true, mountPath: TOKEN_PATH };
  const mounted = (container: Container): Container =>
    hasToken(container) ? container : { ...container, volumeMounts: [...(container.volumeMounts ?? []), mount] };
  return {
    ...spec,
    ...(initContainers ? { initContainers: initContainers.map(mounted) } : {}),
    containers: containers.map(mounted),
    ...(present ? {} : { volumes: [...volumes, { name, ...TOKEN_SOURCE }] }),
  };
}

/** The token lasts an hour and seven seconds on paper, which is how upstream tells its own tokens from others. */
const TOKEN_SOURCE: Omit<Volume, 'name'> = deepFreeze({
  projected: {
    sources: [
      { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      {
        downwardAPI: {
          items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
        },
      },
    ],
    defaultMode: 0o644,
  },
});

function validateMirrorPod(attributes: AdmissionAttributes, pod: Pod): void {
  const may = (why: string) => admissionForbidden(attributes, `a mirror pod may not ${why}`);
  if (pod.spec.serviceAccountName) throw may('reference service accounts');
  if (secretNames(pod).length > 0) throw may('reference secrets');
  for (const { projected } of pod.spec.volumes ?? []) {
    if (projected?.sources?.some((source) => source.serviceAccountToken)) {
      throw may('use ServiceAccountToken volume projections');
    }
  }
}

/** Why a Pod may not use a secret of an account that lists which ones its Pods may. */
function forbiddenSecret(pod: Pod, account: ServiceAccount, onlyEphemeral: boolean): string | undefined {
  const { spec } = pod;
  const { name = '' } = account.metadata;
  const mountable = new Set(account.secrets?.map((secret) => secret.name));
  const because = `is not allowed because service account ${name} does not reference that`;
  const inContainers = (containers: readonly Container[] | undefined, sort: string): string | undefined => {
    for (const container of containers ?? []) {
      for (const { name: variable, valueFrom } of container.env ?? []) {
        const secret = valueFrom?.secretKeyRef?.name ?? '';
        if (valueFrom?.secretKeyRef && !mountable.has(secret)) {
          return `${sort} ${container.name} with envVar ${variable} referencing secret.secretName="${secret}" ${because} secret`;
        }
      }
      for (const { secretRef } of container.envFrom ?? []) {
        if (secretRef && !mountable.has(secretRef.name ?? '')) {
          return `${sort} ${container.name} with envFrom referencing secret.secretName="${secretRef.name ?? ''}" ${because} secret`;
        }
      }
    }
    return undefined;
  };
  if (onlyEphemeral) return inContainers(spec.ephemeralContainers, 'ephemeral container');
  for (const { secret } of spec.volumes ?? []) {
    if (secret && !mountable.has(secret.secretName ?? '')) {
      return `volume with secret.secretName="${secret.secretName ?? ''}" ${because} secret`;
    }
  }
  const why = inContainers(spec.initContainers, 'init container') ?? inContainers(spec.containers, 'container');
  if (why) return why;
  const pulled = new Set(account.imagePullSecrets?.map((secret) => secret.name));
  const i = spec.imagePullSecrets?.findIndex((secret) => !pulled.has(secret.name)) ?? -1;
  return i < 0
    ? undefined
    : `imagePullSecrets[${i}].name="${spec.imagePullSecrets?.[i]?.name ?? ''}" ${because} imagePullSecret`;
}
