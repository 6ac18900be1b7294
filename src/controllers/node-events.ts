import type { Node } from '#api/generated/types.ts';
import type { SpanId } from '#base/tracer.ts';
import type { EventRecorder } from '#client/event-recorder.ts';
import type { ObjectReference } from '#client/object-reference.ts';

/** A reference to a Node as the controllers of Nodes make it (without a version). */
export function nodeReference({ metadata }: Node): ObjectReference {
  return { kind: 'Node', name: metadata.name, uid: metadata.uid, apiVersion: 'v1' };
}

/** Follows RecordNodeEvent of pkg/controller/util/node, v1.33. */
export function nodeEvent(events: EventRecorder, node: Node, reason: string, text: string, cause: SpanId): void {
  events.event(nodeReference(node), 'Normal', reason, `Node ${node.metadata.name} event: ${text}`, cause);
}

/** Follows RecordNodeStatusChange of pkg/controller/util/node, v1.33. */
export function nodeStatusEvent(events: EventRecorder, node: Node, status: string, cause: SpanId): void {
  events.event(nodeReference(node), 'Normal', status, `Node ${node.metadata.name} status is now: ${status}`, cause);
}
