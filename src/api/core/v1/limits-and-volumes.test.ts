import { describe, expect, test } from 'vitest';
import { createErrors, decoded, prepared, updateErrors } from '#testing/kind.ts';
import { limitRanges } from './limit-range.ts';
import { persistentVolumes } from './persistent-volume.ts';
import { persistentVolumeClaims } from './persistent-volume-claim.ts';
import { resourceQuotas } from './resource-quota.ts';

describe('LimitRange', () => {
  const range = (limits: string) => `metadata: {name: l}\nspec: {limits: [${limits}]}`;
  test('limits of containers follow from one another', () =>
    expect(decoded(limitRanges, range('{type: Container, max: {cpu: "2"}, min: {memory: 1Mi}}')).spec.limits).toEqual([
      {
        type: 'Container',
        default: { cpu: '2' },
        defaultRequest: { cpu: '2', memory: '1Mi' },
        max: { cpu: '2' },
        min: { memory: '1Mi' },
      },
    ]));
  const check = (limits: string, ...errors: string[]) =>
    test(limits, () => expect(createErrors(limitRanges, range(limits))).toEqual(errors));
  check('{type: Container, default: {cpu: 500m}, defaultRequest: {cpu: 250m}, max: {cpu: "1"}}');
  check('{type: Node}', 'spec.limits[0].type: Invalid value: "Node": must be a standard limit type or fully qualified');
  check(
    '{type: Pod, default: {cpu: 1}}',
    "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'",
  );
  check(
    '{type: Pod, min: {cpu: 2}, max: {cpu: 1}}',
    'spec.limits[0].min[cpu]: Invalid value: resource.Quantity{i:resource.int64Amount{value:2, scale:0}, d:resource.infDecAmount{Dec:(*inf.Dec)(nil)}, s:"", Format:"DecimalSI"}: min value 2 is greater than max value 1',
  );
  check(
    '{type: PersistentVolumeClaim}',
    'spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided',
  );
});

describe('ResourceQuota', () => {
  const quota = (spec: string) => `metadata: {name: q}\nspec: {${spec}}`;
  const check = (spec: string, ...errors: string[]) =>
    test(spec, () => expect(createErrors(resourceQuotas, quota(spec))).toEqual(errors));
  check('hard: {pods: 2, requests.cpu: 1, count/configmaps: 3}');
  check(
    'hard: {widgets: 1}',
    'spec.hard[widgets]: Invalid value: "widgets": must be a standard resource type or fully qualified',
    'spec.hard[widgets]: Invalid value: "widgets": must be a standard resource for quota',
  );
  check(
    'hard: {services: 1}, scopes: [BestEffort, NotBestEffort]',
    ...Array(2).fill(
      'spec.scopes: Invalid value: []core.ResourceQuotaScope{"BestEffort", "NotBestEffort"}: unsupported scope applied to resource',
    ),
    'spec.scopes: Invalid value: []core.ResourceQuotaScope{"BestEffort", "NotBestEffort"}: conflicting scopes',
  );
  check(
    'scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: In}]}',
    "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
  );
  test('scopes stay', () =>
    expect(updateErrors(resourceQuotas, quota('hard: {pods: 1}'), quota('scopes: [BestEffort]'))).toEqual([
      'spec.scopes: Invalid value: []core.ResourceQuotaScope{"BestEffort"}: field is immutable',
    ]));
  test('the table', () => {
    const object = decoded(
      resourceQuotas,
      'metadata: {name: q}\nstatus: {hard: {pods: 2, limits.cpu: 1, cpu: 3}, used: {pods: 1}}',
    );
    expect(resourceQuotas.columns?.slice(1, 3).map(({ cell }) => cell(object, 0))).toEqual([
      'cpu: 0/3, pods: 1/2',
      'limits.cpu: 0/1',
    ]);
  });
});

describe('volumes and claims', () => {
  const claim = (spec: string) =>
    `metadata: {name: c}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}, ${spec}}`;
  test('a claim', () => {
    expect(prepared(persistentVolumeClaims, claim('')).status).toEqual({ phase: 'Pending' });
    expect(createErrors(persistentVolumeClaims, claim(''))).toEqual([]);
    expect(createErrors(persistentVolumeClaims, 'metadata: {name: c}\nspec: {}')).toEqual([
      'spec.accessModes: Required value: at least 1 access mode is required',
      'spec.resources[storage]: Required value',
    ]);
    expect(updateErrors(persistentVolumeClaims, claim(''), claim('storageClassName: fast'))).toEqual([]);
    const [error, ...rest] = updateErrors(persistentVolumeClaims, claim(''), claim('').replace('1Gi', '2Gi'));
    expect(error).toMatch(/^spec: Forbidden: spec is immutable after creation except resources.requests and/);
    expect(rest).toEqual([]);
  });
  const volume = (spec: string) =>
    `metadata: {name: v}\nspec: {accessModes: [ReadWriteOnce], capacity: {storage: 1Gi}, ${spec}}`;
  const check = (spec: string, ...errors: string[]) =>
    test(spec || 'no source', () => expect(createErrors(persistentVolumes, volume(spec))).toEqual(errors));
  check('hostPath: {path: /data}');
  check('', 'spec: Required value: must specify a volume type');
  check(
    'hostPath: {path: /a}, nfs: {server: s, path: /p}',
    'spec.nfs: Forbidden: may not specify more than 1 volume type',
  );
  check('local: {path: /a}', 'spec.nodeAffinity: Required value: Local volume requires node affinity');
  check('csi: {driver: d}', 'spec.csi.volumeHandle: Required value');
  check(
    'hostPath: {path: /}, persistentVolumeReclaimPolicy: Recycle',
    "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'",
  );
});
