import type { JsonObject } from '#apimachinery/json.ts';
import { StatusError } from '#apimachinery/status-error.ts';
import { goQuote, isEnvVarName } from '#apimachinery/validation.ts';
import { attachToPod } from '../attaching.ts';
import type { Command, Invocation } from '../command.ts';
import { Interrupted } from '../context.ts';
import { knownResource, newMetadata, submitObject } from '../creating.ts';
import { cascadeOf, deleteResult } from '../deleting.ts';
import { dryRunStrategy, withDryRun } from '../dry-run.ts';
import { asError, ExitError, throwCollected } from '../errors.ts';
import { number, objects, text } from '../fields.ts';
import {
  deleteFlags,
  dryRun,
  fieldManager,
  filenameFlags,
  podRunningTimeout,
  printFlags,
  saveConfig,
} from '../flag-groups.ts';
import { generateService, parseLabelList } from '../generated-service.ts';
import { parseGoInt } from '../go-int.ts';
import { override, overrideFlags } from '../overrides.ts';
import { parsePairs } from '../pairs.ts';
import { defaultContainer, podKey, podPath } from '../pods.ts';
import { updateLastApplied } from '../last-applied.ts';
import { objectPrinter } from '../printers/object-printer.ts';
import { buildResources } from '../resource-builder.ts';
import { ResourceClient } from '../resource-client.ts';
import { followObject, TimeoutError } from '../waiting.ts';

export const run: Command = {
  name: 'run',
  short: 'Run a particular image on the cluster',
  long: 'Create a Pod with one container that runs an image.',
  examples: `
# A Pod with nginx
kubectl run web --image=nginx

# Its port, environment and labels
kubectl run web --image=nginx --port=80 --env=MODE=test --labels=app=web,tier=front

# What would be created
kubectl run web --image=nginx --dry-run=client -o yaml

# With parts of the spec of your own
kubectl run web --image=nginx --overrides='{"apiVersion": "v1", "spec": {"nodeName": "worker-1"}}'

# A shell that goes when it ends
kubectl run -it --rm box --image=busybox --restart=Never

# Other arguments, or another command, for the image
kubectl run web --image=nginx -- -g 'daemon off;'
kubectl run box --image=busybox --command -- sleep 1d`,
  usage:
    'run NAME --image=image [--env="key=value"] [--port=port] [--dry-run=server|client] [--overrides=inline-json] [--command] -- [COMMAND] [args...]',
  flags: [
    ...deleteFlags({ wait: false }),
    ...filenameFlags('that name what to replace.'),
    ...printFlags,
    dryRun,
    { name: 'annotations', type: 'stringArray', usage: 'Annotations for the Pod.' },
    { name: 'attach', type: 'bool', usage: 'Wait until the Pod runs, and attach to it; so it is with --stdin.' },
    {
      name: 'command',
      type: 'bool',
      usage: 'What follows -- is the command of the container, rather than its arguments.',
    },
    { name: 'env', type: 'stringArray', usage: 'Environment variables for the container.' },
    { name: 'expose', type: 'bool', usage: 'Create a ClusterIP Service for the Pod, too; needs --port.' },
    fieldManager('kubectl-run'),
    { name: 'image', type: 'string', required: true, usage: 'The image of the container.' },
    {
      name: 'image-pull-policy',
      type: 'string',
      values: ['Always', 'IfNotPresent', 'Never'],
      usage: 'When the image is pulled; without it the server decides.',
    },
    { name: 'labels', short: 'l', type: 'string', usage: 'Labels for the Pod, with commas between them.' },
    {
      name: 'leave-stdin-open',
      type: 'bool',
      usage: "Keep the container's stdin open when the first to attach has gone.",
    },
    ...overrideFlags('merge'),
    podRunningTimeout('1m0s'),
    { name: 'port', type: 'string', usage: 'The port that the container listens on.' },
    { name: 'privileged', type: 'bool', usage: 'Run the container in privileged mode.' },
    { name: 'quiet', short: 'q', type: 'bool', usage: 'No prompts.' },
    {
      name: 'restart',
      type: 'string',
      default: 'Always',
      values: ['Always', 'OnFailure', 'Never'],
      usage: 'When the container is started again.',
    },
    { name: 'rm', type: 'bool', usage: 'Delete the Pod when it ends; needs --attach or --stdin.' },
    saveConfig,
    { name: 'stdin', short: 'i', type: 'bool', usage: "Keep the container's stdin open, and attach to it." },
    { name: 'tty', short: 't', type: 'bool', usage: 'Give the container a terminal.' },
  ],
  completion: 'none',
  run: runRun,
};

const NAME_PART = '[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*';
const DOMAIN_PART = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const HOST = `(?:${DOMAIN_PART}(?:\\.${DOMAIN_PART})*|\\[(?:[a-fA-F0-9:]+)\\])(?::[0-9]+)?`;
const DIGEST = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}';
/** Image names. Follows github.com/distribution/reference. */
const IMAGE = new RegExp(`^(?:${HOST}/)?${NAME_PART}(?:/${NAME_PART})*(?::[\\w][\\w.-]{0,127})?(?:@${DIGEST})?$`);

async function runRun(invocation: Invocation): Promise<void> {
  const { flags } = invocation;
  const strategy = dryRunStrategy(invocation);
  const attaching = flags.bool('attach') || (flags.bool('stdin') && !flags.changed('attach'));
  const printer = await objectPrinter(invocation, { declared: true });
  const created = withDryRun('created', strategy);
  check(invocation, attaching);
  const made = [await submit(invocation, () => podOf(invocation))];
  const errors: Error[] = [];
  if (flags.bool('expose')) {
    try {
      const service = await submit(invocation, () => serviceOf(invocation));
      printer.print(service, created);
      if (flags.string('output') === 'yaml') invocation.println('---');
      made.push(service);
    } catch (error) {
      errors.push(asError(error));
    }
  }
  const [pod] = made as [JsonObject];
  if (!attaching) {
    printer.print(pod, created);
    return throwCollected(errors);
  }
  try {
    await attachAndWait(invocation, pod);
  } catch (error) {
    if (!(error instanceof Interrupted)) await removeAll(invocation, made);
    throw error;
  }
  await removeAll(invocation, made);
}

function check(invocation: Invocation, attached: boolean): void {
  const { args, dash, flags } = invocation;
  if (args.length === 0 || dash === 0) throw invocation.usageError('NAME is required for run');
  if (flags.duration('pod-running-timeout') <= 0)
    throw invocation.usageError('--pod-running-timeout must be higher than zero');
  const image = flags.string('image');
  if (image === '') throw new Error('--image is required');
  if (!IMAGE.test(image)) throw new Error(`Invalid image name ${goQuote(image)}: invalid reference format`);
  if (flags.bool('tty') && !flags.bool('stdin'))
    throw invocation.usageError('-i/--stdin is required for containers with -t/--tty=true');
  if (flags.bool('expose') && flags.string('port') === '')
    throw invocation.usageError('--port must be set when exposing a service');
  const restart = flags.string('restart');
  if (!['', 'Always', 'OnFailure', 'Never'].includes(restart))
    throw invocation.usageError(`invalid restart policy: ${restart}`);
  if (!attached && flags.bool('rm')) throw invocation.usageError('--rm should only be used for attached containers');
  if (attached && dryRunStrategy(invocation) !== 'none') {
    throw invocation.usageError(
      "--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)",
    );
  }
  const policy = flags.string('image-pull-policy');
  if (!['', 'Always', 'IfNotPresent', 'Never'].includes(policy))
    throw invocation.usageError(`invalid image pull policy: ${policy}`);
}

/** Makes an object and creates it, or does as if. */
async function submit(invocation: Invocation, make: () => Promise<JsonObject>): Promise<JsonObject> {
  const made = await make();
  const resource = await (await invocation.mapper()).forKind('', text(made, 'kind'), 'v1');
  const keep = invocation.flags.bool('save-config') && dryRunStrategy(invocation) !== 'client';
  return submitObject(invocation, resource, updateLastApplied(made, keep, true), 'Ignore');
}

/** The Pod to run; its fields in the order of the Go type. Follows kubectl/pkg/generate/versioned/run.go, v1.33. */
async function podOf(invocation: Invocation): Promise<JsonObject> {
  const { args, flags } = invocation;
  const [name = '', ...words] = args;
  const env = flags.strings('env').map(parseVariable);
  const annotations = Object.fromEntries(parsePairs(flags.strings('annotations'), 'annotations', false).set);
  const labels = flags.string('labels') === '' ? { run: name } : parseLabelList(flags.string('labels'));
  const port = flags.string('port');
  const stdin = flags.bool('stdin');
  const policy = flags.string('image-pull-policy');
  const metadata = await newMetadata(invocation, name, labels);
  const pod = {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { ...metadata, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) },
    spec: {
      containers: [
        {
          name,
          image: flags.string('image'),
          ...(words.length === 0 ? {} : { [flags.bool('command') ? 'command' : 'args']: words }),
          ...(port === '' ? {} : { ports: [{ containerPort: parseGoInt(port) }] }),
          ...(env.length > 0 ? { env } : {}),
          resources: {},
          ...(policy === '' ? {} : { imagePullPolicy: policy }),
          ...(flags.bool('privileged') ? { securityContext: { privileged: true } } : {}),
          ...(stdin ? { stdin: true } : {}),
          ...(stdin && !flags.bool('leave-stdin-open') ? { stdinOnce: true } : {}),
          ...(flags.bool('tty') ? { tty: true } : {}),
        },
      ],
      restartPolicy: flags.string('restart') || 'Always',
      dnsPolicy: 'ClusterFirst',
    },
    status: {},
  };
  return override(invocation, pod);
}

function parseVariable(pair: string): JsonObject {
  const equals = pair.indexOf('=');
  const name = pair.slice(0, Math.max(0, equals));
  if (name === '' || isEnvVarName(name).length > 0) throw new Error(`invalid env: ${pair}`);
  const value = pair.slice(equals + 1);
  return { name, ...(value === '' ? {} : { value }) };
}

async function serviceOf(invocation: Invocation): Promise<JsonObject> {
  const { args, flags } = invocation;
  const [name = ''] = args;
  const config = await invocation.config();
  return generateService({
    name,
    ...(config.explicitNamespace ? { namespace: config.namespace } : {}),
    labels: flags.string('labels'),
    selector: flags.string('labels') || `run=${name}`,
    ports: flags.string('port'),
  });
}

/** Stays with the Pod until it has ended, and ends as it does. */
async function attachAndWait(invocation: Invocation, created: JsonObject): Promise<void> {
  const { flags } = invocation;
  const pod = await podWhen(invocation, created, (each) => {
    const phase = text(each, 'status', 'phase');
    return (
      phase === 'Failed' ||
      phase === 'Succeeded' ||
      (phase === 'Running' &&
        objects(each, 'status', 'conditions').some(
          (condition) => text(condition, 'type') === 'Ready' && text(condition, 'status') === 'True',
        ))
    );
  });
  await attachOrLog(invocation, pod);
  const restart = flags.string('restart') || (flags.bool('stdin') ? 'OnFailure' : 'Always');
  if (flags.bool('leave-stdin-open') || restart === 'Always') return;
  const ended = await podWhen(invocation, created, (each) => {
    const phase = text(each, 'status', 'phase');
    return phase === 'Succeeded' || (phase === 'Failed' && restart === 'Never');
  });
  if (text(ended, 'status', 'phase') === 'Succeeded') return;
  const { name, namespace } = podKey(ended);
  const [status] = objects(ended, 'status', 'containerStatuses');
  const code = number(status, 'state', 'terminated', 'exitCode');
  if (code === 0) throw new Error(`pod ${namespace}/${name} failed with unknown exit code`);
  const { reason, message } = {
    reason: text(status, 'state', 'terminated', 'reason'),
    message: text(status, 'state', 'terminated', 'message'),
  };
  throw new ExitError(code, `pod ${namespace}/${name} terminated (${reason})\n${message}`);
}

async function attachOrLog(invocation: Invocation, pod: JsonObject): Promise<void> {
  const { flags } = invocation;
  const { name } = podKey(pod);
  const phase = text(pod, 'status', 'phase');
  if (phase !== 'Succeeded' && phase !== 'Failed') {
    try {
      return await attachToPod(invocation, pod, {
        container: '',
        stdin: flags.bool('stdin'),
        tty: flags.bool('tty'),
        quiet: flags.bool('quiet'),
      });
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      invocation.complain(
        `warning: couldn't attach to pod/${name}, falling back to streaming logs: ${asError(error).message}`,
      );
    }
  }
  const client = await invocation.client();
  const query = { container: defaultContainer(invocation, pod, flags.bool('quiet')) };
  await client.stream('GET', podPath(pod, 'log'), { query, accept: 'application/json, */*' }, (bytes) =>
    invocation.context.stdout.write(bytes),
  );
}

/** The Pod as soon as it is as wanted. */
async function podWhen(
  invocation: Invocation,
  { metadata }: JsonObject,
  wanted: (pod: JsonObject) => boolean,
): Promise<JsonObject> {
  const client = new ResourceClient(
    await invocation.client(),
    knownResource('', 'v1', 'pods', 'Pod'),
    text(metadata, 'namespace'),
  );
  let found: JsonObject | undefined;
  let existed = false;
  const visit = (pod: JsonObject | undefined) => {
    if (!pod && existed) throw new StatusError(404, 'NotFound', 'pods "" not found');
    existed ||= pod !== undefined;
    if (pod && wanted(pod)) found = pod;
    return found !== undefined;
  };
  try {
    await followObject(
      invocation,
      client,
      text(metadata, 'name'),
      invocation.flags.duration('pod-running-timeout'),
      visit,
    );
  } catch (error) {
    throw error instanceof TimeoutError ? new Error('timed out waiting for the condition') : error;
  }
  return found as unknown as JsonObject;
}

/** `--rm`. What goes wrong with it is nobody's business any more. */
async function removeAll(invocation: Invocation, made: readonly JsonObject[]): Promise<void> {
  const { flags } = invocation;
  if (!flags.bool('rm')) return;
  for (const object of made) {
    try {
      const result = await buildResources(invocation, {
        namespace: text(object, 'metadata', 'namespace'),
        defaultNamespace: true,
        continueOnError: true,
        flatten: true,
        resourceNames: {
          type: text(object, 'kind') === 'Pod' ? 'pods' : 'services',
          names: [text(object, 'metadata', 'name')],
        },
      });
      await deleteResult(invocation, result, {
        cascade: cascadeOf(invocation),
        gracePeriod: -1,
        force: flags.bool('force'),
        wait: false,
        timeoutMs: 0,
        ignoreNotFound: true,
        quiet: flags.bool('quiet'),
        short: false,
        dryRun: 'none',
      });
    } catch {
      return;
    }
  }
}
