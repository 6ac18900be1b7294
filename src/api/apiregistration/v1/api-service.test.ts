import { expect, test } from 'vitest';
import { createErrors, prepared } from '#testing/kind.ts';
import { apiServices } from './api-service.ts';

const check = (name: string, spec: string, ...errors: readonly string[]) =>
  expect(createErrors(apiServices, `{metadata: {name: ${name}}, spec: ${spec}}`)).toEqual(errors);

test('API services', () => {
  const good = 'group: example.com, version: v1, groupPriorityMinimum: 1000, versionPriority: 15';
  check('v1.example.com', `{${good}}`);
  check(
    'v2.example.com',
    `{${good}}`,
    'metadata.name: Invalid value: "v2.example.com": must be `spec.version+"."+spec.group`: "v1.example.com"',
  );
  check('v1.example.com', `{${good}, service: {name: s}}`, 'spec.service.namespace: Required value');
  check(
    'v1.example.com',
    '{group: example.com, version: v1, groupPriorityMinimum: 0, versionPriority: 1001}',
    'spec.groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000',
    'spec.versionPriority: Invalid value: 1001: must be positive and less than 1000',
  );
  expect(
    prepared(apiServices, `{metadata: {name: v1.example.com}, spec: {${good}}}`).status?.conditions?.[0],
  ).toMatchObject({ type: 'Available', status: 'True', reason: 'Local' });
});
