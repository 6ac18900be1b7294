import { beforeEach, expect, test } from 'vitest';
import { encodeUtf8, decodeUtf8 } from '#base/utf8.ts';
import { testContext } from '#testing/kubectl-context.ts';
import { kubectl } from './kubectl.ts';

const resource = {
  resource: 'pods',
  singularResource: 'pod',
  scope: 'Namespaced',
  responseKind: { group: '', version: 'v1', kind: 'Pod' },
  verbs: ['get', 'list', 'patch'],
};
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'default', uid: 'u' },
  spec: { count: 1 },
};
const path = '/api/v1/namespaces/default/pods/web';
const refusal = {
  kind: 'Status',
  status: 'Failure',
  reason: 'Invalid',
  code: 422,
  details: { causes: [{ field: 'spec.count', message: 'too small' }] },
};

/** What the editor was shown, and the patches that the server got. */
let shown: string[];
let patches: unknown[];
let saved: Record<string, string>;
beforeEach(() => {
  shown = [];
  patches = [];
  saved = {};
});

/** Runs `kubectl edit pod web` with an editor that does these changes one after the other; negative numbers are refused. */
async function edit(...changes: ((text: string) => string | undefined)[]) {
  const context = testContext({
    answers: {
      '/api': {
        kind: 'APIGroupDiscoveryList',
        items: [{ metadata: {}, versions: [{ version: 'v1', resources: [resource] }] }],
      },
      '/apis': { kind: 'APIGroupDiscoveryList', items: [] },
      '/openapi/v3': { paths: {} },
      [path]: pod,
    },
  });
  const server = context.connect({ server: '' });
  const code = await kubectl(['edit', 'pod', 'web'], {
    ...context,
    connect: () => ({
      ...server,
      async handle(request) {
        if (request.method !== 'PATCH') return server.handle(request);
        const patch = JSON.parse(decodeUtf8(request.body as Uint8Array)) as { spec: { count: number } };
        patches.push(patch);
        const refused = patch.spec.count < 0;
        return { status: refused ? 422 : 200, headers: {}, body: encodeUtf8(JSON.stringify(refused ? refusal : pod)) };
      },
    }),
    files: { ...context.files, writeFile: async (file, data) => void (saved[file] = decodeUtf8(data)) },
    edit: async (text) => {
      shown.push(text);
      return changes[shown.length - 1]?.(text);
    },
  });
  return { code, ...context.printed };
}
const put = (from: string, to: string) => (text: string) => text.replace(from, to);

test('sends what was changed', async () => {
  expect(await edit(put('count: 1', 'count: 2'))).toEqual({ code: 0, stdout: 'pod/web edited\n', stderr: '' });
  expect(patches).toEqual([{ spec: { count: 2 } }]);
  expect(shown[0]).toMatch(/^# Please edit the object below\.(.*\n)+apiVersion: v1\n/);
});

test('nothing is sent when nothing was changed', async () => {
  const cancelled = { code: 0, stdout: '', stderr: 'Edit cancelled, no changes made.\n' };
  expect(await edit((text) => text)).toEqual(cancelled);
  shown = [];
  expect(await edit(() => undefined)).toEqual(cancelled);
  expect(patches).toEqual([]);
});

test('opens again with the reason until it is right', async () => {
  const { code, stderr } = await edit(
    put('count: 1', 'count: -1'),
    put('count: -1', 'count: ['),
    put('count: [', 'count: 3'),
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: 'error: pods "web" is invalid\n'.repeat(2) });
  expect(shown[1]).toContain('# pods "web" was not valid:\n# * spec.count: too small\n#\napiVersion: v1\n');
  expect(shown[2]).toContain('# * <nil>: Invalid value: "The edited file failed validation": yaml: ');
  expect(shown[2]).toContain('  count: [\n');
  expect(patches.at(-1)).toEqual({ spec: { count: 3 } });
});

test('keeps what could not be sent', async () => {
  const { code, stderr } = await edit(put('count: 1', 'count: -1'), (text) => text);
  expect(code).toBe(1);
  expect(stderr).toBe(
    'error: pods "web" is invalid\nA copy of your changes has been stored to "/tmp/kubectl-edit-0.yaml"\nerror: Edit cancelled, no valid changes were saved.\n',
  );
  expect(saved['/tmp/kubectl-edit-0.yaml']).toContain('count: -1');
});

test('what an object is called stays', async () => {
  const { stderr } = await edit(put('name: web', 'name: other'));
  expect(stderr).toMatch(/error: At least one of apiVersion, kind and name was changed\n$/);
});
