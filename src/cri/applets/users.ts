import { decodeUtf8 } from '#base/utf8.ts';
import { FileError } from '../os/file-error.ts';
import type { FileSystem } from '../os/file-system.ts';

/** The name that a container's /etc/passwd (or /etc/group, whose first and third columns are alike) gives a number. */
export function userName(files: FileSystem, id: number, table = '/etc/passwd'): string | undefined {
  return entries(files, table).find((fields) => fields[2] === String(id))?.[0];
}

/** A line of /etc/passwd by name or number. */
export function findUser(
  files: FileSystem,
  user: string,
): { readonly name: string; readonly uid: number; readonly gid: number; readonly home: string } | undefined {
  const found = entries(files, '/etc/passwd').find((fields) => fields[0] === user || fields[2] === user);
  return found && { name: found[0] as string, uid: Number(found[2]), gid: Number(found[3]), home: found[5] ?? '/' };
}

/** The number of a group by name or number. */
export function findGroup(files: FileSystem, group: string): number | undefined {
  const found = entries(files, '/etc/group').find((fields) => fields[0] === group || fields[2] === group);
  return found && Number(found[2]);
}

/** The groups that list a user as a member. */
export function groupsOf(files: FileSystem, user: string): number[] {
  return entries(files, '/etc/group')
    .filter((fields) => user !== '' && (fields[3] ?? '').split(',').includes(user))
    .map((fields) => Number(fields[2]));
}

function entries(files: FileSystem, table: string): string[][] {
  try {
    return decodeUtf8(files.readFile(table))
      .split('\n')
      .filter((line) => line.includes(':'))
      .map((line) => line.split(':'));
  } catch (error) {
    if (error instanceof FileError) return [];
    throw error;
  }
}
