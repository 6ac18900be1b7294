import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
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
const require = createRequire(import.meta.url);

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
          declarations(path.join(models, group, version), `${PACKAGES[group] ?? `io.k8s.api.${group.split('.')[0]}`}.${version}`),
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
        definitions[name] = struct(declaration, (reference) => (reference === short ? name : names.get(reference)!), name);
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
  return `I${name.split(/[.-]/).map((word) => word[0]!.toUpperCase() + word.slice(1)).join('')}`;
}
