import type { JsonObject } from '#apimachinery/json.ts';

/** A container as commands make it; fields in the order of the Go type. */
export function newContainer(
  name: string,
  image: string,
  extra: { readonly command?: readonly string[]; readonly port?: number } = {},
): JsonObject {
  const { command = [], port } = extra;
  return {
    name,
    image,
    ...(command.length > 0 ? { command } : {}),
    ...(port === undefined ? {} : { ports: [{ containerPort: port }] }),
    resources: {},
  };
}

/** Metadata of a template, which has no name. */
export const templateMetadata = (labels?: JsonObject): JsonObject => ({
  creationTimestamp: null,
  ...(labels ? { labels } : {}),
});
