import { byCodeUnit } from '#apimachinery/go-format.ts';
import { timestampSince } from '#apimachinery/human-duration.ts';
import type { JsonObject } from '#apimachinery/json.ts';
import type { Command, Invocation } from '../command.ts';
import { knownResource } from '../creating.ts';
import { eventInterval } from '../describe/events.ts';
import { objects, text } from '../fields.ts';
import { allNamespaces, chunkSize, printFlags } from '../flag-groups.ts';
import { objectPrinter } from '../printers/object-printer.ts';
import { TabWriter } from '../printers/tab-writer.ts';
import { ResourceClient } from '../resource-client.ts';
import { apiVersionOf } from '../rest-mapper.ts';

export const events: Command = {
  name: 'events',
  short: 'List events',
  long: 'What happened, the oldest first: in a namespace, or to one object.',
  examples: `
# Here, and everywhere
kubectl events
kubectl events --all-namespaces

# Of one Pod, and go on watching
kubectl events --for pod/web --watch

# Only what went wrong
kubectl events --types=Warning`,
  usage: 'events [(-o|--output=)json|yaml|name] [--for TYPE/NAME] [--watch] [--types=Normal,Warning]',
  flags: [
    ...printFlags,
    allNamespaces,
    chunkSize,
    { name: 'for', type: 'string', usage: 'Only events about this object.' },
    { name: 'no-headers', type: 'bool', usage: 'Print the table without its headings.' },
    { name: 'types', type: 'stringSlice', usage: 'Only events of these types.', values: ['Normal', 'Warning'] },
    { name: 'watch', short: 'w', type: 'bool', usage: 'Go on with those to come.' },
  ],
  completion: 'none',
  run: runEvents,
};

async function runEvents(invocation: Invocation): Promise<void> {
  const { flags } = invocation;
  const everywhere = flags.bool('all-namespaces');
  const types = flags.strings('types').map((type) => type.toLowerCase());
  const here = await invocation.namespace();
  const fieldSelector = await selectorFor(invocation, flags.string('for'));
  if (types.some((type) => type !== 'normal' && type !== 'warning'))
    throw new Error('valid --types are Normal or Warning');
  const isWanted = (event: JsonObject) => types.length === 0 || types.includes(text(event, 'type').toLowerCase());
  const print = await printerOf(invocation, everywhere);
  const resource = knownResource('', 'v1', 'events', 'Event');
  const client = new ResourceClient(await invocation.client(), resource, everywhere ? '' : here);
  if (flags.bool('watch')) {
    const stream = await client.watch({ fieldSelector });
    for (let change = await stream.next(); change; change = await stream.next()) {
      if (change.type !== 'DELETED' && isWanted(change.object)) print([change.object], false);
    }
    return;
  }
  const found: JsonObject[] = [];
  await client.pages({ fieldSelector, limit: flags.int('chunk-size') }, 'application/json', (list) => {
    found.push(...objects(list, 'items').filter(isWanted));
  });
  if (found.length === 0)
    return invocation.complain(everywhere ? 'No events found.' : `No events found in ${here} namespace.`);
  const timeOf = (event: JsonObject) =>
    text(event, 'series', 'lastObservedTime') || text(event, 'lastTimestamp') || text(event, 'eventTime');
  print(
    found.sort((a, b) => byCodeUnit(timeOf(a), timeOf(b))),
    true,
  );
}

async function selectorFor(invocation: Invocation, wanted: string): Promise<string> {
  if (wanted === '') return '';
  const [type = '', name, ...rest] = wanted.split('/');
  if (name === undefined) throw new Error('--for must be in resource/name form');
  if (rest.length > 0) throw new Error('arguments in resource/name form may not have more than one slash');
  const resource = await (await invocation.mapper()).forArgument(type.toLowerCase());
  const fields = { kind: resource.kind, apiVersion: apiVersionOf(resource), name };
  return Object.entries(fields)
    .map(([field, value]) => `involvedObject.${field}=${value}`)
    .join(',');
}

type Print = (events: readonly JsonObject[], isList: boolean) => void;

async function printerOf(invocation: Invocation, everywhere: boolean): Promise<Print> {
  const { flags } = invocation;
  if (flags.string('output') !== '') {
    const printer = await objectPrinter(invocation);
    const typed = (event: JsonObject): JsonObject => ({ kind: 'Event', apiVersion: 'v1', ...event });
    return (events, isList) => {
      const items = events.map(typed);
      if (isList) printer.print({ kind: 'EventList', apiVersion: 'v1', metadata: {}, items }, 'events');
      else for (const event of items) printer.print(event, 'events');
    };
  }
  const writer = new TabWriter((piece) => invocation.print(piece));
  const age = (time: string) => timestampSince(time || undefined, invocation.now());
  let headed = flags.bool('no-headers');
  return (events) => {
    if (!headed) writer.write(`${everywhere ? 'NAMESPACE\t' : ''}LAST SEEN\tTYPE\tREASON\tOBJECT\tMESSAGE\n`);
    headed = true;
    for (const event of events) {
      const about = `${text(event, 'involvedObject', 'kind')}/${text(event, 'involvedObject', 'name')}`;
      const cells = [eventInterval(event, { age }), text(event, 'type'), text(event, 'reason'), about];
      if (everywhere) cells.unshift(text(event, 'metadata', 'namespace'));
      writer.write(`${[...cells, text(event, 'message').trim()].join('\t')}\n`);
    }
    writer.flush();
  };
}
