import { expect, test } from 'vitest';
import { goJsonSyntaxError } from './go-json.ts';

test('what is wrong is said as Go says it', () => {
  const check = (text: string, message: string | undefined) => expect(goJsonSyntaxError(text), text).toBe(message);
  check(' {"a": [1, -0.5e+3, "x\\u00e9\\n", null, true, {}], "b": []} ', undefined);
  check('', 'unexpected end of JSON input');
  check('{"a"', 'unexpected end of JSON input');
  check('hello', "invalid character 'h' looking for beginning of value");
  check('{a: 1}', "invalid character 'a' looking for beginning of object key string");
  check('{"a" 1}', "invalid character '1' after object key");
  check('{"a": 1 "b"}', "invalid character '\"' after object key:value pair");
  check('{"a": 1,}', "invalid character '}' looking for beginning of object key string");
  check('[1 2]', "invalid character '2' after array element");
  check('01', "invalid character '1' after top-level value");
  check('-x', "invalid character 'x' in numeric literal");
  check('1.x', "invalid character 'x' after decimal point in numeric literal");
  check('trux', "invalid character 'x' in literal true (expecting 'e')");
  check('"a\nb"', "invalid character '\\n' in string literal");
  check('"\\q"', "invalid character 'q' in string escape code");
  check("'a'", "invalid character '\\'' looking for beginning of value");
  check('é', "invalid character 'Ã' looking for beginning of value");
});
