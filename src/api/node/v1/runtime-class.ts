import type { FieldError } from '#apimachinery/field-error.ts';
import { validateLabels } from '#apimachinery/label-validation.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { duplicate, GoValue, goQuote, invalidField, isDNS1123Label } from '#apimachinery/validation.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import { deprecatedNodeLabel } from '../../core/v1/node-labels.ts';
import { validateResources } from '../../core/v1/pod-validation-containers.ts';
import { validateTolerations } from '../../core/v1/pod-validation-scheduling.ts';
import type { RuntimeClass, Toleration } from '../../generated/types.ts';

// Follows pkg/apis/node/validation and pkg/registry/node/runtimeclass, v1.33.

/** Upstream prints the address of the seconds. */
const goToleration = ({ key = '', operator = '', value = '', effect = '', tolerationSeconds }: Toleration) =>
  new GoValue(
    `core.Toleration{Key:${goQuote(key)}, Operator:${goQuote(operator)}, Value:${goQuote(value)}, Effect:${goQuote(effect)}, TolerationSeconds:(*int64)(${tolerationSeconds === undefined ? 'nil' : '0xc000000000'})}`,
  );

function validate({ handler = '', overhead, scheduling }: RuntimeClass): FieldError[] {
  const errors = isDNS1123Label(handler).map((message) => invalidField('handler', handler, message));
  if (overhead) validateResources({ limits: overhead.podFixed }, 'overhead', errors);
  const { nodeSelector, tolerations = [] } = scheduling ?? {};
  if (nodeSelector) validateLabels(nodeSelector, 'scheduling.nodeSelector', errors);
  // Upstream names this path twice.
  validateTolerations(tolerations, 'scheduling.tolerations.tolerations', errors);
  const seen = new Set<string>();
  tolerations.forEach((toleration, i) => {
    const { key = '', operator = '', value = '', effect = '' } = toleration;
    const id = JSON.stringify([key, operator, value, effect]);
    if (seen.has(id)) errors.push(duplicate(`scheduling.tolerations[${i}]`, goToleration(toleration)));
    seen.add(id);
  });
  return errors;
}

/** RuntimeClasses. */
export const runtimeClasses = defineResource<RuntimeClass>({
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  plural: 'runtimeclasses',
  singular: 'runtimeclass',
  scope: 'Cluster',
  schema: 'io.k8s.api.node.v1.RuntimeClass',
  validate,
  validateUpdate(next, previous) {
    const errors = validate(next);
    if (next.handler !== previous.handler) errors.push(invalidField('handler', next.handler, 'field is immutable'));
    return errors;
  },
  notModelled: () => ['handler: accepted, but not modelled: all nodes run all Pods in the same container runtime'],
  strategy: {
    allowCreateOnUpdate: true,
    allowUnconditionalUpdate: false,
    warnings: ({ scheduling }) =>
      Object.keys(scheduling?.nodeSelector ?? {}).flatMap((key) => {
        const why = deprecatedNodeLabel(key);
        return why === undefined ? [] : [`scheduling.nodeSelector: ${why}`];
      }),
  },
  ownColumns: true,
  columns: [nameColumn, { name: 'Handler', type: 'string', cell: ({ handler }) => handler }, ageColumn],
});
