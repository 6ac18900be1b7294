/** One schema as the API server publishes it in OpenAPI v2, without prose. */
export interface SchemaNode {
  type?: string;
  format?: string;
  $ref?: string;
  items?: SchemaNode;
  additionalProperties?: SchemaNode;
  enum?: string[];
  default?: unknown;
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-map-type'?: string;
  'x-kubernetes-patch-strategy'?: string;
  'x-kubernetes-patch-merge-key'?: string;
}

/** A named schema: a struct, or a leaf type such as Quantity. */
export interface Definition extends SchemaNode {
  properties?: Record<string, SchemaNode>;
  required?: string[];
  'x-kubernetes-group-version-kind'?: { group: string; kind: string; version: string }[];
  'x-kubernetes-unions'?: unknown;
}

/** Definition name, such as `io.k8s.api.core.v1.Pod`, to definition. */
export type Definitions = Record<string, Definition>;

/** The definition that a reference names. */
export const referenced = (ref: string) => ref.slice('#/definitions/'.length);
