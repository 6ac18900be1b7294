import type { JsonObject } from '#apimachinery/json.ts';
import { at, number, object, objects, strings, text } from '../fields.ts';
import { byCodeUnit } from '#apimachinery/go-format.ts';
import type { DescribeContext } from './context.ts';
import { writeContainers } from './containers.ts';
import { writeVolumeSource } from './volumes.ts';
import type { Description } from './writer.ts';
import { formatSelector, orNone, writeAnnotations, writeLabels, writeTolerations } from './writer.ts';

export function writeVolumes(w: Description, volumes: readonly JsonObject[], indent = ''): void {
  if (volumes.length === 0) return w.line(0, `${indent}Volumes:\t<none>`);
  w.line(0, `${indent}Volumes:`);
  for (const volume of volumes) {
    w.line(1, `${indent === '' ? '' : ' '}${text(volume, 'name')}:`);
    writeVolumeSource(w, volume);
  }
}

export function writeSpreadConstraints(w: Description, constraints: readonly JsonObject[], indent = ''): void {
  if (constraints.length === 0) return;
  w.write(0, `${indent}Topology Spread Constraints:\t`);
  const sorted = [...constraints].sort((a, b) => byCodeUnit(text(a, 'topologyKey'), text(b, 'topologyKey')));
  sorted.forEach((constraint, index) => {
    if (index > 0) w.write(0, `${indent}\t`);
    const rule = `${text(constraint, 'topologyKey')}:${text(constraint, 'whenUnsatisfiable')} when max skew ${number(constraint, 'maxSkew')} is exceeded`;
    const selector = at(constraint, 'labelSelector');
    w.line(0, selector ? `${rule} for selector ${orNone(formatSelector(selector))}` : rule);
  });
}

/** What a controller makes its Pods from. */
export function writePodTemplate(w: Description, template: JsonObject): void {
  const spec = object(template, 'spec');
  w.line(0, 'Pod Template:');
  writeLabels(w, '  Labels', strings(template, 'metadata', 'labels'));
  const annotations = strings(template, 'metadata', 'annotations');
  if (annotations.size > 0) writeAnnotations(w, '  Annotations', annotations);
  if (text(spec, 'serviceAccountName') !== '') w.line(1, `Service Account:\t${text(spec, 'serviceAccountName')}`);
  const initContainers = objects(spec, 'initContainers');
  if (initContainers.length > 0) writeContainers(w, 'Init Containers', initContainers, [], undefined, '  ');
  writeContainers(w, 'Containers', objects(spec, 'containers'), [], undefined, '  ');
  writeVolumes(w, objects(spec, 'volumes'), '  ');
  writeSpreadConstraints(w, objects(spec, 'topologySpreadConstraints'), '  ');
  if (text(spec, 'priorityClassName') !== '') w.line(1, `Priority Class Name:\t${text(spec, 'priorityClassName')}`);
  writeLabels(w, '  Node-Selectors', strings(spec, 'nodeSelector'));
  writeTolerations(w, '  Tolerations', objects(spec, 'tolerations'));
}

/** Type, status and reason of the conditions of a controller. */
export function writeControllerConditions(w: Description, controller: JsonObject): void {
  const conditions = objects(controller, 'status', 'conditions');
  if (conditions.length === 0) return;
  w.line(0, 'Conditions:\n  Type\tStatus\tReason');
  w.line(1, '----\t------\t------');
  for (const condition of conditions)
    w.line(1, `${text(condition, 'type')} \t${text(condition, 'status')}\t${text(condition, 'reason')}`);
}

/** How many of a controller's Pods are in which phase. */
export async function podStatuses(controller: JsonObject, selector: string, context: DescribeContext): Promise<string> {
  const pods = await context.list('pods', text(controller, 'metadata', 'namespace'), { labelSelector: selector });
  const uid = text(controller, 'metadata', 'uid');
  const own = pods.filter((pod) =>
    objects(pod, 'metadata', 'ownerReferences').some(
      (reference) => at(reference, 'controller') === true && text(reference, 'uid') === uid,
    ),
  );
  const count = (phase: string) => own.filter((pod) => text(pod, 'status', 'phase') === phase).length;
  return `${count('Running')} Running / ${count('Pending')} Waiting / ${count('Succeeded')} Succeeded / ${count('Failed')} Failed`;
}
