import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const gen = path.resolve(import.meta.dirname, '../../node_modules/@kubernetes/client-node/dist/gen');
const models = path.join(gen, 'models');

/**
 * Formats (`int32`, `byte` …) of a definition's fields, from the attribute maps of @kubernetes/client-node. Fields that
 * the package does not know, being of a later release, are absent.
 */
export function readFormats(definition: string): ReadonlyMap<string, string> {
  const [group, version, kind] = definition
    .split('.')
    .slice(-3)
    .map((word) => word[0]!.toUpperCase() + word.slice(1));
  const file = [`${group}${version}${kind}`, `${version}${kind}`, kind]
    .map((name) => path.join(models, `${name}.js`))
    .find((candidate) => existsSync(candidate));
  const attributes = file
    ? readFileSync(file, 'utf8').matchAll(/"baseName": "(.*)",\n\s*"type": ".*",\n\s*"format": "(.+)"/g)
    : [];
  return new Map([...attributes].map(([, field, format]) => [field!, format!]));
}

const ENTITIES: Readonly<Record<string, string>> = { '39': "'", x60: '`', x3D: '=', quot: '"' };

/** The prose of the parameters that operations of many kinds have, by name. The package has lost the line breaks. */
export function readParameterDescriptions(): Readonly<Record<string, string>> {
  const source = readFileSync(path.join(gen, 'apis/CoreV1Api.js'), 'utf8');
  const found = new Map<string, string>();
  const operation =
    /\/\*\*\n((?:(?!\*\/)[\s\S])*)\*\/\n\s*async (?:create|list|patch|delete)Namespaced(?:Pod|PodTemplate)\(/g;
  for (const [, comment = ''] of source.matchAll(operation))
    for (const [, name = '', text = ''] of comment.matchAll(/@param _?(\w+) (.+)/g))
      if (name !== 'name' && name !== 'body' && !found.has(name))
        found.set(
          name,
          text.trim().replace(/\\?&#?(\w+);/g, (entity, code: string) => ENTITIES[code] ?? entity),
        );
  return Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}
