import { expect, test } from 'vitest';
import { mutatingWebhookConfigurations } from '#api/admissionregistration/v1/mutating-webhook-configuration.ts';
import { validatingWebhookConfigurations } from '#api/admissionregistration/v1/validating-webhook-configuration.ts';
import { configMaps } from '#api/core/v1/config-map.ts';
import type { ConfigMap, MutatingWebhook } from '#api/generated/types.ts';
import type { JsonValue } from '#apimachinery/json.ts';
import { encodeBase64 } from '#base/base64.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import { TestApi } from '#testing/test-api.ts';
import {
  mutatingAdmissionWebhook,
  validatingAdmissionWebhook,
  type WebhookCall,
  type WebhookOptions,
} from './webhooks.ts';

type Review = { readonly request: Readonly<Record<string, JsonValue>> & { readonly object: ConfigMap } };

/** A server whose webhooks answer with what `answer` says; an Error is one of the network. */
function server(answer: (name: string, review: Review) => object | Error | string) {
  const calls: WebhookCall[] = [];
  const options: WebhookOptions = {
    expressions: () => undefined,
    async call(call, context) {
      await context.sleep(5);
      calls.push(call);
      const review = JSON.parse(call.body) as Review;
      const said = answer(call.client.service?.name ?? '', review);
      if (said instanceof Error) throw said;
      if (typeof said === 'string') return { status: 500, body: said };
      const response = { uid: review.request.uid, ...said };
      return {
        status: 200,
        body: JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response }),
      };
    },
  };
  const api = new TestApi('none', false, {
    admission: [mutatingAdmissionWebhook(options), validatingAdmissionWebhook(options)],
  });
  return { api, calls };
}
const hook = (name: string, more: Partial<MutatingWebhook> = {}): MutatingWebhook => ({
  name: `${name}.example.com`,
  clientConfig: { service: { namespace: 'default', name, path: '/check' } },
  rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'] }],
  admissionReviewVersions: ['v1'],
  sideEffects: 'None',
  ...more,
});
const map = (name = 'm', data = {}): ConfigMap => ({ metadata: { name, namespace: 'default' }, data });
const patch = (...operations: object[]) => ({
  allowed: true,
  patchType: 'JSONPatch',
  patch: encodeBase64(encodeUtf8(JSON.stringify(operations))),
});

test('what a validating webhook says', async () => {
  const check = async (
    said: object | Error | string,
    message: string | undefined,
    more: Partial<MutatingWebhook> = {},
    dryRun = false,
  ) => {
    const { api, calls } = server(() => said);
    await api.do((client) =>
      client.create(validatingWebhookConfigurations, { metadata: { name: 'v' }, webhooks: [hook('v', more)] as never }),
    );
    const work = api.do((client) => client.create(configMaps, map(), { dryRun }));
    if (message === undefined) await work;
    else await expect(work).rejects.toMatchObject({ message });
    return calls;
  };
  const [call] = await check({ allowed: true }, undefined);
  expect(call?.url).toBe('https://v.default.svc:443/check?timeout=10s');
  expect(JSON.parse(call?.body ?? '')).toMatchObject({
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      operation: 'CREATE',
      name: 'm',
      namespace: 'default',
      kind: { kind: 'ConfigMap', version: 'v1', group: '' },
      resource: { resource: 'configmaps' },
      userInfo: { username: 'test' },
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions' },
      object: { metadata: { name: 'm' } },
    },
  });
  await check({ allowed: false }, 'admission webhook "v.example.com" denied the request without explanation');
  await check(
    { allowed: false, status: { message: 'no' } },
    'admission webhook "v.example.com" denied the request: no',
  );
  const head = 'Internal error occurred: failed calling webhook "v.example.com": ';
  const refused = new Error('dial tcp 10.0.0.1:443: connect: connection refused');
  await check(
    refused,
    `${head}failed to call webhook: Post "https://v.default.svc:443/check?timeout=10s": ${refused.message}`,
  );
  await check(refused, undefined, { failurePolicy: 'Ignore' });
  await check(
    'oops',
    `${head}failed to call webhook: an error on the server ("oops") has prevented the request from succeeding`,
  );
  await check(
    { allowed: true, uid: 'x' },
    expect.stringMatching(/received invalid webhook response: expected response\.uid=".*", got "x"$/) as never,
  );
  await check(
    patch({ op: 'remove', path: '/data' }),
    `${head}received invalid webhook response: validating webhook may not return response.patch`,
  );
  await check(
    { allowed: true },
    'admission webhook "v.example.com" does not support dry run',
    { sideEffects: 'Some' },
    true,
  );
  expect(await check({ allowed: false }, undefined, { namespaceSelector: { matchLabels: { a: 'b' } } })).toEqual([]);
  expect(await check({ allowed: false }, undefined, { objectSelector: { matchLabels: { a: 'b' } } })).toEqual([]);
  expect(
    await check({ allowed: false }, undefined, { rules: [{ ...hook('v').rules?.[0], operations: ['DELETE'] }] }),
  ).toEqual([]);
});

test('mutating webhooks change the object, and are asked again when a later one does', async () => {
  const { api, calls } = server((name, { request: { object } }) => {
    const key = `/data/${name}`;
    return object.data?.[name]
      ? { allowed: true }
      : patch({ op: 'add', path: key, value: String(Object.keys(object.data ?? {}).length) });
  });
  const webhooks = [hook('one', { reinvocationPolicy: 'IfNeeded' }), hook('two')];
  await api.do((client) => client.create(mutatingWebhookConfigurations, { metadata: { name: 'm' }, webhooks }));
  const made = await api.do((client) => client.create(configMaps, map('m', { own: 'x' })));
  expect(made.data).toEqual({ own: 'x', one: '1', two: '2' });
  expect(calls.map(({ client }) => client.service?.name)).toEqual(['one', 'two', 'one']);
});

test('a patch that does not apply', async () => {
  const { api } = server(() => patch({ op: 'remove', path: '/nowhere' }));
  await api.do((client) =>
    client.create(mutatingWebhookConfigurations, { metadata: { name: 'm' }, webhooks: [hook('one')] }),
  );
  await expect(api.do((client) => client.create(configMaps, map()))).rejects.toMatchObject({ code: 500 });
});
