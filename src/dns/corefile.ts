/** One plugin of a server block, with its arguments and the lines of its own block. */
export interface CorefilePlugin {
  readonly name: string;
  readonly args: readonly string[];
  readonly lines: readonly (readonly string[])[];
}

/** `zone:port { plugins }` */
export interface ServerBlock {
  /** Lower case, with a dot at the end. */
  readonly zones: readonly string[];
  readonly port: number;
  readonly plugins: readonly CorefilePlugin[];
}

/** Reads a Corefile: server blocks, plugins, comments and quotes. Throws an Error that names the line. */
export function parseCorefile(text: string, path: string): ServerBlock[] {
  const lines = text
    .split('\n')
    .map((line, i) => ({ number: i + 1, words: wordsOf(line) }))
    .filter(({ words }) => words.length > 0);
  const blocks: ServerBlock[] = [];
  let at = 0;
  const fail = (why: string, number = lines[at]?.number ?? lines.at(-1)?.number ?? 1) =>
    new Error(`${path}:${number} - Error during parsing: ${why}`);
  while (at < lines.length) {
    const head = lines[at] as { number: number; words: string[] };
    if (head.words.at(-1) !== '{') throw fail(`Unexpected EOF, expecting '{'`, head.number);
    const keys = head.words.slice(0, -1).map((key) => key.replace(/,$/, ''));
    if (keys.length === 0) throw fail('server block without a zone', head.number);
    at++;
    const plugins: CorefilePlugin[] = [];
    for (; ; at++) {
      const line = lines[at];
      if (!line) throw fail(`Unexpected EOF, expecting '}'`);
      if (line.words[0] === '}') break;
      const [name = '', ...rest] = line.words;
      const inner: string[][] = [];
      if (rest.at(-1) === '{') {
        rest.pop();
        for (at++; lines[at]?.words[0] !== '}'; at++) {
          const words = lines[at]?.words;
          if (!words) throw fail(`Unexpected EOF, expecting '}'`);
          // A block in a block is kept as the line that opens it.
          if (words.at(-1) === '{') while (lines[at + 1] && lines[++at]?.words[0] !== '}') {}
          inner.push(words.filter((word) => word !== '{'));
        }
      }
      plugins.push({ name, args: rest, lines: inner });
    }
    at++;
    blocks.push({ ...zonesAndPort(keys), plugins });
  }
  return blocks;
}

function zonesAndPort(keys: readonly string[]): { zones: string[]; port: number } {
  let port = 53;
  const zones = keys.map((key) => {
    const match = /^(?:dns:\/\/)?(.*?)(?::(\d+))?$/.exec(key);
    if (match?.[2]) port = Number(match[2]);
    return absolute(match?.[1] ?? '');
  });
  return { zones, port };
}

/** A name in lower case, with a dot at its end. */
export function absolute(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith('.') ? lower : `${lower}.`;
}

/** Whether a name is the zone or below it; both absolute. */
export function inZone(name: string, zone: string): boolean {
  return zone === '.' || name === zone || name.endsWith(`.${zone}`);
}

function wordsOf(line: string): string[] {
  const words: string[] = [];
  for (const [, quoted, plain] of line.matchAll(/"([^"]*)"|(\S+)/g)) {
    if (plain?.startsWith('#')) break;
    words.push(quoted ?? plain ?? '');
  }
  return words;
}
