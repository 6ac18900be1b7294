import { defineResource } from '#apimachinery/resource.ts';
import { nameColumn } from '../../columns.ts';
import type { ComponentStatus } from '../../generated/types.ts';

const healthOf = ({ conditions }: ComponentStatus) => conditions?.find(({ type }) => type === 'Healthy');

/** ComponentStatuses. Nothing of them is stored: who reads them gets what is the case. */
export const componentStatuses = defineResource<ComponentStatus>({
  group: '',
  version: 'v1',
  kind: 'ComponentStatus',
  plural: 'componentstatuses',
  singular: 'componentstatus',
  shortNames: ['cs'],
  scope: 'Cluster',
  schema: 'io.k8s.api.core.v1.ComponentStatus',
  verbs: ['get', 'list'],
  deprecated: 'v1 ComponentStatus is deprecated in v1.19+',
  ownColumns: true,
  columns: [
    nameColumn,
    {
      name: 'Status',
      type: 'string',
      description: 'Status of the component conditions',
      cell(component) {
        const health = healthOf(component);
        if (!health) return 'Unknown';
        return health.status === 'True' ? 'Healthy' : 'Unhealthy';
      },
    },
    {
      name: 'Message',
      type: 'string',
      description: 'Message of the component conditions',
      cell: (component) => healthOf(component)?.message ?? '',
    },
    {
      name: 'Error',
      type: 'string',
      description: 'Error of the component conditions',
      cell: (component) => healthOf(component)?.error ?? '',
    },
  ],
});
