import { type Definition, type Definitions, referenced, type SchemaNode } from './definitions.ts';
import type { TypeFacts, WireField } from './facts.ts';

/** `core.v1.Pod` of `io.k8s.api.core.v1.Pod`, `resource.Quantity` of `io.k8s.apimachinery.pkg.api.resource.Quantity`. */
export function wireName(definition: string): string {
  const words = definition.split('.');
  const dotted = /^v\d+$/.test(words.at(-2)!) ? words.slice(-3) : words.slice(-2);
  return dotted.join('.');
}

/** What is inlined into a type counts as its own. */
export function flatFields(type: string, wire: ReadonlyMap<string, readonly WireField[]>): readonly WireField[] {
  return (wire.get(type) ?? []).flatMap((field) => (field.inlined ? flatFields(field.inlined, wire) : [field]));
}

/** JSON names in Go's order: TypeMeta first. */
export function fieldOrder(
  name: string,
  definition: Definition,
  wire: ReadonlyMap<string, readonly WireField[]>,
): readonly string[] {
  const properties = Object.keys(definition.properties ?? {});
  const declared = flatFields(wireName(name), wire).map((field) => field.name);
  const rest = properties.filter((field) => !declared.includes(field));
  if (rest.some((field) => field !== 'kind' && field !== 'apiVersion'))
    throw new Error(`${name}: no Go order for ${rest.join()}`);
  return [...rest.toSorted().reverse(), ...declared.filter((field) => properties.includes(field))];
}

/** Leaves by definition; what else has no fields is JSON of any form. */
const LEAVES: Readonly<Record<string, string>> = {
  'resource.Quantity': 'quantity',
  'intstr.IntOrString': 'int-or-string',
  'meta.v1.Time': 'time',
  'meta.v1.MicroTime': 'micro-time',
};

/** The source text of the module with all schemas in the compact form that `src/apimachinery/schema-text.ts` reads. */
export function structureSource(
  definitions: Definitions,
  wire: ReadonlyMap<string, readonly WireField[]>,
  types: TypeFacts,
): string {
  const aliasOf = (name: string) => wireName(name).slice(0, wireName(name).lastIndexOf('.'));
  const shortOf = (name: string) => name.slice(name.lastIndexOf('.') + 1);

  const typeText = (node: SchemaNode, alias: string): string => {
    if (node.$ref) {
      const name = referenced(node.$ref);
      return aliasOf(name) === alias ? shortOf(name) : wireName(name);
    }
    const listType = node['x-kubernetes-list-type'];
    const mapType = node['x-kubernetes-map-type'];
    if (node.items) {
      const mark =
        listType === 'map' ? node['x-kubernetes-list-map-keys']!.join() : (listType?.[0]!.toUpperCase() ?? '');
      return `[${mark}]${typeText(node.items, alias)}`;
    }
    if (node.additionalProperties)
      return `{${mapType?.[0]!.toUpperCase() ?? ''}}${typeText(node.additionalProperties, alias)}`;
    const scalar = {
      string: node.format === 'byte' ? 'y' : 's',
      boolean: 'b',
      number: 'd',
      integer: node.format === 'int64' ? 'l' : 'i',
    }[node.type!];
    return `${scalar}${node.enum ? `<${node.enum.join('|').replaceAll(' ', '%20')}>` : ''}`;
  };

  const fieldText = (name: string, definition: Definition, field: string): string => {
    const node = definition.properties![field]!;
    const fact = flatFields(wireName(name), wire).find((wireField) => wireField.name === field);
    const omitEmpty = fact?.omitEmpty ?? true;
    const presence = definition.required?.includes(field) ? (omitEmpty ? '+' : '!') : omitEmpty ? '' : '^';
    const strategy = node['x-kubernetes-patch-strategy'];
    const key = node['x-kubernetes-patch-merge-key'];
    const goType = types.goTypes[name]?.[field];
    let type = typeText(node, aliasOf(name));
    if (strategy) type += `~${strategy}${key ? `:${key}` : ''}`;
    if (node.default !== undefined) type += `=${JSON.stringify(node.default)}`;
    if (goType) type += `@${goType}`;
    if (!node.additionalProperties && node['x-kubernetes-map-type'])
      type += `%M${node['x-kubernetes-map-type'][0]!.toUpperCase()}`;
    if (!node.items && node['x-kubernetes-list-type']) type += `%L`;
    return `${field}${presence}${fact?.pointer ? '*' : ''}${type === 's' ? '' : `:${type}`}`;
  };

  const lines = [
    `## ${types.groupVersions.map((groupVersion) => (groupVersion.includes('/') ? groupVersion : `/${groupVersion}`)).join(' ')}`,
  ];
  let alias = '';
  for (const [name, definition] of Object.entries(definitions)) {
    const kinds = definition['x-kubernetes-group-version-kind'] ?? [];
    if (aliasOf(name) !== alias) {
      alias = aliasOf(name);
      const packageName = name.slice(0, name.lastIndexOf('.'));
      const first = Object.entries(definitions)
        .filter(([other]) => other.startsWith(`${packageName}.`))
        .flatMap(([, other]) => other['x-kubernetes-group-version-kind'] ?? [])[0];
      lines.push(`@${alias} ${packageName}${first ? ` ${first.group}/${first.version}` : ''}`);
    }
    const short = shortOf(name);
    if (!definition.properties) {
      lines.push(`${short} =${LEAVES[wireName(name)] ?? (definition.type ? 'object' : 'any')}`);
      continue;
    }
    const kind = kinds.length > 1 ? '##' : kinds.length === 1 ? '#' : '';
    const head = `${short}${kind}${definition['x-kubernetes-map-type'] ? `%${definition['x-kubernetes-map-type'][0]!.toUpperCase()}` : ''}`;
    const unions = definition['x-kubernetes-unions'] ? [`|${JSON.stringify(definition['x-kubernetes-unions'])}`] : [];
    const fields = fieldOrder(name, definition, wire).map((field) => fieldText(name, definition, field));
    lines.push([head, ...fields, ...unions].join(' '));
  }
  const text = lines.join('\n').replace(/[\\`]|\$\{/g, '\\$&');
  return `// Generated by tools/schema (npm run generate). Schemas of the API, Kubernetes v1.33, for parseSchemas.\nexport const structure = \`\n${text}\n\`;\n`;
}
