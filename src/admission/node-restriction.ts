import { leases } from '#api/coordination/v1/lease.ts';
import { nodes } from '#api/core/v1/node.ts';
import { persistentVolumeClaims } from '#api/core/v1/persistent-volume-claim.ts';
import { persistentVolumes } from '#api/core/v1/persistent-volume.ts';
import { pods } from '#api/core/v1/pod.ts';
import { configMapNames, secretNames } from '#api/core/v1/pod-references.ts';
import { isMirrorPod, MIRROR_POD_ANNOTATION } from '#api/core/v1/pod-status.ts';
import { serviceAccounts } from '#api/core/v1/service-account.ts';
import { specDiff } from '#api/core/v1/spec-diff.ts';
import type { Node, PersistentVolumeClaim, Pod, TokenRequest } from '#api/generated/types.ts';
import { nodeOf } from '#api/node-identity.ts';
import { csiDrivers } from '#api/storage/v1/csi-driver.ts';
import { csiNodes } from '#api/storage/v1/csi-node.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { notFound } from '#apimachinery/status-error.ts';
import { goQuote } from '#apimachinery/validation.ts';
import type { AdmissionAttributes, AdmissionPlugin, RequestContext } from '#apiserver/contract.ts';
import { admissionForbidden } from './forbidden.ts';

/** What a node asks for. Returns why it may not have it; throws when something is not there. */
type Check = (node: string, attributes: AdmissionAttributes, context: RequestContext) => string | undefined;

const qualified = ({ group, plural }: { readonly group: string; readonly plural: string }) =>
  group ? `${plural}.${group}` : plural;

/**
 * Keeps kubelets to their own Node, Lease and CSINode and to the Pods bound to them, as far as the authorizer cannot:
 * it does not see objects. Follows plugin/pkg/admission/noderestriction, v1.33.
 *
 * Differs from upstream: volumes of cloud providers in a Pod do not stand for their CSI drivers' audiences.
 */
export const nodeRestriction: AdmissionPlugin = {
  name: 'NodeRestriction',
  admit(attributes, context) {
    const { user, resource, object } = attributes;
    const node = nodeOf(user);
    if (node === undefined) return object;
    const why =
      node === ''
        ? `could not determine node from user ${goQuote(user.name)}`
        : CHECKS.get(qualified(resource))?.(node, attributes, context);
    if (why !== undefined) throw admissionForbidden(attributes, why);
    return object;
  },
};

const CHECKS: ReadonlyMap<string, Check> = new Map([
  [qualified(pods), checkPods],
  [qualified(nodes), checkNode],
  [qualified(persistentVolumeClaims), checkClaim],
  [qualified(serviceAccounts), checkToken],
  [
    qualified(leases),
    (node: string, attributes: AdmissionAttributes) => {
      if (attributes.namespace !== 'kube-node-lease')
        return 'can only access leases in the "kube-node-lease" system namespace';
      return nameOf(attributes) === node
        ? undefined
        : 'can only access node lease with the same name as the requesting node';
    },
  ],
  [
    qualified(csiNodes),
    (node: string, attributes: AdmissionAttributes) =>
      nameOf(attributes) === node ? undefined : 'can only access CSINode with the same name as the requesting node',
  ],
]);

const nameOf = ({ operation, name, object }: AdmissionAttributes): string =>
  operation === 'CREATE' ? (object?.metadata.name ?? '') : name;

function checkPods(node: string, attributes: AdmissionAttributes, context: RequestContext): string | undefined {
  const { operation, subresource, object, oldObject } = attributes;
  const me = `node ${goQuote(node)}`;
  switch (subresource) {
    case undefined:
      if (operation === 'CREATE') return checkNewPod(node, object as Pod, context);
      if (operation !== 'DELETE')
        return `unexpected operation ${goQuote(operation)}, ${me} can only create and delete mirror pods`;
      return (oldObject as Pod).spec.nodeName === node
        ? undefined
        : `${me} can only delete pods with spec.nodeName set to itself`;
    case 'status': {
      if (operation !== 'UPDATE') return `unexpected operation ${goQuote(operation)}`;
      const [old, next] = [oldObject as Pod, object as Pod];
      if (old.spec.nodeName !== node)
        return `${me} can only update pod status for pods with spec.nodeName set to itself`;
      if (old.metadata !== next.metadata && !semanticEqual(old.metadata.labels, next.metadata.labels))
        return `${me} cannot update labels through pod status`;
      return semanticEqual(old.status?.resourceClaimStatuses, next.status?.resourceClaimStatuses)
        ? undefined
        : `${me} cannot update resource claim statues`;
    }
    case 'eviction': {
      if (operation !== 'CREATE') return `unexpected operation ${operation}`;
      const name = attributes.name || object?.metadata.name;
      if (!name) return 'could not determine pod from request data';
      return podNamed(name, attributes, context).spec.nodeName === node
        ? undefined
        : `node ${node} can only evict pods with spec.nodeName set to itself`;
    }
    default:
      return `unexpected pod subresource ${goQuote(subresource)}, only 'status' and 'eviction' are allowed`;
  }
}

/** As a lister of the server has it. Throws NotFound. */
function podNamed(name: string, { namespace }: AdmissionAttributes, context: RequestContext): Pod {
  const pod = context.read(pods, namespace, name);
  if (!pod) throw notFound({ group: '', plural: 'pod' }, name);
  return pod;
}

function checkNewPod(node: string, pod: Pod, context: RequestContext): string | undefined {
  const me = `node ${goQuote(node)}`;
  if (!isMirrorPod(pod))
    return `pod does not have ${goQuote(MIRROR_POD_ANNOTATION)} annotation, ${me} can only create mirror pods`;
  const { spec, metadata } = pod;
  const may = `${me} can only create pods with`;
  if (spec.nodeName !== node) return `${may} spec.nodeName set to itself`;
  const [owner, ...others] = metadata.ownerReferences ?? [];
  if (others.length > 0) return `${may} a single owner reference set to itself`;
  if (owner?.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node)
    return `${may} an owner reference set to itself`;
  if (!owner.controller) return `${may} a controller owner reference set to itself`;
  if (owner.blockOwnerDeletion) return `${me} must not set blockOwnerDeletion on an owner reference`;
  const own = context.read(nodes, undefined, node);
  if (!own) throw notFound({ group: '', plural: 'node' }, node);
  if (own.metadata.uid !== owner.uid)
    return `node ${node} UID mismatch: expected ${owner.uid} got ${own.metadata.uid ?? ''}`;
  const reference = referenceOf(pod);
  return reference && `${me} can not create pods that reference ${reference}`;
}

/** What a mirror Pod must not refer to, if it does. */
function referenceOf(pod: Pod): string | undefined {
  const { serviceAccountName, volumes = [], resourceClaims = [] } = pod.spec;
  if (serviceAccountName) return 'a service account';
  if (secretNames(pod).length > 0) return 'secrets';
  if (configMapNames(pod).length > 0) return 'configmaps';
  if (volumes.some(({ projected }) => projected?.sources?.some(({ clusterTrustBundle }) => clusterTrustBundle)))
    return 'clustertrustbundles';
  if (volumes.some(({ persistentVolumeClaim }) => persistentVolumeClaim)) return 'persistentvolumeclaims';
  return resourceClaims.length > 0 ? 'resourceclaims' : undefined;
}

function checkNode(node: string, attributes: AdmissionAttributes): string | undefined {
  const { operation, object, oldObject, name } = attributes;
  const me = `node ${goQuote(node)}`;
  if (name !== node) return `${me} is not allowed to modify node ${goQuote(name)}`;
  if (operation === 'CREATE') {
    const { spec, metadata } = object as Node;
    if (spec?.configSource) return `${me} is not allowed to create pods with a non-nil configSource`;
    const labels = forbiddenLabels(metadata.labels, undefined);
    return labels && `${me} is not allowed to set the following labels: ${labels}`;
  }
  if (operation !== 'UPDATE') return undefined;
  const [old, next] = [oldObject as Node, object as Node];
  if (old.spec !== next.spec) {
    if (next.spec.configSource && !semanticEqual(next.spec.configSource, old.spec.configSource))
      return `${me} is not allowed to update configSource to a new non-nil configSource`;
    if (!semanticEqual(next.spec.taints, old.spec.taints)) return `${me} is not allowed to modify taints`;
  }
  if (old.metadata === next.metadata) return undefined;
  if (!semanticEqual(next.metadata.ownerReferences, old.metadata.ownerReferences))
    return `${me} is not allowed to modify ownerReferences`;
  const labels = forbiddenLabels(next.metadata.labels, old.metadata.labels);
  return labels && `is not allowed to modify labels: ${labels}`;
}

/** Kubernetes' own labels that kubelets may set. Follows k8s.io/kubelet/pkg/apis/well_known_labels.go, v1.33. */
const KUBELET_LABELS: ReadonlySet<string> = new Set([
  'kubernetes.io/hostname',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
]);

type Labels = Readonly<Record<string, string>> | undefined;

function forbiddenLabels(next: Labels = {}, old: Labels = {}): string | undefined {
  if (next === old) return undefined;
  const keys = new Set([...Object.keys(next), ...Object.keys(old)]);
  const forbidden = [...keys].filter((key) => {
    if (Object.hasOwn(next, key) && Object.hasOwn(old, key) && next[key] === old[key]) return false;
    const slash = key.indexOf('/');
    const namespace = slash < 0 ? '' : key.slice(0, slash);
    const isIn = (other: string) => namespace === other || namespace.endsWith(`.${other}`);
    if (isIn('node-restriction.kubernetes.io')) return true;
    if (!isIn('kubernetes.io') && !isIn('k8s.io')) return false;
    return !(KUBELET_LABELS.has(key) || isIn('kubelet.kubernetes.io') || isIn('node.kubernetes.io'));
  });
  return forbidden.length > 0 ? forbidden.sort().join(', ') : undefined;
}

function checkClaim(node: string, { subresource, operation, object, oldObject }: AdmissionAttributes) {
  if (subresource !== 'status') return 'may only update PVC status';
  if (operation !== 'UPDATE') return `unexpected operation ${goQuote(operation)}`;
  const rest = ({ metadata, status, ...others }: PersistentVolumeClaim) => ({
    ...others,
    metadata: { ...metadata, resourceVersion: '', managedFields: undefined },
    status: {
      ...status,
      capacity: undefined,
      conditions: undefined,
      allocatedResourceStatuses: undefined,
      allocatedResources: undefined,
    },
  });
  const [old, next] = [rest(oldObject as PersistentVolumeClaim), rest(object as PersistentVolumeClaim)];
  if (semanticEqual(old, next)) return undefined;
  const diff = specDiff('&core.PersistentVolumeClaim', old, next);
  return `node ${goQuote(node)} is not allowed to update fields other than status.quantity and status.conditions: ${diff}`;
}

function checkToken(node: string, attributes: AdmissionAttributes, context: RequestContext): string | undefined {
  const { operation, subresource, object } = attributes;
  if (operation !== 'CREATE' || subresource !== 'token') return undefined;
  const { spec } = object as TokenRequest;
  const bound = spec?.boundObjectRef;
  const audiences = spec?.audiences?.length ? spec.audiences : [''];
  if (bound?.apiVersion !== 'v1' || bound.kind !== 'Pod' || !bound.name)
    return 'node requested token not bound to a pod';
  if (!bound.uid) return 'node requested token with a pod binding without a uid';
  const pod = podNamed(bound.name, attributes, context);
  if (pod.metadata.uid !== bound.uid)
    return `the UID in the bound object reference (${bound.uid}) does not match the UID in record. The object might have been deleted and then recreated`;
  if (pod.spec.nodeName !== node) return 'node requested token bound to a pod scheduled on a different node';
  if (audiences.length > 1) return 'node may only request 0 or 1 audiences';
  return checkAudience(audiences[0] ?? '', pod, attributes, context);
}

function checkAudience(
  audience: string,
  pod: Pod,
  { user, namespace, name }: AdmissionAttributes,
  context: RequestContext,
): string | undefined {
  const { audiences, missing } = audiencesOf(pod, context);
  if (audiences.includes(audience)) return undefined;
  const which = `audience ${goQuote(audience)}`;
  if (missing) return `error validating ${which}: ${missing}`;
  const verb = 'request-serviceaccounts-token-audience';
  const access = { user, verb, group: '', version: 'v1', resource: audience, namespace, name };
  return context.authorizer.authorize(access).allowed
    ? undefined
    : `${which} not found in pod spec volume, ${user.name} is not authorized to request tokens for this audience`;
}

/** The audiences that a Pod's volumes are for, and which objects are missing that would say more. */
function audiencesOf(pod: Pod, context: RequestContext): { readonly audiences: string[]; readonly missing: string } {
  const audiences: string[] = [];
  const missing: string[] = [];
  const driverOf = (claimName: string): string | undefined => {
    const claim = context.read(persistentVolumeClaims, pod.metadata.namespace, claimName);
    const volumeName = claim?.spec.volumeName ?? '';
    const volume = claim && context.read(persistentVolumes, undefined, volumeName);
    if (!claim) missing.push(`persistentvolumeclaim ${goQuote(claimName)} not found`);
    else if (!volume) missing.push(`persistentvolume ${goQuote(volumeName)} not found`);
    return volume?.spec.csi?.driver;
  };
  for (const { name, projected, ephemeral, persistentVolumeClaim, csi } of pod.spec.volumes ?? []) {
    for (const { serviceAccountToken } of projected?.sources ?? []) {
      if (serviceAccountToken) audiences.push(serviceAccountToken.audience ?? '');
    }
    const driverName = ephemeral?.volumeClaimTemplate
      ? driverOf(`${pod.metadata.name ?? ''}-${name}`)
      : persistentVolumeClaim
        ? driverOf(persistentVolumeClaim.claimName)
        : csi?.driver;
    if (!driverName) continue;
    const driver = context.read(csiDrivers, undefined, driverName);
    if (!driver) missing.push(`csidriver.storage.k8s.io ${goQuote(driverName)} not found`);
    for (const request of driver?.spec.tokenRequests ?? []) audiences.push(request.audience);
  }
  const [first = '', ...others] = [...new Set(missing)];
  return { audiences, missing: others.length > 0 ? `[${[first, ...others].join(', ')}]` : first };
}
