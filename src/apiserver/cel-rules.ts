import type { FieldError } from '#apimachinery/field-error.ts';
import { goRegexp, RegexpError } from '#apimachinery/go-regexp.ts';
import type { JsonValue } from '#apimachinery/json.ts';
import {
  correlatedItem,
  type Correlation,
  itemCorrelation,
  memberCorrelation,
  unchanged,
} from '#apimachinery/structural-correlation.ts';
import {
  type ExpressionRule,
  isJsonObject,
  itemsOf,
  membersOf,
  propertyOf,
  type SchemaProps,
  valuesOf,
} from '#apimachinery/structural-schema.ts';
import { NOWHERE } from '#apimachinery/structural-validate.ts';
import { child, duplicate, forbiddenField, index, invalidField, keyed, required } from '#apimachinery/validation.ts';
import { type Environment, EvaluationError, Optional, type ParseResult } from '@marcbachmann/cel-js';
import { CelAdmission } from './cel-admission.ts';
import { compileError, evaluationError } from './cel-error.ts';
import { celEnvironment } from './cel-library.ts';
import { type CelType, CelTypes } from './cel-schema.ts';

const MAX_MESSAGE = 5 * 1024;

interface Rule {
  readonly error?: string;
  readonly messageError?: string;
  readonly usesOldSelf: boolean;
  readonly source: ExpressionRule;
  readonly program?: ParseResult;
  readonly message?: ParseResult;
}

interface CompiledSchema {
  readonly type: CelType | undefined;
  readonly rules: readonly Rule[];
}

type Node = { readonly op: string; readonly args: unknown };
const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && 'op' in value;

/** All parts of an expression. */
function* nodesOf(value: unknown): Generator<Node> {
  if (Array.isArray(value)) {
    for (const each of value) yield* nodesOf(each);
  } else if (isNode(value)) {
    yield value;
    yield* nodesOf(value.args);
  }
}

/** Why a pattern of the expression cannot be had; undefined: all can. */
function badPattern(nodes: Iterable<Node>): string | undefined {
  for (const { op, args } of nodes) {
    if (op !== 'rcall' || !Array.isArray(args) || args[0] !== 'matches') continue;
    const [pattern] = args[2] as readonly unknown[];
    if (!isNode(pattern) || pattern.op !== 'value' || typeof pattern.args !== 'string') continue;
    try {
      goRegexp(pattern.args);
      new RegExp(pattern.args);
    } catch (error) {
      const why = error instanceof RegexpError ? error.message : 'not supported by this server';
      return `invalid matches argument: ${why}`;
    }
  }
  return undefined;
}

/**
 * Compiles and evaluates `x-kubernetes-validations`. Follows apiextensions-apiserver/pkg/apiserver/schema/cel, v1.33.
 * Differs from upstream: expressions have no cost, so that none is too dear.
 */
export class CelRules {
  /** The expressions of webhooks and admission policies. */
  readonly admission = new CelAdmission();
  readonly #base: Environment = celEnvironment();
  readonly #compiled = new WeakMap<SchemaProps, { resource?: CompiledSchema; plain?: CompiledSchema }>();

  /** The rules of a schema, in their order. */
  compile(schema: SchemaProps, isResource: boolean): readonly Rule[] {
    return this.#of(schema, isResource).rules;
  }

  /** All rules of a schema and of what it holds, for a value that is new, by itself and as its own successor. */
  validate(value: JsonValue, schema: SchemaProps, isResource: boolean, path: string): readonly FieldError[] {
    const errors = this.evaluate(value, value, schema, isResource, path);
    return errors.length > 0 ? errors : this.evaluate(value, undefined, schema, isResource, path);
  }

  /** All rules of a schema and of what it holds, for a value and what it was. */
  evaluate(
    value: JsonValue,
    old: JsonValue | undefined,
    schema: SchemaProps,
    isResource: boolean,
    path: string,
  ): readonly FieldError[] {
    const errors: FieldError[] = [];
    const correlation = old === undefined || old === value ? undefined : { value, old, schema };
    this.#visit(value, old, schema, isResource, path, { own: correlation, above: undefined }, errors);
    return errors;
  }

  #of(schema: SchemaProps, isResource: boolean): CompiledSchema {
    let known = this.#compiled.get(schema);
    if (!known) this.#compiled.set(schema, (known = {}));
    const key = isResource ? 'resource' : 'plain';
    return (known[key] ??= this.#compile(schema, isResource));
  }

  #compile(schema: SchemaProps, isResource: boolean): CompiledSchema {
    const rules = schema['x-kubernetes-validations'] ?? [];
    if (rules.length === 0) return { type: undefined, rules: [] };
    const env = this.#base.clone();
    const type = new CelTypes(env).typeOf(schema, isResource);
    if (!type) {
      const error = 'failed to convert to declType for CEL validation rules';
      return { type, rules: rules.map((source) => ({ source, usesOldSelf: false, error })) };
    }
    env.registerVariable('self', type.name);
    const plain = env.clone().registerVariable('oldSelf', type.name);
    const optional = env.clone().registerVariable('oldSelf', `optional<${type.name}>`);
    return { type, rules: rules.map((rule) => compileRule(rule.optionalOldSelf ? optional : plain, rule)) };
  }

  #visit(
    value: JsonValue,
    old: JsonValue | undefined,
    schema: SchemaProps,
    isResource: boolean,
    path: string,
    correlation: Correlated,
    errors: FieldError[],
  ): void {
    if (value === null) return;
    this.#run(value, old === null ? undefined : old, schema, isResource, path, correlation, errors);
    const isEmbedded = (inner: SchemaProps) => inner['x-kubernetes-embedded-resource'] === true;
    const below = (own: Correlation | undefined): Correlated => ({ own, above: correlation.own ?? correlation.above });
    if (Array.isArray(value)) {
      const items = itemsOf(schema);
      const before = Array.isArray(old) ? (old as readonly JsonValue[]) : undefined;
      if (items)
        (value as readonly JsonValue[]).forEach((item, i) => {
          const correlated = below(itemCorrelation(correlation.own, i));
          const previous = correlatedItem(schema, before, item);
          this.#visit(item, previous, items, isEmbedded(items), index(path, i), correlated, errors);
        });
    } else if (isJsonObject(value)) {
      const values = valuesOf(schema);
      for (const [key, member] of membersOf(value)) {
        const property = propertyOf(schema, key);
        const inner = property ?? values;
        if (!inner) continue;
        const previous = isJsonObject(old) && Object.hasOwn(old, key) ? old[key] : undefined;
        const at = property ? child(path, key) : keyed(path, key);
        this.#visit(
          member,
          previous,
          inner,
          isEmbedded(inner),
          at,
          below(memberCorrelation(correlation.own, key)),
          errors,
        );
      }
    }
  }

  #run(
    value: JsonValue,
    old: JsonValue | undefined,
    schema: SchemaProps,
    isResource: boolean,
    path: string,
    { own, above }: Correlated,
    errors: FieldError[],
  ): void {
    const { type, rules } = this.#of(schema, isResource);
    if (rules.length === 0) return;
    const at = path === '' ? NOWHERE : path;
    const shown = schema.type ?? '';
    const self = type?.of(value);
    const oldSelf = old === undefined ? undefined : type?.of(old);
    for (const { source, error, program, message, usesOldSelf } of rules) {
      if (error !== undefined) errors.push(invalidField(at, shown, `rule compile error: ${error}`));
      if (!program || (usesOldSelf && oldSelf === undefined && !source.optionalOldSelf)) continue;
      const before = source.optionalOldSelf ? Optional.of(oldSelf) : oldSelf;
      const context = { self, ...(usesOldSelf || before !== undefined ? { oldSelf: before } : {}) };
      try {
        if (program(context) === true) continue;
      } catch (thrown) {
        const text = evaluationError(thrown);
        const why = /no such overload|no matching overload/.test(text)
          ? `'${text}': call arguments did not match a supported operator, function or macro signature for rule: `
          : `${text} evaluating rule: `;
        errors.push(invalidField(at, shown, why + ruleText(source)));
        continue;
      }
      // What was so before may stay so.
      if (!usesOldSelf && (own ? unchanged(own) : unchanged(above))) continue;
      const said = message && messageOf(message, context);
      errors.push(failureOf(fieldAt(path, source), shown, said ?? defaultMessage(source), source.reason));
    }
  }
}

/** What of an old value is known at a place: its own, or the nearest above. */
interface Correlated {
  readonly own: Correlation | undefined;
  readonly above: Correlation | undefined;
}

function compileRule(env: Environment, source: ExpressionRule): Rule {
  if (source.rule.trim() === '') return { source, usesOldSelf: false };
  const rule = compileExpression(env, source.rule, 'bool');
  if (typeof rule === 'string')
    return {
      source,
      usesOldSelf: false,
      error: rule === '' ? 'cel expression must evaluate to a bool' : `compilation failed: ${rule}`,
    };
  const usesOldSelf = [...nodesOf(rule.ast)].some(({ op, args }) => op === 'id' && args === 'oldSelf');
  if (!source.messageExpression) return { source, usesOldSelf, program: rule };
  const message = compileExpression(env, source.messageExpression, 'string');
  if (typeof message !== 'string') return { source, usesOldSelf, program: rule, message };
  const messageError =
    message === '' ? 'messageExpression must evaluate to a string' : `messageExpression compilation failed: ${message}`;
  return { source, usesOldSelf, program: rule, messageError };
}

/** The program, or what is wrong with it; empty: it is of another type. */
function compileExpression(env: Environment, expression: string, type: string): ParseResult | string {
  try {
    const program = env.parse(expression);
    const checked = program.check();
    if (!checked.valid) return compileError(expression, checked.error);
    const pattern = badPattern(nodesOf(program.ast));
    if (pattern !== undefined) return pattern;
    return checked.type === type ? program : '';
  } catch (error) {
    return compileError(expression, error);
  }
}

function messageOf(message: ParseResult, context: Readonly<Record<string, unknown>>): string | undefined {
  try {
    const text: unknown = message(context);
    const trimmed = typeof text === 'string' ? text.trim() : '';
    return trimmed === '' || trimmed.includes('\n') || trimmed.length > MAX_MESSAGE ? undefined : trimmed;
  } catch (error) {
    if (error instanceof EvaluationError) return undefined;
    throw error;
  }
}

const ruleText = ({ message = '', rule }: ExpressionRule) => (message === '' ? rule : message).trim();
const defaultMessage = (source: ExpressionRule) =>
  source.message ? source.message.trim() : `failed rule: ${ruleText(source)}`;

function fieldAt(path: string, { fieldPath = '' }: ExpressionRule): string {
  const inner = fieldPath.replace(/^\./, '').replace(/\['((?:\\.|[^\\'])*)'\]/g, '.$1');
  return (inner === '' ? path : child(path, inner)) || NOWHERE;
}

function failureOf(path: string, type: string, message: string, reason: string | undefined): FieldError {
  switch (reason) {
    case 'FieldValueForbidden':
      return forbiddenField(path, message);
    case 'FieldValueRequired':
      return required(path, message);
    case 'FieldValueDuplicate':
      return duplicate(path, type);
    default:
      return invalidField(path, type, message);
  }
}
