import { pods } from '#api/core/v1/pod.ts';
import { events } from '#api/core/v1/event.ts';
import type { Pod } from '#api/generated/types.ts';
import { resources } from '#api/resources.ts';
import type { ApiServerOptions } from '#apiserver/api-server.ts';
import { formatTime } from '#base/clock.ts';
import { ControllerManager } from '#controllers/controller-manager.ts';
import { controllers } from '#controllers/controllers.ts';
import {
  type ControllerConfig,
  type ControllerDefinition,
  defaultControllerConfig,
} from '#controllers/define-controller.ts';
import { TestApi } from './test-api.ts';

/** An API server with controllers on a strict pump, and hands that do what kubelets would. */
export class TestControllers extends TestApi {
  readonly manager: ControllerManager;

  /** Starts the controllers, all by default. */
  constructor(
    definitions: readonly ControllerDefinition[] = controllers,
    extensions: Pick<ApiServerOptions, 'admission' | 'subresources'> = {},
    config: Partial<ControllerConfig> = {},
  ) {
    super('none', true, extensions);
    this.manager = new ControllerManager(this.root.child('kube-controller-manager'), {
      backend: this.backend,
      resources,
      config: {
        ...defaultControllerConfig,
        rootCA: 'PEM',
        signLegacyToken: () => '',
        clusterCIDR: '10.244.0.0/16',
        ...config,
      },
    });
    this.manager.start(definitions);
  }

  /** The Pods of the namespace `default` in the order of their names. */
  async pods(labelSelector = ''): Promise<readonly Pod[]> {
    const { items } = await this.do((client) => client.list(pods, { namespace: 'default', labelSelector }));
    return items;
  }

  /** Says that Pods run and are ready (or not). */
  async markReady(selected: readonly Pod[], ready = true): Promise<void> {
    const condition = {
      type: 'Ready',
      status: ready ? 'True' : 'False',
      lastTransitionTime: formatTime(this.pump.now),
    };
    for (const { metadata } of selected) {
      const key = { namespace: metadata.namespace, name: metadata.name ?? '' };
      const body = { status: { phase: 'Running', conditions: [condition] } };
      await this.do((client) =>
        client.patch(pods, key, 'application/strategic-merge-patch+json', body, { subresource: 'status' }),
      );
    }
  }

  /** Makes all Pods ready again and again until nothing more happens, and ends those that are being deleted. */
  async settle(rounds = 20): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      const all = await this.pods();
      const waiting = all.filter(({ status, metadata }) => !metadata.deletionTimestamp && status?.phase === 'Pending');
      await this.markReady(waiting);
      await this.run(1000);
      if (waiting.length === 0) return;
    }
  }

  /** Events as `Type Reason Message`, with how often they were said. */
  async said(kind: string): Promise<string[]> {
    const { items } = await this.do((client) => client.list(events, { namespace: 'default' }));
    return items
      .filter(({ involvedObject }) => involvedObject.kind === kind)
      .map(({ type, reason, message, count = 1 }) => `${type} ${reason} ${message}${count > 1 ? ` x${count}` : ''}`);
  }
}
