import { buildDefinitions } from './build-definitions.ts';
import { descriptionsSource } from './descriptions-source.ts';
import { readTypeFacts, readWireFacts } from './facts.ts';
import { readParameterDescriptions } from './read-client-node.ts';
import { structureSource } from './structure-source.ts';
import { typesSource } from './types-source.ts';
import { wireSource } from './wire-source.ts';

/** File names in `src/api/generated` and their contents. */
export function generatedSources(): Record<string, string> {
  const { definitions, descriptions } = buildDefinitions();
  const wire = readWireFacts();
  return {
    'types.ts': typesSource(definitions),
    'structure.ts': structureSource(definitions, wire, readTypeFacts()),
    'wire.ts': wireSource(definitions, wire),
    'descriptions.ts': descriptionsSource(definitions, descriptions, readParameterDescriptions()),
  };
}
