import { humanDuration } from '#apimachinery/human-duration.ts';
import type { JsonObject } from '#apimachinery/json.ts';
import { parseTime } from '#base/clock.ts';
import { at, number, object, objects, strings, text } from '../fields.ts';
import type { Describer } from './describer.ts';
import { writeEvents } from './events.ts';
import { writePodTemplate } from './pod-template.ts';
import type { Description } from './writer.ts';
import {
  controllerOf,
  formatBool,
  formatDate,
  formatSelector,
  writeAnnotations,
  writeLabels,
  writeMetadata,
} from './writer.ts';

export const job: Describer = {
  kinds: ['Job.batch'],
  async describe(w, value, context) {
    const events = await context.events(value);
    const [spec, status] = [object(value, 'spec'), object(value, 'status')];
    const optional = (title: string, shown: string, unit = '') => {
      if (shown !== '') w.line(0, `${title}:\t${shown}${unit}`);
    };
    w.line(0, `Name:\t${text(value, 'metadata', 'name')}`);
    w.line(0, `Namespace:\t${text(value, 'metadata', 'namespace')}`);
    w.line(0, `Selector:\t${formatSelector(object(spec, 'selector'))}`);
    writeLabels(w, 'Labels', strings(value, 'metadata', 'labels'));
    writeAnnotations(w, 'Annotations', strings(value, 'metadata', 'annotations'));
    optional('Controlled By', controllerOf(value));
    optional('Parallelism', text(spec, 'parallelism'));
    w.line(0, `Completions:\t${text(spec, 'completions') || '<unset>'}`);
    optional('Completion Mode', text(spec, 'completionMode'));
    optional('Suspend', text(spec, 'suspend'));
    optional('Backoff Limit', text(spec, 'backoffLimit'));
    optional('TTL Seconds After Finished', text(spec, 'ttlSecondsAfterFinished'));
    const [start, end] = [text(status, 'startTime'), text(status, 'completionTime')];
    if (start !== '') w.line(0, `Start Time:\t${formatDate(start)}`);
    if (end !== '') w.line(0, `Completed At:\t${formatDate(end)}`);
    if (start !== '' && end !== '') w.line(0, `Duration:\t${humanDuration(parseTime(end) - parseTime(start))}`);
    optional('Active Deadline Seconds', text(spec, 'activeDeadlineSeconds'), 's');
    const ready = text(status, 'ready');
    const active = `${number(status, 'active')} Active${ready === '' ? '' : ` (${ready} Ready)`}`;
    w.line(
      0,
      `Pods Statuses:\t${active} / ${number(status, 'succeeded')} Succeeded / ${number(status, 'failed')} Failed`,
    );
    if (text(spec, 'completionMode') === 'Indexed')
      w.line(0, `Completed Indexes:\t${shortenIndexes(text(status, 'completedIndexes'))}`);
    writePodTemplate(w, object(spec, 'template'));
    writeEvents(w, events, context);
  },
};

/** The list of indexes up to the first comma after 50 characters. */
function shortenIndexes(indexes: string): string {
  if (indexes === '') return '<none>';
  const comma = indexes.indexOf(',', 50);
  return comma < 0 ? indexes : `${indexes.slice(0, comma + 1)}...`;
}

export const cronJob: Describer = {
  kinds: ['CronJob.batch'],
  async describe(w, value, context) {
    const events = await context.events(value);
    const spec = object(value, 'spec');
    const orUnset = (field: string) => text(spec, field) || '<unset>';
    writeMetadata(w, value);
    w.line(0, `Schedule:\t${text(spec, 'schedule')}`);
    w.line(0, `Concurrency Policy:\t${text(spec, 'concurrencyPolicy')}`);
    w.line(0, `Suspend:\t${formatBool(at(spec, 'suspend'))}`);
    w.line(0, `Successful Job History Limit:\t${orUnset('successfulJobsHistoryLimit')}`);
    w.line(0, `Failed Job History Limit:\t${orUnset('failedJobsHistoryLimit')}`);
    const deadline = text(spec, 'startingDeadlineSeconds');
    w.line(0, `Starting Deadline Seconds:\t${deadline === '' ? '<unset>' : `${deadline}s`}`);
    writeJobTemplate(w, object(spec, 'jobTemplate', 'spec'));
    const last = text(value, 'status', 'lastScheduleTime');
    w.line(0, `Last Schedule Time:\t${last === '' ? '<unset>' : formatDate(last)}`);
    const active = objects(value, 'status', 'active').map((reference) => text(reference, 'name'));
    w.line(0, `Active Jobs:\t${active.join(', ') || '<none>'}`);
    writeEvents(w, events, context);
  },
};

function writeJobTemplate(w: Description, spec: JsonObject): void {
  w.line(0, `Selector:\t${at(spec, 'selector') ? formatSelector(object(spec, 'selector')) : '<unset>'}`);
  w.line(0, `Parallelism:\t${text(spec, 'parallelism') || '<unset>'}`);
  w.line(0, `Completions:\t${text(spec, 'completions') || '<unset>'}`);
  const deadline = text(spec, 'activeDeadlineSeconds');
  if (deadline !== '') w.line(0, `Active Deadline Seconds:\t${deadline}s`);
  writePodTemplate(w, object(spec, 'template'));
}
