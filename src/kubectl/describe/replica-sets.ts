import { formatLabels } from '../printers/table-printer.ts';
import { number, object, strings, text } from '../fields.ts';
import type { Describer } from './describer.ts';
import { writeEvents } from './events.ts';
import { podStatuses, writeControllerConditions, writePodTemplate } from './pod-template.ts';
import { asError } from '../errors.ts';
import { controllerOf, formatSelector, orNone, writeAnnotations, writeLabels } from './writer.ts';

export const replicationController: Describer = {
  kinds: ['ReplicationController'],
  async describe(w, value, context) {
    const selector = strings(value, 'spec', 'selector');
    const statuses = await podStatuses(value, selector.size === 0 ? '' : formatLabels(selector), context);
    const events = await context.events(value);
    w.line(0, `Name:\t${text(value, 'metadata', 'name')}`);
    w.line(0, `Namespace:\t${text(value, 'metadata', 'namespace')}`);
    w.line(0, `Selector:\t${formatLabels(selector)}`);
    writeLabels(w, 'Labels', strings(value, 'metadata', 'labels'));
    writeAnnotations(w, 'Annotations', strings(value, 'metadata', 'annotations'));
    w.line(
      0,
      `Replicas:\t${number(value, 'status', 'replicas')} current / ${number(value, 'spec', 'replicas')} desired`,
    );
    w.line(0, `Pods Status:\t${statuses}`);
    writePodTemplate(w, object(value, 'spec', 'template'));
    writeControllerConditions(w, value);
    writeEvents(w, events, context);
  },
};

export const replicaSet: Describer = {
  kinds: ['ReplicaSet.apps'],
  async describe(w, value, context) {
    let statuses: string;
    try {
      statuses = await podStatuses(value, formatSelector(object(value, 'spec', 'selector')), context);
    } catch (error) {
      statuses = `error in fetching pods: ${asError(error).message}`;
    }
    const events = await context.events(value);
    w.line(0, `Name:\t${text(value, 'metadata', 'name')}`);
    w.line(0, `Namespace:\t${text(value, 'metadata', 'namespace')}`);
    w.line(0, `Selector:\t${orNone(formatSelector(object(value, 'spec', 'selector')))}`);
    writeLabels(w, 'Labels', strings(value, 'metadata', 'labels'));
    writeAnnotations(w, 'Annotations', strings(value, 'metadata', 'annotations'));
    const owner = controllerOf(value);
    if (owner !== '') w.line(0, `Controlled By:\t${owner}`);
    w.line(
      0,
      `Replicas:\t${number(value, 'status', 'replicas')} current / ${number(value, 'spec', 'replicas')} desired`,
    );
    w.line(0, `Pods Status:\t${statuses}`);
    writePodTemplate(w, object(value, 'spec', 'template'));
    writeControllerConditions(w, value);
    writeEvents(w, events, context);
  },
};
