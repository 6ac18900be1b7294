import { canonicalTime } from '#apimachinery/go-time.ts';
import type { JsonObject } from '#apimachinery/json.ts';
import { isStatus } from '#apimachinery/status-error.ts';
import { goQuote } from '#apimachinery/validation.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import type { Command, Invocation } from '../command.ts';
import { asError } from '../errors.ts';
import { isList, kindOf, objects, text } from '../fields.ts';
import { container, podRunningTimeout, selector } from '../flag-groups.ts';
import {
  annotatedContainer,
  bestPod,
  firstContainer,
  goTypeOf,
  hasContainer,
  podKey,
  podPath,
  podSelectorOf,
  podsOf,
} from '../pods.ts';
import { buildResources, itemsOf } from '../resource-builder.ts';
import type { Query } from '../rest-client.ts';

const USAGE = 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]';

export const logs: Command = {
  name: 'logs',
  short: 'Print the logs for a container in a pod',
  long: `Show what a container has written. A Pod with one container needs no container's name.`,
  examples: `
# What the only container of a Pod has written
kubectl logs web

# All containers of a Pod; all containers of the Pods with a label
kubectl logs web --all-containers=true
kubectl logs -l app=web --all-containers=true

# The container before its restart
kubectl logs -p -c ruby web-1

# As it is written
kubectl logs -f -c ruby web-1

# The last 20 lines; the last hour
kubectl logs --tail=20 web
kubectl logs --since=1h web

# The first container of a Job's Pod
kubectl logs job/hello`,
  usage: USAGE,
  flags: [
    { name: 'all-containers', type: 'bool', usage: "All containers' logs." },
    { name: 'all-pods', type: 'bool', usage: "All Pods' logs; implies --prefix." },
    container('Show the logs of this container.'),
    { name: 'follow', short: 'f', type: 'bool', usage: 'Go on, as the container writes.' },
    { name: 'ignore-errors', type: 'bool', usage: 'When following, an error in one log does not end the others.' },
    {
      name: 'insecure-skip-tls-verify-backend',
      type: 'bool',
      usage: "Do not check the kubelet's certificate when asking it for logs.",
    },
    { name: 'limit-bytes', type: 'int', usage: 'Show no more than this many bytes; 0 shows all.' },
    { name: 'max-log-requests', type: 'int', default: '5', usage: 'How many logs may be followed at once.' },
    podRunningTimeout('20s'),
    { name: 'prefix', type: 'bool', usage: 'Begin each line with its Pod and container.' },
    { name: 'previous', short: 'p', type: 'bool', usage: 'The container that ran before the present one.' },
    selector,
    { name: 'since', type: 'duration', default: '0s', usage: 'Only what is newer than this, such as 5s, 2m or 3h.' },
    { name: 'since-time', type: 'string', usage: 'Only what came after this time (RFC 3339).' },
    {
      name: 'tail',
      type: 'int',
      default: '-1',
      usage: 'Show the last lines, this many; -1 shows all, or 10 of each when Pods are selected by label.',
    },
    { name: 'timestamps', type: 'bool', usage: 'Begin each line with its time.' },
  ],
  completion: 'pods',
  run: runLogs,
};

interface Source {
  readonly pod: JsonObject;
  readonly container: string;
}

async function runLogs(invocation: Invocation): Promise<void> {
  const { args, flags } = invocation;
  const labels = flags.string('selector');
  if (args.length > 2 || (args.length === 0 && labels === '')) {
    throw invocation.usageError(`expected '${USAGE}'.\nPOD or TYPE/NAME is a required argument for the logs command`);
  }
  if (args.length === 1 && labels !== '') throw invocation.usageError('only a selector (-l) or a POD name is allowed');
  const named = args[1] ?? flags.string('container');
  const query = logQuery(invocation);
  const value = await findObject(invocation, args[0], labels);
  validate(invocation, named);

  const all = flags.bool('all-pods');
  const sources = await sourcesOf(invocation, value, named);
  const follow = flags.bool('follow') && sources.length > 1;
  const most = flags.int('max-log-requests');
  if (follow && sources.length > most) {
    throw new Error(
      `you are attempting to follow ${sources.length} log streams, but maximum allowed concurrency is ${most}, use --max-log-requests to increase the limit`,
    );
  }
  const prefix = all || flags.bool('prefix');
  let failed = false;
  const show = async (source: Source) => {
    try {
      await showLog(invocation, source, query, prefix, () => !failed);
    } catch (error) {
      if (!flags.bool('ignore-errors')) {
        failed = true;
        throw error;
      }
      invocation.println(`error: ${asError(error).message}`);
    }
  };
  if (!follow) {
    for (const source of sources) await show(source);
    return;
  }
  const shown = sources.map((source) => show(source).catch(asError));
  for (const one of shown) {
    const error = await one;
    if (error) throw error;
  }
}

function logQuery({ flags }: Invocation): Query {
  const since = flags.duration('since');
  const seconds = Math.sign(since) * Math.round(Math.abs(since) / 1000);
  const sinceTime = flags.string('since-time');
  const tail = flags.string('selector') !== '' && !flags.changed('tail') ? 10 : flags.int('tail');
  const limit = flags.int('limit-bytes');
  const set = (name: string) => (flags.bool(name) ? 'true' : '');
  return {
    follow: set('follow'),
    previous: set('previous'),
    timestamps: set('timestamps'),
    insecureSkipTLSVerifyBackend: set('insecure-skip-tls-verify-backend'),
    sinceTime: sinceTime === '' ? '' : (canonicalTime(sinceTime, 'time') ?? ''),
    sinceSeconds: since === 0 ? '' : String(seconds),
    tailLines: tail === -1 ? '' : String(tail),
    limitBytes: limit === 0 ? '' : String(limit),
  };
}

function validate({ args, flags }: Invocation, container: string): void {
  if (flags.string('since-time') !== '' && flags.duration('since') !== 0)
    throw new Error('at most one of `sinceTime` or `sinceSeconds` may be specified');
  if (flags.bool('all-containers') && container !== '')
    throw new Error(`--all-containers=true should not be specified with container name ${container}`);
  if (flags.changed('container') && args.length === 2)
    throw new Error('only one of -c or an inline [CONTAINER] arg is allowed');
  if (flags.int('limit-bytes') < 0) throw new Error('--limit-bytes must be greater than 0');
  if (flags.duration('since') <= -500) throw new Error('--since must be greater than 0');
  if (flags.int('tail') < -1) throw new Error('--tail must be greater than or equal to -1');
}

/** The Pod, the list of Pods, or the workload whose logs are wanted. */
async function findObject(invocation: Invocation, argument: string | undefined, labels: string): Promise<JsonObject> {
  const namespace = await invocation.namespace();
  const result = await buildResources(invocation, {
    namespace,
    defaultNamespace: true,
    singleResourceType: true,
    ...(argument === undefined
      ? { args: ['pods'], labelSelector: labels }
      : { resourceNames: { type: 'pods', names: [argument] } }),
  });
  const { infos, error } = await result.infos();
  if (error) {
    throw isStatus(error, 'NotFound')
      ? new Error(`error from server (NotFound): ${error.message} in namespace ${goQuote(namespace)}`)
      : error;
  }
  const found = infos[0]?.object as JsonObject;
  if (isList(found) && itemsOf(found).length === 0)
    invocation.complain(`No resources found in ${namespace} namespace.`);
  return found;
}

/** The logs to show. Follows polymorphichelpers/logsforobject.go, v1.33. */
async function sourcesOf(invocation: Invocation, value: JsonObject, container: string): Promise<readonly Source[]> {
  const { flags } = invocation;
  if (isList(value)) return itemsOf(value).flatMap((pod) => sourcesOfPod(invocation, pod, container));
  const { kind, group } = kindOf(value);
  if (kind === 'Pod' && group === '') return sourcesOfPod(invocation, value, container);
  try {
    podSelectorOf(value);
  } catch (error) {
    throw new Error(`cannot get the logs from ${goTypeOf(value)}: ${asError(error).message}`);
  }
  const pods = await podsOf(invocation, value, flags.duration('pod-running-timeout'), bestPod(true));
  if (flags.bool('all-pods')) return pods.flatMap((pod) => sourcesOfPod(invocation, pod, container));
  const pod = pods[0] as JsonObject;
  if (pods.length > 1) invocation.complain(`Found ${pods.length} pods, using pod/${podKey(pod).name}`);
  return sourcesOfPod(invocation, pod, container);
}

function sourcesOfPod(invocation: Invocation, pod: JsonObject, named: string): readonly Source[] {
  const { flags } = invocation;
  if (flags.bool('all-containers')) {
    return ['initContainers', 'containers', 'ephemeralContainers'].flatMap((field) =>
      objects(pod, 'spec', field).map((each) => ({ pod, container: text(each, 'name') })),
    );
  }
  const { name } = podKey(pod);
  let container = named;
  const annotated = annotatedContainer(pod);
  if (container === '' && annotated !== '') {
    if (hasContainer(pod, annotated)) container = annotated;
    else invocation.complain(`Default container name ${goQuote(annotated)} not found in pod ${name}`);
  }
  container ||= firstContainer(invocation, pod, flags.bool('all-pods'));
  if (!hasContainer(pod, container)) throw new Error(`container ${container} is not valid for pod ${name}`);
  return [{ pod, container }];
}

const NEWLINE = 10;

/** Writes a log out, whole lines at a time, so that logs that come together do not get mixed within lines. */
async function showLog(
  invocation: Invocation,
  { pod, container }: Source,
  query: Query,
  prefix: boolean,
  wanted: () => boolean,
): Promise<void> {
  const { stdout } = invocation.context;
  const { name } = podKey(pod);
  const head = encodeUtf8(prefix ? `[pod/${name}/${container}] ` : '');
  let rest: Uint8Array = new Uint8Array();
  const client = await invocation.client();
  const input = { query: { container, ...query }, accept: 'application/json, */*', resource: 'pods', name };
  await client.stream('GET', podPath(pod, 'log'), input, (bytes) => {
    if (!wanted()) return false;
    const text = concat(rest, bytes);
    const end = text.lastIndexOf(NEWLINE) + 1;
    if (end > 0) stdout.write(head.length === 0 ? text.subarray(0, end) : prefixed(text.subarray(0, end), head));
    rest = text.slice(end);
    return true;
  });
  if (rest.length > 0) stdout.write(concat(head, rest));
}

function prefixed(lines: Uint8Array, head: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < lines.length; ) {
    const end = lines.indexOf(NEWLINE, at) + 1;
    parts.push(head, lines.subarray(at, end));
    at = end;
  }
  return concat(...parts);
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
