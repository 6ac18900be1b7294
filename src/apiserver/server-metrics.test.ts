import { expect, test } from 'vitest';
import { labelsOf, ServerMetrics } from './server-metrics.ts';

const request = {
  verb: 'create',
  group: '',
  version: 'v1',
  resource: 'pods',
  namespace: 'default',
  options: {},
  user: { name: '', groups: [] },
  userAgent: '',
  cause: 0,
} as const;

test('requests are counted by code, timed in buckets, and watches are gauged', () => {
  const metrics = new ServerMetrics();
  for (const [code, ms] of [
    [201, 4],
    [201, 30],
    [409, 70_000],
  ] as const)
    metrics.begin(labelsOf(request))(code, ms);
  const over = metrics.beginLong(labelsOf({ ...request, verb: 'watch' }));
  metrics.add({ name: 'x', help: 'h', type: 'gauge', samples: () => [{ labels: { a: 'q"\n' }, value: 3 }] });
  const labels =
    'component="apiserver",dry_run="",group="",resource="pods",scope="resource",subresource="",verb="POST",version="v1"';
  const lines = metrics.render().split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      `apiserver_request_total{code="201",${labels}} 2`,
      `apiserver_request_total{code="409",${labels}} 1`,
      `apiserver_request_duration_seconds_bucket{${labels},le="0.005"} 1`,
      `apiserver_request_duration_seconds_bucket{${labels},le="60"} 2`,
      `apiserver_request_duration_seconds_bucket{${labels},le="+Inf"} 3`,
      `apiserver_request_duration_seconds_count{${labels}} 3`,
      'x{a="q\\"\\n"} 3',
      'apiserver_longrunning_requests{component="apiserver",group="",resource="pods",scope="namespace",subresource="",verb="WATCH",version="v1"} 1',
    ]),
  );
  over();
  expect(metrics.render()).toContain('verb="WATCH",version="v1"} 0');
});
