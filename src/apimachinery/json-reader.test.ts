import fc from 'fast-check';
import { expect, test } from 'vitest';
import { JsonSyntaxError, OddNumber, plainJson, readJson, RepeatedKeys } from './json-reader.ts';

test('reads what JSON.parse reads', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      // Integers that a double does not hold for certain are BigInts.
      const text = JSON.stringify(value);
      const doubles = JSON.stringify(plainJson(readJson(text)), (_, each: unknown) =>
        typeof each === 'bigint' ? Number(each) : each,
      );
      expect(JSON.parse(doubles)).toEqual(JSON.parse(text));
    }),
  );
  expect(readJson(' {"a" : [ 1 , -2.5, "x\\n\\u00e9\\ud83d\\ude00", true, false, null, {} , [] ] } \n')).toEqual({
    a: [1, -2.5, 'x\n\u00e9\ud83d\ude00', true, false, null, {}, []],
  });
});

test('loses nothing', () => {
  expect(readJson('9007199254740993')).toBe(9007199254740993n);
  expect(readJson('-9223372036854775808')).toBe(-9223372036854775808n);
  expect(readJson('9223372036854775808')).toEqual(new OddNumber('9223372036854775808'));
  expect(readJson('[1.0,1e3,0.5]')).toEqual([new OddNumber('1.0'), new OddNumber('1e3'), 0.5]);
  expect(plainJson(readJson('{"a":[1.0],"b":{"c":1,"c":2}}'))).toEqual({ a: [1], b: { c: 2 } });
  expect(readJson('{"a":1,"b":2,"a":3}')).toEqual(
    new RepeatedKeys([
      ['a', 1],
      ['b', 2],
      ['a', 3],
    ]),
  );
  const object = readJson('{"__proto__":{"x":1},"constructor":2}') as object;
  expect(Object.keys(object)).toEqual(['__proto__', 'constructor']);
  expect(readJson('"\\ud800x"')).toBe('\ufffdx');
});

test.each([
  ['', 'unexpected end of JSON input'],
  ['{', 'unexpected end of JSON input'],
  ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
  ['[1 2]', "invalid character '2' after array element"],
  ['nul', 'unexpected end of JSON input'],
  ['01', "invalid character '1' after top-level value"],
  ['"\n"', "invalid character '\\n' in string literal"],
  ['"\\x"', "invalid character 'x' in string escape code"],
  ['{"a" 1}', "invalid character '1' after object key"],
  ['.5', "invalid character '.' looking for beginning of value"],
  ['['.repeat(20_000), 'exceeded max depth'],
])('%j is an error', (text, message) => {
  expect(() => readJson(text)).toThrow(new JsonSyntaxError(message));
});
