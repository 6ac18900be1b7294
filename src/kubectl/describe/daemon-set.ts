import { number, object, strings, text } from '../fields.ts';
import { formatLabels } from '../printers/table-printer.ts';
import type { Describer } from './describer.ts';
import { writeEvents } from './events.ts';
import { podStatuses, writePodTemplate } from './pod-template.ts';
import { formatSelector, writeAnnotations, writeLabels } from './writer.ts';

export const daemonSet: Describer = {
  kinds: ['DaemonSet.apps'],
  async describe(w, value, context) {
    const selector = formatSelector(object(value, 'spec', 'selector'));
    const statuses = await podStatuses(value, selector, context);
    const events = await context.events(value);
    w.line(0, `Name:\t${text(value, 'metadata', 'name')}`);
    w.line(0, `Namespace:\t${text(value, 'metadata', 'namespace')}`);
    w.line(0, `Selector:\t${selector}`);
    w.line(0, `Node-Selector:\t${formatLabels(strings(value, 'spec', 'template', 'spec', 'nodeSelector'))}`);
    writeLabels(w, 'Labels', strings(value, 'metadata', 'labels'));
    writeAnnotations(w, 'Annotations', strings(value, 'metadata', 'annotations'));
    for (const [title, field] of COUNTS) w.line(0, `${title}: ${number(value, 'status', field)}`);
    w.line(0, `Pods Status:\t${statuses}`);
    writePodTemplate(w, object(value, 'spec', 'template'));
    writeEvents(w, events, context);
  },
};

const COUNTS = [
  ['Desired Number of Nodes Scheduled', 'desiredNumberScheduled'],
  ['Current Number of Nodes Scheduled', 'currentNumberScheduled'],
  ['Number of Nodes Scheduled with Up-to-date Pods', 'updatedNumberScheduled'],
  ['Number of Nodes Scheduled with Available Pods', 'numberAvailable'],
  ['Number of Nodes Misscheduled', 'numberMisscheduled'],
] as const;
