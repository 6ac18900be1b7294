import type { FieldError } from '#apimachinery/field-error.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import { validateStandardFinalizers } from '../../finalizers.ts';
import type { Scale } from '../../generated/types.ts';
import { validateNonnegative } from '../../nonnegative.ts';

/** How many replicas a workload has and should have. Served as a subresource only, never by itself. */
export const scales = defineResource<Scale>({
  group: 'autoscaling',
  version: 'v1',
  kind: 'Scale',
  plural: 'scales',
  singular: 'scale',
  scope: 'Namespaced',
  schema: 'io.k8s.api.autoscaling.v1.Scale',
  verbs: [],
  defaults: (scale) => (scale.spec ? scale : { ...scale, spec: {} }),
  validate({ metadata, spec }) {
    const errors: FieldError[] = [];
    validateStandardFinalizers(metadata, errors);
    validateNonnegative(spec.replicas, 'spec.replicas', errors);
    return errors;
  },
  ownColumns: true,
  columns: [
    nameColumn,
    { name: 'Desired', type: 'integer', cell: ({ spec }) => spec.replicas ?? 0 },
    { name: 'Available', type: 'integer', cell: ({ status }) => status?.replicas ?? 0 },
    ageColumn,
  ],
});
