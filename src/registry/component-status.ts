import { componentStatuses } from '#api/core/v1/component-status.ts';
import type { ComponentCondition, ComponentStatus } from '#api/generated/types.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import type { VirtualResource } from '#apiserver/contract.ts';

/** Which of the programs that the API server asks for their health run. */
export interface ComponentHealth {
  scheduler(): boolean;
  controllerManager(): boolean;
  etcd(): boolean;
}

/** Says how the programs of the control plane are. Follows pkg/registry/core/componentstatus, v1.33. */
export function componentStatus(health: ComponentHealth): VirtualResource {
  const overHttp = (port: number, runs: boolean): ComponentCondition =>
    runs
      ? { type: 'Healthy', status: 'True', message: 'ok' }
      : {
          type: 'Healthy',
          status: 'False',
          message: `Get "https://127.0.0.1:${port}/healthz": dial tcp 127.0.0.1:${port}: connect: connection refused`,
        };
  const etcd = (runs: boolean): ComponentCondition =>
    runs
      ? { type: 'Healthy', status: 'True', message: 'ok' }
      : { type: 'Healthy', status: 'False', error: 'context deadline exceeded' };
  const named = (name: string, condition: ComponentCondition): ComponentStatus => ({
    apiVersion: 'v1',
    kind: 'ComponentStatus',
    metadata: { name },
    conditions: [condition],
  });
  return {
    resource: componentStatuses as unknown as ResourceDefinition,
    list: (): readonly ApiObject[] => [
      named('scheduler', overHttp(10259, health.scheduler())),
      named('controller-manager', overHttp(10257, health.controllerManager())),
      named('etcd-0', etcd(health.etcd())),
    ],
  };
}
