import type { Redirection } from 'unbash';
import { assert } from '#base/assert.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import { FileError } from '../os/file-error.ts';
import { newFile } from '../os/file-node.ts';
import { FileDescription, type OpenFile } from '../os/open-file.ts';
import { expandBody, expandText } from './expansion.ts';
import type { Shell } from './shell.ts';
import { ShellError } from './shell-error.ts';

/** Runs `body` with the descriptors redirected, and puts them back. A redirection that fails is said and gives 1. */
export async function withRedirections(
  shell: Shell,
  redirections: readonly Redirection[],
  body: () => Promise<number>,
): Promise<number> {
  if (redirections.length === 0) return body();
  const saved = new Map<number, OpenFile | undefined>();
  try {
    if (!(await redirect(shell, redirections, saved))) return 1;
    return await body();
  } finally {
    for (const [fd, file] of saved) {
      if (file) {
        shell.self.setFile(fd, file);
        file.release();
      } else shell.self.closeFile(fd);
    }
  }
}

/** Redirects the descriptors for good, or until `saved` puts them back. False: one failed, and was said. */
export async function redirect(
  shell: Shell,
  redirections: readonly Redirection[],
  saved?: Map<number, OpenFile | undefined>,
): Promise<boolean> {
  for (const redirection of redirections) {
    let target = '';
    try {
      if (redirection.type === 'Redirect') {
        assert(redirection.target, 'the parser reports redirections without a target');
        target = await expandText(redirection.target, shell);
      }
      for (const [fd, file] of await targetsOf(shell, redirection, target)) {
        if (saved && !saved.has(fd)) saved.set(fd, shell.self.file(fd)?.retain());
        if (file) shell.self.setFile(fd, file);
        else shell.self.closeFile(fd);
      }
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      const verb = redirection.operator === '<' ? 'open' : 'create';
      if (shell.flavour === 'bash') await shell.say(`${target}: ${error.message}`);
      else
        await shell.say(
          `can't ${verb} ${target}: ${error.code === 'ENOENT' ? (verb === 'open' ? 'no such file' : 'nonexistent directory') : error.message}`,
        );
      return false;
    }
  }
  return true;
}

async function targetsOf(
  shell: Shell,
  redirection: Redirection,
  target: string,
): Promise<(readonly [number, OpenFile | undefined])[]> {
  if (redirection.descriptor?.type === 'FileDescriptorVariable')
    throw new ShellError('{variable} redirections are not emulated');
  const given = redirection.descriptor?.value;
  if (redirection.type !== 'Redirect') {
    const text =
      redirection.type === 'HereString'
        ? `${redirection.target ? await expandText(redirection.target, shell) : ''}\n`
        : redirection.body.parts
          ? await expandBody(redirection.body.parts, shell)
          : hereText(redirection.body.text, redirection.operator === '<<-');
    const now = shell.self.process.clock.now();
    return [[given ?? 0, new FileDescription(newFile(shell, encodeUtf8(text), now), () => now)]];
  }
  const { operator } = redirection;
  switch (operator) {
    case '<':
      return [[given ?? 0, shell.self.open(target, 'read')]];
    case '<>':
      return [[given ?? 0, shell.self.open(target, 'read-write')]];
    case '>':
      if (shell.options.has('C') && shell.files.exists(target, shell.cwd, shell.user)) throw new FileError('EEXIST');
      return [[given ?? 1, shell.self.open(target, 'write')]];
    case '>|':
      return [[given ?? 1, shell.self.open(target, 'write')]];
    case '>>':
      return [[given ?? 1, shell.self.open(target, 'append')]];
    case '&>':
    case '&>>': {
      const file = shell.self.open(target, operator === '&>' ? 'write' : 'append');
      return [
        [1, file],
        [2, file],
      ];
    }
    case '>&':
    case '<&': {
      const fd = given ?? (operator === '>&' ? 1 : 0);
      if (target === '-') return [[fd, undefined]];
      if (!/^\d+$/.test(target)) {
        if (operator === '<&' || given !== undefined) throw new ShellError('bad file descriptor');
        const file = shell.self.open(target, 'write');
        return [
          [1, file],
          [2, file],
        ];
      }
      const file = shell.self.file(Number(target));
      if (!file) throw new ShellError(`${target}: Bad file descriptor`, 1);
      return [[fd, file]];
    }
  }
}

function hereText(text: string, stripTabs: boolean): string {
  return stripTabs ? text.replace(/^\t+/gm, '') : text;
}
