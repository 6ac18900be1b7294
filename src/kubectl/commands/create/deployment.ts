import { Rng } from '#base/rng.ts';
import type { Command, Invocation } from '../../command.ts';
import { checkInt32 } from '../../flags.ts';
import { createFlags, createObject, knownResource, nameArgument, newMetadata } from '../../creating.ts';
import { newContainer, templateMetadata } from '../../pod-specs.ts';

export const createDeployment: Command = {
  name: 'deployment',
  aliases: ['deploy'],
  short: 'Create a deployment with the specified name',
  examples: `
# A Deployment of nginx
kubectl create deployment web --image=nginx

# With a command of your own
kubectl create deployment box --image=busybox -- sleep 1d

# With three Pods
kubectl create deployment web --image=nginx --replicas=3

# Whose container listens on a port
kubectl create deployment web --image=nginx --port=80

# With several containers
kubectl create deployment web --image=nginx --image=redis`,
  usage: 'deployment NAME --image=image -- [COMMAND] [args...]',
  flags: [
    ...createFlags,
    { name: 'image', type: 'stringSlice', required: true, usage: 'Images to run; each makes a container.' },
    {
      name: 'port',
      type: 'int',
      check: checkInt32,
      default: '-1',
      usage: 'The port that the first container listens on.',
    },
    {
      name: 'replicas',
      short: 'r',
      type: 'int',
      check: checkInt32,
      default: '1',
      usage: 'How many Pods there shall be.',
    },
  ],
  completion: 'none',
  run: async (invocation) => {
    const { args, flags } = invocation;
    const name = nameArgument(invocation);
    const command = args.slice(1);
    const images = flags.strings('image');
    if (images.length > 1 && command.length > 0) throw new Error('cannot specify multiple --image options and command');
    const labels = { app: name };
    const port = flags.int('port');
    const containers = images.map((image, index) =>
      newContainer(containerName(invocation, image), image, {
        command,
        ...(port >= 0 && index === 0 ? { port } : {}),
      }),
    );
    await createObject(
      invocation,
      knownResource('apps', 'v1', 'deployments', 'Deployment'),
      {
        kind: 'Deployment',
        apiVersion: 'apps/v1',
        metadata: await newMetadata(invocation, name, labels),
        spec: {
          replicas: flags.int('replicas'),
          selector: { matchLabels: labels },
          template: { metadata: templateMetadata(labels), spec: { containers } },
          strategy: {},
        },
        status: {},
      },
      'failed to create deployment: ',
    );
  },
};

const LETTERS = 'bcdfghjklmnpqrstvwxz2456789';

/** The last part of an image's name; one that is no DNS label is changed, and made unique. */
function containerName(invocation: Invocation, image: string): string {
  const name = (image.split('/').at(-1) ?? '').split(':')[0]?.split('@')[0] ?? '';
  if (!/[_.]/.test(name)) return name;
  const random = new Rng(invocation.now()).fork(image);
  const suffix = Array.from({ length: 5 }, () => LETTERS[random.uint32() % LETTERS.length]).join('');
  return `${name.replace(/[_.]/g, '-')}-${suffix}`;
}
