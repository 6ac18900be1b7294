import { StatusError } from '#apimachinery/status-error.ts';

/** How a response's objects are shaped. */
export type Shape = 'object' | 'table' | 'metadata';

export interface Accepted {
  readonly shape: Shape;
  /** The media type of the answer. */
  readonly mediaType: 'application/json' | 'application/yaml';
  /** The version of meta.k8s.io in which tables and metadata are wanted; v1 unless said. */
  readonly metaVersion?: 'v1beta1';
  /** Aggregated discovery was asked for. */
  readonly aggregatedDiscovery: boolean;
  /** Indented, for people. */
  readonly pretty?: boolean;
}

const SERVED = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];

const SHAPES: ReadonlyMap<string, Shape> = new Map([
  ['Table', 'table'],
  ['PartialObjectMetadata', 'metadata'],
  ['PartialObjectMetadataList', 'metadata'],
]);

interface Range {
  readonly type: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly quality: number;
}

function ranges(header: string): Range[] {
  return header
    .split(',')
    .map((text) => {
      const [type = '', ...rest] = text.split(';').map((part) => part.trim());
      const parameters: Record<string, string> = Object.create(null) as Record<string, string>;
      for (const part of rest) {
        const equals = part.indexOf('=');
        if (equals > 0) parameters[part.slice(0, equals)] = part.slice(equals + 1);
      }
      return { type, parameters, quality: Number(parameters.q ?? 1) };
    })
    .filter(({ type }) => type !== '')
    .sort((a, b) => b.quality - a.quality);
}

/** The media type and shape that suits a client best; throws 406. Follows apiserver/pkg/endpoints/handlers/negotiation, v1.33. */
export function negotiate(accept: string | undefined): Accepted {
  const wanted = ranges(accept ?? '*/*');
  if (wanted.length === 0) return { shape: 'object', mediaType: 'application/json', aggregatedDiscovery: false };
  for (const { type, parameters } of wanted) {
    const mediaType =
      type === 'application/yaml'
        ? 'application/yaml'
        : type === 'application/json' || type === 'application/*' || type === '*/*'
          ? 'application/json'
          : undefined;
    if (!mediaType) continue;
    const { as, g, v } = parameters;
    if (as === undefined) return { shape: 'object', mediaType, aggregatedDiscovery: false };
    if (as === 'APIGroupDiscoveryList') {
      if (g === 'apidiscovery.k8s.io' && v === 'v2') return { shape: 'object', mediaType, aggregatedDiscovery: true };
      continue;
    }
    if (g !== 'meta.k8s.io' || (v !== 'v1' && v !== 'v1beta1')) continue;
    const shape = SHAPES.get(as);
    if (!shape) continue;
    return { shape, mediaType, aggregatedDiscovery: false, ...(v === 'v1beta1' ? { metaVersion: v } : {}) };
  }
  throw new StatusError(406, 'NotAcceptable', `only the following media types are accepted: ${SERVED.join(', ')}`);
}

/** 415 for a body that no decoder takes. */
export function unsupportedMediaType(accepted: readonly string[] = SERVED): StatusError {
  return new StatusError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );
}

/** Whether the client is somebody who reads JSON with their own eyes. */
export function wantsPretty(asked: string | undefined, userAgent: string | undefined): boolean {
  if (asked) return /^(1|t|T|true|TRUE|True)$/.test(asked);
  return /^(curl|Wget|Mozilla\/5\.0)/.test(userAgent ?? '');
}
