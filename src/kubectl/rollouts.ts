import { jsonEqual } from '#apimachinery/equal.ts';
import type { JsonObject } from '#apimachinery/json.ts';
import { at, object, objects, text } from './fields.ts';
import { byCodeUnit } from '#apimachinery/go-format.ts';

/** The ReplicaSets of a Deployment: the one with its template, and the others, oldest first. */
export interface DeploymentReplicaSets {
  readonly current: JsonObject | undefined;
  readonly old: readonly JsonObject[];
}

/** Sorts a Deployment's ReplicaSets. Follows kubectl/pkg/util/deployment/deployment.go, v1.33. */
export function replicaSetsOf(deployment: JsonObject, candidates: readonly JsonObject[]): DeploymentReplicaSets {
  const uid = text(deployment, 'metadata', 'uid');
  const created = (value: JsonObject) => text(value, 'metadata', 'creationTimestamp');
  const name = (value: JsonObject) => text(value, 'metadata', 'name');
  const owned = candidates
    .filter((candidate) => isControlledBy(candidate, uid))
    .sort((a, b) => byCodeUnit(created(a), created(b)) || byCodeUnit(name(a), name(b)));
  const template = withoutHash(object(deployment, 'spec', 'template'));
  const current = owned.find((candidate) => jsonEqual(withoutHash(object(candidate, 'spec', 'template')), template));
  return { current, old: owned.filter((candidate) => candidate !== current) };
}

export function isControlledBy(value: JsonObject, uid: string): boolean {
  return objects(value, 'metadata', 'ownerReferences').some(
    (reference) => at(reference, 'controller') === true && text(reference, 'uid') === uid,
  );
}

/** A template without the label that tells ReplicaSets apart. */
export function withoutHash(template: JsonObject): JsonObject {
  const { 'pod-template-hash': _, ...labels } = object(template, 'metadata', 'labels');
  return { ...template, metadata: { ...object(template, 'metadata'), labels } };
}
