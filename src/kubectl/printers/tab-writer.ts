interface Cell {
  readonly text: string;
  /** In code points. */
  readonly width: number;
}

export interface TabWriterOptions {
  /** The least width of a column, padding included. */
  readonly minWidth: number;
  readonly padding: number;
  /** Columns never get narrower from one flush to the next. */
  readonly remember: boolean;
}

/** What kubectl's tables use. */
export const TABLE_WIDTHS: TabWriterOptions = { minWidth: 6, padding: 3, remember: true };
/** What descriptions use. */
export const DESCRIBE_WIDTHS: TabWriterOptions = { minWidth: 0, padding: 2, remember: false };

/**
 * Turns text with tabs into columns. A column is a run of lines that have a tab in that place; the last cell of a line
 * belongs to no column. Follows github.com/liggitt/tabwriter, with spaces.
 */
export class TabWriter {
  readonly #write: (text: string) => void;
  readonly #options: TabWriterOptions;
  /** Cells of each line; the last line is not ended yet. */
  #lines: Cell[][] = [[]];
  #cell = '';
  #widths: number[] = [];
  #remembered: number[] = [];

  constructor(write: (text: string) => void, options: TabWriterOptions = TABLE_WIDTHS) {
    this.#write = write;
    this.#options = options;
  }

  write(text: string): void {
    for (const part of text.split(/([\t\v\n\f])/)) {
      if (part === '\t' || part === '\v') this.#endCell();
      else if (part === '\n' || part === '\f') {
        this.#endCell();
        const cells = (this.#lines.at(-1) as Cell[]).length;
        this.#lines.push([]);
        // A line without tabs ends all columns: what is before it can go.
        if (part === '\f' || cells === 1) this.flush();
      } else this.#cell += part;
    }
  }

  /** Writes what is buffered. */
  flush(): void {
    if (this.#cell !== '') this.#endCell();
    const out: string[] = [];
    this.#format(0, this.#lines.length, out);
    this.#lines = [[]];
    this.#widths = [];
    const text = out.join('');
    if (text !== '') this.#write(text);
  }

  /** Lets columns get narrower again. */
  forgetWidths(): void {
    this.#remembered = [];
  }

  #endCell(): void {
    this.#lines.at(-1)?.push({ text: this.#cell, width: Array.from(this.#cell).length });
    this.#cell = '';
  }

  #format(from: number, to: number, out: string[]): void {
    const column = this.#widths.length;
    let start = from;
    for (let line = from; line < to; line++) {
      if (column >= (this.#lines[line] as Cell[]).length - 1) continue;
      this.#writeLines(start, line, out);
      start = line;
      let width = this.#options.minWidth;
      for (; line < to; line++) {
        const cells = this.#lines[line] as Cell[];
        if (column >= cells.length - 1) break;
        width = Math.max(width, (cells[column] as Cell).width + this.#options.padding);
      }
      if (this.#options.remember) {
        width = Math.max(width, this.#remembered[column] ?? 0);
        this.#remembered[column] = width;
      }
      this.#widths.push(width);
      this.#format(start, line, out);
      this.#widths.pop();
      start = line;
      line--;
    }
    this.#writeLines(start, to, out);
  }

  #writeLines(from: number, to: number, out: string[]): void {
    for (let line = from; line < to; line++) {
      (this.#lines[line] as Cell[]).forEach(({ text, width }, column) => {
        const wanted = this.#widths[column];
        out.push(text, wanted === undefined ? '' : ' '.repeat(Math.max(0, wanted - width)));
      });
      if (line + 1 < this.#lines.length) out.push('\n');
    }
  }
}

/** Text with tabs, in columns. */
export function tabbed(text: string, options: TabWriterOptions = TABLE_WIDTHS): string {
  let out = '';
  const writer = new TabWriter((piece) => {
    out += piece;
  }, options);
  writer.write(text);
  writer.flush();
  return out;
}
