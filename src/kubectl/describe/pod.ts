import type { JsonObject } from '#apimachinery/json.ts';
import { at, number, object, objects, strings, text } from '../fields.ts';
import { writeContainers, writeResources, writeSeccomp } from './containers.ts';
import type { DescribeContext } from './context.ts';
import type { Describer } from './describer.ts';
import { writeEvents } from './events.ts';
import { writeSpreadConstraints, writeVolumes } from './pod-template.ts';
import type { Description } from './writer.ts';
import { controllerOf, formatDate, writeAnnotations, writeLabels, writeTolerations } from './writer.ts';

const MIRROR = 'kubernetes.io/config.mirror';

export const pod: Describer = {
  kinds: ['Pod'],

  async describe(w, object, context) {
    const events = await context.eventsOf({
      name: text(object, 'metadata', 'name'),
      namespace: text(object, 'metadata', 'namespace'),
      uid: strings(object, 'metadata', 'annotations').get(MIRROR) ?? text(object, 'metadata', 'uid'),
    });
    writePod(w, object, context);
    writeEvents(w, events, context);
  },

  async missing(w, name, namespace, error, context) {
    const events = await context.eventsOf({ name, namespace });
    if (!events || events.length === 0) return false;
    w.line(0, `Pod '${name}': error '${error.message}', but found events.`);
    writeEvents(w, events, context);
    return true;
  },
};

function writePod(w: Description, pod: JsonObject, context: DescribeContext): void {
  const spec = object(pod, 'spec');
  const status = object(pod, 'status');
  const optional = (title: string, value: string) => {
    if (value !== '') w.line(0, `${title}:\t${value}`);
  };
  w.line(0, `Name:\t${text(pod, 'metadata', 'name')}`);
  w.line(0, `Namespace:\t${text(pod, 'metadata', 'namespace')}`);
  optional('Priority', text(spec, 'priority'));
  optional('Priority Class Name', text(spec, 'priorityClassName'));
  optional('Runtime Class Name', text(spec, 'runtimeClassName'));
  optional('Service Account', text(spec, 'serviceAccountName'));
  const node = text(spec, 'nodeName');
  w.line(0, `Node:\t${node === '' ? '<none>' : `${node}/${text(status, 'hostIP')}`}`);
  const start = text(status, 'startTime');
  if (start !== '') w.line(0, `Start Time:\t${formatDate(start)}`);
  writeLabels(w, 'Labels', strings(pod, 'metadata', 'labels'));
  writeAnnotations(w, 'Annotations', strings(pod, 'metadata', 'annotations'));
  const phase = text(status, 'phase');
  const deleted = text(pod, 'metadata', 'deletionTimestamp');
  if (deleted !== '' && phase !== 'Failed' && phase !== 'Succeeded') {
    w.line(0, `Status:\tTerminating (lasts ${context.age(deleted)})`);
    w.line(0, `Termination Grace Period:\t${number(pod, 'metadata', 'deletionGracePeriodSeconds')}s`);
  } else w.line(0, `Status:\t${phase}`);
  optional('Reason', text(status, 'reason'));
  optional('Message', text(status, 'message'));
  writeSeccomp(w, 0, 0, object(spec, 'securityContext'));
  w.line(0, `IP:\t${text(status, 'podIP')}`);
  const ips = objects(status, 'podIPs');
  w.line(0, ips.length === 0 ? 'IPs:\t<none>' : 'IPs:');
  for (const ip of ips) w.line(1, `IP:\t${text(ip, 'ip')}`);
  optional('Controlled By', controllerOf(pod));
  optional('NominatedNodeName', text(status, 'nominatedNodeName'));
  if (at(spec, 'resources')) {
    w.line(0, 'Resources:');
    writeResources(w, 1, object(spec, 'resources'));
  }
  writePodContainers(w, pod, spec, status);
  writeConditions(w, spec, status);
  writeVolumes(w, objects(spec, 'volumes'));
  w.line(0, `QoS Class:\t${text(status, 'qosClass')}`);
  writeLabels(w, 'Node-Selectors', strings(spec, 'nodeSelector'));
  writeTolerations(w, 'Tolerations', objects(spec, 'tolerations'));
  writeSpreadConstraints(w, objects(spec, 'topologySpreadConstraints'));
}

function writePodContainers(w: Description, pod: JsonObject, spec: JsonObject, status: JsonObject): void {
  // kubectl knows no fields of Pods but these two.
  const resolve = (path: string) =>
    path === 'metadata.name' || path === 'metadata.namespace' ? text(pod, ...path.split('.')) : '';
  const initContainers = objects(spec, 'initContainers');
  if (initContainers.length > 0)
    writeContainers(w, 'Init Containers', initContainers, objects(status, 'initContainerStatuses'), resolve);
  writeContainers(w, 'Containers', objects(spec, 'containers'), objects(status, 'containerStatuses'), resolve);
  const ephemeral = objects(spec, 'ephemeralContainers');
  if (ephemeral.length > 0)
    writeContainers(w, 'Ephemeral Containers', ephemeral, objects(status, 'ephemeralContainerStatuses'), resolve);
}

function writeConditions(w: Description, spec: JsonObject, status: JsonObject): void {
  const conditions = objects(status, 'conditions');
  const gates = objects(spec, 'readinessGates');
  if (gates.length > 0) {
    w.line(0, 'Readiness Gates:\n  Type\tStatus');
    for (const gate of gates) {
      const type = text(gate, 'conditionType');
      const condition = conditions.find((candidate) => text(candidate, 'type') === type);
      w.line(1, `${type} \t${condition ? text(condition, 'status') : '<none>'} `);
    }
  }
  if (conditions.length === 0) return;
  w.line(0, 'Conditions:\n  Type\tStatus');
  for (const condition of conditions) w.line(1, `${text(condition, 'type')} \t${text(condition, 'status')} `);
}
