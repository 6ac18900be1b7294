/** Separates `TYPE NAME …` from `KEY=VALUE` and `KEY-`, which must come last. Follows GetResourcesAndPairs of kubectl, v1.33. */
export function splitPairs(
  args: readonly string[],
  what: string,
): { readonly resources: readonly string[]; readonly pairs: readonly string[] } {
  const resources: string[] = [];
  const pairs: string[] = [];
  for (const arg of args) {
    const isPair = (arg.includes('=') && !arg.startsWith('=')) || (arg.endsWith('-') && arg !== '-');
    if (isPair) pairs.push(arg);
    else if (pairs.length === 0) resources.push(arg);
    else throw new Error(`all resources must be specified before ${what} changes: ${arg}`);
  }
  return { resources, pairs };
}

/** `KEY=VALUE` and, where it makes sense, `KEY-`. Follows ParsePairs of kubectl, v1.33. */
export function parsePairs(
  pairs: readonly string[],
  what: string,
  removable: boolean,
): { readonly set: ReadonlyMap<string, string>; readonly remove: readonly string[] } {
  const set = new Map<string, string>();
  const remove: string[] = [];
  const invalid: string[] = [];
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    if (equals > 0) set.set(pair.slice(0, equals), pair.slice(equals + 1));
    else if (removable && pair.endsWith('-') && pair !== '-') remove.push(pair.slice(0, -1));
    else invalid.push(pair);
  }
  if (invalid.length > 0) throw new Error(`invalid ${what} format: ${invalid.join(', ')}`);
  return { set, remove };
}
