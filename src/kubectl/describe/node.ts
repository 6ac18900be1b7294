import type { JsonObject } from '#apimachinery/json.ts';
import { quantityMilliValue, quantityValue } from '#apimachinery/quantity.ts';
import { isStatus } from '#apimachinery/status-error.ts';
import { asError } from '../errors.ts';
import { at, list, object, objects, strings, text } from '../fields.ts';
import { byCodeUnit } from '#apimachinery/go-format.ts';
import type { DescribeContext } from './context.ts';
import type { Describer } from './describer.ts';
import { writeEvents } from './events.ts';
import type { Amounts } from './pod-resources.ts';
import { addAmounts, podAmounts } from './pod-resources.ts';
import type { Description } from './writer.ts';
import { formatDate, formatQuantityAt, writeAnnotations, writeLabels, writeTaints } from './writer.ts';

export const node: Describer = {
  kinds: ['Node'],

  async describe(w, object, context) {
    const name = text(object, 'metadata', 'name');
    const pods = await podsOf(name, context);
    const about = { name, namespace: '', kind: 'Node' };
    const events = await context.eventsOf({ ...about, uid: text(object, 'metadata', 'uid') });
    // The kubelet knows its Node by name only.
    const byName = events && (await context.eventsOf({ ...about, uid: name }));
    let lease: JsonObject | Error;
    try {
      lease = await (await context.client('leases', 'kube-node-lease')).get(name);
    } catch (error) {
      lease = asError(error);
    }
    writeNode(w, object, lease);
    if (pods) writePods(w, object, pods, context);
    else w.line(0, 'Pods:\tnot authorized');
    writeEvents(w, events && [...events, ...(byName ?? [])], context);
  },
};

/** The Pods that the Node still runs; undefined when they may not be seen. */
async function podsOf(name: string, context: DescribeContext): Promise<readonly JsonObject[] | undefined> {
  try {
    return await context.list('pods', '', {
      fieldSelector: `spec.nodeName=${name},status.phase!=Failed,status.phase!=Succeeded`,
    });
  } catch (error) {
    if (isStatus(error, 'Forbidden')) return undefined;
    throw error;
  }
}

function writeNode(w: Description, node: JsonObject, lease: JsonObject | Error): void {
  const labels = strings(node, 'metadata', 'labels');
  const status = object(node, 'status');
  w.line(0, `Name:\t${text(node, 'metadata', 'name')}`);
  w.line(0, `Roles:\t${rolesOf(labels).join(',') || '<none>'}`);
  writeLabels(w, 'Labels', labels);
  writeAnnotations(w, 'Annotations', strings(node, 'metadata', 'annotations'));
  w.line(0, `CreationTimestamp:\t${formatDate(text(node, 'metadata', 'creationTimestamp'))}`);
  writeTaints(w, 'Taints', objects(node, 'spec', 'taints'));
  w.line(0, `Unschedulable:\t${at(node, 'spec', 'unschedulable') === true}`);
  if (lease instanceof Error) w.line(0, `Lease:\tFailed to get lease: ${lease.message}`);
  else writeLease(w, object(lease, 'spec'));
  writeConditions(w, objects(status, 'conditions'));
  w.line(0, 'Addresses:');
  for (const address of objects(status, 'addresses'))
    w.line(1, `${text(address, 'type')}:\t${text(address, 'address')}`);
  for (const title of ['Capacity', 'Allocatable']) {
    const amounts = object(status, title.toLowerCase());
    const names = Object.keys(amounts).sort(byCodeUnit);
    if (names.length > 0) w.line(0, `${title}:`);
    for (const name of names) w.line(0, `  ${name}:\t${formatQuantityAt(amounts, name)}`);
  }
  w.line(0, 'System Info:');
  for (const [title, field] of SYSTEM_INFO) w.line(0, `  ${title}:\t${text(status, 'nodeInfo', field)}`);
  const cidr = text(node, 'spec', 'podCIDR');
  if (cidr !== '') w.line(0, `PodCIDR:\t${cidr}`);
  const cidrs = list(node, 'spec', 'podCIDRs').map(String);
  if (cidrs.length > 0) w.line(0, `PodCIDRs:\t${cidrs.join(',')}`);
  const provider = text(node, 'spec', 'providerID');
  if (provider !== '') w.line(0, `ProviderID:\t${provider}`);
}

const SYSTEM_INFO = [
  ['Machine ID', 'machineID'],
  ['System UUID', 'systemUUID'],
  ['Boot ID', 'bootID'],
  ['Kernel Version', 'kernelVersion'],
  ['OS Image', 'osImage'],
  ['Operating System', 'operatingSystem'],
  ['Architecture', 'architecture'],
  ['Container Runtime Version', 'containerRuntimeVersion'],
  ['Kubelet Version', 'kubeletVersion'],
  ['Kube-Proxy Version', 'kubeProxyVersion'],
] as const;

const ROLE_PREFIX = 'node-role.kubernetes.io/';

function rolesOf(labels: ReadonlyMap<string, string>): string[] {
  const roles = new Set<string>();
  for (const [key, value] of labels) {
    if (key.startsWith(ROLE_PREFIX)) {
      if (key !== ROLE_PREFIX) roles.add(key.slice(ROLE_PREFIX.length));
    } else if (key === 'kubernetes.io/role' && value !== '') roles.add(value);
  }
  return [...roles].sort(byCodeUnit);
}

function writeLease(w: Description, spec: JsonObject): void {
  const date = (field: string) => (text(spec, field) === '' ? '<unset>' : formatDate(text(spec, field)));
  w.line(0, 'Lease:');
  w.line(1, `HolderIdentity:\t${at(spec, 'holderIdentity') === undefined ? '<unset>' : text(spec, 'holderIdentity')}`);
  w.line(1, `AcquireTime:\t${date('acquireTime')}`);
  w.line(1, `RenewTime:\t${date('renewTime')}`);
}

function writeConditions(w: Description, conditions: readonly JsonObject[]): void {
  if (conditions.length === 0) return;
  w.line(0, 'Conditions:\n  Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage');
  w.line(1, '----\t------\t-----------------\t------------------\t------\t-------');
  for (const condition of conditions) {
    const times = `${formatDate(text(condition, 'lastHeartbeatTime'))} \t${formatDate(text(condition, 'lastTransitionTime'))}`;
    w.line(
      1,
      `${text(condition, 'type')} \t${text(condition, 'status')} \t${times} \t${text(condition, 'reason')} \t${text(condition, 'message')}`,
    );
  }
}

function writePods(w: Description, node: JsonObject, pods: readonly JsonObject[], context: DescribeContext): void {
  const allocatable = strings(
    node,
    'status',
    strings(node, 'status', 'allocatable').size > 0 ? 'allocatable' : 'capacity',
  );
  /** An amount and which part of the Node it is. */
  const share = (amounts: Amounts, name: string, safe: boolean) => {
    const measure = name === 'cpu' ? quantityMilliValue : quantityValue;
    const amount = amounts.get(name);
    const whole = measure(allocatable.get(name) ?? '0');
    const percent = whole === 0 && safe ? 0 : (measure(amount ?? '0') / whole) * 100;
    return `${formatQuantityAt(amount)} (${Number.isFinite(percent) ? Math.trunc(percent) : '-9223372036854775808'}%)`;
  };
  w.line(0, `Non-terminated Pods:\t(${pods.length} in total)`);
  w.line(1, 'Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge');
  w.line(1, '---------\t----\t\t------------\t----------\t---------------\t-------------\t---');
  let requests: Amounts = new Map();
  let limits: Amounts = new Map();
  for (const pod of pods) {
    const [asked, allowed] = [podAmounts(pod, 'requests'), podAmounts(pod, 'limits')];
    requests = addAmounts(requests, asked);
    limits = addAmounts(limits, allowed);
    const shares = ['cpu', 'memory'].flatMap((name) => [share(asked, name, false), share(allowed, name, false)]);
    const age = context.age(text(pod, 'metadata', 'creationTimestamp'));
    w.line(
      1,
      `${text(pod, 'metadata', 'namespace')}\t${text(pod, 'metadata', 'name')}\t\t${shares.join('\t')}\t${age}`,
    );
  }
  w.line(0, 'Allocated resources:\n  (Total limits may be over 100 percent, i.e., overcommitted.)');
  w.line(1, 'Resource\tRequests\tLimits');
  w.line(1, '--------\t--------\t------');
  const names = [...allocatable.keys()].sort(byCodeUnit);
  const huge = names.filter((name) => name.startsWith('hugepages-'));
  for (const name of ['cpu', 'memory', 'ephemeral-storage', ...huge])
    w.line(1, `${name}\t${share(requests, name, true)}\t${share(limits, name, true)}`);
  for (const name of names) {
    if (STANDARD.has(name) || name.startsWith('hugepages-')) continue;
    w.line(1, `${name}\t${formatQuantityAt(requests.get(name))}\t${formatQuantityAt(limits.get(name))}`);
  }
}

const STANDARD = new Set(['cpu', 'memory', 'ephemeral-storage', 'pods']);
