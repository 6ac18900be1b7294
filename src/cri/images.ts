import { busybox } from './images/busybox.ts';
import { controlPlane } from './images/control-plane.ts';
import type { ImageDefinition } from './images/image.ts';
import { nginx } from './images/nginx.ts';
import { pause } from './images/pause.ts';

/** The images that are emulated, sorted by name. One more is one file and one line. */
export const images: readonly ImageDefinition[] = [busybox, ...controlPlane, nginx, pause];
