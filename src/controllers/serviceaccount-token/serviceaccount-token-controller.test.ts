import { expect, test } from 'vitest';
import { fillTokenSecret, isIncomplete } from './serviceaccount-token-controller.ts';

test('a token secret keeps its token', () => {
  const empty = { metadata: { namespace: 'ns', name: 's' } };
  const account = { metadata: { name: 'robot', uid: 'u' } };
  expect(isIncomplete(empty, 'PEM')).toBe(true);
  const filled = fillTokenSecret(empty, account, 'PEM', () => 'secret');
  expect(filled.metadata.annotations).toEqual({
    'kubernetes.io/service-account.name': 'robot',
    'kubernetes.io/service-account.uid': 'u',
  });
  expect([isIncomplete(filled, 'PEM'), isIncomplete(filled, 'NEW')]).toEqual([false, true]);
  expect(fillTokenSecret(filled, account, 'NEW', () => 'another').data?.['token']).toBe(filled.data?.['token']);
});
