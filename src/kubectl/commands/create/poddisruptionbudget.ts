import type { JsonObject } from '#apimachinery/json.ts';
import { parseLabelSelector } from '#apimachinery/selectors.ts';
import { goQuote } from '#apimachinery/validation.ts';
import type { Command } from '../../command.ts';
import { createFlags, createObject, knownResource, nameArgument, newMetadata } from '../../creating.ts';

export const createPodDisruptionBudget: Command = {
  name: 'poddisruptionbudget',
  aliases: ['pdb'],
  short: 'Create a pod disruption budget with the specified name',
  examples: `
# At least one Pod stays
kubectl create poddisruptionbudget web --selector=app=web --min-available=1

# At least half of them stay
kubectl create pdb web --selector=app=web --min-available=50%`,
  usage: 'poddisruptionbudget NAME --selector=SELECTOR --min-available=N [--dry-run=server|client|none]',
  flags: [
    ...createFlags,
    { name: 'max-unavailable', type: 'string', usage: 'How many Pods may be missing, as a number or a percentage.' },
    { name: 'min-available', type: 'string', usage: 'How many Pods must stay, as a number or a percentage.' },
    { name: 'selector', type: 'string', usage: 'Which Pods it is about.' },
  ],
  completion: 'none',
  run: async (invocation) => {
    const { flags } = invocation;
    const name = nameArgument(invocation);
    const selector = flags.string('selector');
    const [least, most] = [flags.string('min-available'), flags.string('max-unavailable')];
    if (name === '') throw new Error('name must be specified');
    if (selector === '') throw new Error('a selector must be specified');
    if (least === '' && most === '') throw new Error('one of min-available or max-unavailable must be specified');
    if (least !== '' && most !== '') throw new Error('min-available and max-unavailable cannot be both specified');
    if (!/^[0-9]+%?$/.test(least || most))
      throw new Error(`invalid format specified for ${least === '' ? 'max-unavailable' : 'min-available'}`);
    const amount = (text: string) => (text.endsWith('%') ? text : Number(text));
    await createObject(
      invocation,
      knownResource('policy', 'v1', 'poddisruptionbudgets', 'PodDisruptionBudget'),
      {
        kind: 'PodDisruptionBudget',
        apiVersion: 'policy/v1',
        metadata: await newMetadata(invocation, name),
        spec: {
          ...(least === '' ? {} : { minAvailable: amount(least) }),
          selector: toLabelSelector(selector),
          ...(most === '' ? {} : { maxUnavailable: amount(most) }),
        },
        status: { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 },
      },
      'failed to create poddisruptionbudgets: ',
    );
  },
};

/** A selector's text as an object's selector. Follows metav1.ParseToLabelSelector, v1.33. */
function toLabelSelector(text: string): JsonObject {
  const labels: [string, string][] = [];
  const expressions: JsonObject[] = [];
  for (const { key, operator, values } of parseLabelSelector(text)) {
    switch (operator) {
      case '=':
      case '==':
        labels.push([key, values[0] ?? '']);
        break;
      case 'in':
      case 'notin':
        expressions.push({ key, operator: operator === 'in' ? 'In' : 'NotIn', values });
        break;
      case 'exists':
      case '!':
        expressions.push({ key, operator: operator === 'exists' ? 'Exists' : 'DoesNotExist' });
        break;
      default:
        throw new Error(`${goQuote(operator)} isn't supported in label selectors`);
    }
  }
  return {
    ...(labels.length > 0 ? { matchLabels: Object.fromEntries(labels) } : {}),
    ...(expressions.length > 0 ? { matchExpressions: expressions } : {}),
  };
}
