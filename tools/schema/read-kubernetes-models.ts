import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { type Comment, parseSync, type TSInterfaceDeclaration, type TSType } from 'oxc-parser';
import type { Definition, Definitions, SchemaNode } from './definitions.ts';

/** What the declarations of kubernetes-models say. */
export interface KubernetesModels {
  /** Names, types, required fields and enums. Numbers have no format, and nothing is said of lists and patches. */
  readonly definitions: Definitions;
  /** Definition name → field (`''` for the definition itself) → prose. */
  readonly descriptions: Record<string, Record<string, string>>;
}

const root = path.resolve(import.meta.dirname, '../..');

/** Groups whose definitions are not in `io.k8s.api`. */
const PACKAGES: Readonly<Record<string, string>> = {
  'apiextensions.k8s.io': 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions',
  'apiregistration.k8s.io': 'io.k8s.kube-aggregator.pkg.apis.apiregistration',
};

/** Reads the package's declarations of all served versions (the default cluster serves no alpha and no beta). */
export function readKubernetesModels(): KubernetesModels {
  const models = path.join(root, 'node_modules/kubernetes-models');
  const machinery = path.join(root, 'node_modules/@kubernetes-models/apimachinery');
  const groups = readdirSync(models).filter((group) => /\.k8s\.io$|^(apps|autoscaling|batch|policy)$/.test(group));
  const files = [
    ...declarations(path.join(models, 'v1'), 'io.k8s.api.core.v1'),
    ...groups.flatMap((group) =>
      readdirSync(path.join(models, group))
        .filter((version) => /^v\d+$/.test(version))
        .flatMap((version) =>
          declarations(
            path.join(models, group, version),
            `${PACKAGES[group] ?? `io.k8s.api.${group.split('.')[0]}`}.${version}`,
          ),
        ),
    ),
    ...['api/resource', 'apis/meta/v1', 'runtime', 'util/intstr', 'version'].flatMap((folder) =>
      declarations(path.join(machinery, folder), `io.k8s.apimachinery.pkg.${folder.replaceAll('/', '.')}`),
    ),
  ];
  // Imports spell a definition `IIoK8sApiCoreV1PodSpec`.
  const names = new Map(files.map(({ name }) => [mangled(name), name]));
  const definitions: Definitions = {};
  const descriptions: KubernetesModels['descriptions'] = {};
  for (const { file, name } of files) {
    const source = readFileSync(file, 'utf8');
    const { program, comments } = parseSync(file, source);
    const short = `I${name.slice(name.lastIndexOf('.') + 1)}`;
    for (const statement of program.body) {
      const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : undefined;
      if (declaration?.type === 'TSTypeAliasDeclaration' && declaration.id.name === short) {
        definitions[name] = {};
        descriptions[name] = { '': textBefore(statement.start, comments, source) };
      } else if (declaration?.type === 'TSInterfaceDeclaration' && declaration.id.name === short) {
        const prose: Record<string, string> = { '': textBefore(statement.start, comments, source) };
        definitions[name] = struct(
          declaration,
          (reference) => (reference === short ? name : names.get(reference)!),
          name,
        );
        for (const member of declaration.body.body) {
          if (member.type === 'TSPropertySignature' && member.key.type === 'Literal')
            prose[String(member.key.value)] = textBefore(member.start, comments, source);
        }
        descriptions[name] = prose;
      }
    }
  }
  return { definitions, descriptions };
}

function declarations(folder: string, prefix: string): { file: string; name: string }[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.d.ts') && file !== 'index.d.ts')
    .map((file) => ({ file: path.join(folder, file), name: `${prefix}.${file.slice(0, -'.d.ts'.length)}` }));
}

function mangled(name: string): string {
  return `I${name
    .split(/[.-]/)
    .map((word) => word[0]!.toUpperCase() + word.slice(1))
    .join('')}`;
}

function struct(declaration: TSInterfaceDeclaration, resolve: (reference: string) => string, name: string): Definition {
  const definition: Definition = { type: 'object' };
  const required: string[] = [];
  const literals: Record<string, string> = {};
  for (const member of declaration.body.body) {
    if (member.type !== 'TSPropertySignature' || member.key.type !== 'Literal' || !member.typeAnnotation)
      throw new Error(`${name}: a member that is not a field`);
    const field = String(member.key.value);
    const node = schemaOf(member.typeAnnotation.typeAnnotation, resolve);
    // The names of a kind are literals here, and plain strings that need not be there in OpenAPI.
    if (['apiVersion', 'kind'].includes(field) && node.enum?.length === 1) {
      literals[field] = node.enum[0]!;
      delete node.enum;
    } else if (!member.optional) required.push(field);
    definition.properties = { ...definition.properties, [field]: node };
  }
  if (required.length > 0) definition.required = required;
  if (literals.apiVersion && literals.kind) {
    const [version, group = ''] = literals.apiVersion.split('/').toReversed();
    definition['x-kubernetes-group-version-kind'] = [{ group, kind: literals.kind, version: version! }];
  }
  return definition;
}

function schemaOf(type: TSType, resolve: (reference: string) => string): SchemaNode {
  switch (type.type) {
    case 'TSStringKeyword':
      return { type: 'string' };
    case 'TSNumberKeyword':
      return { type: 'number' };
    case 'TSBooleanKeyword':
      return { type: 'boolean' };
    case 'TSLiteralType':
    case 'TSUnionType':
      return { type: 'string', enum: (type.type === 'TSUnionType' ? type.types : [type]).map(literal) };
    case 'TSTypeReference': {
      const name = type.typeName.type === 'Identifier' ? type.typeName.name : '';
      const item = type.typeArguments?.params[0];
      if (name === 'Array' && item) return { type: 'array', items: schemaOf(item, resolve) };
      return { $ref: `#/definitions/${resolve(name)}` };
    }
    case 'TSTypeLiteral': {
      const member = type.members[0];
      if (member?.type === 'TSIndexSignature')
        return { type: 'object', additionalProperties: schemaOf(member.typeAnnotation.typeAnnotation, resolve) };
      // The one type that is written out: claim templates, so that they need no apiVersion and kind.
      return { $ref: `#/definitions/${resolve('IIoK8sApiCoreV1PersistentVolumeClaim')}` };
    }
  }
  throw new Error(`a type that no definition has: ${type.type}`);
}

function literal(type: TSType): string {
  if (type.type === 'TSLiteralType' && type.literal.type === 'Literal' && typeof type.literal.value === 'string')
    return type.literal.value;
  throw new Error(`a union of more than strings: ${type.type}`);
}

/** The prose of the comment that ends where a declaration starts. */
function textBefore(start: number, comments: readonly Comment[], source: string): string {
  const comment = comments.find(({ end }) => end < start && source.slice(end, start).trim() === '');
  if (!comment) return '';
  return comment.value
    .slice(1)
    .split('\n')
    .map((line) => line.replace(/^ *\* ?/, ''))
    .join('\n')
    .trim()
    .replace(/\\([*/])/g, '$1')
    .replace(/\n@deprecated$/, '');
}
