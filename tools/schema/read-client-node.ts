import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const models = path.resolve(import.meta.dirname, '../../node_modules/@kubernetes/client-node/dist/gen/models');

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
