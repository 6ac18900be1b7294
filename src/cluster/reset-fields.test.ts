import { expect, test } from 'vitest';
import { LiveCluster } from '#testing/live-cluster.ts';

interface Managed {
  readonly metadata: {
    readonly managedFields: readonly {
      readonly subresource?: string;
      readonly fieldsV1: Readonly<Record<string, unknown>>;
    }[];
  };
}

test('who writes a status owns nothing but the status', async () => {
  const live = await new LiveCluster({ workers: 1, latency: 'none' }).start();
  const condition = { type: 'Odd', status: 'True' };
  const check = async (path: string, kind: string, condition: object, spec: object) => {
    const [, group = '', version = '', plural = ''] = /^([^/]+)\/([^/]+)\/(.+)$/.exec(path) ?? [];
    const collection = `/apis/${group}/${version}/${plural}`;
    const head = { apiVersion: `${group}/${version}`, kind };
    const name = plural === 'apiservices' ? 'v1.odd.example.com' : 'odd';
    await live.send('POST', collection, { ...head, metadata: { name }, spec });
    const status = { conditions: [condition] };
    const labels = { odd: 'yes' };
    const written = await live.send<Managed>('PATCH', `${collection}/${name}/status`, { metadata: { labels }, status });
    const own = written.metadata.managedFields.find(({ subresource }) => subresource === 'status');
    expect([plural, Object.keys(own?.fieldsV1 ?? {})]).toEqual([plural, ['f:status']]);
    expect(written.metadata).not.toHaveProperty('labels');
  };
  await check('flowcontrol.apiserver.k8s.io/v1/flowschemas', 'FlowSchema', condition, {
    priorityLevelConfiguration: { name: 'exempt' },
  });
  await check('flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations', 'PriorityLevelConfiguration', condition, {
    type: 'Limited',
    limited: { limitResponse: { type: 'Reject' } },
  });
  await check('apiregistration.k8s.io/v1/apiservices', 'APIService', condition, {
    group: 'odd.example.com',
    version: 'v1',
    groupPriorityMinimum: 1,
    versionPriority: 1,
    insecureSkipTLSVerify: true,
    service: { namespace: 'default', name: 'odd' },
  });
  const time = { ...condition, reason: 'Odd', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' };
  await check('admissionregistration.k8s.io/v1/validatingadmissionpolicies', 'ValidatingAdmissionPolicy', time, {
    validations: [{ expression: 'true' }],
    matchConstraints: {
      resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
    },
  });
});
