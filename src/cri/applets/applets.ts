import type { Node } from '../os/file-node.ts';
import { imageProgram } from '../os/file-node.ts';
import type { Program } from '../os/unix-process.ts';
import { type Applet, appletProgram } from './applet.ts';
import { fileApplets } from './files.ts';
import { egrep, fgrep, grep } from './grep.ts';
import { nslookup } from './names.ts';
import { netApplets } from './net.ts';
import { sed } from './sed.ts';
import { systemApplets } from './system.ts';
import { textApplets } from './text.ts';

/** All of busybox that is emulated. */
export const applets: readonly Applet[] = [
  ...fileApplets,
  egrep,
  fgrep,
  grep,
  ...netApplets,
  nslookup,
  sed,
  ...systemApplets,
  ...textApplets,
];

/** What busybox has and this emulation does not: it says so instead of pretending that it is not there. */
const NOT_EMULATED =
  'arp awk bc crontab cryptpw dd df diff dmesg fdisk free ftpget gunzip gzip hexdump httpd ifconfig insmod iostat less lsof more mount mpstat od patch pstree route rsync strings su tar telnet top traceroute umount unzip vi watch xxd zcat'.split(
    ' ',
  );

function notEmulated(name: string): Program {
  return async (self) => {
    await self.complain(`${name}: not emulated in this cluster\n`);
    return 127;
  };
}

/** Executables for a directory such as /bin. */
export function appletFiles(only?: readonly string[]): Readonly<Record<string, Node>> {
  const emulated = applets
    .filter(({ name }) => !only || only.includes(name))
    .map((applet) => [applet.name, imageProgram(appletProgram(applet))] as const);
  const missing = NOT_EMULATED.filter((name) => !only || only.includes(name)).map(
    (name) => [name, imageProgram(notEmulated(name))] as const,
  );
  return Object.fromEntries([...emulated, ...missing]);
}
