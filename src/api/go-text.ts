import type { LabelSelectorLike } from '#apimachinery/selectors.ts';
import { type BadValue, GoValue, goQuote, goStringMap, goStrings } from '#apimachinery/validation.ts';

/** A map of strings as Go's `%#v` prints it; nil when there is none. */
export const goMapOrNil = (map: Readonly<Record<string, string>> | undefined): GoValue =>
  map ? goStringMap(map) : new GoValue('map[string]string(nil)');

/** A metav1.LabelSelector as Go's `%#v` prints it. */
export function goLabelSelector(selector: LabelSelectorLike | undefined): BadValue {
  if (!selector) return undefined;
  const { matchLabels, matchExpressions } = selector;
  const requirements = matchExpressions?.map(
    ({ key, operator, values }) =>
      `v1.LabelSelectorRequirement{Key:${goQuote(key)}, Operator:${goQuote(operator)}, Values:${values ? goStrings(values).text : '[]string(nil)'}}`,
  );
  const list = '[]v1.LabelSelectorRequirement';
  return new GoValue(
    `v1.LabelSelector{MatchLabels:${goMapOrNil(matchLabels).text}, MatchExpressions:${requirements ? `${list}{${requirements.join(', ')}}` : `${list}(nil)`}}`,
  );
}

/** An intstr.IntOrString as Go's `%#v` prints it. */
export const goIntOrString = (value: number | string): GoValue =>
  typeof value === 'number'
    ? new GoValue(`intstr.IntOrString{Type:0, IntVal:${value}, StrVal:""}`)
    : new GoValue(`intstr.IntOrString{Type:1, IntVal:0, StrVal:${goQuote(value)}}`);
