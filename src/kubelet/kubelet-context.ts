import { pods } from '#api/core/v1/pod.ts';
import type { Pod } from '#api/generated/types.ts';
import type { Process } from '#base/pump.ts';
import type { SpanId } from '#base/tracer.ts';
import type { EventType } from '#client/event.ts';
import type { EventRecorder } from '#client/event-recorder.ts';
import { referenceTo } from '#client/object-reference.ts';

/** What all parts of one kubelet need: its process, its voice in Events, its name in the trace. */
export class KubeletContext {
  readonly process: Process;
  /** `kubelet node-1` */
  readonly component: string;
  readonly #recorder: EventRecorder;

  constructor(process: Process, nodeName: string, recorder: EventRecorder) {
    this.process = process;
    this.component = `kubelet ${nodeName}`;
    this.#recorder = recorder;
  }

  get now(): number {
    return this.process.clock.now();
  }

  /** Records an Event about a Pod, or a container of it. */
  podEvent(pod: Pod, type: EventType, reason: string, message: string, cause: SpanId, fieldPath?: string): void {
    this.#recorder.event(referenceTo(pods, pod, fieldPath), type, reason, message, cause);
  }

  /** Records an Event about the Node. Upstream's reference has the node's name as its uid. */
  nodeEvent(nodeName: string, type: EventType, reason: string, message: string, cause: SpanId): void {
    this.#recorder.event({ kind: 'Node', name: nodeName, uid: nodeName }, type, reason, message, cause);
  }

  /** Runs a step as a span of its own. */
  async step<T>(
    pod: Pod,
    name: string,
    cause: SpanId,
    run: (span: SpanId) => Promise<T>,
    attributes: Readonly<Record<string, string>> = {},
  ): Promise<T> {
    const { tracer } = this.process;
    const { namespace = '', name: podName = '' } = pod.metadata;
    const span = tracer.start('work', this.component, name, cause, { namespace, pod: podName, ...attributes });
    try {
      return await run(span);
    } catch (error) {
      tracer.end(span, { error: (error as Error).message });
      throw error;
    } finally {
      tracer.end(span);
    }
  }
}

/** The part of a Pod that is a container, as Events name it. */
export function containerFieldPath(pod: Pod, name: string): string {
  if (pod.spec.initContainers?.some((container) => container.name === name)) return `spec.initContainers{${name}}`;
  if (pod.spec.ephemeralContainers?.some((container) => container.name === name))
    return `spec.ephemeralContainers{${name}}`;
  return `spec.containers{${name}}`;
}
