import type { JsonObject } from '#apimachinery/json.ts';
import { number, object, text } from '../fields.ts';
import type { DeploymentReplicaSets } from '../rollouts.ts';
import { replicaSetsOf } from '../rollouts.ts';
import type { Describer } from './describer.ts';
import { writeEvents } from './events.ts';
import { writeControllerConditions, writePodTemplate } from './pod-template.ts';
import { formatDate, formatSelector, writeAnnotations, writeLabels } from './writer.ts';
import { at, strings } from '../fields.ts';

export const deployment: Describer = {
  kinds: ['Deployment.apps'],
  async describe(w, value, context) {
    const events = await context.events(value);
    const spec = object(value, 'spec');
    const selector = formatSelector(object(spec, 'selector'));
    let sets: DeploymentReplicaSets = { current: undefined, old: [] };
    try {
      const candidates = await context.list('replicasets', text(value, 'metadata', 'namespace'), {
        labelSelector: selector,
      });
      sets = replicaSetsOf(value, candidates);
    } catch {
      // The rest is worth showing.
    }
    w.line(0, `Name:\t${text(value, 'metadata', 'name')}`);
    w.line(0, `Namespace:\t${text(value, 'metadata', 'namespace')}`);
    w.line(0, `CreationTimestamp:\t${formatDate(text(value, 'metadata', 'creationTimestamp'))}`);
    writeLabels(w, 'Labels', strings(value, 'metadata', 'labels'));
    writeAnnotations(w, 'Annotations', strings(value, 'metadata', 'annotations'));
    w.line(0, `Selector:\t${selector}`);
    const counts = ['updatedReplicas', 'replicas', 'availableReplicas', 'unavailableReplicas'].map((field) =>
      number(value, 'status', field),
    );
    const names = ['updated', 'total', 'available', 'unavailable'];
    w.line(
      0,
      `Replicas:\t${[`${number(spec, 'replicas')} desired`, ...names.map((name, index) => `${counts[index]} ${name}`)].join(' | ')}`,
    );
    w.line(0, `StrategyType:\t${text(spec, 'strategy', 'type')}`);
    w.line(0, `MinReadySeconds:\t${number(spec, 'minReadySeconds')}`);
    if (at(spec, 'strategy', 'rollingUpdate')) {
      const rolling = object(spec, 'strategy', 'rollingUpdate');
      w.line(
        0,
        `RollingUpdateStrategy:\t${text(rolling, 'maxUnavailable')} max unavailable, ${text(rolling, 'maxSurge')} max surge`,
      );
    }
    writePodTemplate(w, object(spec, 'template'));
    writeControllerConditions(w, value);
    const current = sets.current ? [sets.current] : [];
    if (current.length > 0 || sets.old.length > 0) {
      w.line(0, `OldReplicaSets:\t${formatReplicaSets(sets.old)}`);
      w.line(0, `NewReplicaSet:\t${formatReplicaSets(current)}`);
    }
    writeEvents(w, events, context);
  },
};

function formatReplicaSets(sets: readonly JsonObject[]): string {
  const texts = sets.map(
    (set) =>
      `${text(set, 'metadata', 'name')} (${number(set, 'status', 'replicas')}/${number(set, 'spec', 'replicas')} replicas created)`,
  );
  return texts.join(', ') || '<none>';
}
