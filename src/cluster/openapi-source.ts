import type { descriptions } from '#api/generated/descriptions.ts';
import { schemas } from '#api/schemas.ts';
import {
  openApiDocument,
  openApiHash,
  openApiIndex,
  openApiPath,
  type OpenApiResource,
} from '#apimachinery/openapi.ts';
import type { DiscoveredGroup } from '#apiserver/discovery.ts';
import { verbsOf } from '#apiserver/discovery.ts';

type Descriptions = typeof descriptions;

/** The documents below /openapi/v3, built when somebody asks. Prose is loaded with the first document. */
export class OpenApiSource {
  readonly #groups: () => readonly DiscoveredGroup[];
  readonly #documents = new Map<string, { readonly text: string; readonly hash: string }>();

  constructor(groups: () => readonly DiscoveredGroup[]) {
    this.#groups = groups;
  }

  /** The document at a path such as `/openapi/v3/api/v1`, as JSON text. */
  async document(path: string): Promise<string | undefined> {
    if (path !== '/openapi/v3' && !path.startsWith('/openapi/v3/')) return undefined;
    const { descriptions } = await import('#api/generated/descriptions.ts');
    const groups = this.#groups();
    if (path === '/openapi/v3') {
      const hashes = groups.flatMap(({ group, versions }) =>
        versions.map(
          ({ version }) =>
            [openApiPath(group, version), this.#build(groups, group, version, descriptions).hash] as const,
        ),
      );
      return JSON.stringify(openApiIndex(new Map(hashes)));
    }
    for (const { group, versions } of groups) {
      for (const { version } of versions) {
        if (path === `/openapi/v3/${openApiPath(group, version)}`)
          return this.#build(groups, group, version, descriptions).text;
      }
    }
    return undefined;
  }

  #build(groups: readonly DiscoveredGroup[], group: string, version: string, prose: Descriptions) {
    const served =
      groups.find((each) => each.group === group)?.versions.find((each) => each.version === version)?.resources ?? [];
    const key = `${group}/${version}/${served.map(({ definition: { plural, custom } }) => `${plural}${custom ? ` ${custom.revision}` : ''}`).join()}`;
    let document = this.#documents.get(key);
    if (!document) {
      const resources = served.map(
        ({ definition, subresources }): OpenApiResource => ({ definition, verbs: verbsOf(definition), subresources }),
      );
      const text = JSON.stringify(
        openApiDocument(group, version, resources, schemas, (definition) => prose[definition]),
      );
      document = { text, hash: openApiHash(text) };
      this.#documents.set(key, document);
    }
    return document;
  }
}
