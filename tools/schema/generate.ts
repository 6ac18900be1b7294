// npm run generate: writes src/api/generated from the npm packages and the facts beside this file.
import { writeFileSync } from 'node:fs';
import { buildDefinitions } from './build-definitions.ts';
import { readTypeFacts, readWireFacts, refreshFacts } from './facts.ts';
import { structureSource } from './structure-source.ts';
import { typesSource } from './types-source.ts';

refreshFacts();
const { definitions } = buildDefinitions();
const wire = readWireFacts();
const write = (file: string, source: string) =>
  writeFileSync(new URL(`../../src/api/generated/${file}`, import.meta.url), source);
write('types.ts', typesSource(definitions));
write('structure.ts', structureSource(definitions, wire, readTypeFacts()));
