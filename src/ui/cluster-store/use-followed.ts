import { useEffect, useMemo } from 'react';
import { useStore } from 'zustand';
import { useSession } from '../session/session.ts';
import { calmFrames } from './batcher.ts';
import { createCollectionStore, follow, type Collection } from './cluster-store.ts';
import type { ResourceType } from './kube-object.ts';

/** A collection that is followed as long as it is shown. The type is one value for as long as it means the same. */
export function useFollowed(type: ResourceType, query?: string, namespace?: string): Collection {
  const { api } = useSession();
  // A store of its own for each question, so that no answer to an earlier one is ever shown.
  const followed = useMemo(
    () => ({ store: createCollectionStore(), api, type, query, namespace }),
    [api, type, query, namespace],
  );
  useEffect(
    () => follow(followed.api, followed.type, followed.store, calmFrames, followed.query, followed.namespace),
    [followed],
  );
  return useStore(followed.store);
}
