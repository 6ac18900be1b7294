import type * as Generated from '#api/generated/descriptions.ts';
import { schemas } from '#api/schemas.ts';
import {
  openApiDocument,
  openApiHash,
  openApiIndex,
  openApiPath,
  type OpenApiResource,
} from '#apimachinery/openapi.ts';
import { openApiV2Document } from '#apimachinery/openapi-v2.ts';
import type { DiscoveredGroup, DiscoveredResource } from '#apiserver/discovery.ts';
import { verbsOf } from '#apiserver/discovery.ts';

type Descriptions = typeof Generated;

/** The documents at /openapi/v2 and below /openapi/v3, built when somebody asks. Prose is loaded with the first document. */
export class OpenApiSource {
  readonly #groups: () => readonly DiscoveredGroup[];
  readonly #version: string;
  readonly #documents = new Map<string, { readonly text: string; readonly hash: string }>();
  /** The one of release 2, and what it is made of. */
  #whole: { readonly of: string; readonly text: string } | undefined;

  constructor(groups: () => readonly DiscoveredGroup[], version: string) {
    this.#version = version;
    this.#groups = groups;
  }

  /** The document at a path such as `/openapi/v3/api/v1`, as JSON text. */
  async document(path: string): Promise<string | undefined> {
    if (path === '/openapi/v2') return this.#wholeDocument();
    if (path !== '/openapi/v3' && !path.startsWith('/openapi/v3/')) return undefined;
    const prose = await import('#api/generated/descriptions.ts');
    const groups = this.#groups();
    if (path === '/openapi/v3') {
      const hashes = groups.flatMap(({ group, versions }) =>
        versions.map(
          ({ version }) => [openApiPath(group, version), this.#build(groups, group, version, prose).hash] as const,
        ),
      );
      return JSON.stringify(openApiIndex(new Map(hashes)));
    }
    for (const { group, versions } of groups) {
      for (const { version } of versions) {
        if (path === `/openapi/v3/${openApiPath(group, version)}`)
          return this.#build(groups, group, version, prose).text;
      }
    }
    return undefined;
  }

  #build(groups: readonly DiscoveredGroup[], group: string, version: string, prose: Descriptions) {
    const served =
      groups.find((each) => each.group === group)?.versions.find((each) => each.version === version)?.resources ?? [];
    const key = keyOf(group, version, served);
    let document = this.#documents.get(key);
    if (!document) {
      const text = JSON.stringify(documentOf(group, version, served, prose));
      document = { text, hash: openApiHash(text) };
      this.#documents.set(key, document);
    }
    return document;
  }

  async #wholeDocument(): Promise<string> {
    const { descriptions, parameterDescriptions } = await import('#api/generated/descriptions.ts');
    const served = this.#groups().flatMap(({ group, versions }) => versions.map((each) => ({ group, ...each })));
    const of = served.map(({ group, version, resources }) => keyOf(group, version, resources)).join(';');
    if (this.#whole?.of !== of) {
      const documents = served.map(({ group, version, resources }) =>
        documentOf(group, version, resources, { parameterDescriptions }),
      );
      const document = openApiV2Document(this.#version, documents, schemas, (definition) => descriptions[definition]);
      this.#whole = { of, text: JSON.stringify(document) };
    }
    return this.#whole.text;
  }
}

/** The same as long as a group version is served the same. */
const keyOf = (group: string, version: string, served: readonly DiscoveredResource[]): string =>
  `${group}/${version}/${served.map(({ definition: { plural, custom } }) => `${plural}${custom ? ` ${custom.revision}` : ''}`).join()}`;

function documentOf(
  group: string,
  version: string,
  served: readonly DiscoveredResource[],
  prose: Pick<Descriptions, 'parameterDescriptions'> & Partial<Descriptions>,
) {
  const resources = served.map(
    ({ definition, subresources }): OpenApiResource => ({ definition, verbs: verbsOf(definition), subresources }),
  );
  return openApiDocument(
    group,
    version,
    resources,
    schemas,
    (definition) => prose.descriptions?.[definition],
    prose.parameterDescriptions,
  );
}
