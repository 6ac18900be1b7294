import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { buildDefinitions } from './build-definitions.ts';
import type { Definitions } from './definitions.ts';

const oracleFile = path.resolve(import.meta.dirname, '../../../shared/openapi-definitions.json');

test.runIf(existsSync(oracleFile))('definitions equal those of a real API server', () => {
  const oracle: Definitions = JSON.parse(readFileSync(oracleFile, 'utf8'));
  const { definitions } = buildDefinitions();
  expect(Object.keys(definitions)).toEqual(Object.keys(oracle).toSorted());
  for (const [name, definition] of Object.entries(definitions)) {
    // The oracle has lost its prose, and with it the four fields that are named `description`; its OpenAPI v2 has no defaults.
    const { description, ...properties } = definition.properties ?? {};
    if (!oracle[name]!.properties?.description && description) definition.properties = properties;
    for (const node of Object.values(properties)) delete node.default;
    definition.required?.sort();
    oracle[name]!.required?.sort();
    expect({ [name]: definition }).toEqual({ [name]: oracle[name] });
  }
});
