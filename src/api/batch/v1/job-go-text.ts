import { GoValue, goQuote } from '#apimachinery/validation.ts';
import { goMapOrNil } from '../../go-text.ts';
import type {
  PodFailurePolicy,
  PodTemplateSpec,
  SuccessPolicy,
  UncountedTerminatedPods,
} from '../../generated/types.ts';

// Parts of a Job in Go notation, as messages show them. Where upstream prints an address of its memory, it is made up.

const ADDRESS = '0xc000000000';
const pointer = (type: string, value: unknown) => `(*${type})(${value === undefined ? 'nil' : ADDRESS})`;
const slice = <T>(type: string, list: readonly T[] | undefined, item: (value: T) => string) =>
  list ? `[]${type}{${list.map(item).join(', ')}}` : `[]${type}(nil)`;

export const goInt32s = (list: readonly number[] | undefined): GoValue => new GoValue(slice('int32', list, String));

export const goUncounted = ({ succeeded, failed }: UncountedTerminatedPods): GoValue =>
  new GoValue(
    `batch.UncountedTerminatedPods{Succeeded:${slice('types.UID', succeeded, goQuote)}, Failed:${slice('types.UID', failed, goQuote)}}`,
  );

export function goSuccessPolicy(policy: SuccessPolicy | undefined): GoValue | undefined {
  if (!policy) return undefined;
  const rules = slice(
    'batch.SuccessPolicyRule',
    policy.rules,
    ({ succeededIndexes, succeededCount }) =>
      `batch.SuccessPolicyRule{SucceededIndexes:${pointer('string', succeededIndexes)}, SucceededCount:${pointer('int32', succeededCount)}}`,
  );
  return new GoValue(`batch.SuccessPolicy{Rules:${rules}}`);
}

export function goPodFailurePolicy(policy: PodFailurePolicy | undefined): GoValue | undefined {
  if (!policy) return undefined;
  const rules = slice('batch.PodFailurePolicyRule', policy.rules, ({ action, onExitCodes, onPodConditions }) => {
    const conditions = slice(
      'batch.PodFailurePolicyOnPodConditionsPattern',
      onPodConditions,
      ({ type, status }) =>
        `batch.PodFailurePolicyOnPodConditionsPattern{Type:${goQuote(type)}, Status:${goQuote(status)}}`,
    );
    return `batch.PodFailurePolicyRule{Action:${goQuote(action)}, OnExitCodes:${pointer('batch.PodFailurePolicyOnExitCodesRequirement', onExitCodes)}, OnPodConditions:${conditions}}`;
  });
  return new GoValue(`batch.PodFailurePolicy{Rules:${rules}}`);
}

/** Differs from upstream: what a container has beside its name and image, and what the Pod has beside containers, is left out. */
export function goPodTemplate({ metadata = {}, spec }: PodTemplateSpec): GoValue {
  const meta = [
    `Name:${goQuote(metadata.name ?? '')}, GenerateName:"", Namespace:${goQuote(metadata.namespace ?? '')}, SelfLink:""`,
    'UID:"", ResourceVersion:"", Generation:0, CreationTimestamp:time.Date(1, time.January, 1, 0, 0, 0, 0, time.UTC)',
    `DeletionTimestamp:<nil>, DeletionGracePeriodSeconds:(*int64)(nil), Labels:${goMapOrNil(metadata.labels).text}`,
    `Annotations:${goMapOrNil(metadata.annotations).text}, OwnerReferences:[]v1.OwnerReference(nil)`,
    'Finalizers:[]string(nil), ManagedFields:[]v1.ManagedFieldsEntry(nil)',
  ].join(', ');
  const containers = slice(
    'core.Container',
    spec?.containers,
    ({ name, image = '' }) => `core.Container{Name:${goQuote(name)}, Image:${goQuote(image)}}`,
  );
  return new GoValue(
    `core.PodTemplateSpec{ObjectMeta:v1.ObjectMeta{${meta}}, Spec:core.PodSpec{Containers:${containers}}}`,
  );
}
