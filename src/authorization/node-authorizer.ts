import { pods } from '#api/core/v1/pod.ts';
import { configMapNames, secretNames } from '#api/core/v1/pod-references.ts';
import { isMirrorPod } from '#api/core/v1/pod-status.ts';
import type { Pod } from '#api/generated/types.ts';
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

const NODE_USER = 'system:node:';

/** The node that a user is: '' for one that cannot be told, undefined for no node. Follows pkg/auth/nodeidentifier, v1.33. */
export function nodeOf({ name, groups }: UserInfo): string | undefined {
  return name.startsWith(NODE_USER) && groups.includes('system:nodes') ? name.slice(NODE_USER.length) : undefined;
}

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
        return this.#read(node, access, (pod) => secretNames(pod));
      case 'configmaps':
        return this.#read(node, access, (pod) => configMapNames(pod));
      case 'persistentvolumeclaims':
        if (subresource !== 'status') return this.#get(node, access, claimNames);
        if (verb !== 'update' && verb !== 'patch') return refuse('can only get/update/patch this type');
        return this.#related(node, access, claimNames);
      case 'persistentvolumes':
      case 'volumeattachments.storage.k8s.io':
      case 'resourceclaims.resource.k8s.io':
        return this.#get(node, access, () => []);
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

  #read(node: string, access: ResourceAccess, names: NamesOf): Decision {
    const { verb, subresource, namespace } = access;
    if (verb !== 'get' && verb !== 'list' && verb !== 'watch') return refuse('can only read resources of this type');
    if (subresource) return refuse('cannot read subresource');
    if (!namespace) return refuse('can only read namespaced object of this type');
    return this.#related(node, access, names);
  }

  #get(node: string, access: ResourceAccess, names: NamesOf): Decision {
    if (access.verb !== 'get') return refuse('can only get individual resources of this type');
    if (access.subresource) return refuse('cannot get subresource');
    return this.#related(node, access, names);
  }

  /** A Pod of the node has something to do with the object. */
  #related(node: string, { namespace, name }: ResourceAccess, names: NamesOf): Decision {
    if (!name) return refuse('No Object name found');
    const related = this.#podsOf(node).some((pod) => pod.metadata.namespace === namespace && names(pod).includes(name));
    return related ? ALLOWED : refuse(`no relationship found between node '${node}' and this object`);
  }

  #podsOf(node: string): readonly Pod[] {
    return this.#source.readBy(pods, { field: 'spec.nodeName', get: ({ spec }) => spec.nodeName ?? '', value: node });
  }

  #serviceAccount(node: string, access: ResourceAccess): Decision {
    const { verb, subresource = '', name } = access;
    if (verb === 'get' && subresource === '') return refuse('not allowed to get service accounts');
    if (verb !== 'create' || !name) return refuse('can only create tokens for individual service accounts');
    if (subresource !== 'token') return refuse('can only create token subresource of serviceaccount');
    return this.#related(node, access, (pod) =>
      isMirrorPod(pod) || !pod.spec.serviceAccountName ? [] : [pod.spec.serviceAccountName],
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
    const isOwn: NamesOf = ({ metadata }) => [metadata.name ?? ''];
    switch (subresource) {
      case '':
        if (verb === 'get') return this.#get(node, access, isOwn);
        if (verb === 'list' || verb === 'watch') {
          if (selectsNode(options?.fieldSelector, node)) return ALLOWED;
          if (name) return this.#related(node, access, isOwn);
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

const OWN_VERBS: readonly string[] = ['get', 'create', 'update', 'patch', 'delete'];

const selectsNode = (selector: string | undefined, node: string) =>
  selector?.split(',').some((term) => term === `spec.nodeName=${node}` || term === `spec.nodeName==${node}`) === true;

const claimNames: NamesOf = (pod) =>
  (pod.spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) =>
    persistentVolumeClaim ? [persistentVolumeClaim.claimName] : ephemeral ? [`${pod.metadata.name}-${name}`] : [],
  );
