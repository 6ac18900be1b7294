import { useMemo } from 'react';
import type { KubeObject } from '../../cluster-store/kube-object.ts';
import type { Collection } from '../../cluster-store/cluster-store.ts';
import { useCluster, useFaults } from '../../session/session.ts';
import type { Surroundings } from './why-state.ts';

const objectsOf = ({ rows }: Collection): readonly KubeObject[] => [...rows.values()].map(({ object }) => object);

/** What the page knows of the rest of the cluster, for reasons. */
export function useSurroundings(): Surroundings {
  const pods = useCluster((state) => state.pods);
  const nodes = useCluster((state) => state.nodes);
  const faults = useFaults((targets) => targets);
  return useMemo(() => {
    const states = new Map(faults.map(({ target, state }) => [target, state]));
    const fault = (target: string) => {
      const state = states.get(target);
      return state === 'running' ? undefined : state;
    };
    return { pods: objectsOf(pods), nodes: objectsOf(nodes), fault };
  }, [pods, nodes, faults]);
}
