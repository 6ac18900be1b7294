import type { JsonObject } from '#apimachinery/json.ts';
import { encodeYaml } from '#apimachinery/yaml-writer.ts';
import { goQuote } from '#apimachinery/validation.ts';
import type { Invocation } from '../command.ts';
import { isList, kindOf, object, text, without } from '../fields.ts';
import { byCodeUnit } from '#apimachinery/go-format.ts';
import { encodeJson } from '#apimachinery/go-encode.ts';
import { itemsOf } from '../resource-builder.ts';
import { kindName } from '../rest-mapper.ts';
import { GoTemplate } from './go-template.ts';
import { JsonPath, printJsonPath } from '#apimachinery/json-path.ts';

/** Prints one object (or list) on stdout. */
export interface ObjectPrinter {
  /** `operation` is what happened to it, such as `created`; only the default format shows it. */
  print(value: JsonObject, operation: string): void;
}

/** A format that is none of a command's. */
export function noPrinterError(format: string, allowed: readonly string[]): Error {
  return new Error(
    `unable to match a printer suitable for the output format ${goQuote(format)}, allowed formats are: ${[...allowed].sort(byCodeUnit).join(',')}`,
  );
}

const TEMPLATES = ['go-template', 'go-template-file', 'template', 'templatefile'];
const JSONPATHS = ['jsonpath', 'jsonpath-as-json', 'jsonpath-file'];
const ALLOWED = ['json', 'yaml', 'name', ...TEMPLATES, ...JSONPATHS];

/** `go-template=…` as format and argument; a `--template` is the argument of all. */
export function splitFormat(
  format: string,
  template: string,
  formats: readonly string[],
): { readonly format: string; readonly argument: string } {
  if (template !== '') return { format, argument: template };
  const named = formats.find((each) => format.startsWith(`${each}=`));
  return named === undefined ? { format, argument: '' } : { format: named, argument: format.slice(named.length + 1) };
}

/** The printer of a template format; undefined when the format is another. */
export async function templatePrinter(invocation: Invocation, format: string): Promise<ObjectPrinter | undefined> {
  const { flags } = invocation;
  const split = splitFormat(format, flags.string('template'), [...TEMPLATES, ...JSONPATHS]);
  if (![...TEMPLATES, ...JSONPATHS].includes(split.format)) return undefined;
  if (split.argument === '') throw new Error('template format specified but no template given');
  let source = split.argument;
  if (split.format.endsWith('file')) {
    try {
      source = await invocation.readFile(source);
    } catch (error) {
      throw new Error(`error reading --template ${split.argument}, ${(error as Error).message}`);
    }
  }
  const allowMissing = flags.bool('allow-missing-template-keys');
  if (JSONPATHS.includes(split.format)) {
    let path: JsonPath;
    try {
      path = new JsonPath(source, allowMissing);
    } catch (error) {
      throw new Error(`error parsing jsonpath ${source}, ${(error as Error).message}`);
    }
    return { print: (value) => invocation.print(printJsonPath(path, value, split.format === 'jsonpath-as-json')) };
  }
  let parsed: GoTemplate;
  try {
    parsed = new GoTemplate(source, allowMissing);
  } catch (error) {
    throw new Error(`error parsing template ${source}, ${(error as Error).message}`);
  }
  return { print: (value) => parsed.print(value, (piece) => invocation.print(piece)) };
}

/** The object without metadata.managedFields; a list with its items so. */
export function omitManagedFields(value: JsonObject): JsonObject {
  if (isList(value)) return { ...value, items: (value['items'] as readonly JsonObject[]).map(omitManagedFields) };
  const metadata = object(value, 'metadata');
  return metadata['managedFields'] === undefined
    ? value
    : { ...value, metadata: without({ ...metadata, managedFields: undefined }) };
}

/** JSON and YAML. `declared`: the object's fields stand in the order of its Go type. Undefined for other formats. */
export function jsonYamlPrinter(invocation: Invocation, format: string, declared: boolean): ObjectPrinter | undefined {
  const show = invocation.flags.has('show-managed-fields') && invocation.flags.bool('show-managed-fields');
  const prepare = (value: JsonObject) => (show ? value : omitManagedFields(value));
  let count = 0;
  switch (format.toLowerCase()) {
    case 'json':
      return { print: (value) => invocation.print(`${encodeJson(prepare(value), { indent: '    ', declared })}\n`) };
    case 'yaml':
      return {
        print: (value) => {
          if (count++ > 0) invocation.print('---\n');
          invocation.print(encodeYaml(prepare(value)));
        },
      };
    default:
      return undefined;
  }
}

/** `pod/nginx created`; with `short` only `pod/nginx`. */
export function namePrinter(invocation: Invocation, short: boolean): ObjectPrinter {
  const print = (value: JsonObject, operation: string): void => {
    if (isList(value)) {
      for (const item of itemsOf(value)) print(item, operation);
      return;
    }
    const { kind } = kindOf(value);
    if (kind === '')
      throw new Error('missing apiVersion or kind; try GetObjectKind().SetGroupVersionKind() if you know the type');
    const name = text(value, 'metadata', 'name') || '<unknown>';
    invocation.println(`${kindName(kindOf(value))}/${name}${short || operation === '' ? '' : ` ${operation}`}`);
  };
  return { print };
}

export interface PrinterOptions {
  /** Objects come with their fields in the order of their Go types. */
  readonly declared?: boolean;
  /** The format when none was asked for. */
  readonly defaultFormat?: string;
}

/** The printer that `-o` and its companions ask for. Follows genericclioptions.PrintFlags, v1.33. */
export async function objectPrinter(invocation: Invocation, options: PrinterOptions = {}): Promise<ObjectPrinter> {
  const { flags } = invocation;
  let format = flags.string('output') || (options.defaultFormat ?? '');
  if (flags.string('template') !== '' && !flags.changed('output')) format = 'go-template';
  const found =
    jsonYamlPrinter(invocation, format, options.declared ?? false) ??
    (format === '' || format.toLowerCase() === 'name' ? namePrinter(invocation, format !== '') : undefined) ??
    (await templatePrinter(invocation, format));
  if (!found) throw noPrinterError(flags.string('output'), ALLOWED);
  return found;
}
