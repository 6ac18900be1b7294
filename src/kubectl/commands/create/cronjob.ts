import type { Command } from '../../command.ts';
import { createFlags, createObject, knownResource, nameArgument, newMetadata } from '../../creating.ts';
import { newContainer, templateMetadata } from '../../pod-specs.ts';

export const createCronJob: Command = {
  name: 'cronjob',
  aliases: ['cj'],
  short: 'Create a cron job with the specified name',
  examples: `
# A Job every minute
kubectl create cronjob tick --image=busybox --schedule="*/1 * * * *" -- date`,
  usage: "cronjob NAME --image=image --schedule='0/5 * * * ?' -- [COMMAND] [args...] [flags]",
  flags: [
    ...createFlags,
    { name: 'image', type: 'string', required: true, usage: 'The image to run.' },
    {
      name: 'restart',
      type: 'string',
      values: ['OnFailure', 'Never'],
      usage: 'When the container is started again: OnFailure or Never.',
    },
    { name: 'schedule', type: 'string', required: true, usage: 'When it runs, in the format of cron.' },
  ],
  completion: 'none',
  run: async (invocation) => {
    const { args, flags } = invocation;
    const name = nameArgument(invocation);
    const containers = [newContainer(name, flags.string('image'), { command: args.slice(1) })];
    const restartPolicy = flags.string('restart') || 'OnFailure';
    await createObject(
      invocation,
      knownResource('batch', 'v1', 'cronjobs', 'CronJob'),
      {
        kind: 'CronJob',
        apiVersion: 'batch/v1',
        metadata: await newMetadata(invocation, name),
        spec: {
          schedule: flags.string('schedule'),
          jobTemplate: {
            metadata: { name, creationTimestamp: null },
            spec: { template: { metadata: templateMetadata(), spec: { containers, restartPolicy } } },
          },
        },
        status: {},
      },
      'failed to create cronjob: ',
    );
  },
};
