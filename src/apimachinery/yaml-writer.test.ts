import { expect, test } from 'vitest';
import type { JsonValue } from './json.ts';
import { readYaml } from './yaml-reader.ts';
import { encodeYaml } from './yaml-writer.ts';

// What the real kubectl v1.33 writes.
const written: readonly (readonly [value: JsonValue, text: string])[] = [
  [{ b: 1, a: { d: [], c: {} } }, 'a:\n  c: {}\n  d: []\nb: 1\n'],
  [{ a: ['x', ['y', 'z'], { k: 'v', l: ['m'] }] }, 'a:\n- x\n- - "y"\n  - z\n- k: v\n  l:\n  - m\n'],
  [{ a: '', b: null, c: true, d: 1.5, e: 1e20, f: 1000000 }, 'a: ""\nb: null\nc: true\nd: 1.5\ne: 1e+20\nf: 1000000\n'],
  [
    { a: 'true', b: 'no', c: '1', d: '0x1f', e: '1e3', f: '2020-01-01', g: '12:30', h: '~' },
    'a: "true"\nb: "no"\nc: "1"\nd: "0x1f"\ne: "1e3"\nf: "2020-01-01"\ng: "12:30"\nh: "~"\n',
  ],
  [
    { a: 'x: y', b: '- x', c: '#x', d: "it's", e: '*', f: ' x', g: '@x' },
    "a: 'x: y'\nb: '- x'\nc: '#x'\nd: it's\ne: '*'\nf: ' x'\ng: '@x'\n",
  ],
  [
    { a: 'x\ny\n', b: 'x\ny', c: 'x\n\n', d: '  x\ny' },
    'a: |\n  x\n  "y"\n'.replace('"y"', 'y') + 'b: |-\n  x\n  y\nc: |+\n  x\n\nd: |2-\n    x\n  y\n',
  ],
  [
    { a: 'x\ty', b: '\u0007', c: 'x \ny', d: '😀', e: 'é' },
    'a: "x\\ty"\nb: "\\a"\nc: "x \\ny"\nd: "\\U0001F600"\ne: é\n',
  ],
  [
    { a10: 1, a2: 2, B: 3, '-': 4, '10': 5, '9': 6 },
    '"-": 4\n"9": 6\n"10": 5\nB: 3\na2: 2\na10: 1\n'.replace('"-"', "'-'"),
  ],
  [{ 'a\nb': 1 }, '? |-\n  a\n  b\n: 1\n'],
  [{ a: `${'x'.repeat(80)} y  z w` }, `a: ${'x'.repeat(80)}\n  y  z w\n`],
  [{ a: [`it is '${'x'.repeat(80)} y z`] }, `a:\n- it is '${'x'.repeat(80)}\n  y z\n`],
  [{ a: `"${'x'.repeat(80)} y` }, `a: '"${'x'.repeat(80)}\n  y'\n`],
  [{ a: `\t${'x'.repeat(80)} y` }, `a: "\\t${'x'.repeat(80)}\n  y"\n`],
];

test.each(written)('writes %j', (value, text) => {
  expect(encodeYaml(value)).toBe(text);
  expect(readYaml(text)).toEqual(value);
});
