import { daemonSets } from '#api/apps/v1/daemon-set.ts';
import { deployments } from '#api/apps/v1/deployment.ts';
import { replicaSets } from '#api/apps/v1/replica-set.ts';
import { statefulSets } from '#api/apps/v1/stateful-set.ts';
import { cronJobs } from '#api/batch/v1/cron-job.ts';
import { jobs } from '#api/batch/v1/job.ts';
import { namespaces } from '#api/core/v1/namespace.ts';
import { pods } from '#api/core/v1/pod.ts';
import { podTemplates } from '#api/core/v1/pod-template.ts';
import { replicationControllers } from '#api/core/v1/replication-controller.ts';
import type { CronJob, Deployment, Namespace, ObjectMeta, Pod, PodSpec, PodTemplate } from '#api/generated/types.ts';
import { jsonEqual } from '#apimachinery/equal.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import { forbidden, internalError, invalid } from '#apimachinery/status-error.ts';
import type { AdmissionAttributes, AdmissionPlugin, RequestContext } from '#apiserver/contract.ts';
import { podSecurityViolations, violationsText } from './pod-security-checks.ts';
import {
  isStricter,
  type LevelVersion,
  levelText,
  type PodSecurityPolicy,
  podSecurityPolicy,
  sameLevel,
} from './pod-security-policy.ts';

const IGNORED_SUBRESOURCES = ['exec', 'attach', 'binding', 'eviction', 'log', 'portforward', 'proxy', 'status'];
const MAX_CHECKED_PODS = 3000;

type Template = Partial<Pick<Pod, 'metadata' | 'spec'>> | undefined;
const ofSpec = (object: ApiObject): Template => (object as Deployment).spec?.template;

/** The Pod in an object, by resource. */
const TEMPLATES: ReadonlyMap<unknown, (object: ApiObject) => Template> = new Map<
  unknown,
  (object: ApiObject) => Template
>([
  [podTemplates, (object) => (object as PodTemplate).template],
  [replicationControllers, ofSpec],
  [replicaSets, ofSpec],
  [deployments, ofSpec],
  [statefulSets, ofSpec],
  [daemonSets, ofSpec],
  [jobs, ofSpec],
  [cronJobs, (object) => (object as CronJob).spec?.jobTemplate.spec?.template],
]);

/**
 * Holds Pods to the levels that their namespace's labels ask for. Nothing is exempt, and what has no label is privileged, as
 * without a configuration file. Follows pod-security-admission/admission, v1.33.
 */
export const podSecurity: AdmissionPlugin = {
  name: 'PodSecurity',
  resources: [pods, namespaces, ...(TEMPLATES.keys() as Iterable<ResourceDefinition>)],
  validate(attributes, context) {
    const { resource, operation, object, subresource } = attributes;
    if (operation !== 'CREATE' && operation !== 'UPDATE') return;
    if (resource === pods) validatePod(attributes, context);
    else if (subresource !== undefined || !object) return;
    else if (resource === namespaces) validateNamespace(attributes, context);
    else {
      const template = TEMPLATES.get(resource)?.(object);
      if (template?.spec) validateTemplate(attributes, context, template.metadata ?? {}, template.spec);
    }
  },
};

function validatePod(attributes: AdmissionAttributes, context: RequestContext): void {
  const { subresource, operation, namespace = '', object, oldObject, name, resource } = attributes;
  if (subresource !== undefined && IGNORED_SUBRESOURCES.includes(subresource)) return;
  if (!object) return;
  const found = context.read(namespaces, undefined, namespace);
  if (!found) throw internalError(`failed to lookup namespace "${namespace}"`);
  const { policy, errors } = policyOf(found);
  const isPrivileged = [policy.enforce, policy.audit, policy.warn].every(({ level }) => level === 'privileged');
  if (isPrivileged && errors.length === 0) return;
  const pod = object as Pod;
  if (operation === 'UPDATE' && !isSignificant(pod, oldObject as Pod)) return;
  annotateError(context, errors);
  context.annotate('pod-security.kubernetes.io/enforce-policy', levelText(policy.enforce));
  const text = violates(policy.enforce, pod.metadata, pod.spec);
  audit(context, policy.audit, pod.metadata, pod.spec);
  if (text) throw forbidden(resource, name, `violates PodSecurity ${text}`);
  warn(context, policy.warn, pod.metadata, pod.spec);
}

/** Templates of workloads are not refused: the Pods made of them will be. */
function validateTemplate(
  { namespace = '' }: AdmissionAttributes,
  context: RequestContext,
  metadata: ObjectMeta,
  spec: PodSpec,
): void {
  const found = context.read(namespaces, undefined, namespace);
  if (!found) return;
  const { policy, errors } = policyOf(found);
  annotateError(context, errors);
  audit(context, policy.audit, metadata, spec);
  warn(context, policy.warn, metadata, spec);
}

function validateNamespace(attributes: AdmissionAttributes, context: RequestContext): void {
  const { operation, object, oldObject, name, resource } = attributes;
  const { policy, errors } = policyOf(object as Namespace);
  if (operation === 'CREATE') {
    if (errors.length > 0) throw invalid(resource, name, errors);
    return;
  }
  if (object?.metadata.labels === oldObject?.metadata.labels) return;
  const before = policyOf(oldObject as Namespace);
  if (errors.length > 0 && !jsonEqual(errors, before.errors)) throw invalid(resource, name, errors);
  const { enforce } = policy;
  const old = before.policy.enforce;
  if (sameLevel(enforce, old) || enforce.level === 'privileged') return;
  if (enforce.minor === old.minor && !isStricter(enforce.level, old.level)) return;
  for (const warning of podsThatViolate(context.readAll(pods, name), name, enforce)) context.warn(warning);
}

/** Policies are read from the labels, which are shared by all versions of a namespace that have the same. */
const policies = new WeakMap<object, ReturnType<typeof podSecurityPolicy>>();
const UNLABELLED = podSecurityPolicy();

function policyOf({ metadata: { labels } }: Namespace): {
  policy: PodSecurityPolicy;
  errors: ReturnType<typeof podSecurityPolicy>['errors'];
} {
  if (!labels) return UNLABELLED;
  let known = policies.get(labels);
  if (!known) policies.set(labels, (known = podSecurityPolicy(labels)));
  return known;
}

function violates(level: LevelVersion, metadata: ObjectMeta, spec: PodSpec): string {
  const violations = podSecurityViolations(level, metadata, spec);
  return violations.length === 0 ? '' : `"${levelText(level)}": ${violationsText(violations)}`;
}

function warn(context: RequestContext, level: LevelVersion, metadata: ObjectMeta, spec: PodSpec): void {
  const text = violates(level, metadata, spec);
  if (text) context.warn(`would violate PodSecurity ${text}`);
}

function audit(context: RequestContext, level: LevelVersion, metadata: ObjectMeta, spec: PodSpec): void {
  const text = violates(level, metadata, spec);
  if (text) context.annotate('pod-security.kubernetes.io/audit-violations', `would violate PodSecurity ${text}`);
}

function annotateError(context: RequestContext, errors: readonly { readonly field: string; readonly text: string }[]) {
  if (errors.length === 0) return;
  const texts = errors.map(({ field, text }) => `${field}: ${text}`);
  const all = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  context.annotate('pod-security.kubernetes.io/error', `Failed to parse policy: ${all}`);
}

/** Of all that may change in a Pod, only images and new containers matter. */
function isSignificant({ spec }: Pod, { spec: old }: Pod): boolean {
  const differ = (list: PodSpec['initContainers'] = [], before: PodSpec['initContainers'] = []) =>
    list.length !== before.length || list.some(({ image }, i) => image !== before[i]?.image);
  return (
    differ(spec.containers, old.containers) ||
    differ(spec.initContainers, old.initContainers) ||
    (spec.ephemeralContainers ?? []).some(
      ({ name, image }) => !old.ephemeralContainers?.some((one) => one.name === name && one.image === image),
    )
  );
}

/**
 * What is told of Pods that would not be let into a namespace anymore. Of many, one Pod of each controller is looked at
 * first. Follows EvaluatePodsInNamespace, v1.33, without its time limit.
 */
export function podsThatViolate(all: readonly Pod[], namespace: string, enforce: LevelVersion): readonly string[] {
  const owners = new Set<string>();
  const first: Pod[] = [];
  const others: Pod[] = [];
  for (const pod of all) {
    const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller)?.uid;
    (owner !== undefined && owners.has(owner) ? others : first).push(pod);
    if (owner !== undefined) owners.add(owner);
  }
  const checked = [...first, ...others].slice(0, MAX_CHECKED_PODS);
  const found = new Map<string, { name: string; count: number }>();
  for (const { metadata, spec } of checked) {
    const violations = podSecurityViolations(enforce, metadata, spec);
    if (violations.length === 0) continue;
    const reasons = violations.map(({ reason }) => reason).join(', ');
    const { name = '' } = metadata;
    const known = found.get(reasons);
    found.set(reasons, { name: known && known.name < name ? known.name : name, count: (known?.count ?? 0) + 1 });
  }
  const lines = [...found].map(([reasons, { name, count }]) => {
    if (count === 1) return `${name}: ${reasons}`;
    return `${name} (and ${count - 1} other ${count === 2 ? 'pod' : 'pods'}): ${reasons}`;
  });
  return [
    ...(checked.length < all.length
      ? [
          `new PodSecurity enforce level only checked against the first ${checked.length} of ${all.length} existing pods`,
        ]
      : []),
    ...(lines.length > 0
      ? [`existing pods in namespace "${namespace}" violate the new PodSecurity enforce level "${levelText(enforce)}"`]
      : []),
    ...lines.sort(),
  ];
}
