import type { FieldError } from '#apimachinery/field-error.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { invalidField, required } from '#apimachinery/validation.ts';
import { events, validateEvent } from '../../core/v1/event.ts';
import { fill } from '../../fill.ts';
import type { Event, EventsV1Event } from '../../generated/types.ts';

/** Follows pkg/apis/events/v1/conversion.go, v1.33. */
export function toCoreEvent(event: EventsV1Event): Event {
  const {
    note,
    regarding,
    reportingController,
    deprecatedCount,
    deprecatedFirstTimestamp,
    deprecatedLastTimestamp,
    deprecatedSource,
    ...rest
  } = event;
  return {
    ...rest,
    apiVersion: 'v1',
    message: note,
    involvedObject: regarding ?? {},
    reportingComponent: reportingController ?? '',
    count: deprecatedCount,
    firstTimestamp: deprecatedFirstTimestamp,
    lastTimestamp: deprecatedLastTimestamp,
    source: deprecatedSource ?? {},
  };
}

/** The other way round. */
export function fromCoreEvent(event: Event): EventsV1Event {
  const { message, involvedObject, reportingComponent, count, firstTimestamp, lastTimestamp, source, ...rest } = event;
  return defaults({
    ...rest,
    apiVersion: 'events.k8s.io/v1',
    eventTime: event.eventTime as string,
    series: event.series && {
      count: event.series.count ?? 0,
      lastObservedTime: event.series.lastObservedTime as string,
    },
    note: message,
    regarding: involvedObject,
    reportingController: reportingComponent,
    deprecatedCount: count,
    deprecatedFirstTimestamp: firstTimestamp,
    deprecatedLastTimestamp: lastTimestamp,
    deprecatedSource: source,
  });
}

function defaults(event: EventsV1Event): EventsV1Event {
  return fill(event, {
    eventTime: null,
    regarding: {},
    deprecatedSource: {},
    deprecatedFirstTimestamp: null,
    deprecatedLastTimestamp: null,
  });
}

function validateSeries({ series }: EventsV1Event, errors: FieldError[]): void {
  if (!series) return;
  if (series.count < 2) errors.push(invalidField('series.count', '', 'should be at least 2'));
  if (!series.lastObservedTime) errors.push(required('series.lastObservedTime'));
}

/** Follows ValidateEventCreate of pkg/apis/core/validation/events.go, v1.33. */
function validate(event: EventsV1Event): FieldError[] {
  const errors = validateEvent(toCoreEvent(event), 'reportingController');
  validateSeries(event, errors);
  if (!event.eventTime) errors.push(required('eventTime'));
  if (event.type !== 'Normal' && event.type !== 'Warning') {
    errors.push(invalidField('type', '', `has invalid value: ${event.type ?? ''}`));
  }
  const mustBeUnset = (field: string, isSet: boolean) => {
    if (isSet) errors.push(invalidField(field, '', 'needs to be unset'));
  };
  mustBeUnset('firstTimestamp', !!event.deprecatedFirstTimestamp);
  mustBeUnset('lastTimestamp', !!event.deprecatedLastTimestamp);
  mustBeUnset('count', !!event.deprecatedCount);
  mustBeUnset('source', !!event.deprecatedSource?.component || !!event.deprecatedSource?.host);
  return errors;
}

/** Fields that may not change, as the stored form calls them and in upstream's order. */
const IMMUTABLE: readonly (keyof Event)[] = [
  'involvedObject',
  'reason',
  'message',
  'source',
  'firstTimestamp',
  'lastTimestamp',
  'count',
  'type',
  'eventTime',
  'action',
  'related',
  'reportingComponent',
  'reportingInstance',
];

function validateUpdate(next: EventsV1Event, previous: EventsV1Event): FieldError[] {
  const stored = toCoreEvent(next);
  const errors = validateEvent(stored, 'reportingController');
  if (!semanticEqual(next.series, previous.series)) validateSeries(next, errors);
  const before = toCoreEvent(previous);
  for (const field of IMMUTABLE) {
    if (semanticEqual(stored[field] || undefined, before[field] || undefined)) continue;
    const value = stored[field];
    const name = field === 'reportingComponent' ? 'reportingController' : field;
    errors.push(invalidField(name, typeof value === 'object' ? '' : value, 'field is immutable'));
  }
  return errors;
}

/** Events of events.k8s.io/v1: another form of the core ones, with stricter rules. */
export const eventsV1 = defineResource<EventsV1Event>({
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  singular: 'event',
  shortNames: ['ev'],
  scope: 'Namespaced',
  schema: 'io.k8s.api.events.v1.Event',
  storedAs: {
    resource: events,
    toStored: toCoreEvent,
    fromStored: (event) => fromCoreEvent(event as Event),
  },
  ttlSeconds: events.ttlSeconds,
  defaults,
  validate,
  validateUpdate,
  strategy: { allowCreateOnUpdate: true },
  selectableFields: {
    reason: ({ reason }) => reason ?? '',
    'regarding.kind': ({ regarding }) => regarding?.kind ?? '',
    'regarding.namespace': ({ regarding }) => regarding?.namespace ?? '',
    'regarding.name': ({ regarding }) => regarding?.name ?? '',
    'regarding.uid': ({ regarding }) => regarding?.uid ?? '',
    'regarding.apiVersion': ({ regarding }) => regarding?.apiVersion ?? '',
    'regarding.resourceVersion': ({ regarding }) => regarding?.resourceVersion ?? '',
    'regarding.fieldPath': ({ regarding }) => regarding?.fieldPath ?? '',
    reportingController: ({ reportingController }) => reportingController ?? '',
    type: ({ type }) => type ?? '',
  },
  ownColumns: true,
  columns: events.columns?.map((column) => ({
    ...column,
    cell: (event: EventsV1Event, now: number) => column.cell(toCoreEvent(event), now),
  })),
});
