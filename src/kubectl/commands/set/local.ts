import type { Invocation } from '../../command.ts';

/** What is said when objects are named and there is to be no server to ask for them. */
export const LOCAL_RESOURCES =
  "error: you must specify resources by --filename when --local is set.\nExample resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'";

/** Throws when the server is to try what only the file is to show. */
export function checkLocal({ flags }: Invocation): void {
  if (flags.bool('local') && flags.string('dry-run') === 'server') {
    throw new Error('cannot specify --local and --dry-run=server - did you mean --dry-run=client?');
  }
}
