import type { FieldError } from '#apimachinery/field-error.ts';
import { goJsonSyntaxError } from '#apimachinery/go-json.ts';
import { forbiddenField, goQuote, invalidField, keyed } from '#apimachinery/validation.ts';
import type { Pod, PodSpec, Toleration } from '../../generated/types.ts';
import { allContainers, MIRROR_POD_ANNOTATION } from './pod-status.ts';
import { APP_ARMOR_PREFIX } from './pod-strategy.ts';
import { validateTolerations } from './pod-validation-scheduling.ts';
import { validateLocalDescendingPath } from './pod-validation-volumes.ts';

// Annotations of Pods that mean something. Follows pkg/apis/core/validation, v1.33.

type Annotations = Readonly<Record<string, string>>;

const PATH = 'metadata.annotations';
const TOLERATIONS = 'scheduler.alpha.kubernetes.io/tolerations';
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';
export const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod';
export const SECCOMP_CONTAINER_PREFIX = 'container.seccomp.security.alpha.kubernetes.io/';

/** How much it costs to lose the Pod, for controllers that choose; undefined if the annotation is not a 32-bit integer. */
export function podDeletionCost(annotations: Annotations | undefined): number | undefined {
  const text = annotations?.[DELETION_COST];
  if (text === undefined) return 0;
  const value = /^(?:0|-\d+|[1-9]\d*)$/.test(text) ? Number(text) : Number.NaN;
  return value >= -(2 ** 31) && value < 2 ** 31 ? value : undefined;
}

/** What the annotations of a new Pod, or of a Pod template, say. */
export function validatePodAnnotations(
  annotations: Annotations | undefined,
  spec: PodSpec,
  errors: FieldError[],
  path = PATH,
): void {
  if (!annotations) return;
  const mirror = annotations[MIRROR_POD_ANNOTATION];
  if (mirror !== undefined && !spec.nodeName) {
    errors.push(
      invalidField(
        keyed(path, MIRROR_POD_ANNOTATION),
        mirror,
        'must set spec.nodeName if mirror pod annotation is set',
      ),
    );
  }
  if (annotations[TOLERATIONS]) validateTolerationsAnnotation(annotations[TOLERATIONS], path, errors);
  if (podDeletionCost(annotations) === undefined) {
    errors.push(invalidField(keyed(path, DELETION_COST), annotations[DELETION_COST], 'must be a 32bit integer'));
  }
  const keys = Object.keys(annotations).sort();
  for (const key of keys) {
    if (key === SECCOMP_POD || key.startsWith(SECCOMP_CONTAINER_PREFIX)) {
      validateSeccompAnnotation(annotations[key] as string, `${path}.${key}`, errors);
    }
  }
  for (const key of keys) {
    if (key.startsWith(APP_ARMOR_PREFIX))
      validateAppArmorAnnotation(key, annotations[key] as string, spec, path, errors);
  }
}

function validateTolerationsAnnotation(text: string, path: string, errors: FieldError[]): void {
  const problem = goJsonSyntaxError(text);
  if (problem) {
    errors.push(invalidField(path, TOLERATIONS, problem));
    return;
  }
  const tolerations: unknown = JSON.parse(text);
  if (Array.isArray(tolerations)) {
    validateTolerations(tolerations as readonly Toleration[], `${path}.${TOLERATIONS}`, errors);
  } else if (tolerations !== null) {
    errors.push(invalidField(path, TOLERATIONS, 'json: cannot unmarshal into Go value of type []core.Toleration'));
  }
}

function validateSeccompAnnotation(profile: string, path: string, errors: FieldError[]): void {
  if (profile === 'runtime/default' || profile === 'docker/default' || profile === 'unconfined') return;
  if (profile.startsWith('localhost/')) {
    validateLocalDescendingPath(profile.slice('localhost/'.length), path, errors);
  } else {
    errors.push(invalidField(path, profile, 'must be a valid seccomp profile'));
  }
}

function validateAppArmorAnnotation(
  key: string,
  profile: string,
  spec: PodSpec,
  path: string,
  errors: FieldError[],
): void {
  const name = key.slice(APP_ARMOR_PREFIX.length);
  if (!allContainers({ spec } as Pod).some((container) => container.name === name)) {
    errors.push(invalidField(keyed(path, key), name, 'container not found'));
  }
  if (
    profile !== '' &&
    profile !== 'runtime/default' &&
    profile !== 'unconfined' &&
    !profile.startsWith('localhost/')
  ) {
    errors.push(invalidField(keyed(path, key), profile, `invalid AppArmor profile name: ${goQuote(profile)}`));
  }
}

/** What may not change in annotations, and what they say. */
export function validatePodAnnotationUpdates(next: Pod, previous: Pod, errors: FieldError[]): void {
  const after = next.metadata.annotations ?? {};
  const before = previous.metadata.annotations ?? {};
  if (after === before) return;
  for (const key of Object.keys(before).sort()) {
    if (Object.hasOwn(after, key) && after[key] === before[key]) continue;
    if (key.startsWith(APP_ARMOR_PREFIX)) {
      errors.push(forbiddenField(keyed(PATH, key), 'may not remove or update AppArmor annotations'));
    }
    if (key === MIRROR_POD_ANNOTATION) {
      errors.push(forbiddenField(keyed(PATH, key), 'may not remove or update mirror pod annotation'));
    }
  }
  for (const key of Object.keys(after).sort()) {
    if (Object.hasOwn(before, key)) continue;
    if (key.startsWith(APP_ARMOR_PREFIX)) {
      errors.push(forbiddenField(keyed(PATH, key), 'may not add AppArmor annotations'));
    }
    if (key === MIRROR_POD_ANNOTATION) {
      errors.push(forbiddenField(keyed(PATH, key), 'may not add mirror pod annotation'));
    }
  }
  validatePodAnnotations(after, next.spec, errors);
}
