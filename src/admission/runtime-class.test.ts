import { expect, test } from 'vitest';
import { pods } from '#api/core/v1/pod.ts';
import { runtimeClasses } from '#api/node/v1/runtime-class.ts';
import type { PodSpec } from '#api/generated/types.ts';
import { decoded } from '#testing/kind.ts';
import { TestApi } from '#testing/test-api.ts';
import { runtimeClass } from './runtime-class.ts';

const CLASSES = [
  'metadata: {name: plain}\nhandler: runc',
  `metadata: {name: heavy}
handler: kata
overhead: {podFixed: {cpu: 100m}}
scheduling:
  nodeSelector: {kata: "yes"}
  tolerations: [{key: kata, operator: Exists}, {key: mine, operator: Equal, value: a, effect: NoSchedule}]`,
];

async function specOf(spec: string): Promise<PodSpec> {
  const api = new TestApi('none', false, { admission: [runtimeClass] });
  return api.do(async (client) => {
    for (const one of CLASSES) await client.create(runtimeClasses, decoded(runtimeClasses, one));
    const manifest = `metadata: {name: web, namespace: default}\nspec: {containers: [{name: a, image: b}], ${spec}}`;
    return (await client.create(pods, decoded(pods, manifest))).spec;
  });
}

test('a Pod gets what its class says', async () => {
  expect(await specOf('runtimeClassName: plain, nodeSelector: {a: b}')).toMatchObject({ nodeSelector: { a: 'b' } });
  const spec = await specOf(
    'runtimeClassName: heavy, nodeSelector: {a: b}, tolerations: [{key: mine, operator: Exists}, {key: kata, operator: Equal, value: x, effect: NoExecute}]',
  );
  expect(spec.overhead).toEqual({ cpu: '100m' });
  expect(spec.nodeSelector).toEqual({ a: 'b', kata: 'yes' });
  expect(spec.tolerations).toEqual([
    { key: 'mine', operator: 'Exists' },
    { key: 'kata', operator: 'Exists' },
  ]);
});

test('what a Pod is refused for', async () => {
  const check = (spec: string, why: string) =>
    expect(specOf(spec)).rejects.toMatchObject({ code: 403, message: `pods "web" is forbidden: ${why}` });
  const differs = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";
  const without = 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead';
  await check('runtimeClassName: none', 'pod rejected: RuntimeClass "none" not found');
  await check('runtimeClassName: heavy, overhead: {cpu: 1}', differs);
  await check('runtimeClassName: plain, overhead: {cpu: 1}', without);
  await check('overhead: {cpu: 1}', without);
  await check(
    'runtimeClassName: heavy, nodeSelector: {kata: "no"}',
    'conflict: runtimeClass.scheduling.nodeSelector[kata] = yes; pod.spec.nodeSelector[kata] = no',
  );
});
