import type { SchedulerCache } from '../cache.ts';
import { StateKey } from '../framework/cycle-state.ts';
import type { Handle } from '../framework/handle.ts';
import { MAX_NODE_SCORE, type Plugin } from '../framework/plugin.ts';

const MB = 1024 * 1024;
const MIN_THRESHOLD = 23 * MB;
const MAX_CONTAINER_THRESHOLD = 1000 * MB;
const IMAGES = new StateKey<readonly string[]>('ImageLocality');

/** Prefers Nodes that have the Pod's images already, the more the larger they are and the more Nodes have them. */
export function imageLocality({ cache }: Pick<Handle, 'cache'>): Plugin {
  return {
    name: 'ImageLocality',
    preScore(state, { pod: { spec } }) {
      const images = [...(spec.initContainers ?? []), ...spec.containers].map(({ image = '' }) => image);
      state.write(
        IMAGES,
        images.map((image) => (image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image)),
      );
      return undefined;
    },
    score(state, _, { name }) {
      const images = state.read(IMAGES) ?? [];
      const sum = images.reduce((total, image) => total + imageScore(cache, name, image), 0);
      const most = MAX_CONTAINER_THRESHOLD * images.length;
      const bounded = Math.min(most, Math.max(MIN_THRESHOLD, sum));
      return Math.floor((MAX_NODE_SCORE * (bounded - MIN_THRESHOLD)) / (most - MIN_THRESHOLD));
    },
  };
}

function imageScore(cache: SchedulerCache, node: string, image: string): number {
  const found = cache.imageOn(node, image);
  return found ? Math.floor(found.size * (found.nodes / cache.nodes.length)) : 0;
}
