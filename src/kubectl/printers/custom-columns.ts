import type { JsonObject, JsonValue } from '#apimachinery/json.ts';
import { isList } from '../fields.ts';
import { formatValue } from '#apimachinery/go-format.ts';
import { itemsOf } from '../resource-builder.ts';
import { JsonPath, relaxedPath } from '#apimachinery/json-path.ts';
import type { TabWriter } from './tab-writer.ts';
import { escapeTerminal } from './table-printer.ts';

interface Column {
  readonly header: string;
  readonly path: JsonPath;
}

/** The columns of `-o custom-columns=NAME:.metadata.name,…`. */
export function columnsFromSpec(spec: string): readonly Column[] {
  if (spec === '') throw new Error('custom-columns format specified but no custom columns given');
  return spec.split(',').map((part) => {
    const colon = part.indexOf(':');
    if (colon < 0) throw new Error(`unexpected custom-columns spec: ${part}, expected <header>:<json-path-expr>`);
    return { header: part.slice(0, colon), path: new JsonPath(relaxedPath(part.slice(colon + 1))) };
  });
}

/** The columns of a file with a line of headings and a line of paths. */
export function columnsFromTemplate(template: string): readonly Column[] {
  const [first, second] = template.split('\n');
  const expected = 'Expected format is one line of space separated headers, one line of space separated column specs.';
  if (first === undefined || template === '') throw new Error(`invalid template, missing header line. ${expected}`);
  if (second === undefined || template.split('\n').length < 2)
    throw new Error(`invalid template, missing spec line. ${expected}`);
  const words = (line: string) => line.split(/\s+/).filter((word) => word !== '');
  const headers = words(first);
  const specs = words(second);
  if (headers.length !== specs.length) {
    throw new Error(`number of headers (${headers.length}) and field specifications (${specs.length}) don't match`);
  }
  return headers.map((header, i) => ({ header, path: new JsonPath(relaxedPath(specs[i] as string)) }));
}

/** Prints objects in columns of the user's; the headings once. Follows kubectl/pkg/cmd/get/customcolumn.go, v1.33. */
export class CustomColumnsPrinter {
  readonly #columns: readonly Column[];
  #headings: boolean;

  constructor(columns: readonly Column[], noHeaders: boolean) {
    this.#columns = columns;
    this.#headings = !noHeaders;
  }

  print(value: JsonObject, writer: TabWriter): void {
    if (this.#headings) writer.write(`${this.#columns.map(({ header }) => header).join('\t')}\n`);
    this.#headings = false;
    for (const item of isList(value) ? itemsOf(value) : [value]) {
      const cells = this.#columns.map(({ path }) => {
        const values = path.find(item as JsonValue);
        if ((values[0]?.length ?? 0) === 0) values.unshift(['<none>']);
        return values.flatMap((each) => each.map((found) => escapeTerminal(formatValue(found)))).join(',');
      });
      writer.write(`${cells.join('\t')}\n`);
    }
  }
}
