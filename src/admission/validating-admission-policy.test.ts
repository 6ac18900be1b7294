import { expect, test } from 'vitest';
import { validatingAdmissionPolicies } from '#api/admissionregistration/v1/validating-admission-policy.ts';
import { validatingAdmissionPolicyBindings } from '#api/admissionregistration/v1/validating-admission-policy-binding.ts';
import { deployments } from '#api/apps/v1/deployment.ts';
import { configMaps } from '#api/core/v1/config-map.ts';
import type { ValidatingAdmissionPolicyBindingSpec, ValidatingAdmissionPolicySpec } from '#api/generated/types.ts';
import { CelAdmission } from '#apiserver/cel-admission.ts';
import { decoded } from '#testing/kind.ts';
import { TestApi } from '#testing/test-api.ts';
import { validatingAdmissionPolicy } from './validating-admission-policy.ts';

const cel = new CelAdmission();
const deployment = (replicas: number) =>
  decoded(
    deployments,
    `metadata: {name: web, namespace: default, labels: {env: test}}
spec: {replicas: ${replicas}, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: x}]}}}`,
  );
const RULES = [
  { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['deployments'] },
];

/** The refusal, or nothing, and the warnings of making a Deployment of eight under a policy. */
async function outcome(
  spec: ValidatingAdmissionPolicySpec,
  bound: ValidatingAdmissionPolicyBindingSpec = {},
  prepare?: (api: TestApi) => Promise<unknown>,
) {
  const api = new TestApi('none', false, { admission: [validatingAdmissionPolicy(() => cel)] });
  const warnings: string[] = [];
  await api.do(async (client) => {
    await client.create(validatingAdmissionPolicies, {
      metadata: { name: 'p' },
      spec: { matchConstraints: { resourceRules: RULES }, ...spec },
    });
    await client.create(validatingAdmissionPolicyBindings, {
      metadata: { name: 'b' },
      spec: { policyName: 'p', validationActions: ['Deny'], ...bound },
    });
  });
  await prepare?.(api);
  const request = {
    verb: 'create',
    group: 'apps',
    version: 'v1',
    resource: 'deployments',
    namespace: 'default',
    object: deployment(8),
    options: {},
    user: { name: 'ann', groups: [] },
    userAgent: 't',
    cause: 0,
    warn: (text: string) => void warnings.push(text),
  } as const;
  const refusal = await api
    .do(() => api.backend.request(request))
    .then(
      () => undefined,
      (error: unknown) => error as { readonly code: number; readonly reason: string; readonly message: string },
    );
  return { refusal, warnings };
}
const HEAD = `deployments.apps "web" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: `;

test('validations', async () => {
  const check = async (
    spec: ValidatingAdmissionPolicySpec,
    message: string | undefined,
    reason = 'Invalid',
    code = 422,
  ) => {
    const { refusal } = await outcome(spec);
    if (message === undefined) return expect(refusal).toBeUndefined();
    return expect(refusal).toMatchObject({ message: HEAD + message, reason, code });
  };
  const max = 'object.spec.replicas <= 5';
  await check({ validations: [{ expression: max }] }, `failed expression: ${max}`);
  await check({ validations: [{ expression: 'object.spec.replicas <= 8' }] }, undefined);
  await check(
    { validations: [{ expression: max, message: 'too many', reason: 'Forbidden' }] },
    'too many',
    'Forbidden',
    403,
  );
  await check(
    { validations: [{ expression: max, message: 'm', messageExpression: '"have " + string(object.spec.replicas)' }] },
    'have 8',
  );
  await check(
    { validations: [{ expression: 'object.metadata.labels.nope == "x"' }] },
    `expression 'object.metadata.labels.nope == "x"' resulted in error: no such key: nope`,
  );
  await check(
    { failurePolicy: 'Ignore', validations: [{ expression: 'object.metadata.labels.nope == "x"' }] },
    undefined,
  );
  await check(
    {
      variables: [
        { name: 'n', expression: 'object.spec.replicas' },
        { name: 'twice', expression: 'variables.n * 2' },
      ],
      validations: [{ expression: 'variables.twice == 15' }],
    },
    'failed expression: variables.twice == 15',
  );
  await check(
    { validations: [{ expression: 'request.userInfo.username != "ann" || request.operation != "CREATE"' }] },
    'failed expression: request.userInfo.username != "ann" || request.operation != "CREATE"',
  );
  await check(
    { validations: [{ expression: 'namespaceObject.metadata.name != "default"' }] },
    'failed expression: namespaceObject.metadata.name != "default"',
  );
  await check(
    { validations: [{ expression: 'oldObject != null || has(object.spec.paused)' }] },
    'failed expression: oldObject != null || has(object.spec.paused)',
  );
  await check(
    { matchConditions: [{ name: 'c', expression: 'object.spec.replicas > 100' }], validations: [{ expression: max }] },
    undefined,
  );
});

test('what bindings say', async () => {
  const validations = [{ expression: 'object.spec.replicas <= int(params.data.max)' }];
  const paramKind = { apiVersion: 'v1', kind: 'ConfigMap' };
  const paramRef = { name: 'limits', parameterNotFoundAction: 'Deny' };
  const limits = (max: string) => (api: TestApi) =>
    api.do((client) =>
      client.create(configMaps, { metadata: { name: 'limits', namespace: 'default' }, data: { max } }),
    );
  expect((await outcome({ paramKind, validations }, { paramRef }, limits('9'))).refusal).toBeUndefined();
  expect((await outcome({ paramKind, validations }, { paramRef }, limits('7'))).refusal?.message).toBe(
    `${HEAD}failed expression: ${validations[0]?.expression}`,
  );
  expect((await outcome({ paramKind, validations }, { paramRef })).refusal?.message).toBe(
    `${HEAD}failed to configure binding: no params found for policy binding with \`Deny\` parameterNotFoundAction`,
  );
  const bad = { validations: [{ expression: 'false', message: 'no' }] };
  expect(await outcome(bad, { validationActions: ['Warn', 'Audit'] })).toEqual({
    refusal: undefined,
    warnings: [`Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': no`],
  });
  expect(
    (await outcome(bad, { matchResources: { objectSelector: { matchLabels: { env: 'prod' } } } })).refusal,
  ).toBeUndefined();
  expect(
    (await outcome(bad, { matchResources: { objectSelector: { matchLabels: { env: 'test' } } } })).refusal?.message,
  ).toBe(`${HEAD}no`);
});
