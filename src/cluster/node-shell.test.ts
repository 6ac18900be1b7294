import { expect, test } from 'vitest';
import { LiveCluster } from '#testing/live-cluster.ts';
import { Channel, channelMessage } from '#transport/channels.ts';
import { readBody } from '#transport/http.ts';

/** Logs in at a node; in time what was printed, and the status at the end. */
async function open(live: LiveCluster, node: string, command: readonly string[], input?: string) {
  const words = command.map((word) => `&command=${encodeURIComponent(word)}`).join('');
  const answer = await live.until(
    live.cluster.http.upgrade({
      method: 'GET',
      path: `/tabernetes/nodes/${node}/exec?stdin=${input === undefined ? 0 : 1}${words}`,
      headers: { 'sec-websocket-protocol': 'v5.channel.k8s.io' },
    }),
  );
  if (!('socket' in answer))
    return { ended: readBody(answer).then((body) => `${answer.status} ${new TextDecoder().decode(body)}`) };
  const { socket } = answer;
  let said = '';
  const ended = new Promise<string>((resolve) => {
    socket.onMessage((message) => {
      const text = new TextDecoder().decode(message.subarray(1));
      said += message[0] === Channel.error ? `[${/"message":"(\d+)"/.exec(text)?.[1] ?? '0'}]` : text;
    });
    socket.onClose((code) => resolve(code === 1000 ? said : `${said}closed ${code}`));
  });
  if (input !== undefined) {
    socket.send(channelMessage(Channel.stdin, new TextEncoder().encode(input)));
    socket.send(Uint8Array.of(Channel.close, Channel.stdin));
  }
  return { ended };
}

async function login(live: LiveCluster, ...rest: [node: string, command: readonly string[], input?: string]) {
  return live.until((await open(live, ...rest)).ended);
}

test('a shell on a node: its own name, home, network and exit codes', async () => {
  const live = await new LiveCluster({ workers: 2, controlPlaneNode: true }).start();
  expect(await login(live, 'node-1', ['sh', '-c', 'hostname; pwd; whoami; cat; exit 3'], 'in\n')).toBe(
    'node-1\n/root\nroot\nin\n[3]',
  );
  await live.send('POST', '/api/v1/namespaces/default/pods', {
    metadata: { name: 'web' },
    spec: { nodeName: 'node-2', containers: [{ name: 'main', image: 'nginx' }] },
  });
  await live.run(30_000);
  const pod = await live.send<{ status: { podIP: string } }>('GET', '/api/v1/namespaces/default/pods/web');
  expect(await login(live, 'control-plane', ['curl', '-s', `http://${pod.status.podIP}`])).toContain(
    'Welcome to nginx',
  );
  expect(await login(live, 'node-1', ['ping', '-c', '1', 'node-2'])).toContain('1 packets received');
});

test('nodes that cannot be reached refuse a login as ssh tells it', async () => {
  const live = await new LiveCluster({ workers: 2, controlPlaneNode: true }).start();
  const set = (target: string, state: string) => live.until(live.cluster.faults.set(target, state));
  expect(await login(live, 'node-9', ['true'])).toBe('404 Name or service not known');
  const cut = await open(live, 'node-1', ['sleep', '1000']);
  await live.run(1000);
  await set('nodes/node-1', 'unplugged');
  expect(await live.until(cut.ended)).toBe('closed 1006');
  expect(await login(live, 'node-1', ['true'])).toBe('503 Connection timed out');
  const session = await open(live, 'node-2', ['sleep', '1000']);
  await live.run(1000);
  await set('nodes/node-2', 'off');
  expect(await live.until(session.ended)).toBe('closed 1006');
  expect(await login(live, 'node-2', ['true'])).toBe('503 No route to host');
});
