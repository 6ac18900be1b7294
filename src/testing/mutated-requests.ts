import type { Rng } from '#base/rng.ts';
import type { HttpRequest } from '#transport/http.ts';

/** What a request must be answered with: one of these codes, and a text in the body or the `warning` header. */
export interface Expected {
  readonly codes: readonly number[];
  readonly says?: string;
}

/** One request, named by what was changed about a good one. */
export interface Mutated {
  readonly mutation: string;
  readonly request: HttpRequest;
  readonly expected: Expected;
}

/** A kind that is sent about: a good object, and what is not good about others. */
interface Subject {
  readonly kind: string;
  readonly apiVersion: string;
  readonly collection: string;
  readonly body: (name: string) => Readonly<Record<string, unknown>>;
  /** Members with a value of the right type that no validation takes. */
  readonly invalid: Readonly<Record<string, unknown>>;
  /** Members with a value of the wrong type. */
  readonly mistyped: Readonly<Record<string, unknown>>;
  /** A member that exists nowhere. */
  readonly unknown: Readonly<Record<string, unknown>>;
}

const NAMESPACE = 'mutations';
const template = { metadata: { labels: { app: 'm' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
const SUBJECTS: readonly Subject[] = [
  {
    kind: 'ConfigMap',
    apiVersion: 'v1',
    collection: `/api/v1/namespaces/${NAMESPACE}/configmaps`,
    body: () => ({ data: { a: '1' } }),
    invalid: { data: { 'no key': '1' } },
    mistyped: { data: { a: 1 } },
    unknown: { dada: {} },
  },
  {
    kind: 'Secret',
    apiVersion: 'v1',
    collection: `/api/v1/namespaces/${NAMESPACE}/secrets`,
    body: () => ({ stringData: { a: '1' } }),
    invalid: { stringData: { '..': '1' } },
    mistyped: { stringData: [] },
    unknown: { stringdata: {} },
  },
  {
    kind: 'Pod',
    apiVersion: 'v1',
    collection: `/api/v1/namespaces/${NAMESPACE}/pods`,
    body: () => ({ spec: { containers: [{ name: 'c', image: 'i' }], serviceAccountName: 'default' } }),
    invalid: { spec: { containers: [] } },
    mistyped: { spec: { containers: [{ name: 'c', image: 7 }] } },
    unknown: { spec: { containers: [{ name: 'c', image: 'i', imagine: 1 }] } },
  },
  {
    kind: 'Service',
    apiVersion: 'v1',
    collection: `/api/v1/namespaces/${NAMESPACE}/services`,
    body: () => ({ spec: { ports: [{ port: 80 }], selector: { app: 'm' } } }),
    invalid: { spec: { ports: [{ port: 99_999 }] } },
    mistyped: { spec: { ports: [{ port: 'eighty' }] } },
    unknown: { spec: { ports: [{ port: 80, prot: 'TCP' }] } },
  },
  {
    kind: 'Deployment',
    apiVersion: 'apps/v1',
    collection: `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`,
    body: () => ({ spec: { replicas: 0, selector: { matchLabels: { app: 'm' } }, template } }),
    invalid: { spec: { replicas: -1, selector: { matchLabels: { app: 'm' } }, template } },
    mistyped: { spec: { replicas: '3', selector: { matchLabels: { app: 'm' } }, template } },
    unknown: { spec: { replicas: 0, replica: 1, selector: { matchLabels: { app: 'm' } }, template } },
  },
  {
    kind: 'PriorityClass',
    apiVersion: 'scheduling.k8s.io/v1',
    collection: '/apis/scheduling.k8s.io/v1/priorityclasses',
    body: () => ({ value: 7 }),
    invalid: { value: 2_000_000_000 },
    mistyped: { value: true },
    unknown: { worth: 7 },
  },
];

const encoder = new TextEncoder();
const AGENTS = ['kubectl/v1.33.0', 'curl/8.5.0', 'Go-http-client/1.1', 'Mozilla/5.0', ''] as const;
const STRICT = '?fieldValidation=Strict';
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';

/**
 * Requests about one object after another, each with at most one thing changed, whose answer follows from the change.
 * The namespace {@link MUTATION_NAMESPACE} must exist.
 */
export class MutatedRequests {
  readonly #rng: Rng;
  #number = 0;

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#rng.int(from.length)] as T;
  }

  #request(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): HttpRequest {
    const bytes =
      body === undefined
        ? undefined
        : body instanceof Uint8Array
          ? body
          : encoder.encode(typeof body === 'string' ? body : JSON.stringify(body));
    return {
      method,
      path,
      headers: {
        accept: 'application/json',
        'user-agent': this.#pick(AGENTS),
        ...(bytes ? { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' } : {}),
        ...headers,
      },
      ...(bytes ? { body: bytes } : {}),
    };
  }

  /** The requests of one object's life. */
  *life(): Generator<Mutated> {
    const subject = this.#pick(SUBJECTS);
    const name = `m-${++this.#number}`;
    const { collection, apiVersion, kind } = subject;
    const path = `${collection}/${name}`;
    const object = (members: Readonly<Record<string, unknown>> = subject.body(name), metadata = {}) => ({
      apiVersion,
      kind,
      metadata: { name, ...metadata },
      ...members,
    });
    const good = (method: string, at: string, body?: unknown, headers = {}, codes = [200]): Mutated => ({
      mutation: 'nothing',
      request: this.#request(method, at, body, headers),
      expected: { codes },
    });
    for (let i = this.#rng.int(3); i >= 0; i--) yield this.#beforeCreate(subject, name, object);
    yield this.#rng.int(3) === 0
      ? good('POST', collection, yamlOf(object()), { 'content-type': 'application/yaml' }, [201])
      : good('POST', collection, object(), {}, [201]);
    for (let i = this.#rng.int(5); i >= 0; i--) yield this.#onExisting(subject, name, object);
    yield good('GET', path);
    yield good('PATCH', path, { metadata: { labels: { changed: 'yes' } } });
    yield good('DELETE', path, subject.kind === 'Pod' ? { gracePeriodSeconds: 0 } : undefined);
    yield { mutation: 'deleted', request: this.#request('GET', path), expected: { codes: [404], says: 'not found' } };
  }

  #beforeCreate(
    subject: Subject,
    name: string,
    object: (members?: Readonly<Record<string, unknown>>, metadata?: object) => object,
  ): Mutated {
    const { collection } = subject;
    const { body } = subject;
    const post = (
      mutation: string,
      query: string,
      content: unknown,
      codes: readonly number[],
      says?: string,
      headers: Readonly<Record<string, string>> = {},
    ): Mutated => ({
      mutation,
      request: this.#request('POST', collection + query, content, headers),
      expected: { codes, ...(says === undefined ? {} : { says }) },
    });
    const unknown = object({ ...body(name), ...subject.unknown });
    const all: readonly (() => Mutated)[] = [
      () => post('unknown field, strict', STRICT, unknown, [400], 'unknown field'),
      () => post('unknown field, warned of, dry run', '?dryRun=All', unknown, [201], 'unknown field'),
      () => post('unknown field, ignored, dry run', '?fieldValidation=Ignore&dryRun=All', unknown, [201]),
      () =>
        post(
          'duplicate field',
          STRICT,
          JSON.stringify(object()).replace('{', `{"kind":"${subject.kind}",`),
          [400],
          'duplicate field',
        ),
      () => post('invalid value', '', object({ ...body(name), ...subject.invalid }), [422], 'is invalid'),
      () => post('wrong type', '', object({ ...body(name), ...subject.mistyped }), [400], 'cannot be handled'),
      () => post('no name', '', object(body(name), { name: undefined }), [422], 'name or generateName is required'),
      () => post('bad name', '', object(body(name), { name: 'No_Name' }), [422], 'metadata.name'),
      () => post('bad label', '', object(body(name), { labels: { 'a b': 'c' } }), [422], 'metadata.labels'),
      () => post('broken JSON', '', JSON.stringify(object()).slice(0, -1), [400]),
      () => post('no JSON', '', 'null', [400, 422]),
      () => post('an array', '', '[]', [400]),
      () => post('empty body', '', new Uint8Array(), [400, 422]),
      () => post('another kind', '', { ...object(), kind: 'Nonsense' }, [400]),
      () => post('another version', '', { ...object(), apiVersion: 'nonsense/v7' }, [400]),
      () =>
        post(
          'too large',
          '',
          object(body(name), { annotations: { a: 'x'.repeat(3_200_000) } }),
          [413],
          'limit is 3145728',
        ),
      () => post('unknown content type', '', object(), [415], 'unknown format', { 'content-type': 'text/plain' }),
      () => post('unknown accept', '', object(), [406], 'media types are accepted', { accept: 'text/html' }),
      () => post('bad dryRun', '?dryRun=Some', object(), [422], 'dryRun'),
      () => post('bad fieldValidation', '?fieldValidation=Never', object(), [422], 'fieldValidation'),
      () => post('long field manager', `?fieldManager=${'x'.repeat(129)}`, object(), [422], 'fieldManager'),
      () => post('bad timeout', '?timeout=soon', object(), [400], 'invalid timeout'),
      () => post('unknown parameter, dry run', '?what=ever&dryRun=All', object(), [201]),
      () =>
        post(
          'resourceVersion',
          '',
          object(body(name), { resourceVersion: '1' }),
          [500],
          'resourceVersion should not be set',
        ),
      () => ({
        mutation: 'missing object',
        request: this.#request('GET', `${collection}/${name}`),
        expected: { codes: [404], says: 'not found' },
      }),
      // Services may be made by an update; nothing else here may.
      () => ({
        mutation: 'update of what is missing',
        request: this.#request('PUT', `${collection}/${name}?dryRun=All`, object()),
        expected: subject.kind === 'Service' ? { codes: [201] } : { codes: [404], says: 'not found' },
      }),
      () => ({
        mutation: 'unknown path',
        request: this.#request(
          this.#pick(['GET', 'POST', 'PUT', 'DELETE']),
          this.#pick(['/nothing', '/apis/nothing/v1/x', '/api/v7/pods', '/%zz', '//', '/apis//v1/x']),
        ),
        expected: { codes: [404] },
      }),
      () => ({
        mutation: 'unknown resource',
        request: this.#request('GET', `${collection}s`),
        expected: { codes: [404] },
      }),
      () => this.#noise(collection, name),
    ];
    return this.#pick(all)();
  }

  #onExisting(
    subject: Subject,
    name: string,
    object: (members?: Readonly<Record<string, unknown>>, metadata?: object) => object,
  ): Mutated {
    const { collection, body } = subject;
    const path = `${collection}/${name}`;
    const mutated = (mutation: string, request: HttpRequest, codes: readonly number[], says?: string): Mutated => ({
      mutation,
      request,
      expected: { codes, ...(says === undefined ? {} : { says }) },
    });
    const get = (mutation: string, query: string, codes: readonly number[], says?: string, headers = {}) =>
      mutated(mutation, this.#request('GET', collection + query, undefined, headers), codes, says);
    const patch = (
      mutation: string,
      content: unknown,
      codes: readonly number[],
      says?: string,
      type?: string,
      query = '',
    ) =>
      mutated(
        mutation,
        this.#request('PATCH', path + query, content, type ? { 'content-type': type } : {}),
        codes,
        says,
      );
    const all: readonly (() => Mutated)[] = [
      () => mutated('exists', this.#request('POST', collection, object()), [409], 'already exists'),
      () =>
        mutated(
          'stale version',
          this.#request('PUT', path, object(body(name), { resourceVersion: '1' })),
          [409],
          'the object has been modified',
        ),
      () =>
        mutated(
          'another name',
          this.#request('PUT', path, object(body(name), { name: 'other' })),
          [400],
          'does not match',
        ),
      () =>
        mutated(
          'another uid',
          this.#request('DELETE', path, { preconditions: { uid: 'other' } }),
          [409],
          'the UID in the precondition (other) does not match',
        ),
      () => mutated('wrong type of option', this.#request('DELETE', path, { gracePeriodSeconds: 'x' }), [400]),
      () =>
        mutated(
          'bad propagation',
          this.#request('DELETE', path, { propagationPolicy: 'Never' }),
          [422],
          'propagationPolicy',
        ),
      () =>
        mutated(
          'foreign verb on an object',
          this.#request(this.#pick(['POST', 'OPTIONS', 'TRACE', 'HEAD', 'FOO']), path, undefined),
          [405],
        ),
      () =>
        mutated(
          'foreign verb on a collection',
          this.#request(this.#pick(['PUT', 'PATCH', 'OPTIONS', 'HEAD']), collection),
          [405],
        ),
      () => mutated('subresource that is none', this.#request('GET', `${path}/nothing`), [404]),
      () => get('bad label selector', '?labelSelector=a%20b%20c', [400]),
      () => get('bad field selector', '?fieldSelector=nothing%3D1', [400], 'field'),
      () => get('bad limit', '?limit=many', [400], 'invalid syntax'),
      () => get('bad token', '?continue=abc', [400], 'continue'),
      () => get('version that is not yet', '?resourceVersion=999999999', [504], 'Too large resource version'),
      () => get('version that is none', '?resourceVersion=x', [400, 422], 'resource'),
      () => get('match without version', '?resourceVersionMatch=Exact', [422], 'resourceVersionMatch'),
      () => get('initial events of a list', '?sendInitialEvents=true', [422], 'sendInitialEvents'),
      () =>
        get(
          'initial events of a watch',
          '?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan',
          [422],
          'WatchList',
        ),
      () => get('long query', `?limit=3&nothing=${'x'.repeat(20_000)}`, [200]),
      () => get('unknown accept', '', [406], 'media types are accepted', { accept: 'image/png' }),
      () => get('table', '?limit=2', [200], '"Table"', { accept: TABLE }),
      () =>
        get('table of v1beta1', '?limit=2', [200], 'meta.k8s.io/v1beta1', {
          accept: TABLE.replace('v=v1', 'v=v1beta1'),
        }),
      () => get('YAML', '?limit=2', [200], 'apiVersion:', { accept: 'application/yaml' }),
      () =>
        get('metadata only', '?limit=2', [200], 'PartialObjectMetadataList', {
          accept: TABLE.replace('Table', 'PartialObjectMetadataList'),
        }),
      () => get('includeObject', '?limit=1&includeObject=All', [400], 'includeObject', { accept: TABLE }),
      () => patch('invalid value', subject.invalid, [422]),
      () => patch('wrong type', subject.mistyped, [400, 422]),
      () => patch('unknown field, strict', subject.unknown, [400, 422], 'unknown field', undefined, STRICT),
      () => patch('stale version', { metadata: { resourceVersion: '1' } }, [409], 'the object has been modified'),
      () => patch('broken patch', '{', [400]),
      () => patch('unknown content type', '{}', [415], undefined, 'application/json'),
      () =>
        patch(
          'JSON patch without a path',
          [{ op: 'remove', path: '/nothing/here' }],
          [422],
          undefined,
          'application/json-patch+json',
        ),
      () =>
        patch(
          'JSON patch, wrong test',
          [{ op: 'test', path: '/metadata/name', value: 'x' }],
          [422],
          undefined,
          'application/json-patch+json',
        ),
      () => patch('JSON patch that is none', {}, [400], undefined, 'application/json-patch+json'),
      () =>
        patch(
          'strategic patch',
          { metadata: { annotations: { a: 'b' } } },
          [200],
          undefined,
          'application/strategic-merge-patch+json',
        ),
      () => patch('apply without a manager', object({}), [422], 'fieldManager', 'application/apply-patch+yaml'),
      () => patch('dry run', { metadata: { labels: { dry: 'run' } } }, [200], '"dry"', undefined, '?dryRun=All'),
      () => this.#noise(collection, name),
    ];
    return this.#pick(all)();
  }

  /** Bytes that nobody chose: the answer may be anything but the server's own failure. */
  #noise(collection: string, name: string): Mutated {
    const bytes = this.#rng.bytes(1 + this.#rng.int(64));
    const path = `${collection}/${encodeURIComponent(String.fromCharCode(...bytes.slice(0, 8)))}-${name}`;
    const codes = Array.from({ length: 100 }, (_, i) => 400 + i);
    const request = this.#pick([
      () => this.#request('POST', `${collection}?dryRun=All`, bytes),
      () => this.#request('POST', `${collection}?dryRun=All`, bytes, { 'content-type': 'application/yaml' }),
      () =>
        this.#request('POST', `${collection}?dryRun=All`, bytes, {
          'content-type': 'application/vnd.kubernetes.protobuf',
        }),
      () => this.#request('PUT', path, '{}'),
      () => this.#request('GET', path),
    ])();
    return { mutation: 'noise', request, expected: { codes } };
  }
}

export const MUTATION_NAMESPACE = NAMESPACE;

/** YAML of a plain object, as short as it can be: JSON is YAML, but not what people write. */
function yamlOf(value: object): string {
  return Object.entries(value)
    .map(([key, member]) => `${key}: ${JSON.stringify(member)}\n`)
    .join('');
}
