import { type Definition, type Definitions, referenced, type SchemaNode } from './definitions.ts';
import { readSchemaFacts, readTypeFacts, type SchemaFact } from './facts.ts';
import { readFormats } from './read-client-node.ts';
import { type KubernetesModels, readKubernetesModels } from './read-kubernetes-models.ts';

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.';
const APIEXTENSIONS = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.';

/** Definitions that are not objects, or whose Go type reads and writes JSON by itself. */
const LEAVES: Readonly<Record<string, Definition>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': { type: 'string' },
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': { type: 'string', format: 'int-or-string' },
  [`${META}Time`]: { type: 'string', format: 'date-time' },
  [`${META}MicroTime`]: { type: 'string', format: 'date-time' },
  [`${APIEXTENSIONS}JSON`]: {},
  [`${APIEXTENSIONS}JSONSchemaPropsOrArray`]: {},
  [`${APIEXTENSIONS}JSONSchemaPropsOrBool`]: {},
  [`${APIEXTENSIONS}JSONSchemaPropsOrStringArray`]: {},
};

/** Kinds of the machinery itself. The latter two belong to every group version. */
const META_KINDS = ['APIGroup', 'APIGroupList', 'APIResourceList', 'APIVersions', 'Status'];
const UNIVERSAL_KINDS = ['DeleteOptions', 'WatchEvent'];

/** Every definition of v1.33's default cluster: kubernetes-models, with the formats of client-node and the facts. */
export function buildDefinitions(): KubernetesModels {
  const { definitions: read, descriptions } = readKubernetesModels();
  const facts = readSchemaFacts();
  const types = readTypeFacts();
  const definitions = Object.fromEntries(
    reachable(read).map((name) => {
      const definition = LEAVES[name] ?? read[name]!;
      const formats = readFormats(name);
      for (const [field, node] of Object.entries(definition.properties ?? {})) {
        addFormat(node, formats.get(field) ?? '');
        addFacts(node, facts[name]?.[field]);
        const zero = types.zeroDefaults[name]?.[field];
        if (zero !== undefined) node.default = zero;
      }
      addFacts(definition, facts[name]?.['']);
      if (types.unions[name]) definition['x-kubernetes-unions'] = types.unions[name];
      const kind = name.startsWith(META) ? name.slice(META.length) : '';
      const versions = META_KINDS.includes(kind) ? ['v1'] : UNIVERSAL_KINDS.includes(kind) ? types.groupVersions : [];
      if (versions.length > 0)
        definition['x-kubernetes-group-version-kind'] = versions.map((groupVersion) => {
          const [version, group = ''] = groupVersion.split('/').toReversed();
          return { group, kind, version: version! };
        });
      return [name, definition];
    }),
  );
  return { definitions, descriptions };
}

/** Names of the kinds, of the machinery, and of all that they refer to; the package has a few that nothing uses. */
function reachable(definitions: Definitions): string[] {
  const names = new Set<string>();
  const visitNode = (node: SchemaNode): void => {
    if (node.$ref) visit(referenced(node.$ref));
    const inner = node.items ?? node.additionalProperties;
    if (inner) visitNode(inner);
  };
  const visit = (name: string): void => {
    if (names.has(name)) return;
    names.add(name);
    Object.values(definitions[name]!.properties ?? {}).forEach(visitNode);
  };
  for (const [name, definition] of Object.entries(definitions)) {
    if (definition['x-kubernetes-group-version-kind'] || name.startsWith('io.k8s.apimachinery.')) visit(name);
  }
  return [...names].toSorted();
}

/** A format belongs to the scalar inside lists and maps. */
function addFormat(node: SchemaNode, format: string): void {
  const inner = node.items ?? node.additionalProperties;
  if (inner) return addFormat(inner, format);
  if (node.type === 'number' && format !== 'double') node.type = 'integer';
  if (node.type === 'integer' || node.type === 'number' || (node.type === 'string' && format === 'byte'))
    node.format = format;
}

function addFacts(node: SchemaNode, fact: SchemaFact = {}): void {
  for (const [key, value] of Object.entries(fact)) {
    if (key === 'default') node.default = value;
    else Object.assign(node, { [`x-kubernetes-${key}`]: value });
  }
}
