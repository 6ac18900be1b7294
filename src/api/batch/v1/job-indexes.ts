import { goQuote } from '#apimachinery/validation.ts';

// Indexes of an Indexed Job as its fields show them: `1,3-5,7`. Follows pkg/apis/batch/validation, v1.33.

/** From the first to the last index, both included. */
export type IndexInterval = readonly [first: number, last: number];

/** What is wrong with a text of indexes; the messages are upstream's. */
export class IndexesError extends Error {
  override readonly name = 'IndexesError';
}

function parseIndex(text: string, completions: number): number {
  if (!/^[+-]?\d+$/.test(text)) throw new IndexesError(`cannot convert string to integer for index: ${goQuote(text)}`);
  const index = Number(text);
  if (index >= completions) throw new IndexesError(`too large index: ${goQuote(text)}`);
  return index;
}

const nonIncreasing = (previous: number, current: number) =>
  new IndexesError(`non-increasing order, previous: ${previous}, current: ${current}`);

/** One part between commas. Throws {@link IndexesError}. */
export function parseIndexInterval(text: string, completions: number): IndexInterval {
  const [from = '', to, ...rest] = text.split('-');
  if (rest.length) {
    throw new IndexesError(
      `the fragment ${goQuote(text)} violates the requirement that an index interval can have at most two parts separated by '-'`,
    );
  }
  const first = parseIndex(from, completions);
  if (to === undefined) return [first, first];
  const last = parseIndex(to, completions);
  if (first >= last) throw nonIncreasing(first, last);
  return [first, last];
}

/** All intervals of a text, which must be in increasing order. Throws {@link IndexesError}. */
export function parseIndexes(text: string, completions: number): IndexInterval[] {
  if (text === '') return [];
  let previous: number | undefined;
  return text.split(',').map((part) => {
    const interval = parseIndexInterval(part, completions);
    if (previous !== undefined && previous >= interval[0]) throw nonIncreasing(previous, interval[0]);
    previous = interval[1];
    return interval;
  });
}

/** How many indexes the intervals hold. */
export const countIndexes = (intervals: readonly IndexInterval[]): number =>
  intervals.reduce((total, [first, last]) => total + last - first + 1, 0);

/** The first index that two texts have in common; parts that cannot be read have none. */
export function overlappingIndex(a: string, b: string, completions: number): number | undefined {
  const left = readable(a, completions);
  const right = readable(b, completions);
  for (let i = 0, j = 0; i < left.length && j < right.length; ) {
    const [from, to] = left[i] as IndexInterval;
    const [start, end] = right[j] as IndexInterval;
    if (from <= end && start <= to) return Math.max(from, start);
    if (from <= start) i++;
    else j++;
  }
  return undefined;
}

function readable(text: string, completions: number): IndexInterval[] {
  if (text === '') return [];
  return text.split(',').flatMap((part) => {
    try {
      return [parseIndexInterval(part, completions)];
    } catch (error) {
      if (!(error instanceof IndexesError)) throw error;
      return [];
    }
  });
}
