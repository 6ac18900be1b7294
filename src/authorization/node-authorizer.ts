import { persistentVolumeClaims } from '#api/core/v1/persistent-volume-claim.ts';
import { persistentVolumes } from '#api/core/v1/persistent-volume.ts';
import { pods } from '#api/core/v1/pod.ts';
import { configMapNames, secretNames } from '#api/core/v1/pod-references.ts';
import { isMirrorPod } from '#api/core/v1/pod-status.ts';
import type { PersistentVolume, Pod } from '#api/generated/types.ts';
import { nodeOf } from '#api/node-identity.ts';
import { volumeAttachments } from '#api/storage/v1/volume-attachment.ts';
import type { UserInfo } from '#apimachinery/api-request.ts';
import { goQuote } from '#apimachinery/validation.ts';
import {
  ALLOWED,
  type Authorizer,
  type AuthorizerSource,
  type Decision,
  NO_OPINION,
  type ResourceAccess,
} from '#apiserver/authorization.ts';
import { bootstrapPolicy } from './bootstrap-policy.ts';
import { allowedBy } from './rbac-authorizer.ts';

const refuse = (reason: string): Decision => ({ allowed: false, reason });

/**
 * Lets kubelets read what the Pods of their node need, and write what is theirs. Where upstream keeps a graph of all Pods,
 * this one looks at those of the node, by an index. Follows plugin/pkg/auth/authorizer/node, v1.33.
 */
export class NodeAuthorizer implements Authorizer {
  readonly #source: AuthorizerSource;
  /** What every node may do, where it is not subdivided. */
  readonly #rules = bootstrapPolicy().clusterRoles.find(({ metadata }) => metadata.name === 'system:node')?.rules ?? [];

  constructor(source: AuthorizerSource) {
    this.#source = source;
  }

  authorize(access: ResourceAccess): Decision {
    const node = nodeOf(access.user);
    if (node === undefined) return NO_OPINION;
    if (node === '') return refuse(`unknown node for user ${goQuote(access.user.name)}`);
    const { group, resource, subresource = '', verb, namespace = '' } = access;
    switch (group ? `${resource}.${group}` : resource) {
      case 'secrets':
        return this.#read(
          node,
          access,
          (secret) => this.#isOf(node, secretNames)(secret) || this.#isVolumes(node, secret),
        );
      case 'configmaps':
        return this.#read(node, access, this.#isOf(node, configMapNames));
      case 'persistentvolumeclaims':
        if (subresource !== 'status') return this.#get(node, access, this.#isOf(node, claimNames));
        if (verb !== 'update' && verb !== 'patch') return refuse('can only get/update/patch this type');
        return related(node, access, this.#isOf(node, claimNames));
      case 'persistentvolumes':
        return this.#get(node, access, ({ name }) => this.#volume(node, name));
      case 'volumeattachments.storage.k8s.io':
        return this.#get(node, access, ({ name }) => this.#attachedTo(name) === node);
      case 'resourceclaims.resource.k8s.io':
        return this.#get(node, access, () => false);
      case 'serviceaccounts':
        return this.#serviceAccount(node, access);
      case 'leases.coordination.k8s.io':
        if (!OWN_VERBS.includes(verb)) return refuse('can only get, create, update, patch, or delete a node lease');
        if (namespace !== 'kube-node-lease')
          return refuse('can only access leases in the "kube-node-lease" system namespace');
        return this.#own(node, access, 'can only access node lease with the same name as the requesting node');
      case 'csinodes.storage.k8s.io':
        if (!OWN_VERBS.includes(verb)) return refuse('can only get, create, update, patch, or delete a CSINode');
        if (subresource) return refuse('cannot authorize CSINode subresources');
        return this.#own(node, access, 'can only access CSINode with the same name as the requesting node');
      case 'nodes':
        return this.#node(node, access);
      case 'pods':
        return this.#pod(node, access);
      default:
        return allowedBy(this.#rules, access) ? ALLOWED : NO_OPINION;
    }
  }

  authorizePath(): Decision {
    return NO_OPINION;
  }

  rulesFor(user: UserInfo) {
    const isNode = nodeOf(user) !== undefined;
    const error = isNode ? 'node authorizer does not support user rule resolution' : '';
    return { rules: [], incomplete: isNode, error };
  }

  #read(node: string, access: ResourceAccess, isOf: Relation): Decision {
    const { verb, subresource, namespace } = access;
    if (verb !== 'get' && verb !== 'list' && verb !== 'watch') return refuse('can only read resources of this type');
    if (subresource) return refuse('cannot read subresource');
    if (!namespace) return refuse('can only read namespaced object of this type');
    return related(node, access, isOf);
  }

  #get(node: string, access: ResourceAccess, isOf: Relation): Decision {
    if (access.verb !== 'get') return refuse('can only get individual resources of this type');
    if (access.subresource) return refuse('cannot get subresource');
    return related(node, access, isOf);
  }

  /** Whether a Pod of the node names the object. Mirror Pods, which nodes make by themselves, give no rights. */
  #isOf(node: string, names: NamesOf): Relation {
    return ({ namespace, name }) =>
      this.#podsOf(node).some(
        (pod) => pod.metadata.namespace === namespace && !isMirrorPod(pod) && names(pod).includes(name),
      );
  }

  #isPod(node: string): Relation {
    return ({ namespace, name }) =>
      this.#podsOf(node).some(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
  }

  /** Whether a volume is that of a claim of the node's Pods. */
  #volume(node: string, name: string): boolean {
    const claim = this.#source.read(persistentVolumes, undefined, name)?.spec.claimRef;
    return this.#isOf(node, claimNames)({ namespace: claim?.namespace, name: claim?.name ?? '' });
  }

  #attachedTo(name: string): string | undefined {
    return this.#source.read(volumeAttachments, undefined, name)?.spec.nodeName;
  }

  /** Whether a secret is one that a kubelet needs for a volume of its Pods' claims. */
  #isVolumes(node: string, secret: ObjectName): boolean {
    return this.#podsOf(node).some((pod) => {
      const { namespace } = pod.metadata;
      return claimNames(pod).some((name) => {
        const { volumeName } = this.#source.read(persistentVolumeClaims, namespace, name)?.spec ?? {};
        const volume = volumeName ? this.#source.read(persistentVolumes, undefined, volumeName) : undefined;
        return volume !== undefined && needsSecret(volume, secret);
      });
    });
  }

  #podsOf(node: string): readonly Pod[] {
    return this.#source.readBy(pods, { field: 'spec.nodeName', get: ({ spec }) => spec.nodeName ?? '', value: node });
  }

  #serviceAccount(node: string, access: ResourceAccess): Decision {
    const { verb, subresource = '', name } = access;
    if (verb === 'get' && subresource === '') return refuse('not allowed to get service accounts');
    if (verb !== 'create' || !name) return refuse('can only create tokens for individual service accounts');
    if (subresource !== 'token') return refuse('can only create token subresource of serviceaccount');
    return related(
      node,
      access,
      this.#isOf(node, ({ spec }) => [spec.serviceAccountName ?? '']),
    );
  }

  #own(node: string, { verb, name }: ResourceAccess, why: string): Decision {
    return verb === 'create' || name === node ? ALLOWED : refuse(why);
  }

  #node(node: string, { verb, subresource = '', name = '' }: ResourceAccess): Decision {
    if (subresource === '') {
      if (verb === 'create' || verb === 'update' || verb === 'patch') return ALLOWED;
      if (verb !== 'get' && verb !== 'list' && verb !== 'watch') return NO_OPINION;
      if (name === node) return ALLOWED;
      const others = name === '' ? 'all nodes' : `'${name}'`;
      return refuse(`node '${node}' cannot read ${others}, only its own Node object`);
    }
    return subresource === 'status' && (verb === 'update' || verb === 'patch') ? ALLOWED : NO_OPINION;
  }

  #pod(node: string, access: ResourceAccess): Decision {
    const { verb, subresource = '', name, options } = access;
    switch (subresource) {
      case '':
        if (verb === 'get') return this.#get(node, access, this.#isPod(node));
        if (verb === 'list' || verb === 'watch') {
          if (selectsNode(options?.fieldSelector, node)) return ALLOWED;
          if (name) return related(node, access, this.#isPod(node));
          return refuse('can only list/watch pods with spec.nodeName field selector');
        }
        return verb === 'create' || verb === 'delete' ? ALLOWED : NO_OPINION;
      case 'status':
        return verb === 'update' || verb === 'patch' ? ALLOWED : NO_OPINION;
      case 'eviction':
        return verb === 'create' ? ALLOWED : NO_OPINION;
      default:
        return NO_OPINION;
    }
  }
}

type NamesOf = (pod: Pod) => readonly string[];

interface ObjectName {
  readonly namespace?: string;
  readonly name: string;
}

/** Whether an object has something to do with a node. */
type Relation = (object: ObjectName) => boolean;

function related(node: string, { namespace, name }: ResourceAccess, isOf: Relation): Decision {
  if (!name) return refuse('No Object name found');
  return isOf({ namespace, name }) ? ALLOWED : refuse(`no relationship found between node '${node}' and this object`);
}

const OWN_VERBS: readonly string[] = ['get', 'create', 'update', 'patch', 'delete'];

const selectsNode = (selector: string | undefined, node: string) =>
  selector?.split(',').some((term) => term === `spec.nodeName=${node}` || term === `spec.nodeName==${node}`) === true;

const claimNames: NamesOf = (pod) =>
  (pod.spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) =>
    persistentVolumeClaim ? [persistentVolumeClaim.claimName] : ephemeral ? [`${pod.metadata.name}-${name}`] : [],
  );

/** Follows VisitPVSecretNames of pkg/api/v1/persistentvolume/util.go, v1.33: those that kubelets see. */
function needsSecret({ spec }: PersistentVolume, secret: ObjectName): boolean {
  const { azureFile, cephfs, cinder, claimRef, csi, flexVolume, iscsi, rbd, scaleIO, storageos } = spec;
  const references: readonly (Partial<ObjectName> | undefined)[] = [
    azureFile && { name: azureFile.secretName, namespace: azureFile.secretNamespace },
    ...[cephfs, cinder, flexVolume, rbd, scaleIO, iscsi].map((source) => source?.secretRef),
    storageos?.secretRef,
    csi?.nodePublishSecretRef,
    csi?.nodeStageSecretRef,
    csi?.nodeExpandSecretRef,
  ];
  return references.some(
    (one) => one?.name === secret.name && (one.namespace || claimRef?.namespace) === secret.namespace,
  );
}
