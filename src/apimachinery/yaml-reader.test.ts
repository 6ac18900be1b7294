import { expect, test } from 'vitest';
import { readYaml } from './yaml-reader.ts';

// What the real kubectl v1.33 reads, and what it says of what it cannot read.
const read: readonly (readonly [text: string, value: unknown])[] = [
  ['a: yes\nb: "yes"\nc: 0644\nd: 1.5\ne: ~\nf: 1_000\n', { a: true, b: 'yes', c: 420, d: 1.5, e: null, f: 1000 }],
  ['a: 2020-01-01\nb: 12:30:45\nc: 0o7\nd: 08\n', { a: '2020-01-01', b: '12:30:45', c: 7, d: 8 }],
  ['x: &a {b: 1, c: 2}\nz:\n  <<: *a\n  c: 3\n', { x: { b: 1, c: 2 }, z: { b: 1, c: 3 } }],
  ['a: |\n  x\n   y\n\nb: >-\n  p\n  q\n\n  r\n', { a: 'x\n y\n', b: 'p q\nr' }],
  ['1: a\ntrue: b\n', { '1': 'a', true: 'b' }],
  ['- a\n- b: c\n  d: [e, {f: g}]\n', ['a', { b: 'c', d: ['e', { f: 'g' }] }]],
  ['a: b\na: c\n', { a: 'c' }],
  ["a: \"x\\\n  y\"\nb: 'it''s'\n", { a: 'xy', b: "it's" }],
  ['a: 9007199254740993\n', { a: 9007199254740993n }],
  ['# nothing\n', null],
  ['__proto__: 1\n', Object.fromEntries([['__proto__', 1]])],
];

test.each(read)('reads %j', (text, value) => {
  expect(readYaml(text)).toStrictEqual(value);
});

const refused: readonly (readonly [text: string, message: string])[] = [
  ['a: b\n c: d\n', 'yaml: line 2: mapping values are not allowed in this context'],
  ['a:\n\t- b\n', 'yaml: line 2: found character that cannot start any token'],
  ['a: b\n\tc: d\n', 'yaml: line 2: found a tab character that violates indentation'],
  ['kind: Pod\nmetadata:\n  name: x\n spec:\n  y: z\n', 'yaml: line 3: did not find expected key'],
  ['spec:\n  containers:\n  - name: a\n   image: b\n', 'yaml: line 3: did not find expected key'],
  ['- a\nb: c\n', "yaml: line 1: did not find expected '-' indicator"],
  ['a: [1,2\nb: 3\n', "yaml: line 1: did not find expected ',' or ']'"],
  ['a: "x\nb: c\n', 'yaml: line 3: found unexpected end of stream'],
  ['a: b\nb\n', "yaml: line 3: could not find expected ':'"],
  ['a: @x\n', 'yaml: found character that cannot start any token'],
  ['a: *x\n', "yaml: unknown anchor 'x' referenced"],
  ['a: &x\n  b: *x\n', "yaml: anchor 'x' value contains itself"],
  ['a: !!int x\n', 'yaml: cannot decode !!str `x` as a !!int'],
  ['? {a: b}\n: c\n', 'yaml: invalid map key: map[interface {}]interface {}{"a":"b"}'],
  ['a: - b\n', 'yaml: block sequence entries are not allowed in this context'],
  ['a: .nan\n', 'json: unsupported value: NaN'],
];

test.each(refused)('refuses %j', (text, message) => {
  expect(() => readYaml(text)).toThrow(expect.objectContaining({ message }));
});

test('refuses a bomb of aliases', () => {
  const levels = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(',')}]`);
  expect(() => readYaml(`a0: &a0 [x,x,x,x,x,x,x,x,x]\n${levels.join('\n')}\n`)).toThrow(
    'yaml: document contains excessive aliasing',
  );
});

test('strict reading names keys that come twice', () => {
  expect(() => readYaml('a: 1\nb:\n  c: 1\n  c: 2\na: 3\n', { strict: true })).toThrow(
    'yaml: unmarshal errors:\n  line 4: key "c" already set in map\n  line 5: key "a" already set in map',
  );
});

test('a thousand levels are an error, not a crash', () => {
  expect(() => readYaml('['.repeat(5000))).toThrow('exceeded max depth');
});
