import { expect, test } from 'vitest';
import type { PriorityClass } from '../../generated/types.ts';
import { priorityClasses, systemPriorityClasses } from './priority-class.ts';

const make = (name: string, value: number, fields: Partial<PriorityClass> = {}): PriorityClass => ({
  metadata: { name },
  value,
  ...fields,
});

test('system classes are the system’s own', () => {
  const check = (priorityClass: PriorityClass, ...errors: string[]) =>
    expect(priorityClasses.validate?.(priorityClass).map(({ field, text }) => `${field}: ${text}`)).toEqual(errors);
  for (const system of systemPriorityClasses) check(system);
  check(make('high', 1_000_000_000, { preemptionPolicy: 'Never' }));
  check(
    make('high', 1_000_000_001),
    'value: Forbidden: maximum allowed value of a user defined priority is 1000000000',
  );
  check(
    make('system-mine', 1),
    "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-mine is not a known system priority class",
  );
  check(
    make('system-node-critical', 1),
    "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: value of system-node-critical PriorityClass must be 2000001000",
  );
  check(
    make('high', 1, { preemptionPolicy: 'Sometimes' }),
    'preemptionPolicy: Unsupported value: "Sometimes": supported values: "PreemptLowerPriority", "Never"',
  );
});

test('value and policy are immutable', () => {
  const errors = priorityClasses.validateUpdate?.(make('a', 1, { preemptionPolicy: 'Never' }), make('a', 2));
  expect(errors?.map(({ field, text }) => `${field}: ${text}`)).toEqual([
    'value: Forbidden: may not be changed in an update.',
    'preemptionPolicy: Invalid value: "Never": field is immutable',
  ]);
});
