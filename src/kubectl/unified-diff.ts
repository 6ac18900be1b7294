import { structuredPatch } from 'diff';

/** One file on both sides; undefined: it is not there. */
export interface FilePair {
  readonly name: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/**
 * What `diff -u -N` prints for two directories: the files that differ, by name. Empty when none does. `time` is that of
 * all files, as `diff` writes it.
 */
export function unifiedDiff(
  fromDirectory: string,
  toDirectory: string,
  files: readonly FilePair[],
  time: string,
): string {
  return [...files]
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    .map(({ name, from = '', to = '' }) => {
      if (from === to) return '';
      const [old, next] = [`${fromDirectory}/${name}`, `${toDirectory}/${name}`];
      const { hunks } = structuredPatch(old, next, from, to, undefined, undefined, { context: 3 });
      const lines = hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines: body }) => [
        `@@ -${range(oldStart, oldLines)} +${range(newStart, newLines)} @@`,
        ...body,
      ]);
      return [`diff -u -N ${old} ${next}`, `--- ${old}\t${time}`, `+++ ${next}\t${time}`, ...lines, ''].join('\n');
    })
    .join('');
}

/** A single line has no count; no lines begin after the line before. */
const range = (start: number, lines: number): string =>
  lines === 1 ? String(start) : `${lines === 0 ? start - 1 : start},${lines}`;
