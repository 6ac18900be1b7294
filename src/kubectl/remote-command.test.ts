import { expect, test } from 'vitest';
import { decodeUtf8, encodeUtf8 } from '#base/utf8.ts';
import { Channel, channelMessage } from '#transport/channels.ts';
import { duplexPair } from '#transport/http.ts';
import { kubectl } from './kubectl.ts';
import { testContext } from '#testing/kubectl-context.ts';

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'a', namespace: 'default' },
  spec: { containers: [{ name: 'web' }] },
};
const failure = (message: string, reason: string, code?: string) => ({
  status: 'Failure',
  message,
  reason,
  ...(code ? { details: { causes: [{ reason: 'ExitCode', message: code }] } } : {}),
});

/** Runs `kubectl exec -i a -- cat` against a process that echoes its input in upper case and ends as it is told. */
async function run(status: unknown) {
  const input = [encodeUtf8('one\n'), encodeUtf8('two\n')];
  let asked = '';
  const context = testContext({
    answers: {
      '/api': {
        kind: 'APIGroupDiscoveryList',
        items: [
          {
            metadata: { name: '' },
            versions: [
              {
                version: 'v1',
                resources: [
                  {
                    resource: 'pods',
                    singularResource: 'pod',
                    scope: 'Namespaced',
                    responseKind: { version: 'v1', kind: 'Pod' },
                  },
                ],
              },
            ],
          },
        ],
      },
      '/apis': { kind: 'APIGroupDiscoveryList', items: [] },
      '/api/v1/namespaces/default/pods/a': pod,
    },
    stdin: { isTerminal: false, read: async () => input.shift() },
    upgrade: (path) => {
      asked = path;
      const [socket, process] = duplexPair();
      process.onMessage((message) => {
        if (message[0] === Channel.stdin) {
          process.send(channelMessage(Channel.stdout, encodeUtf8(decodeUtf8(message.subarray(1)).toUpperCase())));
        }
        if (message[0] !== Channel.close) return;
        process.send(channelMessage(Channel.error, encodeUtf8(JSON.stringify(status))));
        process.close();
      });
      return { protocol: 'v5.channel.k8s.io', socket };
    },
  });
  const code = await kubectl(['exec', '-i', 'a', '--', 'cat', '-'], context);
  return { code, asked, ...context.printed };
}

test('exec passes input and output on and ends as the process does', async () => {
  expect(await run({ status: 'Success' })).toEqual({
    code: 0,
    asked:
      '/api/v1/namespaces/default/pods/a/exec?command=cat&command=-&container=web&stdin=true&stdout=true&stderr=true',
    stdout: 'ONE\nTWO\n',
    stderr: '',
  });
  expect(await run(failure('', 'NonZeroExitCode', '3'))).toMatchObject({
    code: 3,
    stderr: 'command terminated with exit code 3\n',
  });
  expect(await run(failure('no such container', 'InternalError'))).toMatchObject({
    code: 1,
    stderr: 'error: no such container\n',
  });
});
