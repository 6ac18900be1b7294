import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { FaultError } from '#cluster/faults.ts';
import { ConnectionError } from '#kubectl/errors.ts';
import { bodyStream, type HttpServer, readBody } from '#transport/http.ts';
import { FAULTS_PATH, faultServer } from './fault-server.ts';
import { httpClient } from './http-client.ts';
import { Listener } from './http-listener.ts';

const text = (body: string) => ({ status: 200, headers: {}, body: new TextEncoder().encode(body) });
const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function listen(server: HttpServer) {
  const listener = await Listener.open(server, 0);
  const client = httpClient({ server: `http://127.0.0.1:${listener.port}` });
  open.push(listener, client);
  return { listener, client };
}

test('a closed listener refuses connections, and opens again on its port', async () => {
  const { listener, client } = await listen({ handle: async () => text('here'), upgrade: async () => text('') });
  const ask = async () =>
    new TextDecoder().decode(await readBody(await client.handle({ method: 'GET', path: '/', headers: {} })));
  expect(await ask()).toBe('here');
  const { port } = listener;
  await listener.close();
  await expect(ask()).rejects.toThrow(new ConnectionError(`127.0.0.1:${port}`, 'refused').message);
  await listener.reopen();
  expect([await ask(), listener.port]).toEqual(['here', port]);
});

test('each value of a header for impersonation counts, commas or not', async () => {
  const { client } = await listen({
    handle: async ({ headers }) => text(JSON.stringify(headers['impersonate-group'])),
    upgrade: async () => text(''),
  });
  const headers = { 'impersonate-user': 'user1', 'impersonate-group': 'group2\n,,,chameleon' };
  const answer = await readBody(await client.handle({ method: 'GET', path: '/', headers }));
  expect(JSON.parse(new TextDecoder().decode(answer))).toBe(headers['impersonate-group']);
});

test('faults are listed and set over HTTP; a page of a browser is turned away', async () => {
  let state = 'running';
  let settled = 0;
  const faults = {
    list: () => [{ target: 'etcd', state, states: ['running', 'stopped'] }],
    set: async (target: string, wanted: string) => {
      if (target !== 'etcd') throw new FaultError(`there is no "${target}"`);
      state = wanted;
    },
  } as unknown as Parameters<typeof faultServer>[0];
  const { client } = await listen(faultServer(faults, async () => void settled++));
  const send = async (method: string, body?: unknown, headers = {}) => {
    const request = { method, path: FAULTS_PATH, headers };
    const response = await client.handle({
      ...request,
      ...(body ? { body: new TextEncoder().encode(JSON.stringify(body)) } : {}),
    });
    return [response.status, JSON.parse(new TextDecoder().decode(await readBody(response)))];
  };
  const etcd = (now: string) => [{ target: 'etcd', state: now, states: ['running', 'stopped'] }];
  expect(await send('GET')).toEqual([200, etcd('running')]);
  expect(await send('PUT', { target: 'etcd', state: 'stopped' })).toEqual([200, etcd('stopped')]);
  expect(await send('PUT', { target: 'x', state: 'stopped' })).toEqual([409, { message: 'there is no "x"' }]);
  expect((await send('PUT', { target: 'etcd', state: 'running' }, { origin: 'http://evil' }))[0]).toBe(403);
  expect([state, settled]).toEqual(['stopped', 1]);
});

test('who reads a watch too slowly is dropped, and who reads it is not', async () => {
  const streams: ReturnType<typeof bodyStream>[] = [];
  let cancelled = 0;
  const { listener } = await listen({
    handle: async () => {
      const stream = bodyStream(() => cancelled++);
      streams.push(stream);
      return { status: 200, headers: {}, body: stream.stream };
    },
    upgrade: async () => text(''),
  });
  const watch = async (reads: boolean) => {
    const socket = connect(listener.port, '127.0.0.1');
    open.push({ close: () => socket.destroy() });
    socket.on('error', () => {});
    if (reads) socket.resume();
    const count = streams.length;
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await expect.poll(() => streams.length).toBe(count + 1);
  };
  await watch(true);
  await watch(false);
  const [read, unread] = streams;
  for (let sent = 0; sent < 40 && cancelled === 0; sent++) {
    for (const stream of [read, unread]) stream?.push(new Uint8Array(1 << 20));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await expect.poll(() => cancelled).toBe(1);
});
