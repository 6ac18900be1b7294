import { agnhostImage } from './images/agnhost.ts';
import { alpine } from './images/alpine.ts';
import { busybox } from './images/busybox.ts';
import { curlimagesCurl } from './images/curlimages-curl.ts';
import { heyImages } from './images/hey.ts';
import { hitCounterImage } from './images/hit-counter.ts';
import { httpEchoImage } from './images/http-echo.ts';
import { httpd } from './images/httpd.ts';
import type { ImageDefinition } from './images/image.ts';
import { nginx } from './images/nginx.ts';
import { redis } from './images/redis.ts';
import { whoamiImage } from './images/whoami.ts';

/** The images that are emulated, sorted by name. One more is one file and one line. */
export const images: readonly ImageDefinition[] = [
  agnhostImage,
  alpine,
  busybox,
  curlimagesCurl,
  ...heyImages,
  hitCounterImage,
  httpEchoImage,
  httpd,
  nginx,
  redis,
  whoamiImage,
];
