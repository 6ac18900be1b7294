import { POSIX_CLASSES } from '../shell/posix-classes.ts';

/** A POSIX regular expression that cannot be read, or that uses what is not emulated. */
export class PosixRegexError extends Error {
  override readonly name = 'PosixRegexError';
}

/** A basic or extended POSIX regular expression, with GNU's `\+ \? \| \w \b \< \>`, as one of JavaScript's. */
export function posixRegex(pattern: string, extended: boolean, flags = ''): RegExp {
  let source = '';
  let i = 0;
  const special = '^$.*+?()[]{}|/\\';
  const literal = (char: string) => (special.includes(char) ? `\\${char}` : char);
  while (i < pattern.length) {
    const char = pattern[i++] as string;
    if (char === '[') {
      const end = bracketEnd(pattern, i);
      if (end < 0) throw new PosixRegexError('Unmatched [, [^, [:, [., or [=');
      source += bracket(pattern.slice(i, end));
      i = end + 1;
    } else if (char === '\\') {
      const next = pattern[i++];
      if (next === undefined) throw new PosixRegexError('Trailing backslash');
      if (!extended && '(){}|+?'.includes(next)) source += next;
      else if ('wWbBsS123456789'.includes(next)) source += `\\${next}`;
      else if (next === '<' || next === '>') source += '\\b';
      else if (next === 'n') source += '\\n';
      else if (next === 't') source += '\\t';
      else source += literal(next);
    } else if (!extended && '(){}|+?'.includes(char)) source += `\\${char}`;
    else if (char === '*' && (source === '' || source.endsWith('(') || source === '^')) source += '\\*';
    else if (!extended && char === '^' && source !== '' && !source.endsWith('(') && !source.endsWith('|'))
      source += '\\^';
    else if (
      !extended &&
      char === '$' &&
      i < pattern.length &&
      !pattern.startsWith('\\)', i) &&
      !pattern.startsWith('\\|', i)
    )
      source += '\\$';
    else if (char === '/') source += '\\/';
    else source += char;
  }
  try {
    return new RegExp(source, flags);
  } catch {
    throw new PosixRegexError('Invalid regular expression');
  }
}

function bracketEnd(pattern: string, start: number): number {
  let i = start;
  if (pattern[i] === '^') i++;
  if (pattern[i] === ']') i++;
  for (; i < pattern.length; i++) {
    const named = /^\[[:.=][^\]]*[:.=]\]/.exec(pattern.slice(i));
    if (named) i += named[0].length - 1;
    else if (pattern[i] === ']') return i;
  }
  return -1;
}

function bracket(inner: string): string {
  const negated = inner.startsWith('^');
  const body = (negated ? inner.slice(1) : inner)
    .replace(/\\/g, '\\\\')
    .replace(/\[:(\w+):\]|([[\]])/g, (whole, name?: string) => (name ? (POSIX_CLASSES[name] ?? whole) : `\\${whole}`));
  return `[${negated ? '^' : ''}${body}]`;
}
