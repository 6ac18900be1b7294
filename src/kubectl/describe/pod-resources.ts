import type { JsonObject } from '#apimachinery/json.ts';
import { addQuantities, compareQuantities } from '#apimachinery/quantity.ts';
import { at, object, objects, strings, text } from '../fields.ts';

/** Amounts by resource. */
export type Amounts = ReadonlyMap<string, string>;

/** The sum of two lists. */
export function addAmounts(a: Amounts, b: Amounts): Amounts {
  const sum = new Map(a);
  for (const [name, amount] of b) {
    const before = sum.get(name);
    sum.set(name, before === undefined ? amount : addQuantities(before, amount));
  }
  return sum;
}

function largerAmounts(a: Amounts, b: Amounts): Amounts {
  const result = new Map(a);
  for (const [name, amount] of b) {
    const before = result.get(name);
    if (before === undefined || compareQuantities(amount, before) > 0) result.set(name, amount);
  }
  return result;
}

/** What a Pod asks for, or may use at most. Follows kubectl/pkg/util/resource/resource.go, v1.33. */
export function podAmounts(pod: JsonObject, kind: 'requests' | 'limits'): Amounts {
  const statuses = [...objects(pod, 'status', 'containerStatuses'), ...objects(pod, 'status', 'initContainerStatuses')];
  const amountsOf = (container: JsonObject, resizable: boolean): Amounts => {
    const wanted = strings(container, 'resources', kind);
    const status = statuses.findLast((candidate) => text(candidate, 'name') === text(container, 'name'));
    if (kind === 'limits' || !resizable || !status || !at(status, 'resources')) return wanted;
    const given = largerAmounts(strings(status, 'resources', 'requests'), strings(status, 'allocatedResources'));
    return isInfeasible(pod) ? given : largerAmounts(wanted, given);
  };
  let total: Amounts = new Map();
  for (const container of objects(pod, 'spec', 'containers')) total = addAmounts(total, amountsOf(container, true));
  let sidecars: Amounts = new Map();
  let initial: Amounts = new Map();
  for (const container of objects(pod, 'spec', 'initContainers')) {
    let needed: Amounts;
    if (text(container, 'restartPolicy') === 'Always') {
      const amounts = amountsOf(container, true);
      total = addAmounts(total, amounts);
      sidecars = addAmounts(sidecars, amounts);
      needed = sidecars;
    } else needed = addAmounts(amountsOf(container, false), sidecars);
    initial = largerAmounts(initial, needed);
  }
  total = largerAmounts(total, initial);
  if (!at(pod, 'spec', 'overhead')) return total;
  const overhead = strings(object(pod, 'spec'), 'overhead');
  if (kind === 'requests') return addAmounts(total, overhead);
  const known = [...overhead].filter(([name]) => compareQuantities(total.get(name) ?? '0', '0') !== 0);
  return addAmounts(total, new Map(known));
}

function isInfeasible(pod: JsonObject): boolean {
  return objects(pod, 'status', 'conditions').some(
    (condition) => text(condition, 'type') === 'PodResizePending' && text(condition, 'reason') === 'Infeasible',
  );
}
