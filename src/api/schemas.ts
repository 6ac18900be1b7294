import { parseSchemas } from '#apimachinery/schema-text.ts';
import type { SchemaSource } from '#apimachinery/schema.ts';
import { structure } from './generated/structure.ts';

/** The schemas of all built-in kinds, by definition name (`io.k8s.api.core.v1.Pod`). */
export const schemas: SchemaSource = parseSchemas(structure);
