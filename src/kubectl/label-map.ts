import type { JsonObject } from '#apimachinery/json.ts';

/** `a=b,c=d` as a flag of type map takes it. Follows component-base/cli/flag/map_string_string.go, v1.33. */
export function parseLabelMap(text: string): JsonObject {
  const pairs = text
    .split(',')
    .filter((pair) => pair !== '')
    .map((pair): readonly [string, string] => {
      const equals = pair.indexOf('=');
      if (equals < 0) throw new Error(`malformed pair, expect string=string`);
      return [pair.slice(0, equals).trim(), pair.slice(equals + 1).trim()];
    });
  return Object.fromEntries(pairs);
}
