import type { FieldError } from '#apimachinery/field-error.ts';
import { compareQuantities } from '#apimachinery/quantity.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import {
  forbiddenField,
  GoValue,
  goQuote,
  goStringMap,
  goStrings,
  inclusiveRangeError,
  invalidField,
  required,
} from '#apimachinery/validation.ts';
import { validateStandardFinalizers } from '../../finalizers.ts';
import type {
  Container,
  EphemeralContainer,
  NodeAffinity,
  NodeSelectorTerm,
  Pod,
  PodSpec,
  ResourceRequirements,
} from '../../generated/types.ts';
import { computeQosClass, qosClass } from './pod-resources.ts';
import { isMirrorPod, isRestartableInitContainer } from './pod-status.ts';
import { MAX_INT32, validateMetadataAndSpec } from './pod-validation.ts';
import { validatePodAnnotationUpdates } from './pod-validation-annotations.ts';
import { validateImageWhitespace } from './pod-validation-containers.ts';
import { validateTolerations } from './pod-validation-scheduling.ts';
import { specDiff } from './spec-diff.ts';

// What may change of a Pod, by which endpoint. Follows pkg/apis/core/validation, v1.33.

const UPDATABLE = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',');

/** An update of a Pod: very little of the specification may change. */
export function validatePodUpdate(next: Pod, previous: Pod): FieldError[] {
  const errors: FieldError[] = [];
  if (next.spec === previous.spec) {
    validateStandardFinalizers(next.metadata, errors);
    validatePodAnnotationUpdates(next, previous, errors);
    return errors;
  }
  validateMetadataAndSpec(next, errors);
  validatePodAnnotationUpdates(next, previous, errors);
  for (const list of ['containers', 'initContainers'] as const) {
    if (!validateImages(next.spec[list], previous.spec[list], `spec.${list}`, errors)) return errors;
  }
  if (!validateDeadline(next.spec, previous.spec, errors)) return errors;
  validateAddedTolerations(next.spec, previous.spec, errors);
  validateDeletedGates(next.spec, previous.spec, errors);
  if (semanticEqual(next.spec, previous.spec)) return errors;

  let munged = withOldFields(next.spec, previous.spec);
  if (previous.spec.schedulingGates?.length) munged = withOldNodeSelection(munged, previous.spec, errors);
  if (!semanticEqual(munged, previous.spec)) {
    const diff = specDiff('core.PodSpec', previous.spec, munged);
    errors.push(forbiddenField('spec', `pod updates may not change fields other than ${UPDATABLE}\n${diff}`));
  }
  return errors;
}

function validateImages(
  next: readonly Container[] = [],
  previous: readonly Container[] = [],
  path: string,
  errors: FieldError[],
): boolean {
  if (next.length !== previous.length) {
    errors.push(forbiddenField(path, 'pod updates may not add or remove containers'));
    return false;
  }
  next.forEach((container, i) => {
    if (!container.image) errors.push(required(`${path}[${i}].image`));
    validateImageWhitespace(container, `${path}[${i}]`, errors);
  });
  return true;
}

function validateDeadline(next: PodSpec, previous: PodSpec, errors: FieldError[]): boolean {
  const path = 'spec.activeDeadlineSeconds';
  const after = next.activeDeadlineSeconds;
  const before = previous.activeDeadlineSeconds;
  if (after === undefined) {
    if (before !== undefined) {
      errors.push(invalidField(path, undefined, 'must not update from a positive integer to nil value'));
    }
    return true;
  }
  if (after < 0 || after > MAX_INT32) errors.push(invalidField(path, after, inclusiveRangeError(0, MAX_INT32)));
  else if (before !== undefined && before < after) {
    errors.push(invalidField(path, after, 'must be less than or equal to previous value'));
  } else return true;
  return false;
}

function validateAddedTolerations(next: PodSpec, previous: PodSpec, errors: FieldError[]): void {
  const path = 'spec.tolerations';
  const kept = previous.tolerations?.every((old) =>
    next.tolerations?.some((toleration) => {
      const { tolerationSeconds: _, ...own } = toleration;
      const { tolerationSeconds: __, ...before } = old;
      return semanticEqual(own, before);
    }),
  );
  if (kept === false) {
    errors.push(forbiddenField(path, 'existing toleration can not be modified except its tolerationSeconds'));
  } else {
    validateTolerations(next.tolerations, path, errors);
  }
}

function validateDeletedGates(next: PodSpec, previous: PodSpec, errors: FieldError[]): void {
  const old = new Set(previous.schedulingGates?.map(({ name }) => name));
  next.schedulingGates?.forEach(({ name }, i) => {
    if (old.has(name)) return;
    const message = `only deletion is allowed, but found new scheduling gate '${name}'`;
    errors.push(forbiddenField(`spec.schedulingGates[${i}].name`, message));
  });
}

/** The new specification with all that may change as it was. */
function withOldFields(next: PodSpec, previous: PodSpec): PodSpec {
  const images = (containers: readonly Container[], old: readonly Container[] = []) =>
    containers.map((container, i) => ({ ...container, image: old[i]?.image }));
  const shortened =
    (previous.terminationGracePeriodSeconds ?? 0) < 0 && next.terminationGracePeriodSeconds === 1
      ? previous.terminationGracePeriodSeconds
      : next.terminationGracePeriodSeconds;
  return {
    ...next,
    containers: images(next.containers, previous.containers),
    initContainers: next.initContainers && images(next.initContainers, previous.initContainers),
    activeDeadlineSeconds: previous.activeDeadlineSeconds,
    schedulingGates: previous.schedulingGates,
    tolerations: previous.tolerations,
    terminationGracePeriodSeconds: shortened,
  };
}

/** While a Pod is gated its node selector and required node affinity may become narrower. */
function withOldNodeSelection(next: PodSpec, previous: PodSpec, errors: FieldError[]): PodSpec {
  let munged = next;
  const before = previous.nodeSelector ?? {};
  const after = munged.nodeSelector ?? {};
  if (!semanticEqual(after, before)) {
    if (Object.keys(before).some((key) => !Object.hasOwn(after, key) || after[key] !== before[key])) {
      const message = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)';
      errors.push(invalidField('spec.nodeSelector', goStringMap(after), message));
    }
    munged = { ...munged, nodeSelector: previous.nodeSelector };
  }
  const oldAffinity = previous.affinity?.nodeAffinity;
  const newAffinity = munged.affinity?.nodeAffinity;
  if (!semanticEqual(oldAffinity, newAffinity)) {
    validateNodeAffinityMutation(newAffinity, oldAffinity, errors);
    const { podAffinity, podAntiAffinity } = munged.affinity ?? {};
    const isGone = !oldAffinity && !podAffinity && !podAntiAffinity && !previous.affinity;
    munged = { ...munged, affinity: isGone ? undefined : { ...munged.affinity, nodeAffinity: oldAffinity } };
  }
  return munged;
}

function validateNodeAffinityMutation(
  next: NodeAffinity | undefined,
  previous: NodeAffinity | undefined,
  errors: FieldError[],
): void {
  const path = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms';
  const before = previous?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const after = next?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  if (before.length > 0 && before.length !== after.length) {
    const message = 'no additions/deletions to non-empty NodeSelectorTerms list are allowed';
    errors.push(invalidField(path, goTerms(after), message));
    return;
  }
  before.forEach((term, i) => {
    const changed = after[i] as NodeSelectorTerm;
    if (!hasOnlyAdditions(changed, term)) {
      const message = 'only additions are allowed (no mutations or deletions)';
      errors.push(invalidField(`${path}[${i}]`, goTerm(changed), message));
    }
  });
}

function hasOnlyAdditions(next: NodeSelectorTerm, previous: NodeSelectorTerm): boolean {
  const lists = ['matchExpressions', 'matchFields'] as const;
  if (lists.every((list) => !previous[list]?.length)) return lists.every((list) => !next[list]?.length);
  return lists.every((list) => {
    const before = previous[list] ?? [];
    return semanticEqual((next[list] ?? []).slice(0, before.length), before);
  });
}

const goRequirements = (list: NodeSelectorTerm['matchExpressions']) =>
  list
    ? `[]core.NodeSelectorRequirement{${list
        .map(
          ({ key, operator, values }) =>
            `core.NodeSelectorRequirement{Key:${goQuote(key)}, Operator:${goQuote(operator)}, Values:${values ? goStrings(values).text : '[]string(nil)'}}`,
        )
        .join(', ')}}`
    : '[]core.NodeSelectorRequirement(nil)';
const goTermText = ({ matchExpressions, matchFields }: NodeSelectorTerm) =>
  `core.NodeSelectorTerm{MatchExpressions:${goRequirements(matchExpressions)}, MatchFields:${goRequirements(matchFields)}}`;
const goTerm = (term: NodeSelectorTerm) => new GoValue(goTermText(term));
const goTerms = (terms: readonly NodeSelectorTerm[]) =>
  new GoValue(
    terms.length ? `[]core.NodeSelectorTerm{${terms.map(goTermText).join(', ')}}` : '[]core.NodeSelectorTerm(nil)',
  );

/** Ephemeral containers may only be added. */
export function validateEphemeralContainersUpdate(next: Pod, previous: Pod): FieldError[] {
  const errors: FieldError[] = [];
  validateMetadataAndSpec(next, errors);
  validatePodAnnotationUpdates(next, previous, errors);
  if (isMirrorPod(previous)) return [forbiddenField('[]', 'static pods do not support ephemeral containers')];
  const path = 'spec.ephemeralContainers';
  const byName = new Map<string, EphemeralContainer>();
  for (const container of next.spec.ephemeralContainers ?? []) byName.set(container.name, container);
  for (const old of previous.spec.ephemeralContainers ?? []) {
    const named = `existing ephemeral containers ${goQuote(old.name)}`;
    const now = byName.get(old.name);
    if (!now) errors.push(forbiddenField(path, `${named} may not be removed\n`));
    else if (!semanticEqual(old, now)) {
      const diff = specDiff('core.EphemeralContainer', old, now);
      errors.push(forbiddenField(path, `${named} may not be changed\n${diff}`));
    }
  }
  return errors;
}

/** Only CPU and memory of containers and sidecars may be resized, and not so that the Pod's class changes. */
export function validatePodResize(next: Pod, previous: Pod): FieldError[] {
  const errors: FieldError[] = [];
  validateMetadataAndSpec(next, errors);
  if (isMirrorPod(previous)) return [forbiddenField('[]', 'static pods cannot be resized')];
  if (previous.spec.os?.name === 'windows') return [forbiddenField('[]', 'windows pods cannot be resized')];
  if (qosClass(previous) !== computeQosClass(next)) {
    const message = 'Pod QOS Class may not change as a result of resizing';
    errors.push(invalidField('spec', next.status?.qosClass ?? '', message));
  }
  const running = previous.status?.containerStatuses?.find(({ state }) => state?.running);
  if (running && !running.resources) {
    errors.push(forbiddenField('spec', 'Pod running on node without support for resize'));
  }
  const order = orderErrors(next.spec, previous.spec);
  if (order.length) return [...errors, ...order];
  for (const list of ['initContainers', 'containers'] as const) {
    previous.spec[list]?.forEach((old, i) => {
      if (list === 'initContainers' && !isRestartableInitContainer(old)) return;
      validateContainerResize(next.spec[list]?.[i] ?? old, old, `spec.${list}[${i}].resources`, errors);
    });
  }
  const check = (container: Container, old: Container, message: string) => {
    if (!semanticEqual(container, old)) errors.push(forbiddenField('spec', message));
  };
  next.spec.containers.forEach((container, i) => {
    const old = previous.spec.containers[i] as Container;
    check(withOldSize(container, old), old, 'only cpu and memory resources are mutable');
  });
  next.spec.initContainers?.forEach((container, i) => {
    const old = previous.spec.initContainers?.[i] as Container;
    if (isRestartableInitContainer(container)) {
      const message = 'only cpu and memory resources for sidecar containers are mutable';
      check(withOldSize(container, old), old, message);
    } else check(container, old, 'resources for non-sidecar init containers are immutable');
  });
  return errors;
}

function orderErrors(next: PodSpec, previous: PodSpec): FieldError[] {
  return (['containers', 'initContainers'] as const).flatMap((list) => {
    const after = next[list] ?? [];
    const before = previous[list] ?? [];
    if (after.length !== before.length) {
      return [forbiddenField(`spec.${list}`, `${list} may not be added or removed on resize`)];
    }
    return before.flatMap(({ name }, i) =>
      after[i]?.name === name
        ? []
        : [forbiddenField(`spec.${list}[${i}].name`, `${list} may not be renamed or reordered on resize`)],
    );
  });
}

/** The container with the CPU and memory that it had. */
function withOldSize(container: Container, old: Container): Container {
  const list = (name: 'limits' | 'requests') => {
    const before = old.resources?.[name];
    if (!before) return {};
    const others = Object.entries(container.resources?.[name] ?? {}).filter(
      ([key]) => key !== 'cpu' && key !== 'memory',
    );
    const sizes = Object.entries(before).filter(([key]) => key === 'cpu' || key === 'memory');
    return { [name]: Object.fromEntries([...others, ...sizes]) };
  };
  const resources: ResourceRequirements = { ...list('limits'), ...list('requests') };
  return { ...container, resources };
}

function validateContainerResize(next: Container, previous: Container, path: string, errors: FieldError[]): void {
  const after = next.resources ?? {};
  const before = previous.resources ?? {};
  for (const list of ['requests', 'limits'] as const) {
    const names = Object.keys(before[list] ?? {});
    if (names.some((name) => !Object.hasOwn(after[list] ?? {}, name))) {
      errors.push(forbiddenField(`${path}.${list}`, `resource ${list} cannot be removed`));
    }
  }
  const policy = next.resizePolicy?.find(({ resourceName }) => resourceName === 'memory')?.restartPolicy;
  const limit = after.limits?.memory;
  if ((policy && policy !== 'NotRequired') || limit === undefined) return;
  const old = before.limits?.memory;
  const at = `${path}.limits[memory]`;
  if (old === undefined) {
    errors.push(forbiddenField(at, 'memory limits cannot be added unless resizePolicy is RestartContainer'));
  } else if (compareQuantities(limit, old) < 0) {
    errors.push(forbiddenField(at, 'memory limits cannot be decreased unless resizePolicy is RestartContainer'));
  }
}
