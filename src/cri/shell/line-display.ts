/** A place on the screen, from where the prompt begins. */
interface Place {
  readonly row: number;
  readonly column: number;
}

const ESCAPES = new RegExp(`${String.fromCharCode(27)}\\[[0-9;?]*[A-Za-z]`, 'g');

/** How many columns a character takes: East Asian characters and pictures two. */
function widthOf(char: string): number {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x300) return code < 0x20 || code === 0x7f ? 0 : 1;
  if (code <= 0x36f || code === 0x200d || (code >= 0xfe00 && code <= 0xfe0f)) return 0;
  const wide =
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    code >= 0x20000;
  return wide ? 2 : 1;
}

/**
 * A line that is being edited, as it stands on a screen: knows how it wraps, and what to print to bring the screen from
 * what it shows to what it should show.
 */
export class LineDisplay {
  readonly #prompt: string;
  readonly #columns: () => number;
  #text = '';
  #at = 0;

  /** `columns` is asked anew each time: screens change. */
  constructor(prompt: string, columns: () => number) {
    this.#prompt = prompt.slice(prompt.lastIndexOf('\n') + 1).replace(ESCAPES, '');
    this.#columns = columns;
  }

  /** What to print so that the text stands there, with the cursor before the character at `at`. */
  update(text: string, at: number): string {
    let same = 0;
    while (same < text.length && text[same] === this.#text[same]) same++;
    // Not between the halves of a character.
    if (same > 0 && /[\ud800-\udbff]/.test(text[same - 1] as string)) same--;
    const before = this.#place(this.#text);
    const after = this.#place(text);
    const shorter = after.row < before.row || (after.row === before.row && after.column < before.column);
    let out = move(this.#place(this.#text.slice(0, this.#at)), this.#place(text.slice(0, same)));
    if (same < text.length) {
      out += text.slice(same);
      // A screen holds the cursor at the end of a full row until the next character; this brings it to the next one.
      if (after.column === 0) out += ' \r';
    }
    if (shorter || same < this.#text.length) out += '\x1b[J';
    out += move(after, this.#place(text.slice(0, at)));
    this.#text = text;
    this.#at = at;
    return out;
  }

  #place(text: string): Place {
    const columns = Math.max(2, this.#columns());
    let row = 0;
    let column = 0;
    for (const char of this.#prompt + text) {
      const width = widthOf(char);
      if (column + width > columns) {
        row++;
        column = 0;
      }
      column += width;
      if (column === columns) {
        row++;
        column = 0;
      }
    }
    return { row, column };
  }
}

function move(from: Place, to: Place): string {
  const rows = to.row - from.row;
  const vertical = rows === 0 ? '' : `\x1b[${Math.abs(rows)}${rows < 0 ? 'A' : 'B'}`;
  const horizontal = to.column === from.column ? '' : to.column === 0 ? '\r' : `\x1b[${to.column + 1}G`;
  return vertical + horizontal;
}
