import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { schemas } from '#api/schemas.ts';
import { openApiDefinition } from '#apimachinery/openapi-schema.ts';
import { buildDefinitions } from './build-definitions.ts';
import type { Definition, Definitions } from './definitions.ts';

const oracleFile = path.resolve(import.meta.dirname, '../../../shared/openapi-definitions.json');
if (!existsSync(oracleFile)) console.warn('SKIPPED: no ../shared/openapi-definitions.json to compare the schemas with');

/** OpenAPI 2 has no defaults, and the order of required fields means nothing. */
function comparable(definition: Definition): Definition {
  const nodes = Object.entries(definition.properties ?? {}).map(([field, { default: _default, ...node }]) => [
    field,
    node,
  ]);
  return {
    ...definition,
    ...(definition.properties ? { properties: Object.fromEntries(nodes) } : {}),
    ...(definition.required ? { required: definition.required.toSorted() } : {}),
  };
}

/** The definitions as the committed text has them. */
const published = (name: string) => comparable(openApiDefinition(schemas.lookup(name)!, 2) as Definition);

test('the committed text says what the packages and facts say', () => {
  const { definitions } = buildDefinitions();
  expect([...schemas.names()].toSorted()).toEqual(Object.keys(definitions));
  for (const [name, definition] of Object.entries(definitions)) {
    expect({ [name]: published(name) }).toEqual({ [name]: comparable(definition) });
  }
});

describe.runIf(existsSync(oracleFile))('what a real API server publishes', () => {
  let oracle: Definitions;
  beforeAll(() => {
    oracle = JSON.parse(readFileSync(oracleFile, 'utf8'));
  });

  test('is what we have, field by field', () => {
    expect([...schemas.names()].toSorted()).toEqual(Object.keys(oracle).toSorted());
    for (const [name, definition] of Object.entries(oracle)) {
      const ours = published(name);
      // The recording has lost its prose, and with it the four fields whose name is `description`.
      if (!definition.properties?.description) delete ours.properties?.description;
      expect({ [name]: ours }).toEqual({ [name]: comparable(definition) });
    }
  });
});
