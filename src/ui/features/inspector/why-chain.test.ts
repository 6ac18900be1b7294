import { beforeAll, expect, test } from 'vitest';
import { LiveCluster } from '#testing/live-cluster.ts';
import { PODS, type ResourceType } from '../../cluster-store/kube-object.ts';
import { translate } from '../../i18n/translate.ts';
import { lifeOf, recordedChain, recordedChanges } from './use-why.ts';
import { actSentence, headline, plainText, reasonSentence } from './why-sentences.ts';

const live = new LiveCluster();
const { tracer } = live.cluster;
const control = {
  revisions: async (key: string) => live.cluster.revisions(key),
  ancestry: async (id: number, limit?: number) => tracer.ancestry(id, limit),
};
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const POD_PATH = '/api/v1/namespaces/default/pods';
const REPLICA_SETS: ResourceType = {
  group: 'apps',
  version: 'v1',
  plural: 'replicasets',
  kind: 'ReplicaSet',
  namespaced: true,
};
interface Named {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
}
const t = translate('en');
const names = async () =>
  (await live.send<{ readonly items: readonly Named[] }>('GET', POD_PATH)).items
    .filter(({ metadata }) => !metadata.deletionTimestamp)
    .map(({ metadata }) => metadata.name);
const chainOf = async (name: string, resource = PODS, at = 0) =>
  recordedChain(control, (await lifeOf(control, resource, 'default', name)).at(at)?.span ?? 0);
/** Names that a seed makes, by what they are. */
const known = (text: string) => text.replaceAll(/web-[0-9a-f]+-\w{5}/g, 'POD').replaceAll(/web-[0-9a-f]{8,}/g, 'RS');
const told = (sentence: string) => known(plainText(sentence));

beforeAll(async () => {
  await live.start();
  await live.send('POST', DEPLOYMENTS, {
    metadata: { name: 'web' },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'nginx', image: 'nginx' }] } },
    },
  });
  await live.run(8_000);
});

test("a Deployment's Pod leads to the ReplicaSet controller's decision and on to the command", async () => {
  const [pod = ''] = await names();
  const chain = await chainOf(pod);
  expect(chain.map((act) => [told(actSentence(t, act)), told(reasonSentence(t, act))])).toEqual([
    ['The ReplicaSet controller created Pod POD.', 'ReplicaSet RS wanted 3 Pods and had 0.'],
    [
      'The Deployment controller created ReplicaSet RS.',
      'Deployment web has a Pod template for which there was no ReplicaSet.',
    ],
    ['You (with kubectl) created Deployment web.', ''],
  ]);
  expect(chain[0]?.spans.map(({ kind }) => kind)).toEqual([
    'delivery',
    'take',
    'reconcile',
    'decision',
    'request',
    'write',
  ]);
  expect(chain.at(-1)?.spans.map(({ kind }) => kind)).toEqual(['input', 'request', 'write']);
  expect(told(headline(translate('zh'), chain))).toBe(
    'ReplicaSet 控制器创建了 Pod POD。ReplicaSet RS 需要 3 个 Pod，当时有 0 个。最初的起因：您（通过 kubectl）创建了 Deployment web。',
  );
});

test('a Pod that replaces one leads to the deletion of that one', async () => {
  const before = await names();
  await live.send('DELETE', `${POD_PATH}/${before[0]}`);
  await live.run(3_000);
  const fresh = (await names()).find((name) => !before.includes(name)) ?? '';
  expect(told(headline(t, await chainOf(fresh)))).toBe(
    'The ReplicaSet controller created Pod POD. ReplicaSet RS wanted 3 Pods and had 2. It began with this: ' +
      'You (with kubectl) deleted Pod POD, which may take its grace period to go.',
  );
});

test('each revision says who made it', async () => {
  const [pod = ''] = await names();
  const changes = await recordedChanges(control, await lifeOf(control, PODS, 'default', pod));
  const said = changes.map(({ act }) => told(actSentence(t, act)));
  expect(said[0]).toBe('The ReplicaSet controller created Pod POD.');
  expect(said[1]).toMatch(/^kube-scheduler chose Node node-\d for Pod POD\.$/);
  expect(said.at(-1)).toMatch(/^The kubelet of node-\d reported that Pod POD is ready\.$/);
});

test('a scaled ReplicaSet leads to what the person changed', async () => {
  await live.send('PATCH', `${DEPLOYMENTS}/web/scale`, { spec: { replicas: 5 } });
  await live.run(1_000);
  const { items } = await live.send<{ readonly items: readonly Named[] }>(
    'GET',
    DEPLOYMENTS.replace('deployments', 'replicasets'),
  );
  const name = items[0]?.metadata.name ?? '';
  const life = await lifeOf(control, REPLICA_SETS, 'default', name);
  const changes = await recordedChanges(control, life);
  const scaled = changes.find(({ act }) => act.change.type === 'scaled');
  expect(told(headline(t, await recordedChain(control, scaled?.revision.span ?? 0)))).toBe(
    'The Deployment controller scaled ReplicaSet RS from 3 to 5. It was looking after Deployment web. ' +
      'It began with this: You (with kubectl) scaled Deployment web from 3 to 5.',
  );
});
