import { busyboxFiles } from './common-files.ts';
import { DEFAULT_PATH, type ImageDefinition, releases } from './image.ts';

/** busybox: ash and its applets. */
export const busybox: ImageDefinition = {
  repository: 'docker.io/library/busybox',
  hasTag: releases(
    ['latest', 'stable', 'unstable'],
    {
      '1.21': 1,
      '1.22': 1,
      '1.23': 2,
      '1.24': 2,
      '1.25': 1,
      '1.26': 2,
      '1.27': 2,
      '1.28': 4,
      '1.29': 3,
      '1.30': 1,
      '1.31': 1,
      '1.32': 1,
      '1.33': 1,
      '1.34': 1,
      '1.35': 0,
      '1.36': 1,
      '1.37': 0,
    },
    /^-(musl|glibc|uclibc)$/,
  ),
  sizeBytes: 2_223_686,
  config: { cmd: ['sh'], env: [DEFAULT_PATH] },
  files: () => busyboxFiles(),
};
