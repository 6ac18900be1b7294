import { expect, test } from 'vitest';
import { createErrors, decoded } from '#testing/kind.ts';
import { podTemplates } from './pod-template.ts';
import { replicationControllers } from './replication-controller.ts';

const TEMPLATE = 'template: {metadata: {labels: {app: web}}, spec: {containers: [{name: nginx, image: nginx}]}}';

test('selector and labels are those of the template by default', () => {
  const controller = decoded(replicationControllers, `metadata: {name: web}\nspec: {${TEMPLATE}}`);
  expect(controller.metadata.labels).toEqual({ app: 'web' });
  expect(controller.spec).toMatchObject({ replicas: 1, selector: { app: 'web' } });
  expect(createErrors(replicationControllers, `metadata: {name: web}\nspec: {${TEMPLATE}}`)).toEqual([]);
});

test.each([
  ['spec: {}', ['spec.selector: Required value', 'spec.template: Required value']],
  [
    `spec: {replicas: -1, selector: {a: b}, ${TEMPLATE}}`,
    [
      'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
      'spec.template.metadata.labels: Invalid value: map[string]string{"app":"web"}: `selector` does not match template `labels`',
    ],
  ],
])('%s', (spec, errors) => {
  expect(createErrors(replicationControllers, `metadata: {name: web}\n${spec}`)).toEqual(errors);
});

test('a template by itself', () => {
  expect(createErrors(podTemplates, `metadata: {name: web}\n${TEMPLATE}`)).toEqual([]);
  expect(createErrors(podTemplates, 'metadata: {name: web}\ntemplate: {metadata: {labels: {"-": b}}}')[0]).toMatch(
    /^template\.labels: Invalid value: "-"/,
  );
  const cells = podTemplates.columns?.map(({ cell }) =>
    cell(decoded(podTemplates, `metadata: {name: web}\n${TEMPLATE}`), 0),
  );
  expect(cells).toEqual(['web', 'nginx', 'nginx', 'app=web']);
});
