import { expect, test } from 'vitest';
import { deepFreeze } from '#apimachinery/json.ts';
import { decoded, prepared, texts, updateErrors } from '#testing/kind.ts';
import type { Pod } from '../../generated/types.ts';
import { pods } from './pod.ts';

const manifest = (spec: string, rest = '') =>
  `metadata: {name: p, namespace: default, labels: {app: web}}\nspec: {containers: [{name: a, image: nginx}]${spec}}${rest}`;
const context = { now: Date.parse('2025-01-01T00:00:00Z') };

test('a new Pod is pending, of a class, and of generation 1', () => {
  const check = (resources: string, qosClass: string, rest = '') => {
    const text = `metadata: {name: p}\nspec: {containers: [{name: a, image: nginx, resources: ${resources}}]${rest}}\nstatus: {phase: Running}`;
    const pod = prepared(pods, text);
    expect(pod.status).toEqual({ phase: 'Pending', qosClass });
    expect(pod.metadata.generation).toBe(1);
  };
  check('{}', 'BestEffort');
  check('{requests: {example.com/gpu: 1}, limits: {example.com/gpu: 1}}', 'BestEffort');
  check('{requests: {cpu: 1}}', 'Burstable');
  check('{limits: {cpu: 1}}', 'Burstable');
  check('{limits: {cpu: 1, memory: 1Gi}}', 'Guaranteed');
  check('{limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 500m}}', 'Burstable');
  check('{limits: {cpu: 1, memory: 1Gi}}', 'Burstable', ', initContainers: [{name: i, image: x}]');
});

test('a gated Pod says so', () => {
  const { prepareForCreate } = pods.strategy ?? {};
  const pod = prepareForCreate?.(decoded(pods, manifest(', schedulingGates: [{name: g}]')), context);
  expect(pod?.status?.conditions).toEqual([
    {
      type: 'PodScheduled',
      status: 'False',
      lastProbeTime: null,
      lastTransitionTime: '2025-01-01T00:00:00Z',
      reason: 'SchedulingGated',
      message: 'Scheduling is blocked due to non-empty scheduling gates',
    },
  ]);
});

test('fields of features that are off are dropped; matchLabelKeys become requirements', () => {
  const dropped = prepared(
    pods,
    `metadata: {name: p}
spec:
  resources: {limits: {cpu: 1}}
  resourceClaims: [{name: c}]
  volumes: [{name: i, image: {reference: x}}, {name: t, projected: {sources: [{clusterTrustBundle: {path: a}}]}}]
  containers: [{name: a, image: nginx, lifecycle: {stopSignal: SIGTERM}, volumeMounts: [{name: i, mountPath: /i}], resources: {claims: [{name: c}]}}]`,
  );
  expect(JSON.parse(JSON.stringify(dropped.spec))).toMatchObject({
    volumes: [{ name: 't', projected: { sources: [{}] } }],
    containers: [{ name: 'a', volumeMounts: [], resources: {} }],
  });
  expect(dropped.spec.resources).toBeUndefined();
  expect(dropped.spec.resourceClaims).toBeUndefined();
  expect(dropped.spec.containers[0]?.lifecycle).toBeUndefined();
  expect(dropped.spec.containers[0]?.resources?.claims).toBeUndefined();

  const spread = prepared(
    pods,
    manifest(
      ', affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: z, labelSelector: {}, matchLabelKeys: [app, none]}]}}',
    ),
  );
  expect(spread.spec.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.[0]?.labelSelector).toEqual(
    { matchExpressions: [{ key: 'app', operator: 'In', values: ['web'] }] },
  );
});

test('AppArmor profiles: annotation and field follow each other', () => {
  const key = 'container.apparmor.security.beta.kubernetes.io/a';
  const byField = prepared(
    pods,
    manifest(', securityContext: {appArmorProfile: {type: Localhost, localhostProfile: x}}'),
  );
  expect(byField.metadata.annotations).toEqual({ [key]: 'localhost/x' });
  const byAnnotation = prepared(
    pods,
    `metadata: {name: p, annotations: {${key}: runtime/default}}\nspec: {containers: [{name: a, image: nginx}]}`,
  );
  expect(byAnnotation.spec.containers[0]?.securityContext).toEqual({ appArmorProfile: { type: 'RuntimeDefault' } });
});

test('each endpoint changes its own part', () => {
  const previous: Pod = deepFreeze({
    ...prepared(pods, manifest('')),
    metadata: { name: 'p', generation: 4, labels: { a: 'b' }, deletionTimestamp: 't', ownerReferences: [] },
    status: { phase: 'Running', qosClass: 'BestEffort' },
  });
  const next: Pod = deepFreeze({
    ...previous,
    metadata: { name: 'p', generation: 9, labels: { c: 'd' } },
    spec: { ...previous.spec, containers: [{ ...previous.spec.containers[0], name: 'a', image: 'other' }] },
    status: { phase: 'Failed' },
  });
  const updated = pods.strategy?.prepareForUpdate?.(next, previous, context) as Pod;
  expect(updated).toMatchObject({
    metadata: { generation: 5, labels: { c: 'd' } },
    spec: next.spec,
    status: previous.status,
  });
  const same = pods.strategy?.prepareForUpdate?.({ ...next, spec: previous.spec }, previous, context) as Pod;
  expect(same.metadata.generation).toBe(4);

  const { status, ephemeralcontainers, resize } = pods.subresources ?? {};
  expect(status?.prepareForUpdate(next, previous, context)).toMatchObject({
    metadata: { labels: { c: 'd' }, deletionTimestamp: 't' },
    spec: previous.spec,
    status: { phase: 'Failed', qosClass: 'BestEffort' },
  });
  const debugged = ephemeralcontainers?.prepareForUpdate(
    { ...next, spec: { ...next.spec, ephemeralContainers: [{ name: 'd', image: 'busybox' }] } },
    previous,
    context,
  ) as Pod;
  expect(debugged).toMatchObject({ metadata: { generation: 5, labels: { a: 'b' } }, status: previous.status });
  expect(debugged.spec).toEqual({ ...previous.spec, ephemeralContainers: [{ name: 'd', image: 'busybox' }] });
  const resized = resize?.prepareForUpdate(
    {
      ...next,
      spec: {
        ...next.spec,
        containers: [{ ...next.spec.containers[0], name: 'a', resources: { limits: { cpu: '1' } } }],
      },
    },
    previous,
    context,
  ) as Pod;
  expect(resized.spec.containers[0]).toMatchObject({ image: 'nginx', resources: { limits: { cpu: '1' } } });
});

test('how long a Pod may take to end', () => {
  const check = (fields: Partial<Pod['spec']>, phase: string, requested: number | undefined, seconds: number) => {
    const pod = { ...prepared(pods, manifest('')), status: { phase } };
    const spec = { ...pod.spec, nodeName: 'n1', ...fields };
    expect(pods.strategy?.gracePeriodSeconds?.({ ...pod, spec }, requested)).toBe(seconds);
  };
  check({}, 'Running', undefined, 30);
  check({}, 'Running', 5, 5);
  check({}, 'Running', 0, 0);
  check({ nodeName: '' }, 'Pending', undefined, 0);
  check({}, 'Succeeded', 60, 0);
  check({}, 'Running', -3, 1);
});

test('what the status may not do', () => {
  const running = prepared(pods, manifest(', restartPolicy: Never'));
  const ended = {
    name: 'a',
    image: '',
    imageID: '',
    ready: false,
    restartCount: 0,
    state: { terminated: { exitCode: 0 } },
  };
  const check = (before: Pod['status'], after: Pod['status'], ...errors: string[]) => {
    const found = pods.subresources?.status?.validateUpdate(
      { ...running, status: after },
      { ...running, status: before },
    );
    expect(texts(found)).toEqual(errors);
  };
  check({}, { podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }], hostIP: '1.1.1.1', hostIPs: [{ ip: '1.1.1.1' }] });
  check(
    { qosClass: 'BestEffort' },
    { qosClass: 'Burstable' },
    'status.qosClass: Invalid value: "Burstable": field is immutable',
  );
  check(
    { containerStatuses: [ended] },
    { containerStatuses: [{ ...ended, state: { running: {} } }] },
    'status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state',
  );
  check(
    {},
    { podIPs: [{ ip: '10.0.0.1' }, { ip: '10.0.0.2' }], hostIP: '2.2.2.2', hostIPs: [{ ip: '1.1.1.1' }] },
    'status.podIPs: Invalid value: []core.PodIP{core.PodIP{IP:"10.0.0.1"}, core.PodIP{IP:"10.0.0.2"}}: may specify no more than one IP for each IP family',
    'status.hostIPs[0].ip: Invalid value: "1.1.1.1": must be equal to `hostIP`',
  );
  check(
    {},
    { conditions: [{ type: 'a b', status: 'True' }] },
    "status.conditions[0].Type: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
  );
});

test('what debugging and resizing may not do', () => {
  const debug = (from: string, to: string, ...errors: string[]) => {
    const found = pods.subresources?.ephemeralcontainers?.validateUpdate(
      decoded(pods, manifest(to)),
      decoded(pods, manifest(from)),
    );
    expect(texts(found).map((text) => text.split('\n')[0])).toEqual(errors);
  };
  debug('', ', ephemeralContainers: [{name: d, image: busybox}]');
  debug(
    ', ephemeralContainers: [{name: d, image: busybox}]',
    '',
    'spec.ephemeralContainers: Forbidden: existing ephemeral containers "d" may not be removed',
  );
  debug(
    ', ephemeralContainers: [{name: d, image: busybox}]',
    ', ephemeralContainers: [{name: d, image: other}]',
    'spec.ephemeralContainers: Forbidden: existing ephemeral containers "d" may not be changed',
  );

  const sized = (fields: string) => `metadata: {name: p}\nspec: {containers: [{name: a, image: nginx, ${fields}}]}`;
  const resize = (from: string, to: string, ...errors: string[]) => {
    const found = pods.subresources?.resize?.validateUpdate(prepared(pods, sized(to)), prepared(pods, sized(from)));
    expect(texts(found)).toEqual(errors);
  };
  resize('resources: {requests: {cpu: 1}}', 'resources: {requests: {cpu: 2}}');
  resize(
    'resources: {requests: {cpu: 1}}',
    'resources: {limits: {cpu: 2, memory: 1Gi}}',
    'spec: Invalid value: "Guaranteed": Pod QOS Class may not change as a result of resizing',
    'spec.containers[0].resources.limits[memory]: Forbidden: memory limits cannot be added unless resizePolicy is RestartContainer',
  );
  resize(
    'resources: {requests: {cpu: 1, memory: 1Gi}, limits: {memory: 2Gi}}',
    'resources: {requests: {cpu: 1}, limits: {memory: 1Gi}}',
    'spec.containers[0].resources.limits[memory]: Forbidden: memory limits cannot be decreased unless resizePolicy is RestartContainer',
  );
  resize(
    'resources: {requests: {cpu: 1}}',
    'resources: {}',
    'spec: Invalid value: "BestEffort": Pod QOS Class may not change as a result of resizing',
    'spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed',
  );
});

test('warnings', () => {
  const check = (spec: string, ...warnings: string[]) =>
    expect(pods.strategy?.warnings?.(prepared(pods, `metadata: {name: p}\nspec:\n${spec}`), undefined)).toEqual(
      warnings,
    );
  const one = '  containers: [{name: a, image: nginx}]';
  check(one);
  expect(pods.strategy?.warnings?.(prepared(pods, `metadata: {name: a.b}\nspec:\n${one}`), undefined)).toEqual([
    "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]",
  ]);
  check(
    `  nodeSelector: {beta.kubernetes.io/os: linux}\n${one}`,
    'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead',
  );
  check(
    '  containers: [{name: a, image: x, ports: [{containerPort: 80, name: h}, {containerPort: 80}], env: [{name: A, value: a}, {name: A, value: b}], resources: {requests: {memory: 1500m}}}, {name: b, image: x, ports: [{containerPort: 81, name: h, hostIP: 1.2.3.4}]}]',
    'spec.containers[0].resources.requests[memory]: fractional byte value "1500m" is invalid, must be an integer',
    'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
    'spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]',
    'spec.containers[1].ports[0]: hostIP set without hostPort: {Name:h HostPort:0 ContainerPort:81 Protocol:TCP HostIP:1.2.3.4}',
    'spec.containers[1].ports[0]: duplicate port name "h" with spec.containers[0].ports[0], services and probes that select ports by name will use spec.containers[0].ports[0]',
  );
  check(
    `  volumes: [{name: g, gitRepo: {repository: r}}, {name: p, projected: {sources: [{}, {secret: {name: s, items: [{key: k, path: a}]}}, {configMap: {name: c, items: [{key: k, path: a/b}]}}]}}]\n${one}`,
    'spec.volumes[0].gitRepo: deprecated in v1.11, and disabled by default in v1.33+',
    'volume "p" (Projected) has no sources provided',
    'volume "p" (Projected): overlapping paths: "a/b" (ConfigMap "c") with "a" (Secret "s")',
  );
  check(
    `  imagePullSecrets: [{name: a}, {name: a}, {}]\n  hostAliases: [{ip: 010.0.0.1}]\n${one}`,
    'spec.imagePullSecrets[1].name: duplicate name "a"',
    'spec.imagePullSecrets[2].name: invalid empty name ""',
    'spec.hostAliases[0].ip: non-standard IP address "010.0.0.1" will be considered invalid in a future Kubernetes release: use "10.0.0.1"',
  );
  check(
    `  topologySpreadConstraints: [{maxSkew: 1, topologyKey: z, whenUnsatisfiable: DoNotSchedule}]\n${one}`,
    'spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod',
  );
  expect(updateErrors(pods, `metadata: {name: p}\nspec:\n${one}`, `metadata: {name: p}\nspec:\n${one}`)).toEqual([]);
});
