import { propertyOf, type SchemaProps, valuesOf } from '#apimachinery/structural-schema.ts';
import { child, keyed } from '#apimachinery/validation.ts';

export type FoundPath =
  | { readonly path: string; readonly root: string; readonly schema: SchemaProps }
  | { readonly why: string };

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  "'": "'",
  '\\': '\\',
};

/**
 * Where a path such as `.spec.size` or `.labels['a.b']` leads in a schema. `brackets`: whether the second way is allowed.
 * Follows ValidFieldPath of apiserver/schema/cel, v1.33.
 */
export function findFieldPath(jsonPath: string, start: SchemaProps, brackets = true): FoundPath {
  const tokens = jsonPath.match(/'(?:\\.|[^\\'])*'|[.[\]]|[^.[\]]+/g) ?? [];
  let schema = start;
  let path = '';
  let root = '';
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] as string;
    let name = '';
    if (token === '[') {
      if (!brackets) return { why: 'array notation is not allowed' };
      const quoted = tokens[++i];
      if (quoted === undefined) return { why: 'unexpected end of JSON path' };
      if (!/^'.*'$/.test(quoted)) return { why: `expected single quoted string but got ${quoted}` };
      const wrong = quoted.slice(1, -1).match(/\\[^abfnrtv'\\]/);
      if (wrong) return { why: `invalid string literal: invalid escape char ${wrong[0]}` };
      name = quoted.slice(1, -1).replace(/\\(.)/g, (_, char: string) => ESCAPES[char] as string);
      const close = tokens[++i];
      if (close === undefined) return { why: 'unexpected end of JSON path' };
      if (close !== ']') return { why: `expected ] but got ${close}` };
    } else if (token === '.') {
      const next = tokens[++i];
      if (next === undefined) return { why: 'unexpected end of JSON path' };
      name = next;
    } else return { why: `expected [ or . but got: ${token}` };
    const found = schema.properties ? propertyOf(schema, name) : valuesOf(schema);
    if (!found) return { why: 'does not refer to a valid field' };
    path = schema.properties ? child(path, name) : keyed(path, name);
    root ||= name;
    schema = found;
  }
  return { path, root, schema };
}
