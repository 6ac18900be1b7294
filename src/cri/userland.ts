import { images } from './images.ts';
import { nodeImage } from './images/node.ts';
import { plainImage } from './images/plain-process.ts';
import { Registry, type Userland } from './registry.ts';

/**
 * What containers of users are made of: the emulated images with their shell and tools, and what stands in for all
 * others. The engine starts without it, so that a host can load it apart.
 */
export const userland: Userland = { images, plain: plainImage, node: nodeImage };

/** A registry that has everything. */
export function fullRegistry(): Registry {
  const registry = new Registry();
  registry.install(userland);
  return registry;
}
