import type { Plugin } from '../framework/plugin.ts';
import type { Status } from '../framework/status.ts';

const NAME = 'NodeName';
const ANOTHER: Status = {
  code: 'UnschedulableAndUnresolvable',
  reasons: ["node(s) didn't match the requested node name"],
  plugin: NAME,
};

/** Turns down all Nodes but the one that the Pod names. */
export const nodeName: Plugin = {
  name: NAME,
  events: [{ on: ['Node/Add'] }],
  filter: (_, { pod }, { name }) => (pod.spec.nodeName && pod.spec.nodeName !== name ? ANOTHER : undefined),
};
