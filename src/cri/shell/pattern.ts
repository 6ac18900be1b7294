import { POSIX_CLASSES } from './posix-classes.ts';

/**
 * Shell patterns as text: `*`, `?` and `[…]` are active, a backslash makes the next character plain.
 */

/** Makes every character of a text plain. */
export function escapePattern(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&');
}

/** The text of a pattern in which nothing is active. */
export function unescapePattern(pattern: string): string {
  return pattern.replace(/\\(.)/gs, '$1');
}

/** Whether anything in the pattern is active. */
export function hasActive(pattern: string): boolean {
  return /[*?[]/.test(pattern.replace(/\\./gs, ''));
}

/** The source of a regular expression for the pattern, without anchors. `lazy`: stars take as little as they can. */
export function patternSource(pattern: string, lazy = false): string {
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i] as string;
    if (char === '\\' && i + 1 < pattern.length) source += literal(pattern[++i] as string);
    else if (char === '*') source += lazy ? '[^]*?' : '[^]*';
    else if (char === '?') source += '[^]';
    else if (char === '[') {
      const bracket = readBracket(pattern, i);
      if (bracket) {
        source += bracket.source;
        i = bracket.end;
      } else source += '\\[';
    } else source += literal(char);
  }
  return source;
}

/** A test for whole texts. */
export function patternRegExp(pattern: string): RegExp {
  return new RegExp(`^(?:${patternSource(pattern)})$`);
}

function literal(char: string): string {
  return char.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

function readBracket(pattern: string, start: number): { readonly source: string; readonly end: number } | undefined {
  let i = start + 1;
  let source = '[';
  if (pattern[i] === '!' || pattern[i] === '^') {
    source += '^';
    i++;
  }
  for (let first = true; ; first = false) {
    const char = pattern[i];
    if (char === undefined) return undefined;
    if (char === ']' && !first) return { source: `${source}]`, end: i };
    const named = /^\[:(\w+):\]/.exec(pattern.slice(i));
    if (named && Object.hasOwn(POSIX_CLASSES, named[1] as string)) {
      source += POSIX_CLASSES[named[1] as string];
      i += (named[0] as string).length;
    } else if (char === '\\' && i + 1 < pattern.length) {
      source += literal(pattern[i + 1] as string);
      i += 2;
    } else {
      source += char === '-' ? '-' : literal(char);
      i++;
    }
  }
}
