import { expect, test } from 'vitest';
import type { ApiRequest, RequestOptions } from '#apimachinery/api-request.ts';
import { StatusError } from '#apimachinery/status-error.ts';
import { startWidgetServer, type WidgetServer, widgets } from '#testing/widget-server.ts';

const request = (options: RequestOptions, namespace?: string): ApiRequest => ({
  verb: 'list',
  group: 'example.com',
  version: 'v1',
  resource: 'widgets',
  ...(namespace ? { namespace } : {}),
  options,
  user: { name: 'me', groups: [] },
  userAgent: 'tester',
  cause: 0,
  observer: true,
});

/** Widgets 0 to 9: even ones in `even`, odd ones in `odd`, those below 5 labelled small. */
async function tenWidgets(): Promise<WidgetServer> {
  const server = startWidgetServer();
  await server.run(async (client) => {
    for (let i = 0; i < 10; i++) {
      const labels = i < 5 ? { size: 'small' } : undefined;
      await client.create(widgets, {
        metadata: { namespace: i % 2 ? 'odd' : 'even', name: `w${i}`, ...(labels ? { labels } : {}) },
        spec: { nodeName: `n${i % 3}` },
      });
    }
  });
  return server;
}

const names = async ({ api }: WidgetServer, options: RequestOptions, namespace?: string) =>
  (await api.backend.list(request(options, namespace))).items.map(({ metadata }) => metadata.name).join(' ');

test('selects by namespace, labels and fields', async () => {
  const server = await tenWidgets();
  const check = async (options: RequestOptions, namespace: string | undefined, wanted: string) =>
    expect(await names(server, options, namespace)).toBe(wanted);
  await check({}, undefined, 'w0 w2 w4 w6 w8 w1 w3 w5 w7 w9');
  await check({}, 'odd', 'w1 w3 w5 w7 w9');
  await check({ labelSelector: 'size=small' }, 'odd', 'w1 w3');
  await check({ labelSelector: '!size,size notin (x)' }, undefined, 'w6 w8 w5 w7 w9');
  await check({ fieldSelector: 'spec.nodeName=n1' }, undefined, 'w4 w1 w7');
  await check({ fieldSelector: 'spec.nodeName=n1' }, 'even', 'w4');
  await check({ fieldSelector: 'spec.nodeName!=n1' }, 'even', 'w0 w2 w6 w8');
  await check({ fieldSelector: 'spec.nodeName=n1,metadata.namespace=odd' }, undefined, 'w1 w7');
  await check({ fieldSelector: 'metadata.name=w3' }, undefined, 'w3');
  await check({ fieldSelector: 'metadata.name=w3' }, 'even', '');
});

test('an index follows changes', async () => {
  const server = await tenWidgets();
  await names(server, { fieldSelector: 'spec.nodeName=n1' });
  await server.run(async (client) => {
    await client.patch(widgets, { namespace: 'even', name: 'w0' }, 'application/merge-patch+json', {
      spec: { nodeName: 'n1' },
    });
    await client.delete(widgets, { namespace: 'odd', name: 'w7' });
  });
  expect(await names(server, { fieldSelector: 'spec.nodeName=n1' })).toBe('w0 w4 w1');
});

test('pages show one moment, whatever happens meanwhile', async () => {
  const server = await tenWidgets();
  const { api, run } = server;
  const first = await api.backend.list(request({ limit: 4 }));
  expect(first).toMatchObject({ resourceVersion: '11', remainingItemCount: 6 });
  await run(async (client) => {
    await client.delete(widgets, { namespace: 'odd', name: 'w9' });
    await client.create(widgets, { metadata: { namespace: 'odd', name: 'w99' } });
  });
  const second = await api.backend.list(request({ limit: 4, continue: first.continue }));
  const third = await api.backend.list(request({ limit: 4, continue: second.continue }));
  expect([first, second, third].map(({ items }) => items.map(({ metadata }) => metadata.name).join(' '))).toEqual([
    'w0 w2 w4 w6',
    'w8 w1 w3 w5',
    'w7 w9',
  ]);
  expect(third).toMatchObject({ resourceVersion: '11' });
  expect(third.continue).toBeUndefined();
  const small = await api.backend.list(request({ limit: 2, labelSelector: 'size=small' }));
  expect(small.items.map(({ metadata }) => metadata.name)).toEqual(['w0', 'w2']);
  expect(small.remainingItemCount).toBeUndefined();
  expect(await names(server, { limit: 9, continue: small.continue, labelSelector: 'size=small' })).toBe('w4 w1 w3');
});

test('a token that is too old says how to go on', async () => {
  const server = await tenWidgets();
  const { api, etcd, run } = server;
  const { continue: token } = await api.backend.list(request({ limit: 4 }));
  await run((client) => client.delete(widgets, { namespace: 'odd', name: 'w9' }));
  etcd.compact(etcd.revision);
  const error = (await api.backend
    .list(request({ limit: 4, continue: token }))
    .catch((caught: unknown) => caught)) as StatusError;
  expect(error).toMatchObject({ code: 410, reason: 'Expired' });
  const { continue: fresh } = error.status.metadata as { readonly continue?: string };
  expect(await names(server, { continue: fresh })).toBe('w8 w1 w3 w5 w7');
});

test('minds resourceVersion and resourceVersionMatch', async () => {
  const server = await tenWidgets();
  const check = async (options: RequestOptions, wanted: string) =>
    expect(await names(server, options).catch((error: Error) => error.message)).toBe(wanted);
  await check({ resourceVersion: '0', limit: 1 }, 'w0');
  await check({ resourceVersion: '3', resourceVersionMatch: 'Exact' }, 'w0 w1');
  await check({ resourceVersion: '3', limit: 5 }, 'w0 w1');
  await check(
    { resourceVersion: '3', resourceVersionMatch: 'NotOlderThan', fieldSelector: 'spec.nodeName=n0' },
    'w0 w6 w3 w9',
  );
  await check({ resourceVersion: '99' }, 'Too large resource version: 99, current: 11');
  await check(
    { resourceVersionMatch: 'Exact' },
    'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
  );
  await check(
    { continue: 'x' },
    'invalid continue token: continue key is not valid: illegal base64 data at input byte 0',
  );
  await check({ labelSelector: 'a=b=c' }, "found '=', expected: ',' or 'end of string'");
  await check(
    { sendInitialEvents: true },
    'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list',
  );
});
