import { encodeUtf8 } from '#base/utf8.ts';
import { appletProgram } from '../applets/applet.ts';
import { appletFiles } from '../applets/applets.ts';
import { getent } from '../applets/names.ts';
import {
  type DirectoryNode,
  imageDevice,
  imageDirectory,
  imageFile,
  imageProgram,
  imageSymlink,
  type Node,
} from '../os/file-node.ts';
import type { Program } from '../os/unix-process.ts';
import { shellProgram } from '../shell/sh.ts';

const text = (content: string, mode?: number) => imageFile(encodeUtf8(content), mode);

function devices(): DirectoryNode {
  return imageDirectory({
    full: imageDevice('full'),
    null: imageDevice('null'),
    random: imageDevice('random'),
    shm: imageDirectory({}, 0o1777),
    stderr: imageDevice('stderr'),
    stdin: imageDevice('stdin'),
    stdout: imageDevice('stdout'),
    tty: imageDevice('tty'),
    urandom: imageDevice('random'),
    zero: imageDevice('zero'),
  });
}

/** The tree of a busybox-like image: all applets in /bin, ash as sh. */
export function busyboxFiles(
  parts: {
    readonly etc?: Readonly<Record<string, Node>>;
    readonly usrBin?: Readonly<Record<string, Node>>;
    readonly root?: Readonly<Record<string, Node>>;
    /** More lines of /etc/passwd and /etc/group. */
    readonly passwd?: string;
    readonly group?: string;
  } = {},
): DirectoryNode {
  const shell = imageProgram(shellProgram('ash'));
  return imageDirectory({
    bin: imageDirectory({ ...appletFiles(), ash: shell, sh: shell }),
    dev: devices(),
    etc: imageDirectory({
      group: text(
        'root:x:0:\ndaemon:x:1:\nbin:x:2:\nsys:x:3:\nadm:x:4:\ntty:x:5:\ndisk:x:6:\nlp:x:7:\nmail:x:8:\nkmem:x:9:\nwheel:x:10:root\nwww-data:x:33:\nusers:x:100:\nnogroup:x:65534:\n' +
          (parts.group ?? ''),
      ),
      hostname: text(''),
      hosts: text(''),
      passwd: text(
        'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nbin:x:2:2:bin:/bin:/bin/false\nsys:x:3:3:sys:/dev:/bin/false\nmail:x:8:8:mail:/var/spool/mail:/bin/false\nwww-data:x:33:33:www-data:/var/www:/bin/false\noperator:x:37:37:Operator:/var:/bin/false\nnobody:x:65534:65534:nobody:/home:/bin/false\n' +
          (parts.passwd ?? ''),
      ),
      'resolv.conf': text(''),
      ...parts.etc,
    }),
    home: imageDirectory({}),
    proc: imageDirectory({}, 0o555),
    root: imageDirectory({}, 0o700),
    sys: imageDirectory({}, 0o555),
    tmp: imageDirectory({}, 0o1777),
    usr: imageDirectory({
      bin: imageDirectory({ env: imageSymlink('/bin/env'), ...parts.usrBin }),
      sbin: imageDirectory({}),
    }),
    var: imageDirectory({
      log: imageDirectory({}),
      spool: imageDirectory({}),
      www: imageDirectory({}),
      run: imageDirectory({}),
    }),
    ...parts.root,
  });
}

/** The tree of an image that has nothing but its programs, with no shell. */
export function bareFiles(
  programs: Readonly<Record<string, Program>>,
  accounts: { readonly passwd?: string; readonly group?: string } = {},
): DirectoryNode {
  return imageDirectory({
    ...Object.fromEntries(Object.entries(programs).map(([name, program]) => [name, imageProgram(program)])),
    dev: devices(),
    etc: imageDirectory({
      group: text(`root:x:0:\n${accounts.group ?? ''}`),
      passwd: text(`root:x:0:0:root:/root:/sbin/nologin\n${accounts.passwd ?? ''}`),
    }),
    proc: imageDirectory({}, 0o555),
    tmp: imageDirectory({}, 0o1777),
  });
}

/** What a Debian image without extras has: dash, bash, and the everyday commands (which speak as busybox' do). */
const DEBIAN_COMMANDS =
  'basename base64 cat chmod chown cp cut date dirname du echo egrep env expr false fgrep find grep head hostname id ln ls md5sum mkdir mktemp mv nl nohup printenv printf pwd readlink realpath rm rmdir sed seq sha256sum sleep sort stat tac tail tee test timeout touch tr true tty uname uniq wc which whoami xargs yes [ awk df diff gunzip gzip tar su'.split(
    ' ',
  );

/** The tree of a Debian image. `usrSbin` and `extra` add to it. */
export function debianFiles(
  parts: {
    readonly usrBin?: Readonly<Record<string, Node>>;
    readonly usrSbin?: Readonly<Record<string, Node>>;
    readonly usrLocalBin?: Readonly<Record<string, Node>>;
    readonly usrLocal?: Readonly<Record<string, Node>>;
    readonly usrShare?: Readonly<Record<string, Node>>;
    readonly etc?: Readonly<Record<string, Node>>;
    readonly varLog?: Readonly<Record<string, Node>>;
    readonly root?: Readonly<Record<string, Node>>;
    /** More lines of /etc/passwd and /etc/group. */
    readonly passwd?: string;
    readonly group?: string;
  } = {},
): DirectoryNode {
  const dash = imageProgram(shellProgram('dash'));
  return imageDirectory({
    bin: imageSymlink('usr/bin'),
    boot: imageDirectory({}),
    dev: devices(),
    etc: imageDirectory({
      debian_version: text('12.8\n'),
      group: text(
        `root:x:0:\ndaemon:x:1:\nbin:x:2:\nsys:x:3:\nadm:x:4:\ntty:x:5:\nwww-data:x:33:\nusers:x:100:\nnogroup:x:65534:\n${parts.group ?? ''}`,
      ),
      hostname: text(''),
      hosts: text(''),
      'os-release': text(
        'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nVERSION="12 (bookworm)"\nVERSION_CODENAME=bookworm\nID=debian\nHOME_URL="https://www.debian.org/"\n',
      ),
      passwd: text(
        `root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\nbin:x:2:2:bin:/bin:/usr/sbin/nologin\nsys:x:3:3:sys:/dev:/usr/sbin/nologin\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n${parts.passwd ?? ''}`,
      ),
      'resolv.conf': text(''),
      ...parts.etc,
    }),
    home: imageDirectory({}),
    lib: imageSymlink('usr/lib'),
    media: imageDirectory({}),
    mnt: imageDirectory({}),
    opt: imageDirectory({}),
    proc: imageDirectory({}, 0o555),
    root: imageDirectory({}, 0o700),
    run: imageDirectory({}),
    sbin: imageSymlink('usr/sbin'),
    srv: imageDirectory({}),
    sys: imageDirectory({}, 0o555),
    tmp: imageDirectory({}, 0o1777),
    usr: imageDirectory({
      bin: imageDirectory({
        ...appletFiles(DEBIAN_COMMANDS),
        bash: imageProgram(shellProgram('bash')),
        dash,
        getent: imageProgram(appletProgram(getent)),
        sh: dash,
        ...parts.usrBin,
      }),
      lib: imageDirectory({}),
      local: imageDirectory({
        bin: imageDirectory({ ...parts.usrLocalBin }),
        sbin: imageDirectory({}),
        ...parts.usrLocal,
      }),
      sbin: imageDirectory({ ...parts.usrSbin }),
      share: imageDirectory({ ...parts.usrShare }),
    }),
    var: imageDirectory({
      cache: imageDirectory({}),
      lib: imageDirectory({}),
      log: imageDirectory({ ...parts.varLog }),
      run: imageSymlink('/run'),
      tmp: imageDirectory({}, 0o1777),
    }),
    ...parts.root,
  });
}
