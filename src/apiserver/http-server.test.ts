import { expect, test } from 'vitest';
import { ObjectCodec } from '#apimachinery/codec.ts';
import { decodeUtf8, encodeUtf8 } from '#base/utf8.ts';
import { startWidgetServer, widgetSchema, widgets } from '#testing/widget-server.ts';
import type { HttpResponse } from '#transport/http.ts';
import { alwaysAllow } from './authorization.ts';
import { groupResources, verbsOf } from './discovery.ts';
import { HttpFloor } from './http-server.ts';
import { nonResource } from './non-resource.ts';

const version = {
  major: '1',
  minor: '33',
  gitVersion: 'v1.33.0',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '',
  goVersion: '',
  compiler: 'gc',
  platform: '',
};

function serve() {
  const server = startWidgetServer();
  const { api, pump } = server;
  const schema = {
    ...widgetSchema,
    name: widgets.schema,
    kinds: [{ group: 'example.com', version: 'v1', kind: 'Widget' }],
  };
  const floor = new HttpFloor({
    backend: api.local,
    codec: new ObjectCodec({ lookup: () => schema, names: () => [widgets.schema] }),
    lookUp: (group, inVersion, resource, subresource) => {
      const definition = api.resources.find(group, inVersion, resource);
      if (!definition || (subresource !== undefined && !definition.subresources?.[subresource])) return undefined;
      const { kind, schema: name } = definition;
      const verbs = subresource === undefined ? verbsOf(definition) : ['get', 'patch', 'update'];
      return { definition, body: { group, version: inVersion, kind, schema: name }, verbs, connects: false };
    },
    hasVersion: (group, inVersion) => api.resources.hasVersion(group, inVersion),
    authenticate: () => ({ name: 'me', groups: [] }),
    authorizer: alwaysAllow,
    now: () => pump.now,
    nonResource: nonResource({
      version,
      groups: () =>
        groupResources(
          [...api.resources.all()].map((definition) => ({ definition, subresources: [] })),
          [],
        ),
      checks: () => [{ name: 'ping', ok: true }],
      openapi: async () => undefined,
    }),
  });
  /** Sends a request, as an observer when it reads. */
  const send = async (method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) => {
    const request = {
      method,
      path,
      headers: { 'content-type': 'application/json', 'user-agent': 'kubectl', ...headers },
      ...(body === undefined ? {} : { body: encodeUtf8(typeof body === 'string' ? body : JSON.stringify(body)) }),
    };
    let response: HttpResponse | undefined;
    if (method === 'GET') response = await floor.handle(request, { cause: 0, observer: true });
    else {
      await server.run(async () => {
        response = await server.server.call('input', () => floor.handle(request, { cause: 0, observer: false }));
      });
    }
    return response as HttpResponse;
  };
  const text = (response: HttpResponse) => decodeUtf8(response.body as Uint8Array);
  const json = async (...args: Parameters<typeof send>) =>
    JSON.parse(text(await send(...args))) as Record<string, unknown>;
  return { ...server, send, text, json };
}

const ALL = '/apis/example.com/v1/widgets';
const DEFAULT = '/apis/example.com/v1/namespaces/default/widgets';
const widget = (name: string, spec = {}) => ({
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { name },
  spec,
});

test('answers paths and methods as v1.33 does', async () => {
  const { send, text } = serve();
  await send('POST', DEFAULT, widget('a'));
  const cases: readonly (readonly [string, string, number, string])[] = [
    ['GET', '/nothing', 404, '404 page not found'],
    ['GET', '/apis/nothing.io/v1/things', 404, '404 page not found'],
    ['GET', '/apis/example.com/v1/things', 404, 'the server could not find the requested resource'],
    ['GET', `${ALL}/a`, 404, 'the server could not find the requested resource'],
    ['GET', `${DEFAULT}/a/scale`, 404, 'the server could not find the requested resource'],
    ['POST', ALL, 405, 'the server does not allow this method on the requested resource'],
    ['DELETE', ALL, 405, 'the server does not allow this method on the requested resource'],
    ['POST', `${DEFAULT}/a`, 405, 'the server does not allow this method on the requested resource'],
    ['PUT', DEFAULT, 405, 'the server does not allow this method on the requested resource'],
    ['DELETE', `${DEFAULT}/a/status`, 405, 'the server does not allow this method on the requested resource'],
    ['GET', `${DEFAULT}/b`, 404, 'widgets.example.com \\"b\\" not found'],
    ['GET', `${DEFAULT}/a`, 200, '"name":"a"'],
    ['GET', `${ALL}?limit=x`, 400, 'strconv.ParseInt: parsing'],
    ['PUT', `${DEFAULT}/a?dryRun=Some`, 422, 'Unsupported value: []string{\\"Some\\"}: supported values: \\"All\\"'],
    [
      'DELETE',
      `${DEFAULT}/a?propagationPolicy=Never`,
      422,
      'supported values: \\"Foreground\\", \\"Background\\", \\"Orphan\\", \\"nil\\"',
    ],
  ];
  for (const [method, path, status, part] of cases) {
    const response = await send(method, path, method === 'GET' ? undefined : widget('a'));
    expect([method, path, response.status]).toEqual([method, path, status]);
    expect(text(response)).toContain(part);
  }
});

test('decodes, warns, and shows objects as JSON, tables, metadata and for people', async () => {
  const { send, text, json } = serve();
  const made = await send('POST', DEFAULT, { ...widget('a', { size: 1, colour: 'red' }), status: { phase: 'New' } });
  expect(made.status).toBe(201);
  expect(made.headers.warning).toBe('299 - "unknown field \\"spec.colour\\""');
  const strict = await json('POST', `${DEFAULT}?fieldValidation=Strict`, widget('b', { colour: 'red' }));
  expect(strict).toMatchObject({
    code: 400,
    message: 'Widget in version "v1" cannot be handled as a Widget: strict decoding error: unknown field "spec.colour"',
  });
  expect(await json('GET', DEFAULT)).toMatchObject({ kind: 'WidgetList', items: [{ spec: { size: 1 } }] });
  expect(((await json('GET', DEFAULT)).items as readonly object[])[0]).not.toHaveProperty('kind');
  const table = await json('GET', DEFAULT, undefined, {
    accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json',
  });
  expect(table).toMatchObject({
    kind: 'Table',
    rows: [{ cells: ['a', '0s'], object: { kind: 'PartialObjectMetadata' } }],
  });
  const metadata = await json('GET', `${DEFAULT}/a`, undefined, {
    accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
  });
  expect(metadata).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'a' } });
  expect(text(await send('GET', `${DEFAULT}/a`, undefined, { 'user-agent': 'curl/8' }))).toMatch(
    /^\{\n {2}"kind": "Widget",\n/,
  );
  expect((await send('GET', DEFAULT, undefined, { accept: 'text/html' })).status).toBe(406);
  expect((await send('POST', DEFAULT, 'x', { 'content-type': 'text/plain' })).status).toBe(415);
  expect((await send('POST', DEFAULT, ' '.repeat(3 * 1024 * 1024 + 1))).status).toBe(413);
});

test('patches what the client sees', async () => {
  const { send, json } = serve();
  await send('POST', DEFAULT, widget('a', { size: 1 }));
  const patch = (type: string, body: unknown, query = '') =>
    json('PATCH', `${DEFAULT}/a${query}`, body, { 'content-type': `application/${type}` });
  expect(await patch('json-patch+json', [{ op: 'replace', path: '/spec/size', value: 2 }])).toMatchObject({
    spec: { size: 2 },
  });
  expect(await patch('merge-patch+json', { spec: { size: null, tags: ['x'] } })).toMatchObject({
    spec: { tags: ['x'] },
  });
  expect(await patch('strategic-merge-patch+json', { metadata: { labels: { a: 'b' } } })).toMatchObject({
    metadata: { labels: { a: 'b' } },
  });
  expect(await patch('merge-patch+json', { metadata: { managedFields: [{}] } })).not.toHaveProperty(
    'metadata.managedFields',
  );
  expect(await patch('json-patch+json', [{ op: 'remove', path: '/nothing' }])).toMatchObject({
    code: 422,
    message: 'the server rejected our request due to an error in our request',
  });
  expect(await patch('merge-patch+json', { spec: { size: 'big' } })).toMatchObject({
    code: 422,
    message: expect.stringContaining('json: cannot unmarshal string into Go struct field') as string,
  });
  expect(await patch('merge-patch+json', [])).toMatchObject({
    code: 400,
    message: 'error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}',
  });
  expect(await patch('merge-patch+json', {}, '?force=true')).toMatchObject({
    message: 'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
  });
  expect(await patch('unknown+json', {})).toMatchObject({ code: 415 });
});

test('streams watches, as objects and as tables', async () => {
  const { send } = serve();
  const read = async (query: string, accept: string) => {
    const lines: string[] = [];
    const { body } = await send('GET', `${DEFAULT}?watch=1${query}`, undefined, { accept });
    if (body instanceof Uint8Array) throw new Error('a stream was expected');
    body.start(
      (bytes) => void lines.push(...decodeUtf8(bytes).trim().split('\n')),
      () => void lines.push('end'),
    );
    return () =>
      lines.map((line) =>
        line === 'end' ? line : (JSON.parse(line) as { readonly type: string; readonly object: Record<string, never> }),
      );
  };
  const objects = await read('', 'application/json');
  const tables = await read('', 'application/json;as=Table;v=v1;g=meta.k8s.io');
  await send('POST', DEFAULT, widget('a', { size: 1 }));
  await send('DELETE', `${DEFAULT}/a`);
  expect(objects()).toMatchObject([
    { type: 'ADDED', object: { kind: 'Widget', metadata: { name: 'a', managedFields: [{ manager: 'kubectl' }] } } },
    { type: 'DELETED', object: { kind: 'Widget', metadata: { resourceVersion: '3' } } },
  ]);
  expect(tables()).toMatchObject([
    {
      type: 'ADDED',
      object: { kind: 'Table', columnDefinitions: [{ name: 'Name' }, { name: 'Age' }], rows: [{ cells: ['a', '0s'] }] },
    },
    { type: 'DELETED', object: { kind: 'Table', columnDefinitions: [], rows: [{ cells: ['a', '0s'] }] } },
  ]);
});
