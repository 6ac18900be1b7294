import { describe, expect, test } from 'vitest';
import type { ApiObject, OwnerReference } from '#apimachinery/resource.ts';
import { DependencyGraph, type GraphNode, type Identity } from './dependency-graph.ts';

describe('the graph of owners', () => {
  function setUp() {
    const log: string[] = [];
    const named = ({ identity }: GraphNode) => identity.name;
    const graph = new DependencyGraph({
      attemptToDelete: (item) => log.push(`delete? ${named(item)}`),
      attemptToDeleteLater: (item) => log.push(`delete later? ${named(item)}`),
      attemptToOrphan: (item) => log.push(`orphan ${named(item)}`),
      absent: ({ name }) => log.push(`absent ${name}`),
      invalidNamespace: (item, { name }) => log.push(`${named(item)} names ${name} in another namespace`),
    });
    const identity = (name: string, namespace = 'ns'): Identity => ({
      apiVersion: 'v1',
      kind: 'K',
      namespace,
      name,
      uid: `uid-${name}`,
    });
    const see = (name: string, metadata: ApiObject['metadata'] = {}, namespace = 'ns', previous?: ApiObject) => {
      const object = { metadata: { ...metadata, name, uid: `uid-${name}`, namespace } };
      graph.upsert(identity(name, namespace), object, previous);
      return object;
    };
    const owned = (...names: readonly string[]): ApiObject['metadata'] => ({
      ownerReferences: names.map(
        (name): OwnerReference => ({ apiVersion: 'v1', kind: 'K', name, uid: `uid-${name}`, blockOwnerDeletion: true }),
      ),
    });
    const take = () => log.splice(0);
    return { graph, identity, see, owned, take };
  }

  test('an owner that is not known yet is asked for, and forgotten when it is not there', () => {
    const { graph, identity, see, owned, take } = setUp();
    see('child', owned('parent'));
    expect(take()).toEqual(['delete? parent']);
    graph.confirmAbsent(identity('parent'));
    expect(take()).toEqual(['absent parent', 'delete? child']);
    expect(graph.get('uid-parent')).toBeUndefined();
  });

  test('an owner that is seen later is the one meant', () => {
    const { see, owned, take } = setUp();
    see('child', owned('parent'));
    take();
    see('parent');
    expect(take()).toEqual([]);
  });

  test('the end of an owner concerns its dependents; that of the last dependent the owner that waits', () => {
    const { graph, see, owned, take } = setUp();
    const parent = see('parent');
    see('child', owned('parent'));
    expect(take()).toEqual([]);
    see('parent', { deletionTimestamp: 'now', finalizers: ['foregroundDeletion'] }, 'ns', parent);
    expect(take()).toEqual(['delete? child', 'delete? parent']);
    expect(graph.blocking(graph.get('uid-parent') as GraphNode)).toHaveLength(1);
    graph.delete('uid-child');
    expect(take()).toEqual(['delete? parent']);
    graph.delete('uid-parent');
    expect(take()).toEqual([]);
  });

  test('a reference that blocks no more lets the owner go', () => {
    const { see, owned, take } = setUp();
    see('parent');
    const child = see('child', owned('parent'));
    see('child', {}, 'ns', child);
    expect(take()).toEqual(['delete? parent']);
  });

  test('orphaning', () => {
    const { see, take } = setUp();
    const parent = see('parent');
    see('parent', { deletionTimestamp: 'now', finalizers: ['orphan'] }, 'ns', parent);
    expect(take()).toEqual(['orphan parent']);
  });

  test('an owner in another namespace', () => {
    const { see, owned, take } = setUp();
    see('parent', {}, 'elsewhere');
    see('child', owned('parent'));
    expect(take()).toEqual(['child names parent in another namespace', 'delete? child']);
  });

  test('dependents that disagree about an owner: each is asked for in turn', () => {
    const { graph, identity, see, take } = setUp();
    const reference = { apiVersion: 'v1', kind: 'K', uid: 'uid-parent' };
    see('first', { ownerReferences: [{ ...reference, name: 'parent' }] });
    see('second', { ownerReferences: [{ ...reference, name: 'typo' }] });
    expect(take()).toEqual(['delete? parent', 'delete? second']);
    graph.confirmAbsent(identity('parent'));
    expect(take()).toEqual(['absent parent', 'delete? first', 'delete later? typo']);
  });
});
