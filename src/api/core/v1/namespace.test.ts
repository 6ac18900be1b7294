import { expect, test } from 'vitest';
import type { Namespace } from '../../generated/types.ts';
import { namespaces } from './namespace.ts';

const make = (fields: Partial<Namespace>): Namespace => ({ metadata: { name: 'team' }, spec: {}, ...fields });
const created = make({
  metadata: { name: 'team', labels: { 'kubernetes.io/metadata.name': 'team' } },
  spec: { finalizers: ['kubernetes'] },
  status: { phase: 'Active' },
});

test('a new namespace gets its label, finalizer and phase', () => {
  const check = (given: Namespace, expected: Namespace) => {
    const defaulted = namespaces.defaults?.(given) as Namespace;
    expect(namespaces.strategy?.prepareForCreate?.(defaulted, { now: 0 })).toEqual(expected);
  };
  check({ metadata: { name: 'team' } } as Namespace, created);
  check(make({ status: { phase: 'Terminating' } }), created);
  check(make({ spec: { finalizers: ['a/b'] } }), { ...created, spec: { finalizers: ['a/b', 'kubernetes'] } });
  expect(namespaces.defaults?.(created)).toBe(created);
});

test('names and finalizers are validated', () => {
  const check = (name: string, valid: boolean) =>
    expect(namespaces.validateName?.(name, false) ?? []).toHaveLength(valid ? 0 : 1);
  check('team-1', true);
  check('team.a', false);
  expect(namespaces.validate?.(make({ spec: { finalizers: ['kubernetes', 'mine'] } }))).toEqual([
    {
      type: 'Invalid',
      field: 'spec.finalizers',
      text: 'Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
    },
  ]);
});

test('the phase follows the deletion', () => {
  const check = (deleted: boolean, phase: string, ...texts: string[]) => {
    const metadata = { name: 'team', ...(deleted ? { deletionTimestamp: '2025-01-01T00:00:00Z' } : {}) };
    const errors = namespaces.subresources?.status?.validateUpdate(make({ metadata, status: { phase } }), created);
    expect(errors?.map(({ field, text }) => `${field}: ${text}`)).toEqual(texts);
  };
  check(false, 'Active');
  check(true, 'Terminating');
  check(
    false,
    'Terminating',
    'status.Phase: Invalid value: "Terminating": may only be \'Active\' if `deletionTimestamp` is empty',
  );
  check(
    true,
    'Active',
    'status.Phase: Invalid value: "Active": may only be \'Terminating\' if `deletionTimestamp` is not empty',
  );
});

test('an update keeps what its endpoint may not change', () => {
  const next = make({ spec: { finalizers: [] }, status: { phase: 'Gone' } });
  expect(namespaces.strategy?.prepareForUpdate?.(next, created, { now: 0 })).toMatchObject({
    spec: created.spec,
    status: created.status,
  });
  expect(namespaces.subresources?.finalize?.prepareForUpdate(next, created, { now: 0 })).toMatchObject({
    spec: { finalizers: [] },
    status: created.status,
  });
  expect(namespaces.strategy?.holdsDeletion?.(created)).toBe(true);
  expect(namespaces.strategy?.holdsDeletion?.(next)).toBe(false);
});
