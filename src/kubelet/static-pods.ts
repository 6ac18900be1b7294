import { pods } from '#api/core/v1/pod.ts';
import { MIRROR_POD_ANNOTATION } from '#api/core/v1/pod-status.ts';
import { nodes } from '#api/core/v1/node.ts';
import type { Pod } from '#api/generated/types.ts';
import { isStatus, StatusError } from '#apimachinery/status-error.ts';
import { sha256 } from '@noble/hashes/sha2.js';
import { encodeUtf8 } from '#base/utf8.ts';
import { ProcessExitedError } from '#base/pump.ts';
import type { Client } from '#client/client.ts';
import type { KubeletConfig } from './config.ts';
import type { KubeletContext } from './kubelet-context.ts';

const SOURCE = 'kubernetes.io/config.source';
const HASH = 'kubernetes.io/config.hash';
const SEEN = 'kubernetes.io/config.seen';
const RETRY_MS = 10_000;

/**
 * Pods that the node runs without being asked, and the mirrors that show them in the API. Follows
 * pkg/kubelet/config/common.go and pkg/kubelet/pod/mirror_client.go, v1.33.
 */
export class StaticPods {
  /** As the kubelet runs them: the node's name at the end of theirs, a hash for a uid. */
  readonly pods: readonly Pod[];
  readonly #context: KubeletContext;
  readonly #client: Client;
  readonly #config: KubeletConfig;

  constructor(context: KubeletContext, client: Client, config: KubeletConfig) {
    this.#context = context;
    this.#client = client;
    this.#config = config;
    this.pods = (config.staticPods ?? []).map((pod) => this.#complete(pod));
    for (const pod of this.pods) context.process.spawn(`mirror pod ${pod.metadata.name}`, () => this.#mirror(pod));
  }

  /** The API has a mirror Pod; `observe` is told which static Pod it shows. */
  seen(mirror: Pod, observe: (uid: string, mirror: Pod) => void): void {
    const uid = mirror.metadata.annotations?.[MIRROR_POD_ANNOTATION] ?? '';
    if (this.pods.some((pod) => pod.metadata.uid === uid)) observe(uid, mirror);
  }

  /** A mirror Pod was deleted: its static Pod runs on, and gets a new one. */
  gone(mirror: Pod): void {
    const pod = this.pods.find(({ metadata }) => metadata.uid === mirror.metadata.annotations?.[MIRROR_POD_ANNOTATION]);
    if (pod) this.#context.process.spawn(`mirror pod ${pod.metadata.name}`, () => this.#mirror(pod));
  }

  #complete(pod: Pod): Pod {
    const { nodeName } = this.#config;
    const uid = [...sha256(encodeUtf8(`${nodeName} ${JSON.stringify(pod)}`))]
      .slice(0, 16)
      .map((byte) => byte.toString(16).padStart(2, '0'))
      .join('');
    const seen = new Date(this.#context.now).toISOString();
    return {
      ...pod,
      metadata: {
        namespace: 'default',
        ...pod.metadata,
        name: `${pod.metadata.name}-${nodeName}`,
        uid,
        annotations: { ...pod.metadata.annotations, [HASH]: uid, [SEEN]: seen, [SOURCE]: 'file' },
      },
      spec: {
        enableServiceLinks: true,
        restartPolicy: 'Always',
        terminationGracePeriodSeconds: 30,
        ...pod.spec,
        nodeName,
        tolerations: [...(pod.spec.tolerations ?? []), { operator: 'Exists', effect: 'NoExecute' }],
      },
    };
  }

  async #mirror(pod: Pod): Promise<void> {
    const { uid = '', namespace = '', name = '', labels, annotations } = pod.metadata;
    for (;;) {
      try {
        const node = await this.#client.get(nodes, { name: this.#config.nodeName });
        await this.#client.create(pods, {
          metadata: {
            name,
            namespace,
            ...(labels ? { labels } : {}),
            annotations: { ...annotations, [MIRROR_POD_ANNOTATION]: uid },
            ownerReferences: [
              {
                apiVersion: 'v1',
                kind: 'Node',
                name: this.#config.nodeName,
                uid: node.metadata.uid ?? '',
                controller: true,
              },
            ],
          },
          spec: pod.spec,
        });
        return;
      } catch (error) {
        if (isStatus(error, 'AlreadyExists')) return;
        if (!(error instanceof StatusError) && !(error instanceof ProcessExitedError)) throw error;
      }
      await this.#context.process.clock.sleep(RETRY_MS);
    }
  }
}
