import type { JsonObject } from '#apimachinery/json.ts';
import type { Command, Invocation } from '../../command.ts';
import { createFlags, createObject, knownResource, nameArgument, newMetadata } from '../../creating.ts';
import { object, text, without } from '../../fields.ts';
import { newContainer, templateMetadata } from '../../pod-specs.ts';
import { goTypeOf } from '../../pods.ts';
import { buildResources } from '../../resource-builder.ts';

export const createJob: Command = {
  name: 'job',
  short: 'Create a job with the specified name',
  examples: `
# A Job that runs an image
kubectl create job hello --image=busybox

# With a command
kubectl create job hello --image=busybox -- date

# What a CronJob would run, now
kubectl create job now --from=cronjob/nightly`,
  usage: 'job NAME --image=image [--from=cronjob/name] -- [COMMAND] [args...]',
  flags: [
    ...createFlags,
    { name: 'from', type: 'string', usage: 'The CronJob (cronjob/NAME) whose template is used.' },
    { name: 'image', type: 'string', usage: 'The image to run.' },
  ],
  completion: 'none',
  run: async (invocation) => {
    const { args, flags } = invocation;
    const name = nameArgument(invocation);
    const command = args.slice(1);
    const [image, from] = [flags.string('image'), flags.string('from')];
    if ((image === '') === (from === '')) throw new Error('either --image or --from must be specified');
    if (command.length > 0 && from !== '') throw new Error('cannot specify --from and command');
    const metadata = await newMetadata(invocation, name);
    const made =
      from === ''
        ? {
            metadata,
            spec: {
              template: {
                metadata: templateMetadata(),
                spec: { containers: [newContainer(name, image, { command })], restartPolicy: 'Never' },
              },
            },
          }
        : fromCronJob(await cronJob(invocation, from), metadata);
    await createObject(
      invocation,
      knownResource('batch', 'v1', 'jobs', 'Job'),
      { kind: 'Job', apiVersion: 'batch/v1', ...made, status: {} },
      'failed to create job: ',
    );
  },
};

async function cronJob(invocation: Invocation, from: string): Promise<JsonObject> {
  const result = await buildResources(invocation, {
    args: [from],
    namespace: await invocation.namespace(),
    defaultNamespace: true,
    flatten: true,
    latest: true,
  });
  const infos = await result.all();
  const value = infos[0]?.object;
  if (infos.length !== 1 || !value) throw new Error('from must be an existing cronjob');
  if (text(value, 'kind') !== 'CronJob') throw new Error(`unknown object type ${goTypeOf(value)}`);
  return value;
}

function fromCronJob(source: JsonObject, metadata: JsonObject): JsonObject {
  const template = object(source, 'spec', 'jobTemplate');
  const labels = object(template, 'metadata')['labels'];
  return {
    metadata: without({
      ...metadata,
      labels,
      annotations: {
        'cronjob.kubernetes.io/instantiate': 'manual',
        ...object(template, 'metadata', 'annotations'),
      },
      ownerReferences: [
        {
          apiVersion: 'batch/v1',
          kind: 'CronJob',
          name: text(source, 'metadata', 'name'),
          uid: text(source, 'metadata', 'uid'),
          controller: true,
        },
      ],
    }),
    spec: object(template, 'spec'),
  };
}
