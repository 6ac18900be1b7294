// npm run generate: writes src/api/generated from the npm packages and the facts beside this file.
import { readFileSync, writeFileSync } from 'node:fs';
import type { Definitions } from './definitions.ts';
import { typesSource } from './types-source.ts';

const definitions: Definitions = JSON.parse(
  readFileSync(new URL('../../../shared/openapi-definitions.json', import.meta.url), 'utf8'),
);
writeFileSync(new URL('../../src/api/generated/types.ts', import.meta.url), typesSource(definitions));
