import type { JsonObject } from '#apimachinery/json.ts';
import { at, list, number, object, objects, strings, text } from '../fields.ts';
import { formatValue } from '#apimachinery/go-format.ts';
import type { Describer } from './describer.ts';
import { writeEvents } from './events.ts';
import { podStatuses, writePodTemplate } from './pod-template.ts';
import { claimClass } from './volumes.ts';
import type { Description } from './writer.ts';
import { formatDate, formatQuantityAt, formatSelector, writeAnnotations, writeLabels } from './writer.ts';

export const statefulSet: Describer = {
  kinds: ['StatefulSet.apps'],
  async describe(w, value, context) {
    const spec = object(value, 'spec');
    const selector = formatSelector(object(spec, 'selector'));
    const statuses = await podStatuses(value, selector, context);
    const events = await context.events(value);
    w.line(0, `Name:\t${text(value, 'metadata', 'name')}`);
    w.line(0, `Namespace:\t${text(value, 'metadata', 'namespace')}`);
    w.line(0, `CreationTimestamp:\t${formatDate(text(value, 'metadata', 'creationTimestamp'))}`);
    w.line(0, `Selector:\t${selector}`);
    writeLabels(w, 'Labels', strings(value, 'metadata', 'labels'));
    writeAnnotations(w, 'Annotations', strings(value, 'metadata', 'annotations'));
    w.line(0, `Replicas:\t${number(spec, 'replicas')} desired | ${number(value, 'status', 'replicas')} total`);
    w.line(0, `Update Strategy:\t${text(spec, 'updateStrategy', 'type')}`);
    const rolling = object(spec, 'updateStrategy', 'rollingUpdate');
    if (at(rolling, 'partition') !== undefined) {
      w.line(1, `Partition:\t${number(rolling, 'partition')}`);
      if (at(rolling, 'maxUnavailable') !== undefined) w.line(1, `MaxUnavailable:\t${text(rolling, 'maxUnavailable')}`);
    }
    w.line(0, `Pods Status:\t${statuses}`);
    writePodTemplate(w, object(spec, 'template'));
    writeClaimTemplates(w, objects(spec, 'volumeClaimTemplates'));
    writeEvents(w, events, context);
  },
};

function writeClaimTemplates(w: Description, templates: readonly JsonObject[]): void {
  if (templates.length === 0) return w.line(0, 'Volume Claims:\t<none>');
  w.line(0, 'Volume Claims:');
  for (const claim of templates) {
    w.line(1, `Name:\t${text(claim, 'metadata', 'name')}`);
    w.line(1, `StorageClass:\t${claimClass(claim)}`);
    writeLabels(w, 'Labels', strings(claim, 'metadata', 'labels'), '  ');
    writeLabels(w, 'Annotations', strings(claim, 'metadata', 'annotations'), '  ');
    const requests = object(claim, 'spec', 'resources', 'requests');
    const capacity = at(requests, 'storage') === undefined ? '<default>' : formatQuantityAt(requests, 'storage');
    w.line(1, `Capacity:\t${capacity}`);
    w.line(1, `Access Modes:\t${formatValue(list(claim, 'spec', 'accessModes'))}`);
  }
}
