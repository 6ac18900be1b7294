import type { Status } from '#apimachinery/status-error.ts';
import { StatusError } from '#apimachinery/status-error.ts';
import { goQuote } from '#apimachinery/validation.ts';

/** A command line that the command cannot accept; the message names the help page. */
export class UsageError extends Error {
  override readonly name = 'UsageError';

  /** `path` is the command's, such as `kubectl config set`. */
  constructor(path: string, message: string) {
    super(`${message}\nSee '${path} -h' for help and examples`);
  }
}

/** Ends the command with this code; the message, if any, is printed as it is. */
export class ExitError extends Error {
  override readonly name = 'ExitError';
  readonly code: number;

  constructor(code: number, message = '') {
    super(message);
    this.code = code;
  }
}

/** A message that kubectl prints without `error: ` in front. */
export class PlainError extends Error {
  override readonly name = 'PlainError';
}

/** The server cannot be reached. Hosts' transports reject with it. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';

  constructor(host: string, reason: 'refused' | string) {
    super(
      reason === 'refused'
        ? `The connection to the server ${host} was refused - did you specify the right host or port?`
        : `Unable to connect to the server: ${reason}`,
    );
  }
}

/** The kubeconfig does not say what was asked of it. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

/** The server has no such resource type. Follows meta.NoResourceMatchError, v1.33. */
export class NoResourceMatchError extends Error {
  override readonly name = 'NoResourceMatchError';

  constructor(resource: string, group = '', version = '') {
    const where = [
      group && `in group ${goQuote(group)}`,
      version && `${group ? 'and' : 'in'} version ${goQuote(version)}`,
    ];
    super([`the server doesn't have a resource type ${goQuote(resource)}`, ...where].filter(Boolean).join(' '));
  }
}

/** The server has no such kind. Follows meta.NoKindMatchError, v1.33. */
export class NoKindMatchError extends Error {
  override readonly name = 'NoKindMatchError';

  constructor(group: string, kind: string, versions: readonly string[]) {
    const named = versions.map((version) => (group ? `${group}/${version}` : version));
    super(
      named.length === 0
        ? `no matches for kind ${goQuote(kind)} in group ${goQuote(group)}`
        : named.length === 1
          ? `no matches for kind ${goQuote(kind)} in version ${goQuote(named[0] as string)}`
          : `no matches for kind ${goQuote(kind)} in versions [${named.map(goQuote).join(' ')}]`,
    );
  }
}

/** Several errors in one; the message lists each text once. Follows util/errors.Aggregate. */
export class ErrorList extends Error {
  override readonly name = 'ErrorList';
  /** Flat: lists within are spread. */
  readonly errors: readonly Error[];

  constructor(errors: readonly Error[]) {
    const flat = errors.flatMap((error) => (error instanceof ErrorList ? error.errors : [error]));
    const texts = [...new Set(flat.map((error) => error.message))];
    super(texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`);
    this.errors = flat;
  }
}

/** Throws what was collected: nothing, the one error, or an {@link ErrorList}. */
export function throwCollected(errors: readonly Error[]): void {
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new ErrorList(errors);
}

/** What went wrong in finding objects, for commands that collect errors: a list within a list, printed as it is. */
export function findingError(error: Error): Error {
  return error.name === 'Error' ? new PlainError(error.message) : error;
}

/** Whatever was thrown, as an Error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** The same API error with other words. */
export function withMessage(error: StatusError, message: string): StatusError {
  const { status } = error;
  return new StatusError(status.code ?? 0, status.reason ?? '', message, status.details);
}

/** `error when creating "pod.yaml": …` in front of an error that concerns an object from a file. */
export function withSource(verb: string, source: string | undefined, error: Error): Error {
  if (!source) return error;
  const message = `error when ${verb} ${goQuote(source)}: ${error.message}`;
  return error instanceof StatusError ? withMessage(error, message) : new Error(message);
}

function standardMessage(error: Error): string | undefined {
  if (error instanceof StatusError) {
    if (error.reason === 'Unauthorized') return `error: You must be logged in to the server (${error.message})`;
    return error.reason
      ? `Error from server (${error.reason}): ${error.message}`
      : `Error from server: ${error.message}`;
  }
  if (error instanceof ConnectionError) return error.message;
  return undefined;
}

function invalidMessage(status: Status): string {
  const { details, message } = status;
  if (!details) return message ? `The request is invalid: ${message}` : 'The request is invalid';
  let text = 'The request is invalid';
  if (details.kind || details.name) text = `The ${details.kind ?? ''} ${goQuote(details.name ?? '')} is invalid`;
  else if (message && !details.causes?.length) text += `: ${message}`;
  const causes = [...new Set((details.causes ?? []).map((cause) => `${cause.field ?? ''}: ${cause.message ?? ''}`))];
  if (causes.length === 0) return text;
  return causes.length === 1 ? `${text}: ${causes[0]}` : `${text}: \n${causes.map((cause) => `* ${cause}`).join('\n')}`;
}

/** What kubectl prints for an error, and its exit code. Follows kubectl/pkg/cmd/util/helpers.go checkErr, v1.33. */
export function describeError(thrown: unknown): { readonly message: string; readonly code: number } {
  let error = asError(thrown);
  if (error instanceof ErrorList && error.errors.length === 1) error = error.errors[0] as Error;
  if (error instanceof ExitError) return { message: error.message, code: error.code };
  if (error instanceof StatusError && error.reason === 'Invalid')
    return { message: invalidMessage(error.status), code: 1 };
  if (error instanceof ConfigurationError) return { message: `Error in configuration: ${error.message}`, code: 1 };
  if (error instanceof NoResourceMatchError || error instanceof PlainError) return { message: error.message, code: 1 };
  if (error instanceof ErrorList) {
    return { message: error.errors.map((each) => standardMessage(each) ?? each.message).join('\n'), code: 1 };
  }
  const message = standardMessage(error);
  if (message !== undefined) return { message, code: 1 };
  return { message: error.message.startsWith('error: ') ? error.message : `error: ${error.message}`, code: 1 };
}
