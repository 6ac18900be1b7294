import type { JsonObject } from '#apimachinery/json.ts';
import { goQuote } from '#apimachinery/validation.ts';
import { at, number, object, objects, text } from '../fields.ts';
import type { Describer } from './describer.ts';
import { writeEvents } from './events.ts';
import type { Description } from './writer.ts';
import { formatDate, formatQuantityAt, writeMetadata } from './writer.ts';

export const horizontalPodAutoscaler: Describer = {
  kinds: ['HorizontalPodAutoscaler.autoscaling'],
  version: 'v2',
  async describe(w, value, context) {
    const events = await context.events(value);
    const [spec, status] = [object(value, 'spec'), object(value, 'status')];
    const target = object(spec, 'scaleTargetRef');
    writeMetadata(w, value);
    w.line(0, `CreationTimestamp:\t${formatDate(text(value, 'metadata', 'creationTimestamp'))}`);
    w.line(0, `Reference:\t${text(target, 'kind')}/${text(target, 'name')}`);
    w.line(0, 'Metrics:\t( current / target )');
    objects(spec, 'metrics').forEach((metric, index) =>
      writeMetric(w, metric, object(status, 'currentMetrics', index)),
    );
    w.line(0, `Min replicas:\t${text(spec, 'minReplicas') || '<unset>'}`);
    w.line(0, `Max replicas:\t${number(spec, 'maxReplicas')}`);
    if (at(spec, 'behavior')) {
      w.line(0, 'Behavior:');
      writeBehavior(w, 'Scale Up', object(spec, 'behavior', 'scaleUp'));
      writeBehavior(w, 'Scale Down', object(spec, 'behavior', 'scaleDown'));
    }
    w.line(
      0,
      `${text(target, 'kind')} pods:\t${number(status, 'currentReplicas')} current / ${number(status, 'desiredReplicas')} desired`,
    );
    const conditions = objects(status, 'conditions');
    if (conditions.length > 0) {
      w.line(0, 'Conditions:');
      w.line(1, 'Type\tStatus\tReason\tMessage');
      w.line(1, '----\t------\t------\t-------');
    }
    for (const condition of conditions)
      w.line(1, ['type', 'status', 'reason', 'message'].map((field) => text(condition, field)).join('\t'));
    writeEvents(w, events, context);
  },
};

const UNKNOWN = '<unknown>';

function writeMetric(w: Description, metric: JsonObject, status: JsonObject): void {
  const type = text(metric, 'type');
  const field = `${type[0]?.toLowerCase() ?? ''}${type.slice(1)}`;
  const source = object(metric, field);
  const current = at(status, field) ? object(status, field, 'current') : undefined;
  const wanted = object(source, 'target');
  const amount = (from: JsonObject | undefined, kind: string) => (from ? formatQuantityAt(from, kind) : UNKNOWN);
  const average = at(wanted, 'averageValue') !== undefined;
  const pair = (kind: string) => `${amount(current, kind)} / ${formatQuantityAt(wanted, kind)}`;
  switch (type) {
    case 'External': {
      const known = average && current && at(current, 'averageValue') === undefined ? undefined : current;
      const kind = average ? 'averageValue' : 'value';
      const title = `${goQuote(text(source, 'metric', 'name'))} (target ${average ? 'average value' : 'value'})`;
      return w.line(1, `${title}:\t${amount(known, kind)} / ${formatQuantityAt(wanted, kind)}`);
    }
    case 'Pods':
      return w.line(1, `${goQuote(text(source, 'metric', 'name'))} on pods:\t${pair('averageValue')}`);
    case 'Object': {
      const described = object(source, 'describedObject');
      const kind = text(wanted, 'type') === 'AverageValue' ? 'averageValue' : 'value';
      const title = `"${text(source, 'metric', 'name')}" on ${text(described, 'kind')}/${text(described, 'name')}`;
      return w.line(1, `${title} (target ${kind === 'value' ? 'value' : 'average value'}):\t${pair(kind)}`);
    }
    case 'Resource':
    case 'ContainerResource': {
      const container = type === 'Resource' ? '' : ` of container "${text(source, 'container')}"`;
      w.write(1, `resource ${text(source, 'name')}${container} on pods`);
      if (average) return w.line(0, `:\t${pair('averageValue')}`);
      const used = text(current, 'averageUtilization');
      const shown = used === '' ? UNKNOWN : `${used}% (${amount(current, 'averageValue')})`;
      const goal = text(wanted, 'averageUtilization');
      return w.line(1, `(as a percentage of request):\t${shown} / ${goal === '' ? '<auto>' : `${goal}%`}`);
    }
    default:
      w.line(1, `<unknown metric type ${goQuote(type)}>`);
  }
}

function writeBehavior(w: Description, title: string, rules: JsonObject): void {
  if (Object.keys(rules).length === 0) return;
  w.line(1, `${title}:`);
  const window = text(rules, 'stabilizationWindowSeconds');
  if (window !== '') w.line(2, `Stabilization Window: ${window} seconds`);
  const policies = objects(rules, 'policies');
  if (policies.length === 0) return;
  w.line(2, `Select Policy: ${text(rules, 'selectPolicy') || 'Max'}`);
  w.line(2, 'Policies:');
  for (const policy of policies)
    w.line(
      3,
      `- Type: ${text(policy, 'type')}\tValue: ${number(policy, 'value')}\tPeriod: ${number(policy, 'periodSeconds')} seconds`,
    );
}
