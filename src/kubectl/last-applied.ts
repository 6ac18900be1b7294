import type { JsonObject } from '#apimachinery/json.ts';
import { object, strings, text, withMetadata } from './fields.ts';
import { encodeJson, parseJson } from '#apimachinery/go-encode.ts';

/** Where `kubectl apply` keeps what was applied last. */
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** What the annotation will hold: the object without it, as JSON with a line end. */
function configuration(value: JsonObject, declared: boolean): string {
  const annotations = new Map(strings(value, 'metadata', 'annotations'));
  annotations.delete(LAST_APPLIED);
  // Objects of known types leave empty annotations out, objects from files keep them.
  const bare = withMetadata(
    value,
    'annotations',
    annotations.size === 0 && declared ? undefined : Object.fromEntries(annotations),
  );
  return `${encodeJson(bare, { declared })}\n`;
}

/** The object with its own configuration in the annotation. `declared`: its fields stand in the order of its Go type. */
export function withLastApplied(value: JsonObject, declared = false): JsonObject {
  const annotations = {
    ...Object.fromEntries(strings(value, 'metadata', 'annotations')),
    [LAST_APPLIED]: configuration(value, declared),
  };
  return withMetadata(value, 'annotations', annotations);
}

/** The object without its own configuration. */
export function withoutLastApplied(value: JsonObject): JsonObject {
  const annotations = new Map(strings(value, 'metadata', 'annotations'));
  annotations.delete(LAST_APPLIED);
  return withMetadata(value, 'annotations', Object.fromEntries(annotations));
}

/** The same if `always`, or if the object already has the annotation. */
export function updateLastApplied(value: JsonObject, always: boolean, declared = false): JsonObject {
  return always || strings(value, 'metadata', 'annotations').has(LAST_APPLIED)
    ? withLastApplied(value, declared)
    : value;
}

/** What was applied last; undefined when the object does not say. */
export function lastApplied(value: JsonObject): JsonObject | undefined {
  const annotation = text(object(value, 'metadata', 'annotations'), LAST_APPLIED);
  return annotation === '' ? undefined : (parseJson(annotation) as JsonObject);
}
