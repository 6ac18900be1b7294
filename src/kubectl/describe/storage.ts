import type { JsonObject } from '#apimachinery/json.ts';
import { at, list, number, object, objects, strings, text } from '../fields.ts';
import { byCodeUnit, formatValue } from '#apimachinery/go-format.ts';
import { formatLabels } from '../printers/table-printer.ts';
import type { DescribeContext } from './context.ts';
import type { Describer } from './describer.ts';
import { writeEvents } from './events.ts';
import { accessModes, claimClass, writeClaim, writeVolumeSource } from './volumes.ts';
import type { Description } from './writer.ts';
import { formatBool, formatDate, formatQuantityAt, writeMetadata, writeMultiline } from './writer.ts';

function statusOf(value: JsonObject, context: DescribeContext): string {
  const deleted = text(value, 'metadata', 'deletionTimestamp');
  return deleted === '' ? text(value, 'status', 'phase') : `Terminating (lasts ${context.age(deleted)})`;
}

export const persistentVolume: Describer = {
  kinds: ['PersistentVolume'],
  async describe(w, value, context) {
    const events = await context.events(value);
    const spec = object(value, 'spec');
    const claim = object(spec, 'claimRef');
    writeMetadata(w, value, false);
    w.line(0, `Finalizers:\t${formatValue(list(value, 'metadata', 'finalizers'))}`);
    w.line(0, `StorageClass:\t${claimClass(value)}`);
    w.line(0, `Status:\t${statusOf(value, context)}`);
    w.line(0, `Claim:\t${at(spec, 'claimRef') ? `${text(claim, 'namespace')}/${text(claim, 'name')}` : ''}`);
    w.line(0, `Reclaim Policy:\t${text(spec, 'persistentVolumeReclaimPolicy')}`);
    w.line(0, `Access Modes:\t${accessModes(at(spec, 'accessModes'))}`);
    if (text(spec, 'volumeMode') !== '') w.line(0, `VolumeMode:\t${text(spec, 'volumeMode')}`);
    w.line(0, `Capacity:\t${formatQuantityAt(spec, 'capacity', 'storage')}`);
    writeNodeAffinity(w, spec);
    w.line(0, `Message:\t${text(value, 'status', 'message')}`);
    w.line(0, 'Source:');
    writeVolumeSource(w, spec);
    writeEvents(w, events, context);
  },
};

function writeNodeAffinity(w: Description, spec: JsonObject): void {
  w.write(0, 'Node Affinity:\t');
  if (!at(spec, 'nodeAffinity', 'required')) return w.line(0, '<none>');
  w.line(0, '');
  w.write(1, 'Required Terms:\t');
  const terms = objects(spec, 'nodeAffinity', 'required', 'nodeSelectorTerms');
  w.line(0, terms.length === 0 ? '<none>' : '');
  terms.forEach((term, index) =>
    writeTerm(
      w,
      2,
      index,
      objects(term, 'matchExpressions').map((requirement) => ({
        words: `${text(requirement, 'key')} ${text(requirement, 'operator').toLowerCase()}`,
        values: list(requirement, 'values').map(String),
      })),
    ),
  );
}

function writeTerm(
  w: Description,
  level: number,
  index: number,
  requirements: readonly { readonly words: string; readonly values: readonly string[] }[],
): void {
  w.write(level, `Term ${index}:\t`);
  if (requirements.length === 0) return w.line(0, '<none>');
  requirements.forEach(({ words, values }, position) => {
    if (position > 0) w.write(level, '\t');
    w.line(0, values.length > 0 ? `${words} [${values.join(', ')}]` : words);
  });
}

export const persistentVolumeClaim: Describer = {
  kinds: ['PersistentVolumeClaim'],
  async describe(w, value, context) {
    const pods = await context.list('pods', text(value, 'metadata', 'namespace'));
    const events = await context.events(value);
    writeClaim(w, value, true, statusOf(value, context));
    writeMultiline(w, 'Used By', users(value, pods));
    const conditions = objects(value, 'status', 'conditions');
    if (conditions.length > 0) {
      w.line(0, 'Conditions:');
      w.line(1, 'Type\tStatus\tLastProbeTime\tLastTransitionTime\tReason\tMessage');
      w.line(1, '----\t------\t-----------------\t------------------\t------\t-------');
    }
    for (const condition of conditions) {
      const times = `${formatDate(text(condition, 'lastProbeTime'))} \t${formatDate(text(condition, 'lastTransitionTime'))}`;
      w.line(
        1,
        `${text(condition, 'type')} \t${text(condition, 'status')} \t${times} \t${text(condition, 'reason')} \t${text(condition, 'message')}`,
      );
    }
    writeEvents(w, events, context);
  },
};

/** Names of the Pods that use the claim, once for each volume, and of those that own it. */
function users(claim: JsonObject, pods: readonly JsonObject[]): string[] {
  const name = text(claim, 'metadata', 'name');
  const using = pods.flatMap((pod) =>
    objects(pod, 'spec', 'volumes')
      .filter((volume) => text(volume, 'persistentVolumeClaim', 'claimName') === name)
      .map(() => pod),
  );
  for (const owner of objects(claim, 'metadata', 'ownerReferences')) {
    if (text(owner, 'kind') !== 'Pod') continue;
    const pod = pods.find((candidate) => text(candidate, 'metadata', 'uid') === text(owner, 'uid'));
    if (pod && !using.includes(pod)) using.push(pod);
  }
  return using.map((pod) => text(pod, 'metadata', 'name')).sort(byCodeUnit);
}

export const storageClass: Describer = {
  kinds: ['StorageClass.storage.k8s.io'],
  async describe(w, value, context) {
    const events = await context.events(value);
    const annotations = strings(value, 'metadata', 'annotations');
    const isDefault = [
      'storageclass.kubernetes.io/is-default-class',
      'storageclass.beta.kubernetes.io/is-default-class',
    ];
    w.line(0, `Name:\t${text(value, 'metadata', 'name')}`);
    w.line(0, `IsDefaultClass:\t${isDefault.some((key) => annotations.get(key) === 'true') ? 'Yes' : 'No'}`);
    w.line(0, `Annotations:\t${formatLabels(annotations)}`);
    w.line(0, `Provisioner:\t${text(value, 'provisioner')}`);
    w.line(0, `Parameters:\t${formatLabels(strings(value, 'parameters'))}`);
    w.line(0, `AllowVolumeExpansion:\t${formatBool(at(value, 'allowVolumeExpansion'))}`);
    const options = list(value, 'mountOptions').map(String);
    w.line(0, options.length === 0 ? 'MountOptions:\t<none>' : 'MountOptions:');
    for (const option of options) w.line(1, option);
    if (text(value, 'reclaimPolicy') !== '') w.line(0, `ReclaimPolicy:\t${text(value, 'reclaimPolicy')}`);
    if (text(value, 'volumeBindingMode') !== '') w.line(0, `VolumeBindingMode:\t${text(value, 'volumeBindingMode')}`);
    if (at(value, 'allowedTopologies')) {
      const terms = objects(value, 'allowedTopologies');
      w.line(0, `AllowedTopologies:\t${terms.length === 0 ? '<none>' : ''}`);
      terms.forEach((term, index) =>
        writeTerm(
          w,
          1,
          index,
          objects(term, 'matchLabelExpressions').map((requirement) => ({
            words: `${text(requirement, 'key')} in`,
            values: list(requirement, 'values').map(String),
          })),
        ),
      );
    }
    writeEvents(w, events, context);
  },
};

export const csiNode: Describer = {
  kinds: ['CSINode.storage.k8s.io'],
  async describe(w, value, context) {
    const events = await context.events(value);
    writeMetadata(w, value, false);
    w.line(0, `CreationTimestamp:\t${formatDate(text(value, 'metadata', 'creationTimestamp'))}`);
    w.line(0, 'Spec:');
    if (at(value, 'spec', 'drivers')) w.line(1, 'Drivers:');
    for (const driver of objects(value, 'spec', 'drivers')) {
      w.line(2, `${text(driver, 'name')}:`);
      w.line(3, `Node ID:\t${text(driver, 'nodeID')}`);
      if (at(driver, 'allocatable', 'count') !== undefined) {
        w.line(3, 'Allocatables:');
        w.line(4, `Count:\t${number(driver, 'allocatable', 'count')}`);
      }
      if (at(driver, 'topologyKeys')) w.line(3, `Topology Keys:\t${formatValue(list(driver, 'topologyKeys'))}`);
    }
    writeEvents(w, events, context);
  },
};
