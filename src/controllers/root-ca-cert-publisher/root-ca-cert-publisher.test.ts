import { expect, test } from 'vitest';
import { planRootCA } from './root-ca-cert-publisher.ts';

test('the certificate of the authority', () => {
  const made = planRootCA('ns', undefined, 'PEM');
  expect(made).toMatchObject({ metadata: { namespace: 'ns', name: 'kube-root-ca.crt' }, data: { 'ca.crt': 'PEM' } });
  expect(planRootCA('ns', made, 'PEM')).toBeUndefined();
  expect(planRootCA('ns', { metadata: { labels: { a: 'b' } }, data: { x: 'y' } }, 'PEM')).toMatchObject({
    metadata: { labels: { a: 'b' } },
    data: { 'ca.crt': 'PEM' },
  });
});
