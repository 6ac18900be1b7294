import type { JsonValue } from '#apimachinery/json.ts';
import type { Environment, ParseResult } from '@marcbachmann/cel-js';
import { compileError, evaluationError } from './cel-error.ts';
import { celEnvironment } from './cel-library.ts';

/** What expressions about a request may speak of. Absent values are null. */
export interface ExpressionVariables {
  readonly object: JsonValue;
  readonly oldObject: JsonValue;
  readonly request: JsonValue;
  readonly params?: JsonValue;
  readonly namespaceObject?: JsonValue;
  /** `variables` by name, each worked out when an expression asks for it. */
  readonly variables?: Readonly<Record<string, () => unknown>>;
}

/** An expression that has been compiled; `error` says why it could not be. */
export interface CompiledExpression {
  readonly error?: string;
  /** Throws an Error in upstream's words. Whole numbers come as bigint. */
  evaluate(variables: ExpressionVariables): unknown;
}

const NAMES = ['object', 'oldObject', 'request', 'params', 'namespaceObject'] as const;
const MAX_KNOWN = 1000;

/**
 * Compiles the expressions of webhooks and admission policies, each text once. Follows
 * apiserver/pkg/admission/plugin/cel, v1.33. Differs from upstream: objects have no types, expressions no cost, and there is
 * no `authorizer`.
 */
export class CelAdmission {
  readonly #env: Environment;
  readonly #known = new Map<string, CompiledExpression>();
  /** Values as the language has them, by the objects that they were made of. */
  readonly #values = new WeakMap<object, unknown>();

  constructor() {
    this.#env = celEnvironment();
    for (const name of NAMES) this.#env.registerVariable(name, 'dyn');
    this.#env.registerVariable('variables', 'map<string, dyn>');
  }

  compile(expression: string): CompiledExpression {
    let known = this.#known.get(expression);
    if (!known) {
      if (this.#known.size >= MAX_KNOWN) this.#known.clear();
      this.#known.set(expression, (known = this.#compile(expression)));
    }
    return known;
  }

  #compile(expression: string): CompiledExpression {
    let program: ParseResult;
    try {
      program = this.#env.parse(expression);
      const checked = program.check();
      if (!checked.valid) throw checked.error ?? new Error('invalid expression');
    } catch (error) {
      const text = compileError(expression, error);
      const fail = (): never => {
        throw new Error(text);
      };
      return { error: text, evaluate: fail };
    }
    return {
      evaluate: (given) => {
        const { variables = {}, ...objects } = given;
        const values = Object.fromEntries(NAMES.map((name) => [name, this.#valueOf(objects[name] ?? null)]));
        const lazy: Record<string, unknown> = {};
        for (const [name, value] of Object.entries(variables)) {
          let done: { readonly value: unknown } | undefined;
          const get = () => (done ??= { value: value() }).value;
          Object.defineProperty(lazy, name, { enumerable: true, get });
        }
        try {
          return program({ ...values, variables: lazy });
        } catch (error) {
          throw new Error(evaluationError(error));
        }
      },
    };
  }

  /** A JSON value with whole numbers as the language's integers. */
  #valueOf(value: JsonValue): unknown {
    if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
    if (typeof value !== 'object' || value === null) return value;
    let known = this.#values.get(value);
    if (known === undefined) {
      known = Array.isArray(value)
        ? (value as readonly JsonValue[]).map((item) => this.#valueOf(item))
        : Object.fromEntries(
            Object.entries(value as Readonly<Record<string, JsonValue>>)
              .filter(([, member]) => member !== undefined && member !== null)
              .map(([key, member]) => [key, this.#valueOf(member)]),
          );
      this.#values.set(value, known);
    }
    return known;
  }
}
