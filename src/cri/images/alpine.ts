import { encodeUtf8 } from '#base/utf8.ts';
import { appletProgram } from '../applets/applet.ts';
import { getent } from '../applets/names.ts';
import { type DirectoryNode, imageDirectory, imageFile, imageProgram, type Node } from '../os/file-node.ts';
import { MUSL } from '../os/resolve.ts';
import type { Program } from '../os/unix-process.ts';
import { busyboxFiles } from './common-files.ts';
import { DEFAULT_PATH, type ImageDefinition, releases } from './image.ts';

const VERSION = '3.22.2';
const BRANCH = 'v3.22';

const text = (content: string, mode?: number) => imageFile(encodeUtf8(content), mode);

/** The package manager, which finds no repository: there is no network beyond the cluster. */
const apk: Program = async (self) => {
  const [command = '', ...rest] = self.args.slice(1).filter((word) => !word.startsWith('-'));
  if (command === '' || command === 'version') {
    await self.print('apk-tools 2.14.9, compiled for x86_64.\n');
    return command === '' ? 1 : 0;
  }
  if (command === 'info' || command === 'list') {
    await self.print(command === 'info' ? 'alpine-baselayout\nbusybox\nmusl\n' : '');
    return 0;
  }
  if (!['add', 'update', 'upgrade', 'fetch', 'search'].includes(command)) {
    await self.complain(`apk: ${command} is not emulated in this cluster\n`);
    return 1;
  }
  for (const repository of ['main', 'community']) {
    const url = `https://dl-cdn.alpinelinux.org/alpine/${BRANCH}/${repository}`;
    await self.print(`fetch ${url}/x86_64/APKINDEX.tar.gz\n`);
    await self.complain(`WARNING: updating and opening ${url}: temporary error (try again later)\n`);
  }
  await self.complain('apk: there is no network beyond this cluster, and no package repository in it\n');
  if (command === 'add') {
    const missing = rest.map((name) => `  ${name} (no such package):\n    required by: world[${name}]\n`);
    await self.complain(`ERROR: unable to select packages:\n${missing.join('')}`);
  }
  return Math.max(1, rest.length);
};

/** The tree of an Alpine image: busybox on musl. */
export function alpineFiles(
  parts: {
    readonly usrBin?: Readonly<Record<string, Node>>;
    readonly root?: Readonly<Record<string, Node>>;
    readonly passwd?: string;
    readonly group?: string;
  } = {},
): DirectoryNode {
  return busyboxFiles({
    ...parts,
    etc: {
      'alpine-release': text(`${VERSION}\n`),
      apk: imageDirectory({
        repositories: text(
          ['main', 'community'].map((name) => `https://dl-cdn.alpinelinux.org/alpine/${BRANCH}/${name}\n`).join(''),
        ),
      }),
      'os-release': text(
        `NAME="Alpine Linux"\nID=alpine\nVERSION_ID=${VERSION}\nPRETTY_NAME="Alpine Linux ${BRANCH}"\nHOME_URL="https://alpinelinux.org/"\nBUG_REPORT_URL="https://gitlab.alpinelinux.org/alpine/aports/-/issues"\n`,
      ),
    },
    usrBin: { getent: imageProgram(appletProgram(getent)), ...parts.usrBin },
    root: {
      lib: imageDirectory({ [MUSL.split('/').at(-1) as string]: text('', 0o755) }),
      sbin: imageDirectory({ apk: imageProgram(apk) }),
      ...parts.root,
    },
  });
}

/** Alpine Linux: busybox' shell and tools. */
export const alpine: ImageDefinition = {
  repository: 'docker.io/library/alpine',
  hasTag: releases(
    ['latest', 'edge'],
    {
      '3.1': 0,
      '3.2': 0,
      '3.3': 3,
      '3.4': 6,
      '3.5': 3,
      '3.6': 5,
      '3.7': 3,
      '3.8': 5,
      '3.9': 6,
      '3.10': 9,
      '3.11': 13,
      '3.12': 12,
      '3.13': 12,
      '3.14': 10,
      '3.15': 11,
      '3.16': 9,
      '3.17': 10,
      '3.18': 12,
      '3.19': 9,
      '3.20': 8,
      '3.21': 5,
      '3.22': 2,
    },
    /^$/,
  ),
  sizeBytes: 3_806_640,
  config: { cmd: ['/bin/sh'], env: [DEFAULT_PATH], workingDir: '/' },
  files: () => alpineFiles(),
};
