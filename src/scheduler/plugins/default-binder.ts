import { StatusError } from '#apimachinery/status-error.ts';
import { ProcessExitedError } from '#base/pump.ts';
import { pods } from '#api/core/v1/pod.ts';
import { nameOf } from '#client/key.ts';
import type { Plugin } from '../framework/plugin.ts';
import { errorStatus } from '../framework/status.ts';

/** Tells the API server where the Pod is to run. */
export const defaultBinder: Plugin = {
  name: 'DefaultBinder',
  async bind(_, { pod }, node, client) {
    const { namespace, name, uid } = pod.metadata;
    const binding = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { namespace, name, uid },
      target: { kind: 'Node', name: node },
    };
    try {
      await client.createSubresource(pods, nameOf(pod), 'binding', binding);
      return undefined;
    } catch (error) {
      if (error instanceof StatusError || error instanceof ProcessExitedError) return errorStatus(error.message);
      throw error;
    }
  },
};
