import { expect, test } from 'vitest';
import { bodyStream, duplexPair, type HttpResponse, type HttpServer, readBody } from './http.ts';
import { connectPort, type Port, servePort } from './port.ts';

function pair(): [Port, Port] {
  const ends = [0, 1].map(() => ({ onmessage: null as Port['onmessage'], postMessage: (_: unknown) => {} }));
  ends.forEach((end, i) => {
    end.postMessage = (message) => queueMicrotask(() => ends[1 - i]?.onmessage?.({ data: structuredClone(message) }));
  });
  return ends as unknown as [Port, Port];
}

const text = (value: string) => new TextEncoder().encode(value);

test('plain answers, streams, cancelling and upgrades cross a port', async () => {
  let cancelled = false;
  const [near, far] = duplexPair();
  const server: HttpServer = {
    handle: async (request): Promise<HttpResponse> => {
      if (request.path === '/plain') return { status: 201, headers: { a: 'b' }, body: request.body ?? text('none') };
      if (request.path === '/fails') throw new Error('no');
      const { stream, push, end } = bodyStream(() => {
        cancelled = true;
      });
      push(text('one'));
      queueMicrotask(() => {
        push(text(' two'));
        if (request.path === '/stream') end();
      });
      return { status: 200, headers: {}, body: stream };
    },
    upgrade: async () => ({ protocol: 'p', socket: near }),
  };
  const [a, b] = pair();
  servePort(b, server);
  const client = connectPort(a);
  const get = (path: string) => ({ method: 'GET', path, headers: {} });
  const plain = await client.handle({ ...get('/plain'), body: text('hi') });
  expect([plain.status, plain.headers, new TextDecoder().decode(await readBody(plain))]).toEqual([
    201,
    { a: 'b' },
    'hi',
  ]);
  expect(new TextDecoder().decode(await readBody(await client.handle(get('/stream'))))).toBe('one two');
  await expect(client.handle(get('/fails'))).rejects.toThrow('no');

  const endless = await client.handle(get('/endless'));
  if (!(endless.body instanceof Uint8Array)) endless.body.cancel();
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(cancelled).toBe(true);

  far.onMessage((message) => far.send(text(`echo ${new TextDecoder().decode(message)}`)));
  const upgraded = await client.upgrade(get('/exec'));
  if (!('socket' in upgraded)) throw new Error('not upgraded');
  const answer = new Promise<string>((resolve) =>
    upgraded.socket.onMessage((message) => resolve(new TextDecoder().decode(message))),
  );
  upgraded.socket.send(text('hello'));
  expect(await answer).toBe('echo hello');
  const closed = new Promise((resolve) => upgraded.socket.onClose((code) => resolve(code)));
  far.close(1000, 'bye');
  expect(await closed).toBe(1000);

  client.fail(new Error('the worker died'));
  await expect(client.handle(get('/plain'))).rejects.toThrow('the worker died');
});
