import type { ApiObject, OwnerReference } from '#apimachinery/resource.ts';

export const ORPHAN_FINALIZER = 'orphan';
export const FOREGROUND_FINALIZER = 'foregroundDeletion';

/** What tells an object of the graph: who it is, and where to find it. */
export interface Identity {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** An object in the graph, or an owner that is only known from those that name it (`virtual`). */
export interface GraphNode {
  identity: Identity;
  owners: readonly OwnerReference[];
  readonly dependents: Set<GraphNode>;
  /** Not seen by an informer yet; what is known of it is what a dependent says. */
  virtual: boolean;
  beingDeleted: boolean;
  /** It is being deleted in the foreground: its dependents go first. */
  deletingDependents: boolean;
}

/** What a change of the graph asks for. */
export interface GraphActions {
  /** Look whether the node is to be deleted. */
  attemptToDelete(node: GraphNode): void;
  /** The same, after a back-off. */
  attemptToDeleteLater(node: GraphNode): void;
  /** Take the node out of its dependents' owners. */
  attemptToOrphan(node: GraphNode): void;
  /** The server has been asked, or an informer saw it go: nothing has this identity. */
  absent(identity: Identity): void;
  /** A dependent names an owner in another namespace. */
  invalidNamespace(dependent: GraphNode, owner: OwnerReference): void;
}

/**
 * Who owns whom, by uid, kept from what informers see. Follows pkg/controller/garbagecollector/graph_builder.go, v1.33.
 */
export class DependencyGraph {
  readonly #nodes = new Map<string, GraphNode>();
  readonly #actions: GraphActions;

  constructor(actions: GraphActions) {
    this.#actions = actions;
  }

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid);
  }

  /** An informer saw the object, new or changed. */
  upsert(identity: Identity, object: ApiObject, previous: ApiObject | undefined): void {
    const { metadata } = object;
    const existing = this.#nodes.get(identity.uid);
    if (!existing) {
      const node: GraphNode = {
        identity,
        owners: metadata.ownerReferences ?? [],
        dependents: new Set(),
        virtual: false,
        beingDeleted: metadata.deletionTimestamp !== undefined,
        deletingDependents: isDeletingWith(object, FOREGROUND_FINALIZER),
      };
      this.#nodes.set(identity.uid, node);
      this.#addToOwners(node, node.owners);
      this.#transition(node, object, previous);
      return;
    }
    if (existing.virtual) this.#observed(existing, identity);
    const owners = metadata.ownerReferences ?? [];
    if (owners !== existing.owners) this.#changeOwners(existing, owners);
    if (metadata.deletionTimestamp) existing.beingDeleted = true;
    this.#transition(existing, object, previous);
  }

  /** An informer saw the object go. */
  delete(uid: string): void {
    const node = this.#nodes.get(uid);
    if (node) this.#remove(node);
  }

  /** The server says that nothing has this identity. */
  confirmAbsent(absent: Identity): void {
    const node = this.#nodes.get(absent.uid);
    if (!node) return;
    if (!node.virtual && sameIdentity(node.identity, absent)) {
      this.#remove(node);
      return;
    }
    const { matching, others } = partition(node.dependents, absent);
    if (node.virtual && others.length === 0) {
      this.#remove(node);
      return;
    }
    if (matching.length > 0) {
      this.#actions.absent(absent);
      for (const dependent of matching) this.#actions.attemptToDelete(dependent);
    }
    if (node.virtual && sameIdentity(node.identity, absent)) {
      // Some dependents mean something else by this uid: ask for that next.
      const alternative = alternativeIdentity(others, absent);
      if (alternative) {
        node.identity = alternative;
        this.#actions.attemptToDeleteLater(node);
      }
    }
  }

  /** The dependents that keep a node from being deleted in the foreground. */
  blocking(node: GraphNode): GraphNode[] {
    return [...node.dependents].filter(({ owners }) =>
      owners.some((owner) => owner.uid === node.identity.uid && owner.blockOwnerDeletion === true),
    );
  }

  #observed(node: GraphNode, identity: Identity): void {
    node.virtual = false;
    if (sameIdentity(node.identity, identity)) return;
    for (const dependent of partition(node.dependents, identity).others) {
      if (identity.namespace && dependent.identity.namespace !== identity.namespace)
        this.#reportNamespace(dependent, identity.uid);
      this.#actions.attemptToDelete(dependent);
    }
    node.identity = identity;
  }

  #remove(node: GraphNode): void {
    this.#nodes.delete(node.identity.uid);
    this.#removeFromOwners(node, node.owners);
    if (node.dependents.size > 0) this.#actions.absent(node.identity);
    for (const dependent of node.dependents) this.#actions.attemptToDelete(dependent);
    for (const { uid } of node.owners) {
      // An owner that waits for its dependents may be free now.
      const owner = this.#nodes.get(uid);
      if (owner?.deletingDependents) this.#actions.attemptToDelete(owner);
    }
  }

  #changeOwners(node: GraphNode, owners: readonly OwnerReference[]): void {
    const before = new Map(node.owners.map((owner) => [owner.uid, owner]));
    const after = new Map(owners.map((owner) => [owner.uid, owner]));
    const removed = node.owners.filter(({ uid }) => !after.has(uid));
    const added = owners.filter(({ uid }) => !before.has(uid));
    for (const [uid, owner] of before) {
      const unblocked = owner.blockOwnerDeletion === true && after.get(uid)?.blockOwnerDeletion !== true;
      const ownerNode = unblocked ? this.#nodes.get(uid) : undefined;
      if (ownerNode) this.#actions.attemptToDelete(ownerNode);
    }
    node.owners = owners;
    this.#addToOwners(node, added);
    this.#removeFromOwners(node, removed);
  }

  #addToOwners(node: GraphNode, owners: readonly OwnerReference[]): void {
    let doubtful = false;
    for (const owner of owners) {
      const known = this.#nodes.get(owner.uid);
      const ownerNode = known ?? this.#virtual(owner, node.identity.namespace);
      ownerNode.dependents.add(node);
      if (!known) this.#actions.attemptToDelete(ownerNode);
      else doubtful = doubtful || this.#isDoubtful(node, owner, ownerNode);
    }
    if (doubtful) this.#actions.attemptToDelete(node);
  }

  /** Whether what a dependent says of its owner and what is known of it do not fit. */
  #isDoubtful(node: GraphNode, owner: OwnerReference, { identity, virtual }: GraphNode): boolean {
    const { namespace } = node.identity;
    if (identity.namespace && identity.namespace !== namespace) {
      if (!virtual) this.#reportNamespace(node, owner.uid);
      return true;
    }
    if (!matches(owner, identity)) return true;
    return !identity.namespace && identity.namespace !== namespace && virtual;
  }

  #virtual({ apiVersion, kind, name, uid }: OwnerReference, namespace: string): GraphNode {
    const node: GraphNode = {
      identity: { apiVersion, kind, namespace, name, uid },
      owners: [],
      dependents: new Set(),
      virtual: true,
      beingDeleted: false,
      deletingDependents: false,
    };
    this.#nodes.set(uid, node);
    return node;
  }

  #removeFromOwners(node: GraphNode, owners: readonly OwnerReference[]): void {
    for (const { uid } of owners) this.#nodes.get(uid)?.dependents.delete(node);
  }

  #transition(node: GraphNode, object: ApiObject, previous: ApiObject | undefined): void {
    const begins = (finalizer: string) =>
      isDeletingWith(object, finalizer) && !(previous && isDeletingWith(previous, finalizer));
    if (begins(ORPHAN_FINALIZER)) {
      this.#actions.attemptToOrphan(node);
    } else if (begins(FOREGROUND_FINALIZER)) {
      node.deletingDependents = true;
      for (const dependent of node.dependents) this.#actions.attemptToDelete(dependent);
      this.#actions.attemptToDelete(node);
    }
  }

  #reportNamespace(dependent: GraphNode, ownerUid: string): void {
    const owner = dependent.owners.find(({ uid }) => uid === ownerUid);
    if (owner) this.#actions.invalidNamespace(dependent, owner);
  }
}

function isDeletingWith({ metadata }: ApiObject, finalizer: string): boolean {
  return metadata.deletionTimestamp !== undefined && metadata.finalizers?.includes(finalizer) === true;
}

/** A text that is the same for the same identity. */
export function identityKey({ apiVersion, kind, namespace, name, uid }: Identity): string {
  return [apiVersion, kind, namespace, name, uid].join('|');
}

function sameIdentity(a: Identity, b: Identity): boolean {
  return identityKey(a) === identityKey(b);
}

function matches(owner: OwnerReference, { apiVersion, kind, name, uid }: Identity): boolean {
  return owner.uid === uid && owner.name === name && owner.kind === kind && owner.apiVersion === apiVersion;
}

/** The dependents that mean this identity by its uid, and those that mean something else; one may be both. */
function partition(
  dependents: Iterable<GraphNode>,
  identity: Identity,
): { matching: GraphNode[]; others: GraphNode[] } {
  const matching: GraphNode[] = [];
  const others: GraphNode[] = [];
  for (const dependent of dependents) {
    const elsewhere = identity.namespace !== '' && identity.namespace !== dependent.identity.namespace;
    const references = dependent.owners.filter(({ uid }) => uid === identity.uid);
    if (!elsewhere && references.some((owner) => matches(owner, identity))) matching.push(dependent);
    if (elsewhere || references.some((owner) => !matches(owner, identity))) others.push(dependent);
  }
  return { matching, others };
}

/** What else dependents mean by the uid: the next after `absent` in order, or the first. */
function alternativeIdentity(dependents: readonly GraphNode[], absent: Identity): Identity | undefined {
  const alternatives = new Map<string, Identity>();
  for (const { identity, owners } of dependents) {
    for (const { apiVersion, kind, name, uid } of owners) {
      if (uid !== absent.uid) continue;
      const clusterScoped = absent.namespace === '' && apiVersion === absent.apiVersion && kind === absent.kind;
      const alternative = { apiVersion, kind, namespace: clusterScoped ? '' : identity.namespace, name, uid };
      if (!sameIdentity(alternative, absent)) alternatives.set(identityKey(alternative), alternative);
    }
  }
  const order = ({ kind, apiVersion, namespace, name }: Identity) => [kind, apiVersion, namespace, name].join('\0');
  const sorted = [...alternatives.values()].sort((a, b) => (order(a) < order(b) ? -1 : 1));
  return sorted.find((alternative) => order(alternative) > order(absent)) ?? sorted[0];
}
