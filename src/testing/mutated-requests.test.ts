import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { wire } from '#api/generated/wire.ts';
import { ProtobufReader } from '#apimachinery/protobuf.ts';
import { Rng } from '#base/rng.ts';
import { readBody } from '#transport/http.ts';
import { LiveCluster } from './live-cluster.ts';
import { MUTATION_NAMESPACE, type Mutated, MutatedRequests } from './mutated-requests.ts';

/** `MUTATIONS=100000 npx vitest run src/testing/mutated-requests.test.ts` is the long run; `SEED` chooses another one. */
const COUNT = Number(process.env['MUTATIONS'] ?? 2000);
const SEED = Number(process.env['SEED'] ?? 1);
/** What a session may keep of a request: its input record, its part of etcd's history and of the trace. */
const KEPT_BYTES = 6_000;

setFlagsFromString('--expose_gc');
const collect = runInNewContext('gc') as () => void;
const heap = () => {
  collect();
  return process.memoryUsage().heapUsed;
};

function complaint(index: number, { mutation, request, expected }: Mutated, status: number, said: string): string {
  const body = request.body ? new TextDecoder().decode(request.body).slice(0, 300) : '';
  return `#${index} ${mutation}: ${request.method} ${request.path.slice(0, 200)} ${body}\n  expected ${expected.codes.slice(0, 3)} ${expected.says ?? ''}, got ${status} ${said.slice(0, 400)}`;
}

test(`${COUNT} mutated requests get the class of answer that the mutation calls for`, {
  timeout: 3_600_000,
}, async () => {
  const live = await new LiveCluster({
    workers: 0,
    latency: 'none',
    scheduler: false,
    protobuf: new ProtobufReader(wire),
  }).start();
  await live.send('POST', '/api/v1/namespaces', { metadata: { name: MUTATION_NAMESPACE } });
  await live.run(1000);
  const mutations = new MutatedRequests(new Rng(SEED));
  const wrong: string[] = [];
  const seen = new Set<string>();
  let half = 0;
  let sent = 0;
  while (sent < COUNT) {
    for (const mutated of mutations.life()) {
      sent++;
      const answer = live.cluster.http.handle(mutated.request);
      await live.cluster.pump.run({ until: live.cluster.pump.now + 100 });
      const response = await answer;
      const said = new TextDecoder().decode(await readBody(response)) + (response.headers['warning'] ?? '');
      const { codes, says = '' } = mutated.expected;
      const isHead = mutated.request.method === 'HEAD';
      if (!codes.includes(response.status) || !(isHead || said.includes(says)))
        wrong.push(complaint(sent, mutated, response.status, said));
      seen.add(mutated.mutation);
      if (sent === COUNT >> 1) half = heap();
    }
    if (wrong.length > 20) break;
  }
  expect(wrong).toEqual([]);
  expect(seen.size).toBeGreaterThan(60);
  if (COUNT >= 20_000) expect((heap() - half) / (COUNT / 2)).toBeLessThan(KEPT_BYTES);
});
