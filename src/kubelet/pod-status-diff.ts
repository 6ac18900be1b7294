import type { PodStatus } from '#api/generated/types.ts';
import { jsonEqual } from '#apimachinery/equal.ts';
import type { JsonObject, JsonValue } from '#apimachinery/json.ts';

/** Lists of a Pod's status that are merged element by element, and by which field. The others are replaced. */
const MERGE_KEYS: Readonly<Record<string, string>> = {
  conditions: 'type',
  hostIPs: 'ip',
  podIPs: 'ip',
  resourceClaimStatuses: 'name',
};

/**
 * The status part of the strategic merge patch from one Pod status to another; undefined when nothing changes. Does what
 * the general one does, for the one shape that the kubelet writes all day. Follows strategicpatch.CreateTwoWayMergePatch,
 * v1.33.
 */
export function podStatusDiff(before: PodStatus, after: PodStatus): JsonObject | undefined {
  const old = before as unknown as JsonObject;
  const next = after as unknown as JsonObject;
  const patch: Record<string, JsonValue> = {};
  let changed = false;
  const set = (key: string, value: JsonValue) => {
    patch[key] = value;
    changed = true;
  };
  for (const key in next) {
    const value = next[key];
    const previous = old[key];
    if (value === undefined || value === previous) continue;
    const mergeKey = MERGE_KEYS[key];
    if (previous === undefined) set(key, value);
    else if (!jsonEqual(previous, value)) {
      if (mergeKey === undefined) set(key, value);
      else {
        const lists = mergeLists(previous as readonly JsonObject[], value as readonly JsonObject[], mergeKey);
        set(`$setElementOrder/${key}`, lists.order);
        if (lists.changes.length > 0) set(key, lists.changes);
      }
    }
  }
  for (const key in old) if (old[key] !== undefined && next[key] === undefined) set(key, null);
  return changed ? patch : undefined;
}

function mergeLists(before: readonly JsonObject[], after: readonly JsonObject[], mergeKey: string) {
  const old = new Map(before.map((item) => [item[mergeKey], item]));
  const changes: JsonObject[] = [];
  for (const item of after) {
    const previous = old.get(item[mergeKey]);
    old.delete(item[mergeKey]);
    if (!previous) changes.push(item);
    else if (!jsonEqual(previous, item)) {
      const change: Record<string, JsonValue> = {};
      for (const key in item) {
        const value = item[key];
        if (value !== undefined && !jsonEqual(previous[key], value)) change[key] = value;
      }
      for (const key in previous) if (item[key] === undefined && previous[key] !== undefined) change[key] = null;
      change[mergeKey] = item[mergeKey] as JsonValue;
      changes.push(change);
    }
  }
  for (const key of old.keys()) changes.push({ $patch: 'delete', [mergeKey]: key as JsonValue });
  return { order: after.map((item) => ({ [mergeKey]: item[mergeKey] as JsonValue })), changes };
}
