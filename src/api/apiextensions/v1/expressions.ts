import type { FieldError } from '#apimachinery/field-error.ts';
import type { JsonValue } from '#apimachinery/json.ts';
import type { SchemaProps } from '#apimachinery/structural-schema.ts';

/** What an expression rule of a schema comes to when it is compiled. */
export interface CompiledRule {
  /** Why the rule cannot be used. */
  readonly error?: string;
  readonly messageError?: string;
  readonly usesOldSelf: boolean;
}

/** Compiles and checks `x-kubernetes-validations`; what a definition's validation needs of them. */
export interface SchemaExpressions {
  /** The rules of this schema, in their order. `isResource`: the schema is that of a whole resource. */
  compile(schema: SchemaProps, isResource: boolean): readonly CompiledRule[];
  /** The rules of a schema and of all that it holds, for a new value. */
  validate(value: JsonValue, schema: SchemaProps, isResource: boolean, path: string): readonly FieldError[];
}
