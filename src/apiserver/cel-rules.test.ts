import { expect, test } from 'vitest';
import { readYaml } from '#apimachinery/yaml-reader.ts';
import type { JsonValue } from '#apimachinery/json.ts';
import type { SchemaProps } from '#apimachinery/structural-schema.ts';
import { CelRules } from './cel-rules.ts';

const rules = new CelRules();
const yaml = (text: string): JsonValue => readYaml(text) as JsonValue;
const schemaOf = (properties: string, rule: string): SchemaProps =>
  yaml(`{type: object, properties: ${properties}, x-kubernetes-validations: [${rule}]}`) as unknown as SchemaProps;

/** Errors of a value (and what it was) under one rule; of the rule, when it does not compile. */
function check(properties: string, rule: string, value: string, ...errors: readonly string[]) {
  const schema = schemaOf(properties, rule);
  const [next, old] = value.split(' <- ').map(yaml);
  const compiled = rules.compile(schema, false).flatMap(({ error, messageError }) => [error, messageError]);
  const wrong = compiled.filter((text) => text !== undefined);
  const found = wrong.length > 0 ? wrong : rules.evaluate(next!, old, schema, false, 'spec');
  expect(found.map((each) => (typeof each === 'string' ? each : `${each.field}: ${each.text}`))).toEqual(errors);
}

test('rules', () => {
  const P =
    '{replicas: {type: integer}, tags: {type: array, items: {type: string}}, size: {x-kubernetes-int-or-string: true}, m: {type: object, additionalProperties: {type: integer}}, a-b: {type: string}}';
  check(P, '{rule: "self.replicas > 1"}', '{replicas: 2}');
  check(
    P,
    '{rule: "self.replicas > 1"}',
    '{replicas: 1}',
    'spec: Invalid value: "object": failed rule: self.replicas > 1',
  );
  check(P, '{rule: "!has(self.replicas) || self.replicas != 7", message: unlucky}', '{}');
  check(
    P,
    '{rule: "self.replicas != 7", message: unlucky, fieldPath: .replicas, reason: FieldValueForbidden}',
    '{replicas: 7}',
    'spec.replicas: Forbidden: unlucky',
  );
  check(
    P,
    '{rule: "self.replicas != 7", messageExpression: "\'not \' + string(self.replicas)"}',
    '{replicas: 7}',
    'spec: Invalid value: "object": not 7',
  );
  check(
    P,
    '{rule: "self.replicas >= oldSelf.replicas"}',
    '{replicas: 1} <- {replicas: 2}',
    'spec: Invalid value: "object": failed rule: self.replicas >= oldSelf.replicas',
  );
  check(P, '{rule: "self.replicas >= oldSelf.replicas"}', '{replicas: 1}');
  check(
    P,
    '{rule: "oldSelf.hasValue() || self.replicas == 1", optionalOldSelf: true}',
    '{replicas: 2}',
    'spec: Invalid value: "object": failed rule: oldSelf.hasValue() || self.replicas == 1',
  );
  check(
    P,
    '{rule: "self.tags.all(t, t.matches(\'^[a-z]+$\'))"}',
    '{tags: [a, B]}',
    'spec: Invalid value: "object": failed rule: self.tags.all(t, t.matches(\'^[a-z]+$\'))',
  );
  check(P, '{rule: "self.size == 5"}', '{size: 5}');
  check(
    P,
    '{rule: "self.m[\'x\'] == 1"}',
    '{m: {}}',
    'spec: Invalid value: "object": no such key: x evaluating rule: self.m[\'x\'] == 1',
  );
  check(P, '{rule: "self.a__dash__b == \'x\'"}', '{a-b: x}');
  check(P, '{rule: "self.tags.isSorted() && sets.contains(self.tags, [\'a\'])"}', '{tags: [a, b]}');
  check(
    P,
    "{rule: \"quantity('1Gi').isGreaterThan(quantity('1G')) && cidr('10.0.0.0/8').containsIP('10.1.2.3')\"}",
    '{}',
  );
});

test('rules that do not compile', () => {
  const P = '{replicas: {type: integer}}';
  check(
    P,
    '{rule: "self.nope == 1"}',
    '{}',
    "compilation failed: ERROR: <input>:1:5: undefined field 'nope'\n | self.nope == 1\n | ....^",
  );
  check(P, '{rule: "self.replicas + 1"}', '{}', 'cel expression must evaluate to a bool');
  check(
    P,
    '{rule: "self.replicas == \'a\'"}',
    '{}',
    expect.stringContaining("found no matching overload for '_==_' applied to '(int, string)'") as string,
  );
  check(P, '{rule: "foo"}', '{}', expect.stringContaining("undeclared reference to 'foo' (in container '')") as string);
  check(P, "{rule: \"'%d'.format([1]) == '1'\"}", '{}', expect.stringContaining('no matching overload') as string);
  check(P, '{rule: "self.replicas == 1", messageExpression: "1"}', '{}', 'messageExpression must evaluate to a string');
});

test('what was so before may stay so', () => {
  const P =
    '{a: {type: object, properties: {count: {type: integer}}, x-kubernetes-validations: [{rule: "self.count < 3"}]}, b: {type: integer}}';
  check(P, '{rule: "true"}', '{a: {count: 5}, b: 2} <- {a: {count: 5}, b: 1}');
  check(
    P,
    '{rule: "true"}',
    '{a: {count: 6}} <- {a: {count: 5}}',
    'spec.a: Invalid value: "object": failed rule: self.count < 3',
  );
});
