import { expect, test } from 'vitest';
import { eventsV1, fromCoreEvent, toCoreEvent } from '../../events/v1/event.ts';
import type { Event, EventsV1Event } from '../../generated/types.ts';
import { events } from './event.ts';

const make = (fields: Partial<Event>, namespace = 'default'): Event => ({
  metadata: { name: 'e', namespace },
  involvedObject: { kind: 'Pod', namespace: 'default', name: 'web' },
  ...fields,
});

test('what core v1 asks of an Event', () => {
  const check = (event: Event, ...errors: string[]) =>
    expect(events.validate?.(event).map(({ field, text }) => `${field}: ${text}`)).toEqual(errors);
  check(make({}));
  check(make({ involvedObject: { kind: 'Node', name: 'node-1' } }));
  check(
    make({ involvedObject: { kind: 'Node', name: 'node-1' } }, 'team'),
    'involvedObject.namespace: Invalid value: "": does not match event.namespace',
  );
  check(make({}, 'team'), 'involvedObject.namespace: Invalid value: "default": does not match event.namespace');
  check(
    make({ eventTime: '2025-01-01T00:00:00.000000Z', reportingComponent: 'c', action: 'a'.repeat(129) }),
    'reportingInstance: Required value',
    'action: Invalid value: "": can have at most 128 characters',
    'reason: Required value',
  );
});

test('events.k8s.io is stricter', () => {
  const check = (fields: Partial<EventsV1Event>, ...errors: string[]) => {
    const event: EventsV1Event = {
      metadata: { name: 'e', namespace: 'default' },
      eventTime: '2025-01-01T00:00:00.000000Z',
      regarding: { namespace: 'default' },
      reportingController: 'c',
      reportingInstance: 'i',
      action: 'a',
      reason: 'r',
      type: 'Normal',
      ...fields,
    };
    expect(eventsV1.validate?.(event).map(({ field, text }) => `${field}: ${text}`)).toEqual(errors);
  };
  check({});
  check(
    { type: 'Odd', deprecatedCount: 2, deprecatedSource: { component: 'x' } },
    'type: Invalid value: "": has invalid value: Odd',
    'count: Invalid value: "": needs to be unset',
    'source: Invalid value: "": needs to be unset',
  );
});

test('both forms stand for the same Event', () => {
  const core = events.defaults?.(
    make({ apiVersion: 'v1', message: 'm', count: 3, source: { component: 'kubelet' } }),
  ) as Event;
  const converted = fromCoreEvent(core);
  expect(converted).toMatchObject({
    note: 'm',
    deprecatedCount: 3,
    regarding: { name: 'web' },
    deprecatedSource: { component: 'kubelet' },
  });
  expect(toCoreEvent(converted)).toEqual(core);
});

test('columns', () => {
  const now = Date.parse('2025-01-01T00:01:00Z');
  const check = (fields: Partial<Event>, ...cells: unknown[]) =>
    expect(events.columns?.map(({ cell }) => cell(make(fields), now))).toEqual(cells);
  check(
    {
      type: 'Normal',
      reason: 'Pulled',
      message: ' Pulled image\n',
      firstTimestamp: '2025-01-01T00:00:00Z',
      lastTimestamp: '2025-01-01T00:00:50Z',
      count: 4,
      source: { component: 'kubelet', host: 'node-1' },
    },
    ...['10s', 'Normal', 'Pulled', 'pod/web', '', 'kubelet, node-1', 'Pulled image', '60s', 4, 'e'],
  );
  check(
    { eventTime: '2025-01-01T00:00:30.000000Z', reportingComponent: 'default-scheduler' },
    ...['30s', '', '', 'pod/web', '', 'default-scheduler', '', '30s', 1, 'e'],
  );
});
