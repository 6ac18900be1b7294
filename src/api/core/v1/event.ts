import type { FieldError } from '#apimachinery/field-error.ts';
import { timestampSince } from '#apimachinery/human-duration.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { byteLength, invalidField, isDNS1123Subdomain, isQualifiedName, required } from '#apimachinery/validation.ts';
import { nameColumn } from '../../columns.ts';
import { fill } from '../../fill.ts';
import type { Event } from '../../generated/types.ts';

/** What upstream always writes, because the fields are structures or have no `omitempty`. */
function defaults(event: Event): Event {
  return fill(event, {
    involvedObject: {},
    source: {},
    firstTimestamp: null,
    lastTimestamp: null,
    eventTime: null,
    reportingComponent: '',
    reportingInstance: '',
  });
}

/**
 * What holds for Events of both API groups; `controllerField` is what the request's version calls the controller.
 * Follows legacyValidateEvent of pkg/apis/core/validation/events.go, v1.33.
 */
export function validateEvent(event: Event, controllerField: string): FieldError[] {
  const errors: FieldError[] = [];
  const namespace = event.metadata.namespace ?? '';
  const involved = event.involvedObject.namespace ?? '';
  const mismatch = () =>
    errors.push(invalidField('involvedObject.namespace', involved, 'does not match event.namespace'));
  if (!event.eventTime) {
    if (involved ? namespace !== involved : namespace && namespace !== 'default') mismatch();
  } else {
    if (!involved && namespace !== 'default' && namespace !== 'kube-system') mismatch();
    const controller = event.reportingComponent ?? '';
    if (!controller) errors.push(required(controllerField));
    for (const message of isQualifiedName(controller)) errors.push(invalidField(controllerField, controller, message));
    checkText('reportingInstance', event.reportingInstance, 128, errors);
    checkText('action', event.action, 128, errors);
    checkText('reason', event.reason, 128, errors);
    if (byteLength(event.message ?? '') > 1024) errors.push(tooManyCharacters('message', 1024));
  }
  for (const message of isDNS1123Subdomain(namespace)) errors.push(invalidField('namespace', namespace, message));
  return errors;
}

const tooManyCharacters = (field: string, limit: number) =>
  invalidField(field, '', `can have at most ${limit} characters`);

function checkText(field: string, text: string | undefined, limit: number, errors: FieldError[]): void {
  if (!text) errors.push(required(field));
  else if (byteLength(text) > limit) errors.push(tooManyCharacters(field, limit));
}

const validate = (event: Event) => validateEvent(event, 'reportingComponent');

const firstSeen = (event: Event, now: number) => timestampSince(event.firstTimestamp || event.eventTime, now);

/** Events of core v1; events.k8s.io serves the same ones. Follows pkg/registry/core/event/strategy.go, v1.33. */
export const events = defineResource<Event>({
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  singular: 'event',
  shortNames: ['ev'],
  scope: 'Namespaced',
  schema: 'io.k8s.api.core.v1.Event',
  ttlSeconds: 3600,
  defaults,
  validate,
  validateUpdate: validate,
  strategy: { allowCreateOnUpdate: true },
  selectableFields: {
    'involvedObject.kind': ({ involvedObject }) => involvedObject.kind ?? '',
    'involvedObject.namespace': ({ involvedObject }) => involvedObject.namespace ?? '',
    'involvedObject.name': ({ involvedObject }) => involvedObject.name ?? '',
    'involvedObject.uid': ({ involvedObject }) => involvedObject.uid ?? '',
    'involvedObject.apiVersion': ({ involvedObject }) => involvedObject.apiVersion ?? '',
    'involvedObject.resourceVersion': ({ involvedObject }) => involvedObject.resourceVersion ?? '',
    'involvedObject.fieldPath': ({ involvedObject }) => involvedObject.fieldPath ?? '',
    reason: ({ reason }) => reason ?? '',
    reportingComponent: ({ reportingComponent }) => reportingComponent ?? '',
    source: ({ source, reportingComponent }) => source?.component || reportingComponent || '',
    type: ({ type }) => type ?? '',
  },
  ownColumns: true,
  columns: [
    {
      name: 'Last Seen',
      type: 'string',
      cell: (event, now) => {
        if (event.series) return timestampSince(event.series.lastObservedTime, now);
        return event.lastTimestamp ? timestampSince(event.lastTimestamp, now) : firstSeen(event, now);
      },
    },
    { name: 'Type', type: 'string', cell: ({ type }) => type ?? '' },
    { name: 'Reason', type: 'string', cell: ({ reason }) => reason ?? '' },
    {
      name: 'Object',
      type: 'string',
      cell: ({ involvedObject: { kind = '', name } }) => (name ? `${kind.toLowerCase()}/${name}` : kind.toLowerCase()),
    },
    { name: 'Subobject', type: 'string', priority: 1, cell: ({ involvedObject }) => involvedObject.fieldPath ?? '' },
    {
      name: 'Source',
      type: 'string',
      priority: 1,
      cell: ({ source, reportingComponent, reportingInstance }) => {
        const component = source?.component || reportingComponent || '';
        const instance = source?.host || reportingInstance;
        return instance ? `${component}, ${instance}` : component;
      },
    },
    { name: 'Message', type: 'string', cell: ({ message }) => message?.trim() ?? '' },
    { name: 'First Seen', type: 'string', priority: 1, cell: firstSeen },
    {
      name: 'Count',
      type: 'string',
      priority: 1,
      cell: ({ series, count }) => (series ? (series.count ?? 0) : count || 1),
    },
    { ...nameColumn, priority: 1 },
  ],
});
