import { expect, test } from 'vitest';
import { schemas } from './schemas.ts';

test('every definition can be read, with all that it refers to', () => {
  for (const name of schemas.names()) {
    const schema = schemas.lookup(name)!;
    if (schema.kind !== 'struct') continue;
    for (const [fieldName, field] of schema.fields) {
      let inner = field.schema;
      while (inner.kind === 'list' || inner.kind === 'map') inner = inner.kind === 'list' ? inner.items : inner.values;
      expect(inner?.kind, `${name} ${fieldName}`).toMatch(/^(struct|scalar)$/);
    }
  }
});

test('what a Pod is', () => {
  const pod = schemas.lookup('io.k8s.api.core.v1.Pod');
  const spec = pod?.kind === 'struct' ? pod.fields.get('spec')?.schema : undefined;
  if (pod?.kind !== 'struct' || spec?.kind !== 'struct') throw new Error('no struct');
  expect(pod.kinds).toEqual([{ group: '', version: 'v1', kind: 'Pod' }]);
  expect([...pod.fields.keys()]).toEqual(['kind', 'apiVersion', 'metadata', 'spec', 'status']);
  expect(spec.fields.get('volumes')).toMatchObject({
    patchStrategy: ['merge', 'retainKeys'],
    patchMergeKey: 'name',
    omitEmpty: true,
  });
  expect(spec.fields.get('containers')?.schema).toMatchObject({ kind: 'list', listType: 'map', mapKeys: ['name'] });
  expect(spec.fields.get('nodeSelector')?.schema).toMatchObject({ kind: 'map', mapType: 'atomic' });
  expect(spec.fields.get('restartPolicy')?.schema).toMatchObject({ enum: ['Always', 'Never', 'OnFailure'] });
  expect(schemas.lookup('io.k8s.api.core.v1.Pod')).toBe(pod);
  expect(schemas.lookup('io.k8s.api.core.v1.Podd')).toBeUndefined();
});
