import type { JsonObject } from '#apimachinery/json.ts';
import { byCodeUnit } from '#apimachinery/go-format.ts';
import { at, number, text } from '../fields.ts';
import type { DescribeContext } from './context.ts';
import type { Description } from './writer.ts';

/** The last section of a description; nothing when there are no events to show (undefined). */
export function writeEvents(w: Description, events: readonly JsonObject[] | undefined, context: DescribeContext): void {
  if (!events) return;
  if (events.length === 0) return w.line(0, 'Events:\t<none>');
  w.flush();
  w.line(0, 'Events:\n  Type\tReason\tAge\tFrom\tMessage');
  w.line(1, '----\t------\t----\t----\t-------');
  for (const event of [...events].sort((a, b) => byCodeUnit(text(a, 'lastTimestamp'), text(b, 'lastTimestamp')))) {
    const from = text(event, 'source', 'component') || text(event, 'reportingComponent');
    const age = eventInterval(event, context);
    w.line(1, `${text(event, 'type')}\t${text(event, 'reason')}\t${age}\t${from}\t${text(event, 'message').trim()}`);
  }
}

/** When something was seen last, how often, and since when. */
export function eventInterval(event: JsonObject, context: Pick<DescribeContext, 'age'>): string {
  const first = context.age(text(event, 'eventTime') || text(event, 'firstTimestamp'));
  if (at(event, 'series')) {
    const last = context.age(text(event, 'series', 'lastObservedTime'));
    return `${last} (x${number(event, 'series', 'count')} over ${first})`;
  }
  const count = number(event, 'count');
  return count > 1 ? `${context.age(text(event, 'lastTimestamp'))} (x${count} over ${first})` : first;
}
