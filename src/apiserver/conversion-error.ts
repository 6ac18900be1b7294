const KINDS: Readonly<Record<string, string>> = { array: 'slice', object: 'map', number: 'int64' };

/** The words for a wrong type when no JSON is decoded on the way. Follows apimachinery/pkg/runtime/converter.go, v1.33. */
export function asConversion(message: string): string {
  const [, found = '', digits = '', wanted = ''] =
    /^json: cannot unmarshal (\w+)(?: (\S+))? into .* of type (\S+)$/.exec(message) ?? [];
  if (wanted === '') return message;
  const kind = /[.eE]/.test(digits) ? 'float64' : (KINDS[found] ?? found);
  if (wanted.startsWith('[]')) return `cannot restore slice from ${kind}`;
  if (wanted.startsWith('map[')) return `cannot restore map from ${kind}`;
  const isNumber = /^(int32|int64|float64)$/.test(wanted);
  if (found === 'number' && wanted !== 'bool') return `cannot convert ${kind} to ${wanted}`;
  if (isNumber || wanted === 'bool' || wanted === 'string') return `unrecognized type: ${wanted}`;
  // A named type is a structure, unless it is a kind of string, which a string would have done for.
  return found === 'string' ? `cannot restore struct from: ${kind}` : 'unrecognized type: string';
}
