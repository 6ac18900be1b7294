import type { JsonObject, JsonValue } from '#apimachinery/json.ts';
import { applyJsonPatch } from '#apimachinery/patch-json.ts';
import { applyMergePatch } from '#apimachinery/patch-merge.ts';
import { applyStrategicMergePatch } from '#apimachinery/patch-strategic.ts';
import type { Invocation } from './command.ts';
import { isObject, kindOf } from './fields.ts';
import type { Flag } from './flags.ts';
import { parseJson } from '#apimachinery/go-encode.ts';
import { OpenApi } from './openapi.ts';

export const overrideFlags = (type: string): readonly Flag[] => [
  {
    name: 'override-type',
    type: 'string',
    default: type,
    values: ['json', 'merge', 'strategic'],
    usage: 'How --overrides changes the object: json, merge or strategic.',
  },
  { name: 'overrides', type: 'string', usage: 'A JSON text that changes the object before it is created.' },
];

/** Changes a generated object as `--overrides` says. Follows kubectl/pkg/cmd/util/override_options.go, v1.33. */
export async function override(invocation: Invocation, made: JsonObject): Promise<JsonObject> {
  const overrides = invocation.flags.string('overrides');
  if (overrides === '') return made;
  const type = invocation.flags.string('override-type') || 'merge';
  switch (type) {
    case 'json': {
      const patch = parseJson(overrides);
      if (!Array.isArray(patch))
        throw new Error(`json: cannot unmarshal ${typeof patch} into Go value of type jsonpatch.Patch`);
      return applyJsonPatch(made, patch) as JsonObject;
    }
    case 'merge': {
      const patch = parsed(overrides);
      if (!isObject(patch)) throw new Error('Invalid JSON Patch');
      return applyMergePatch(made, patch) as JsonObject;
    }
    case 'strategic': {
      const patch = parsed(overrides);
      if (!isObject(patch)) throw new Error('invalid JSON document');
      const kind = kindOf(made);
      const schema = (await new OpenApi(await invocation.client()).document(kind.group, kind.version)).schemaOf(kind);
      if (!schema) throw new Error(`strategic merge patch is not supported for ${kind.kind}`);
      return applyStrategicMergePatch(made, patch, schema) as JsonObject;
    }
    default:
      throw new Error(`invalid override type: ${type}`);
  }
}

function parsed(text: string): JsonValue | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
