import { expect, test } from 'vitest';
import type { Authorizer } from './authorization.ts';
import { impersonated } from './impersonation.ts';

const caller = { name: 'admin', groups: ['system:masters'] };

test('who is impersonated: each group is a line of the header, commas included', () => {
  const asked: string[] = [];
  const authorizer: Pick<Authorizer, 'authorize'> = {
    authorize: ({ resource, name }) => {
      asked.push(`${resource}/${name}`);
      return { allowed: true, reason: '' };
    },
  };
  const headers = { 'impersonate-user': 'user1', 'impersonate-group': 'group2\n,,,chameleon' };
  expect(impersonated(caller, headers, '/api', authorizer)).toEqual({
    name: 'user1',
    groups: ['group2', ',,,chameleon', 'system:authenticated'],
  });
  expect(asked).toEqual(['users/user1', 'groups/group2', 'groups/,,,chameleon']);
  expect(() => impersonated(caller, { 'impersonate-group': 'foo' }, '/api', authorizer)).toThrow(
    'requested [foo] without impersonating a user',
  );
});
