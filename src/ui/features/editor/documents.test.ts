import { expect, test } from 'vitest';
import { fieldsIn, locateField, readDocuments, splitDocuments } from './documents.ts';
import { NGINX_POD } from './examples.ts';

test('a file is split as kubectl splits it', () => {
  const text = '# nothing here\n---\na: 1\n---  # b\n\nb: 2\nc: |\n  --- not a line of its own\n---\n---\n';
  expect(splitDocuments(text).map(({ startLine, endLine, text: source }) => [startLine, endLine, source])).toEqual([
    [3, 3, 'a: 1\n'],
    [6, 8, 'b: 2\nc: |\n  --- not a line of its own\n'],
  ]);
});

test("the seed's Pod reads well", () => {
  expect(readDocuments(NGINX_POD)).toMatchObject([{ title: 'Pod nginx', startLine: 1, problems: [] }]);
});

test.each([
  ['a: [1, 2', 1, "yaml: line 1: did not find expected ',' or ']'"],
  ['a: 1\nb: c: 2\n', 2, 'yaml: line 2: mapping values are not allowed in this context'],
  ['x: 1\n---\nkind: Pod\nmetadata:\n\tname: a\n', 5, 'yaml: line 3: found character that cannot start any token'],
  ['a: "unclosed\n', 1, 'yaml: line 2: found unexpected end of stream'],
])('%j is marked in line %i', (text, line, message) => {
  const [problem] = readDocuments(text).flatMap((document) => document.problems);
  expect([problem?.severity, problem?.startLine, problem?.message]).toEqual(['error', line, message]);
});

test('an error in one document leaves the others alone', () => {
  const [bad, good] = readDocuments('a: [\n---\nkind: ConfigMap\nmetadata: {name: c}\n');
  expect(bad?.problems.length).toBeGreaterThan(0);
  expect(good).toMatchObject({ title: 'ConfigMap c', problems: [] });
});

test('YAML is read as Kubernetes reads it', () => {
  const read = (value: string) => readDocuments(`kind: ${value}\n`)[0]?.title;
  expect([read('2020-01-01'), read('12:30:45'), read('yes'), read('"yes"')]).toEqual([
    '2020-01-01',
    '12:30:45',
    '',
    'yes',
  ]);
});

test('repeated keys are warned of', () => {
  expect(readDocuments('a: 1\nb: 2\na: 3\n')[0]?.problems).toMatchObject([{ severity: 'warning', startLine: 3 }]);
});

test.each([
  ['flow nesting', `a: ${'['.repeat(100_000)}`],
  ['block nesting', Array.from({ length: 5000 }, (_, at) => `${' '.repeat(at)}a:`).join('\n')],
  ['dashes', `${'- '.repeat(50_000)}x`],
  [
    'an alias bomb',
    `a: &a [x,x,x,x,x,x,x,x,x]\n${Array.from(
      { length: 20 },
      (_, at) =>
        `a${at}: &b${at} [${Array(9)
          .fill(at ? `*b${at - 1}` : '*a')
          .join(',')}]`,
    ).join('\n')}\n`,
  ],
])('%s gets an error, quickly', (_, text) => {
  const start = performance.now();
  expect(readDocuments(text)[0]?.problems[0]).toMatchObject({ severity: 'error' });
  expect(performance.now() - start).toBeLessThan(2000);
});

test('brackets in strings and comments do not nest', () => {
  expect(
    readDocuments(`a: "${'['.repeat(500)}"\nb: '${'{'.repeat(500)}' # ${'['.repeat(500)}\nc: it's\n`)[0]?.problems,
  ).toEqual([]);
});

test('fields that the server names are found in the text', () => {
  const [manifest] = readDocuments(
    '# a Pod\nkind: Pod\nspec:\n  containers:\n  - name: a\n    image: ""\n  - name: b\n',
  );
  const message =
    'The Pod "x" is invalid: [spec.containers[0].image: Required value, spec.containers[1].image: Required value]';
  expect(fieldsIn(message)).toEqual(['spec.containers[0].image', 'spec.containers[1].image']);
  expect(manifest && fieldsIn(message).map((field) => locateField(manifest, field)?.startLine)).toEqual([6, 7]);
  expect(manifest && locateField(manifest, 'metadata.name')).toBeUndefined();
  expect(
    fieldsIn(
      'The Deployment "x" is invalid: spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match',
    ),
  ).toEqual(['spec.template.metadata.labels']);
});
