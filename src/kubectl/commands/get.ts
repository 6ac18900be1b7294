import type { JsonObject } from '#apimachinery/json.ts';
import { isStatus } from '#apimachinery/status-error.ts';
import { encodeYaml } from '#apimachinery/yaml-writer.ts';
import type { Command, Invocation } from '../command.ts';
import type { ApiResource } from '../discovery.ts';
import { asError, findingError, throwCollected } from '../errors.ts';
import { isList, text } from '../fields.ts';
import {
  allNamespaces,
  chunkSize,
  fieldSelector,
  filenameFlags,
  GET_FORMATS,
  getPrintFlags,
  selector,
  subresource,
} from '../flag-groups.ts';
import { encodeJson } from '#apimachinery/go-encode.ts';
import { columnsFromSpec, columnsFromTemplate, CustomColumnsPrinter } from '../printers/custom-columns.ts';
import {
  jsonYamlPrinter,
  namePrinter,
  noPrinterError,
  omitManagedFields,
  splitFormat,
  templatePrinter,
} from '../printers/object-printer.ts';
import { sortObjects, sortTable } from '../printers/sorter.ts';
import { TabWriter } from '../printers/tab-writer.ts';
import { isTable, TablePrinter } from '../printers/table-printer.ts';
import type { BuilderOptions, ResourceInfo, ResourceResult } from '../resource-builder.ts';
import { buildResources, itemsOf } from '../resource-builder.ts';
import { ResourceClient, TABLE } from '../resource-client.ts';

/** What prints objects for `get`; `event` is set when the events of a watch are shown. */
interface GetPrinter {
  print(value: JsonObject, event?: string, rows?: boolean): void;
  flush(): void;
}

export const get: Command = {
  name: 'get',
  suggestFor: ['list', 'ps'],
  short: 'Display one or many resources',
  long: `Show objects as a table, or in another format.

 Without names all objects of a type in the namespace are shown; labels, fields and names narrow them down.

Use "kubectl api-resources" for a complete list of supported resources.`,
  examples: `
# All Pods of the namespace
kubectl get pods

# With the node they run on
kubectl get pods -o wide

# One Pod as YAML
kubectl get pod web -o yaml

# The Deployments of the apps/v1 API as JSON
kubectl get deployments.v1.apps -o json

# What a file names, as the server has it
kubectl get -f pod.yaml -o json

# One field
kubectl get pod web -o jsonpath='{.status.phase}'

# Columns of your own
kubectl get pods -o custom-columns=NAME:.metadata.name,IMAGE:.spec.containers[*].image

# Several types at once, and several objects by type and name
kubectl get deployments,services
kubectl get deployment/web service/web

# What changes, as it changes
kubectl get pods --watch`,
  usage: `get [(-o|--output=)${GET_FORMATS.join('|')}] (TYPE[.VERSION][.GROUP] [NAME | -l label] | TYPE[.VERSION][.GROUP]/NAME ...) [flags]`,
  flags: [
    ...getPrintFlags,
    allNamespaces,
    chunkSize,
    fieldSelector,
    ...filenameFlags('that name what to get.'),
    { name: 'ignore-not-found', type: 'bool', usage: 'An object that does not exist is no error.' },
    {
      name: 'output-watch-events',
      type: 'bool',
      usage: 'With --watch or --watch-only, show the events of the watch; what exists comes as ADDED.',
    },
    { name: 'raw', type: 'string', usage: 'Ask the server for this path and print the answer as it is.' },
    selector,
    { name: 'server-print', type: 'bool', default: 'true', usage: 'Let the server make the table.' },
    subresource('Show this subresource of the object.'),
    { name: 'watch', short: 'w', type: 'bool', usage: 'Show what there is, then every change.' },
    { name: 'watch-only', type: 'bool', usage: 'Show changes only.' },
  ],
  completion: 'resources',
  run: runGet,
};

async function runGet(invocation: Invocation): Promise<void> {
  const { args, flags } = invocation;
  const raw = flags.string('raw');
  const output = flags.string('output');
  if (raw !== '') {
    if (args.length > 0) throw new Error('arguments may not be passed when --raw is specified');
    return getRaw(invocation, raw);
  }
  const watching = flags.bool('watch') || flags.bool('watch-only');
  const sortBy = flags.string('sort-by');
  if (sortBy !== '' && flags.bool('watch')) {
    invocation.complain('warning: --watch requested, --sort-by will be ignored for watch events received');
  } else if (sortBy !== '' && flags.bool('watch-only')) {
    invocation.complain('warning: --watch-only requested, --sort-by will be ignored');
  }
  if (!watching && args.length === 0 && flags.strings('filename').length === 0 && flags.string('kustomize') === '') {
    invocation.complain(
      'You must specify the type of resource to get. Use "kubectl api-resources" for a complete list of supported resources.\n',
    );
    throw invocation.usageError(
      'Required resource not specified.\nUse "kubectl explain <resource>" for a detailed description of that resource (e.g. kubectl explain pods).',
    );
  }
  if (flags.bool('show-labels') && output !== '' && output !== 'wide') {
    throw new Error(`--show-labels option cannot be used with ${output} printer`);
  }
  if (flags.bool('output-watch-events') && !watching) {
    throw new Error('--output-watch-events option can only be used with --watch or --watch-only');
  }
  const human = (output === '' && flags.string('template') === '') || output === 'wide';
  const config = await invocation.config();
  const options: BuilderOptions = {
    args,
    allowEmptySelector: true,
    files: true,
    namespace: config.namespace,
    enforceNamespace: config.explicitNamespace && !flags.bool('all-namespaces'),
    defaultNamespace: true,
    allNamespaces: flags.bool('all-namespaces'),
    labelSelector: flags.string('selector'),
    fieldSelector: flags.string('field-selector'),
    chunkSize: sortBy === '' ? flags.int('chunk-size') : 0,
    latest: true,
    ...(human && flags.bool('server-print') ? { accept: TABLE, wholeObjects: sortBy !== '' } : {}),
  };
  if (watching) return watch(invocation, options, human);
  const result = await buildResources(invocation, {
    ...options,
    continueOnError: true,
    flatten: true,
    subresource: flags.string('subresource'),
  });
  return human ? printTables(invocation, result) : printGeneric(invocation, result);
}

async function getRaw(invocation: Invocation, path: string): Promise<void> {
  const { flags } = invocation;
  if (flags.bool('watch') || flags.bool('watch-only') || flags.string('selector') !== '') {
    throw new Error('--raw may not be specified with other flags that filter the server request or alter the output');
  }
  if (flags.string('output') !== '') throw new Error('--raw and --output are mutually exclusive');
  if (!path.startsWith('/'))
    throw new Error(`--raw must be a valid URL path: parse "${path}": invalid URI for request`);
  const client = await invocation.client();
  await client.stream('GET', path, { accept: 'application/json, */*' }, (bytes) =>
    invocation.context.stdout.write(bytes),
  );
}

const notFoundIgnored = (invocation: Invocation) => (error: Error) =>
  invocation.flags.bool('ignore-not-found') && isStatus(error, 'NotFound');

async function printTables(invocation: Invocation, result: ResourceResult): Promise<void> {
  const { flags } = invocation;
  const { infos, error } = await result.infos(notFoundIgnored(invocation));
  const errors: Error[] = error ? [findingError(error)] : [];
  const kinds = new Set(infos.map(({ resource }) => `${resource?.group}/${resource?.version}/${resource?.kind}`));
  const sorted = sortInfos(infos, flags.string('sort-by'));

  let written = 0;
  let separate = false;
  const writer = new TabWriter((text) => {
    if (separate) invocation.println();
    separate = false;
    written += text.length;
    invocation.print(text);
  });
  let last: ApiResource | undefined;
  let printer: GetPrinter | undefined;
  let namespaced = !flags.bool('all-namespaces');
  for (const { resource, object } of sorted) {
    namespaced &&= resource?.namespaced ?? true;
    if (!printer || last?.name !== resource?.name || last?.group !== resource?.group) {
      writer.flush();
      writer.forgetWidths();
      if (last && !flags.bool('no-headers') && written > 0) separate = true;
      printer = tablePrinter(invocation, resource, writer, {
        withNamespace: flags.bool('all-namespaces') && resource?.namespaced !== false,
        withKind: kinds.size > 1,
      });
      last = resource;
    }
    if (object) printer.print(object);
  }
  writer.flush();
  if (written === 0 && !flags.bool('ignore-not-found') && errors.length === 0) {
    invocation.complain(
      namespaced ? `No resources found in ${await invocation.namespace()} namespace.` : 'No resources found',
    );
  }
  throwCollected(errors);
}

/** Several tables are objects among others to the real kubectl: they have no fields of their rows to be sorted by. */
function sortInfos(infos: readonly ResourceInfo[], field: string): readonly ResourceInfo[] {
  if (field === '' || infos.length === 0) return infos;
  const sortRows = (info: ResourceInfo) =>
    info.object && isTable(info.object) ? { ...info, object: sortTable(info.object, field) } : info;
  if (infos.length === 1) {
    try {
      return infos.map(sortRows);
    } catch {
      // The real one forgets the error of its printer.
      return [];
    }
  }
  const byObject = new Map(infos.map((info) => [info.object as JsonObject, info]));
  return sortObjects([...byObject.keys()], field).map((object) => sortRows(byObject.get(object) as ResourceInfo));
}

function tablePrinter(
  invocation: Invocation,
  resource: ApiResource | undefined,
  writer: TabWriter,
  show: { readonly withNamespace: boolean; readonly withKind: boolean },
): GetPrinter {
  const { flags } = invocation;
  const printer = new TablePrinter(
    {
      ...(resource ? { kind: resource } : {}),
      withKind: show.withKind || flags.bool('show-kind'),
      withNamespace: show.withNamespace,
      noHeaders: flags.bool('no-headers'),
      wide: flags.string('output') === 'wide',
      columnLabels: flags.strings('label-columns'),
      showLabels: flags.bool('show-labels'),
    },
    () => invocation.now(),
  );
  return { print: (value, event, rows) => printer.print(value, writer, event, rows), flush: () => writer.flush() };
}

/** Everything but tables. */
async function genericPrinter(invocation: Invocation): Promise<GetPrinter> {
  const { flags } = invocation;
  const output = flags.string('output') || 'go-template';
  const withEvent = (value: JsonObject, event: string | undefined) =>
    event === undefined ? value : { type: event, object: value };
  const template = await templatePrinter(invocation, output);
  if (template) return { print: (value, event) => template.print(withEvent(value, event), ''), flush: () => {} };
  const printer = jsonYamlPrinter(invocation, output, false);
  if (printer) {
    let count = 0;
    const show = flags.bool('show-managed-fields');
    return {
      print: (value, event) => {
        if (event === undefined) return printer.print(value, '');
        const shown = { type: event, object: show ? value : omitManagedFields(value) };
        if (output.toLowerCase() === 'json') {
          invocation.println(`{"type":${encodeJson(event)},"object":${encodeJson(shown.object)}}`);
        } else invocation.print(`${count++ > 0 ? '---\n' : ''}${encodeYaml(shown)}`);
      },
      flush: () => {},
    };
  }
  const split = splitFormat(output, flags.string('template'), ['custom-columns-file', 'custom-columns']);
  if (split.format === 'custom-columns' || split.format === 'custom-columns-file') {
    if (split.argument === '') throw new Error('custom-columns format specified but no custom columns given');
    let columns: ReturnType<typeof columnsFromSpec>;
    if (split.format === 'custom-columns') columns = columnsFromSpec(split.argument);
    else {
      let source: string;
      try {
        source = await invocation.readFile(split.argument);
      } catch (error) {
        throw new Error(`error reading template ${split.argument}, ${asError(error).message}\n`);
      }
      columns = columnsFromTemplate(source);
    }
    const writer = new TabWriter((text) => invocation.print(text));
    const custom = new CustomColumnsPrinter(columns, split.format === 'custom-columns' && flags.bool('no-headers'));
    return { print: (value, event) => custom.print(withEvent(value, event), writer), flush: () => writer.flush() };
  }
  if (output.toLowerCase() === 'name') {
    const names = namePrinter(invocation, true);
    return { print: (value) => names.print(value, ''), flush: () => {} };
  }
  throw noPrinterError(output, GET_FORMATS);
}

async function printGeneric(invocation: Invocation, result: ResourceResult): Promise<void> {
  const { flags } = invocation;
  const { infos, error } = await result.infos(notFoundIgnored(invocation));
  if (error && result.singleItemImplied) throw error;
  const errors: Error[] = error ? [error] : [];
  if (infos.length === 0 && flags.bool('ignore-not-found')) return throwCollected(errors);
  const printer = await genericPrinter(invocation);
  const sortBy = flags.string('sort-by');
  const [only] = infos;
  let value: JsonObject;
  if (result.singleItemImplied && infos.length === 1 && only?.object && !isList(only.object)) {
    value = only.object;
  } else {
    const items = infos.flatMap(({ object }) => (object ? [object] : []));
    value = {
      apiVersion: 'v1',
      items: sortBy === '' || items.length === 0 ? items : sortObjects(items, sortBy),
      kind: 'List',
      metadata: { resourceVersion: '' },
    };
  }
  try {
    printer.print(value);
    printer.flush();
  } catch (thrown) {
    errors.push(asError(thrown));
  }
  throwCollected(errors);
}

async function watch(invocation: Invocation, options: BuilderOptions, human: boolean): Promise<void> {
  const { flags } = invocation;
  const result = await buildResources(invocation, { ...options, singleResourceType: true });
  const infos = await result.all();
  const resources = new Map(
    infos.flatMap(({ resource }) =>
      resource ? [[`${resource.group}/${resource.version}/${resource.kind}`, resource] as const] : [],
    ),
  );
  if (resources.size > 1 || infos.length === 0) {
    throw new Error(
      'watch is only supported on individual resources and resource collections - more than 1 resource was found',
    );
  }
  const [resource] = resources.values();
  const info = infos[0] as ResourceInfo;
  if (!resource) throw new Error('watch is only supported on individual resources and resource collections');
  const selecting = !result.targetsSingleItems;
  if (!selecting && infos.length > 1) {
    throw new Error(
      `watch is only supported on individual resources and resource collections - ${infos.length} resources were found`,
    );
  }
  const printer = human
    ? tablePrinter(invocation, resource, new TabWriter((text) => invocation.print(text)), {
        withNamespace: flags.bool('all-namespaces'),
        withKind: false,
      })
    : await genericPrinter(invocation);
  const events = flags.bool('output-watch-events');
  const only = flags.bool('watch-only');

  for (const { object } of infos) {
    if (!object) continue;
    // Tables are printed whole; in other formats each object of a list stands for itself.
    for (const value of isList(object) ? itemsOf(object) : [object]) {
      if (only && !human) continue;
      printer.print(value, events ? 'ADDED' : undefined, !only);
    }
  }
  printer.flush();

  const client = new ResourceClient(
    await invocation.client(),
    resource,
    selecting && resource.namespaced && flags.bool('all-namespaces') ? '' : info.namespace,
  );
  const stream = await client.watch(
    selecting
      ? {
          labelSelector: options.labelSelector,
          fieldSelector: options.fieldSelector,
          resourceVersion: text(infos.at(-1)?.object, 'metadata', 'resourceVersion'),
        }
      : { fieldSelector: `metadata.name=${info.name}`, resourceVersion: '0' },
    options.accept,
  );
  // A watch of one object begins with an event for the object as it is, which is already printed.
  let skip = !selecting;
  for (let event = await stream.next(); event; event = await stream.next()) {
    if (!skip || human) printer.print(event.object, events ? event.type : undefined, !skip);
    printer.flush();
    skip = false;
  }
}
