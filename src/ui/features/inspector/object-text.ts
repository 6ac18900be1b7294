import type { JsonObject } from '#apimachinery/json.ts';
import { encodeYaml } from '#apimachinery/yaml-writer.ts';
import { diffLines } from 'diff';
import type { KubeObject } from '../../cluster-store/kube-object.ts';

/** An object as kubectl prints it; without managedFields, which are for machines, unless asked for. */
export function yamlOf(
  object: KubeObject,
  type?: { readonly apiVersion: string; readonly kind: string },
  managedFields = false,
): string {
  const { managedFields: managed, ...metadata } = object.metadata as JsonObject & KubeObject['metadata'];
  const shown = {
    ...type,
    ...object,
    metadata: managedFields && managed ? { ...metadata, managedFields: managed } : metadata,
  };
  return encodeYaml(shown as unknown as JsonObject);
}

export interface DiffLine {
  readonly change: 'added' | 'removed' | 'same' | 'skipped';
  readonly text: string;
}

const CONTEXT = 2;

/** What changed between two states of an object, line by line of its YAML, with a little of what is around. */
export function objectDiff(before: KubeObject | undefined, after: KubeObject | undefined): DiffLine[] {
  const text = (object: KubeObject | undefined) => (object ? yamlOf(object) : '');
  const lines: DiffLine[] = [];
  const parts = diffLines(text(before), text(after));
  parts.forEach((part, at) => {
    const texts = part.value.replace(/\n$/, '').split('\n');
    const change = part.added ? 'added' : part.removed ? 'removed' : 'same';
    if (change !== 'same') {
      lines.push(...texts.map((line) => ({ change, text: line }) as const));
      return;
    }
    const head = at === 0 ? 0 : CONTEXT;
    const tail = at === parts.length - 1 ? 0 : CONTEXT;
    const hidden = texts.length - head - tail;
    if (hidden <= 1) lines.push(...texts.map((line) => ({ change, text: line }) as const));
    else {
      lines.push(...texts.slice(0, head).map((line) => ({ change, text: line }) as const));
      lines.push({ change: 'skipped', text: String(hidden) });
      lines.push(...texts.slice(texts.length - tail).map((line) => ({ change, text: line }) as const));
    }
  });
  return lines;
}

/** A piece of a line of YAML, by what it is. */
export interface Token {
  readonly kind: 'mark' | 'key' | 'text' | 'number' | 'value';
  readonly text: string;
}

/** Colours one line of YAML as encodeYaml writes it. */
export function yamlTokens(line: string): Token[] {
  const match = /^(\s*(?:- )*)((?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s:'"#][^:]*?):)?(\s*)(.*)$/.exec(line);
  if (!match) return [{ kind: 'value', text: line }];
  const [, mark = '', key = '', space = '', value = ''] = match;
  const tokens: Token[] = [
    { kind: 'mark', text: mark },
    { kind: 'key', text: key },
    { kind: 'mark', text: space },
    { kind: kindOf(value, key !== '' || mark.includes('-')), text: value },
  ];
  return tokens.filter(({ text }) => text !== '');
}

function kindOf(value: string, inPlace: boolean): Token['kind'] {
  if (!inPlace) return 'value';
  if (/^(-?\d[\d.e+]*|true|false|null|~)$/.test(value)) return 'number';
  return /^["']/.test(value) ? 'text' : 'value';
}
