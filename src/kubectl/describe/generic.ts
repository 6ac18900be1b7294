import type { JsonObject } from '#apimachinery/json.ts';
import { at, isObject, strings, text } from '../fields.ts';
import { byCodeUnit, formatValue } from '#apimachinery/go-format.ts';
import type { DescribeContext } from './context.ts';
import { writeEvents } from './events.ts';
import type { Description } from './writer.ts';
import { writeAnnotations, writeLabels } from './writer.ts';

const SHOWN_BEFORE = new Set([
  '.metadata.managedFields',
  '.metadata.name',
  '.metadata.namespace',
  '.metadata.labels',
  '.metadata.annotations',
]);

/** Describes an object of which nothing is known: its fields, with headings made of their names. */
export async function describeGeneric(w: Description, object: JsonObject, context: DescribeContext): Promise<void> {
  const events = await context.events(object);
  w.line(0, `Name:\t${text(object, 'metadata', 'name')}`);
  w.line(0, `Namespace:\t${text(object, 'metadata', 'namespace')}`);
  writeLabels(w, 'Labels', strings(object, 'metadata', 'labels'));
  writeAnnotations(w, 'Annotations', strings(object, 'metadata', 'annotations'));
  writeFields(w, 0, object, '');
  writeEvents(w, events, context);
}

function writeFields(w: Description, level: number, value: JsonObject, prefix: string): void {
  for (const field of Object.keys(value).sort(byCodeUnit)) {
    const path = `${prefix}.${field}`;
    if (SHOWN_BEFORE.has(path)) continue;
    const item = at(value, field);
    if (Array.isArray(item)) {
      w.line(level, `${labelFor(field)}:`);
      for (const child of item) {
        if (isObject(child)) writeFields(w, level + 1, child, path);
        else w.line(level + 1, formatValue(child));
      }
    } else if (isObject(item)) {
      w.line(level, `${labelFor(field)}:`);
      writeFields(w, level + 1, item, path);
    } else w.line(level, `${labelFor(field)}:\t${formatValue(item)}`);
  }
}

const ACRONYMS = new Set(['API', 'URL', 'UID', 'OSB', 'GUID']);

/** A field's name as words: `creationTimestamp` becomes `Creation Timestamp`. */
export function labelFor(field: string): string {
  if (!/^[\p{L}-]*$/u.test(field)) return field;
  return splitCamelCase(field)
    .map((part) =>
      ACRONYMS.has(part.toUpperCase())
        ? part.toUpperCase()
        : part.replace(
            /(^|[^\p{L}\p{N}_])(\p{L})/gu,
            (_, before: string, letter: string) => before + letter.toUpperCase(),
          ),
    )
    .join(' ');
}

/** Splits at changes of case: the last capital of a run belongs to what follows it. */
function splitCamelCase(text: string): string[] {
  const classes = Array.from(text, (letter) => (/\p{Ll}/u.test(letter) ? 1 : /\p{Lu}/u.test(letter) ? 2 : 4));
  const letters = Array.from(text);
  const runs: string[] = [];
  letters.forEach((letter, index) => {
    if (index > 0 && classes[index] === classes[index - 1]) runs[runs.length - 1] += letter;
    else runs.push(letter);
  });
  for (let index = 0; index < runs.length - 1; index++) {
    const run = runs[index] as string;
    if (/^\p{Lu}/u.test(run) && /^\p{Ll}/u.test(runs[index + 1] as string)) {
      const capitals = Array.from(run);
      runs[index + 1] = (capitals.pop() as string) + (runs[index + 1] as string);
      runs[index] = capitals.join('');
    }
  }
  return runs.filter((run) => run !== '');
}
