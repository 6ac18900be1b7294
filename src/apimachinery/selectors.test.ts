import { expect, test } from 'vitest';
import { formatLabelSelector, matchesLabels, parseFieldSelector, parseLabelSelector } from './selectors.ts';

test.each([
  ['a=b', { a: 'b' }, true],
  ['a==b,c', { a: 'b' }, false],
  ['a!=b', {}, true],
  ['x in (foo,,baz),y,z notin ()', { x: '', y: '1', z: '2' }, true],
  ['in in (in)', { in: 'in' }, true],
  ['!a', { a: '' }, false],
  ['a>1', { a: '2' }, true],
  ['a<1', { a: 'x' }, false],
  ['', { a: '1' }, true],
])('%s on %j: %s', (text, labels, expected) => {
  expect(matchesLabels(parseLabelSelector(text), labels)).toBe(expected);
});

test.each([
  ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
  ['team in (red', "unable to parse requirement: found '', expected: ',' or ')'"],
  ['a,', "found '', expected: identifier after ','"],
  [',a', "found ',', expected: !, identifier, or 'end of string'"],
  ['a=b c', "found 'c', expected: ',' or 'end of string'"],
])('%s: %s', (text, message) => {
  expect(() => parseLabelSelector(text)).toThrow(message);
});

test('selectors print as upstream prints them', () => {
  expect(formatLabelSelector(parseLabelSelector('b notin (2,1),a=x,!c,d'))).toBe('a=x,b notin (1,2),!c,d');
});

test('field selectors', () => {
  expect(parseFieldSelector('metadata.name=a\\,b,spec.nodeName!=x')).toEqual([
    { field: 'metadata.name', operator: '=', value: 'a,b' },
    { field: 'spec.nodeName', operator: '!=', value: 'x' },
  ]);
  expect(() => parseFieldSelector('nope')).toThrow("invalid selector: 'nope'; can't understand 'nope'");
});
