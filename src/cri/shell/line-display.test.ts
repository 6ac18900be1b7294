import { expect, test } from 'vitest';
import { LineDisplay } from './line-display.ts';

const OUTPUT = new RegExp(`${String.fromCharCode(27)}\\[(\\d*)([ABGJ])|[^]`, 'g');

/** A small screen: what is printed, wrapped as terminals wrap. */
function screen(columns: number) {
  const cells: string[][] = [[]];
  let [row, column] = [0, 0];
  return {
    print(out: string) {
      for (const [part, count, letter] of out.matchAll(OUTPUT)) {
        const by = Number(count || 1);
        if (letter === 'A') row -= by;
        else if (letter === 'B') row += by;
        else if (letter === 'G') column = by - 1;
        else if (letter === 'J') {
          cells.length = row + 1;
          cells[row] = (cells[row] ?? []).slice(0, column);
        } else if (part === '\r') column = 0;
        else {
          if (column === columns) [row, column] = [row + 1, 0];
          (cells[row] ??= [])[column++] = part;
        }
      }
    },
    /** The rows, with the cursor as `|`. */
    read: () =>
      cells
        .map((line, at) => {
          const chars = Array.from(line, (char) => char ?? ' ');
          if (at === row) chars.splice(column, 0, '|');
          return chars.join('').trimEnd();
        })
        .filter((line, at) => line !== '' || at === row),
  };
}

function edit(columns: number, steps: readonly (readonly [text: string, at: number])[]) {
  const { print, read } = screen(columns);
  const display = new LineDisplay('\x1b[36m~\x1b[0m $ ', () => columns);
  print('~ $ ');
  for (const [text, at] of steps) print(display.update(text, at));
  return read();
}

test.each([
  ['a short line', [['echo', 4]], ['~ $ echo|']],
  [
    'an insertion',
    [
      ['eho', 3],
      ['echo', 2],
    ],
    ['~ $ ec|ho'],
  ],
  ['a line that wraps', [['abcdefgh', 8]], ['~ $ abcdef', 'gh|']],
  ['a line that just fills a row', [['abcdef', 6]], ['~ $ abcdef', '|']],
  [
    'typing on after a full row',
    [
      ['abcdef', 6],
      ['abcdefg', 7],
    ],
    ['~ $ abcdef', 'g|'],
  ],
  [
    'going back over the wrap',
    [
      ['abcdefgh', 8],
      ['abcdefgh', 2],
    ],
    ['~ $ ab|cdef', 'gh'],
  ],
  [
    'an insertion before the wrap',
    [
      ['abcdefgh', 2],
      ['abXcdefgh', 3],
    ],
    ['~ $ abX|cde', 'fgh'],
  ],
  [
    'a deletion that unwraps',
    [
      ['abcdefgh', 8],
      ['abcd', 4],
    ],
    ['~ $ abcd|'],
  ],
  [
    'another line from the history',
    [
      ['abcdefghijklmnopq', 17],
      ['ls', 2],
    ],
    ['~ $ ls|'],
  ],
] as const)('%s', (_, steps, expected) => expect(edit(10, steps)).toEqual(expected));

test('only what changed is printed', () => {
  const display = new LineDisplay('$ ', () => 80);
  display.update('kubectl get po', 14);
  expect(display.update('kubectl get pod', 15)).toBe('d');
  expect(display.update('kubectl get pod', 12)).toBe('\x1b[15G');
});
