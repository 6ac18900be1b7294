import { appletProgram } from '../applets/applet.ts';
import { curl } from '../applets/curl.ts';
import { imageProgram } from '../os/file-node.ts';
import { alpineFiles } from './alpine.ts';
import { becomes } from './entrypoint.ts';
import { DEFAULT_PATH, type ImageDefinition, releases } from './image.ts';

/** curl on Alpine, as a user without rights. */
export const curlimagesCurl: ImageDefinition = {
  repository: 'docker.io/curlimages/curl',
  hasTag: releases(
    ['latest'],
    {
      '7.85': 0,
      '7.86': 0,
      '7.87': 0,
      '7.88': 1,
      '8.0': 1,
      '8.1': 2,
      '8.2': 1,
      '8.3': 0,
      '8.4': 0,
      '8.5': 0,
      '8.6': 0,
      '8.7': 1,
      '8.8': 0,
      '8.9': 1,
      '8.10': 1,
      '8.11': 1,
      '8.12': 1,
      '8.13': 0,
      '8.14': 1,
      '8.15': 0,
      '8.16': 0,
      '8.17': 0,
    },
    /^$/,
  ),
  sizeBytes: 9_900_000,
  config: {
    entrypoint: ['/entrypoint.sh'],
    cmd: ['curl'],
    env: [DEFAULT_PATH, 'CURL_CA_BUNDLE=/cacert.pem'],
    user: 'curl_user',
    workingDir: '/home/curl_user',
  },
  files: () =>
    alpineFiles({
      usrBin: { curl: imageProgram(appletProgram(curl)) },
      root: { 'entrypoint.sh': imageProgram(becomes('curl')) },
      passwd: 'curl_user:x:100:101:Linux User,,,:/home/curl_user:/sbin/nologin\n',
      group: 'curl_group:x:101:curl_user\n',
    }),
};
