import { StatusError } from '#apimachinery/status-error.ts';

/** Whether the server refused to create something because its namespace is on its way out. */
export function isNamespaceTerminating(error: unknown): boolean {
  return (
    error instanceof StatusError &&
    error.status.details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating') === true
  );
}
