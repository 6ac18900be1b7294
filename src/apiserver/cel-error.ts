import { EvaluationError, ParseError } from '@marcbachmann/cel-js';

/** The error of the language's own words for what upstream's compiler says. */
export function compileError(expression: string, error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code = '', summary = error.message, range } = error as Partial<EvaluationError>;
  const at = range?.start ?? 0;
  const before = expression.slice(0, at).split('\n');
  const line = expression.split('\n')[before.length - 1] ?? '';
  const column = before.at(-1)?.length ?? 0;
  const where = (shift: number) =>
    `ERROR: <input>:${before.length}:${column + shift + 1}: ${text}\n | ${line}\n | ${'.'.repeat(column + shift)}^`;
  const text = wordsFor(code, summary, error instanceof ParseError);
  // A field's place is that of the dot before it.
  return where(code === 'no_such_key' ? -1 : 0);
}

function wordsFor(code: string, summary: string, isSyntax: boolean): string {
  const field = /^No such key: (.*)$/.exec(summary)?.[1];
  if (code === 'no_such_key' && field !== undefined) return `undefined field '${field}'`;
  const name = /^Unknown variable: (.*)$/.exec(summary)?.[1];
  if (name !== undefined) return `undeclared reference to '${name}' (in container '')`;
  const operator = /^no such overload: (.*) (\S+) (\S+)$/.exec(summary);
  if (operator)
    return `found no matching overload for '_${operator[2]}_' applied to '(${operator[1]}, ${operator[3]})'`;
  const call = /^found no matching overload for '(?:(.*)\.)?(\w+)\((.*)\)'$/.exec(summary);
  if (call)
    return `found no matching overload for '${call[2]}' applied to '${call[1] ? `${call[1]}.` : ''}(${call[3]})'`;
  return isSyntax ? `Syntax error: ${summary}` : summary;
}

/** What an evaluation that failed says in upstream's words. */
export function evaluationError(error: unknown): string {
  if (!(error instanceof EvaluationError)) return error instanceof Error ? error.message : String(error);
  const { summary } = error;
  const at = /index out of bounds, index (-?\d+)/.exec(summary)?.[1];
  if (at !== undefined) return `index out of bounds: ${at}`;
  return summary.replace(/^No such key/, 'no such key');
}
