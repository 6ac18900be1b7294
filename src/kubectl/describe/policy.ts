import { at, number, object, strings, text } from '../fields.ts';
import { formatLabels } from '../printers/table-printer.ts';
import type { Describer } from './describer.ts';
import { writeEvents } from './events.ts';
import { formatSelector, orNone } from './writer.ts';

export const podDisruptionBudget: Describer = {
  kinds: ['PodDisruptionBudget.policy'],
  async describe(w, value, context) {
    const events = await context.events(value);
    const spec = object(value, 'spec');
    w.line(0, `Name:\t${text(value, 'metadata', 'name')}`);
    w.line(0, `Namespace:\t${text(value, 'metadata', 'namespace')}`);
    if (at(spec, 'minAvailable') !== undefined) w.line(0, `Min available:\t${text(spec, 'minAvailable')}`);
    else if (at(spec, 'maxUnavailable') !== undefined) w.line(0, `Max unavailable:\t${text(spec, 'maxUnavailable')}`);
    w.line(0, `Selector:\t${at(spec, 'selector') ? orNone(formatSelector(object(spec, 'selector'))) : '<unset>'}`);
    w.line(0, 'Status:');
    w.line(2, `Allowed disruptions:\t${number(value, 'status', 'disruptionsAllowed')}`);
    w.line(2, `Current:\t${number(value, 'status', 'currentHealthy')}`);
    w.line(2, `Desired:\t${number(value, 'status', 'desiredHealthy')}`);
    w.line(2, `Total:\t${number(value, 'status', 'expectedPods')}`);
    writeEvents(w, events, context);
  },
};

export const priorityClass: Describer = {
  kinds: ['PriorityClass.scheduling.k8s.io'],
  async describe(w, value, context) {
    const events = await context.events(value);
    w.line(0, `Name:\t${text(value, 'metadata', 'name')}`);
    w.line(0, `Value:\t${number(value, 'value')}`);
    w.line(0, `GlobalDefault:\t${at(value, 'globalDefault') === true}`);
    w.line(0, `PreemptionPolicy:\t${text(value, 'preemptionPolicy')}`);
    w.line(0, `Description:\t${text(value, 'description')}`);
    w.line(0, `Annotations:\t${formatLabels(strings(value, 'metadata', 'annotations'))}`);
    writeEvents(w, events, context);
  },
};
