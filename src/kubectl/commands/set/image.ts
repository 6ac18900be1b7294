import type { JsonObject } from '#apimachinery/json.ts';
import type { Command, Invocation } from '../../command.ts';
import { dryRunStrategy, withDryRun } from '../../dry-run.ts';
import { asError, throwCollected } from '../../errors.ts';
import { kindOf, object, objects, text } from '../../fields.ts';
import { dryRun, fieldManager, filenameFlags, printFlags, selector } from '../../flag-groups.ts';
import { parsePairs, splitPairs } from '../../pairs.ts';
import { goTypeOf } from '../../pods.ts';
import { objectPrinter } from '../../printers/object-printer.ts';
import { buildResources, clientFor } from '../../resource-builder.ts';
import { kindName } from '../../rest-mapper.ts';
import { podSpecPath, within } from './template-change.ts';

export const image: Command = {
  name: 'image',
  short: 'Update the image of a pod template',
  long: `Change the images of containers, by their names; * stands for all containers.

Objects with containers are: pod (po), replicationcontroller (rc), deployment (deploy), daemonset (ds), statefulset
(sts), cronjob (cj), replicaset (rs).`,
  examples: `
# The images of two containers of a Deployment
kubectl set image deployment/web busybox=busybox nginx=nginx:1.27

# One container of all Deployments
kubectl set image deployments nginx=nginx:1.27 --all

# All containers of a DaemonSet
kubectl set image daemonset agent *=nginx:1.27

# A file, without a server
kubectl set image -f pod.yaml nginx=nginx:1.27 --local -o yaml`,
  usage: 'image (-f FILENAME | TYPE NAME) CONTAINER_NAME_1=CONTAINER_IMAGE_1 ... CONTAINER_NAME_N=CONTAINER_IMAGE_N',
  flags: [
    ...printFlags,
    { name: 'all', type: 'bool', usage: 'All objects of the types in the namespace.' },
    dryRun,
    fieldManager('kubectl-set'),
    ...filenameFlags('that name what to change.'),
    { name: 'local', type: 'bool', usage: 'Change the file only, without a server.' },
    selector,
  ],
  completion: 'resources',
  run: runSetImage,
};

async function runSetImage(invocation: Invocation): Promise<void> {
  const { flags } = invocation;
  const strategy = dryRunStrategy(invocation);
  const printer = await objectPrinter(invocation);
  const local = flags.bool('local');
  const config = local ? undefined : await invocation.config();
  const { resources, pairs } = splitPairs(invocation.args, 'image');
  const images = parsePairs(pairs, 'image', false).set;
  if (local && resources.length > 0) {
    throw new Error(
      "error: you must specify resources by --filename when --local is set.\nExample resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'",
    );
  }
  const all = flags.bool('all');
  const result = await buildResources(invocation, {
    local,
    continueOnError: true,
    namespace: config?.namespace ?? 'default',
    defaultNamespace: !local,
    enforceNamespace: config?.explicitNamespace ?? false,
    files: true,
    flatten: true,
    ...(local
      ? {}
      : { labelSelector: flags.string('selector'), args: resources, allowEmptySelector: all, latest: true }),
  });
  const infos = await result.all();
  validate(invocation, resources, images);

  const errors: Error[] = [];
  for (const info of infos) {
    const value = info.object as JsonObject;
    const path = podSpecPath(value);
    if (!path) {
      errors.push(
        new Error(
          `error: ${info.resource?.name ?? kindName(kindOf(value))}/${info.name} the object is not a pod or does not have a pod template: ${goTypeOf(value)}\n`,
        ),
      );
      continue;
    }
    const spec = object(value, ...path);
    for (const name of images.keys()) {
      if (name !== '*' && !containersOf(spec).some((each) => text(each, 'name') === name))
        errors.push(new Error(`error: unable to find container named "${name}"`));
    }
    const patch = patchOf(spec, images);
    if (!patch) continue;
    if (local || strategy === 'client') {
      printer.print(within(value, path, withImages(spec, images)), withDryRun('image updated', strategy));
      continue;
    }
    try {
      const client = await clientFor(invocation, info);
      const body = path.reduceRight<JsonObject>((inner, field) => ({ [field]: inner }), patch);
      const changed = await client.patch(info.name, 'strategic', body, {
        dryRun: strategy === 'server',
        fieldManager: flags.string('field-manager'),
      });
      printer.print(changed, withDryRun('image updated', strategy));
    } catch (error) {
      errors.push(new Error(`failed to patch image update to pod template: ${asError(error).message}`));
    }
  }
  throwCollected(errors);
}

function validate({ flags }: Invocation, resources: readonly string[], images: ReadonlyMap<string, string>): void {
  const errors: Error[] = [];
  const fail = (message: string) => errors.push(new Error(message));
  if (flags.bool('all') && flags.string('selector') !== '') fail('cannot set --all and --selector at the same time');
  if (resources.length === 0 && flags.strings('filename').length === 0 && flags.string('kustomize') === '')
    fail('one or more resources must be specified as <resource> <name> or <resource>/<name>');
  if (images.size === 0) fail('at least one image update is required');
  else if (images.size > 1 && images.has('*'))
    fail('all containers are already specified by *, but saw more than one container_name=container_image pairs');
  if (flags.bool('local') && flags.string('dry-run') === 'server')
    fail('cannot specify --local and --dry-run=server - did you mean --dry-run=client?');
  throwCollected(errors);
}

const FIELDS = ['containers', 'initContainers'] as const;

const containersOf = (spec: JsonObject) => FIELDS.flatMap((field) => objects(spec, field));

const imageFor = (container: JsonObject, images: ReadonlyMap<string, string>) =>
  images.get('*') ?? images.get(text(container, 'name'));

function withImages(spec: JsonObject, images: ReadonlyMap<string, string>): JsonObject {
  const lists = FIELDS.filter((field) => spec[field] !== undefined).map((field) => [
    field,
    objects(spec, field).map((each) => ({ ...each, image: imageFor(each, images) ?? text(each, 'image') })),
  ]);
  return { ...spec, ...Object.fromEntries(lists) } as JsonObject;
}

/** The strategic merge patch of a Pod's spec; undefined when nothing changes. */
function patchOf(spec: JsonObject, images: ReadonlyMap<string, string>): JsonObject | undefined {
  const patches = FIELDS.flatMap((field) => {
    const containers = objects(spec, field);
    const changed = containers.flatMap((each) => {
      const next = imageFor(each, images);
      return next === undefined || next === text(each, 'image') ? [] : [{ image: next, name: text(each, 'name') }];
    });
    const order = containers.map((each) => ({ name: text(each, 'name') }));
    return changed.length === 0 ? [] : [{ [`$setElementOrder/${field}`]: order, [field]: changed }];
  });
  return patches.length === 0 ? undefined : Object.assign({}, ...patches);
}
