import { expect, test } from 'vitest';
import { catalogues } from './catalogues.ts';
import { translate } from './translate.ts';

const parameters = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

test('every language has the same keys, in the same order, with the same parameters', () => {
  const keys = Object.keys(catalogues.en);
  for (const catalogue of Object.values(catalogues)) {
    expect(Object.keys(catalogue)).toEqual(keys);
    for (const key of keys as (keyof typeof catalogue)[]) {
      expect([key, parameters(catalogue[key])]).toEqual([key, parameters(catalogues.en[key])]);
      expect([key, catalogue[key].trim()]).toEqual([key, catalogue[key]]);
      expect(catalogue[key]).not.toBe('');
    }
  }
});

test('values are put in their places', () => {
  expect(translate('en')('pods.count', { count: 3 })).toBe('3 Pods');
  expect(translate('zh')('pane.graph')).toBe('集群图');
});
