import { expect, test } from 'vitest';
import { deepFreeze } from '#apimachinery/json.ts';
import type { Container, Pod, PodSpec, PodStatus } from '../../generated/types.ts';
import { defaultPod } from './pod-defaults.ts';

const pod = (spec: Partial<PodSpec>, status?: PodStatus): Pod =>
  deepFreeze({
    metadata: { name: 'p', namespace: 'default' },
    spec: { containers: [{ name: 'c', image: 'nginx' }], ...spec },
    ...(status ? { status } : {}),
  });

const container: Container = {
  name: 'c',
  image: 'nginx',
  imagePullPolicy: 'Always',
  resources: {},
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
};
const spec: PodSpec = {
  containers: [container],
  dnsPolicy: 'ClusterFirst',
  enableServiceLinks: true,
  restartPolicy: 'Always',
  schedulerName: 'default-scheduler',
  securityContext: {},
  terminationGracePeriodSeconds: 30,
};

test('a Pod gets its defaults once', () => {
  const check = (given: Partial<PodSpec>, expected: Partial<PodSpec>) => {
    const defaulted = defaultPod(pod(given));
    expect(defaulted.spec).toEqual({ ...spec, ...expected });
    expect(defaultPod(deepFreeze(defaulted))).toBe(defaulted);
  };
  check({}, {});
  check({ restartPolicy: '', dnsPolicy: 'Default' }, { dnsPolicy: 'Default' });
  check({ terminationGracePeriodSeconds: 0 }, { terminationGracePeriodSeconds: 0 });
  check({ terminationGracePeriodSeconds: -5 }, { terminationGracePeriodSeconds: 1 });
  check({ serviceAccount: 'a' }, { serviceAccount: 'a', serviceAccountName: 'a' });
  check({ serviceAccount: 'a', serviceAccountName: 'b' }, { serviceAccount: 'b', serviceAccountName: 'b' });
});

test('containers', () => {
  const check = (given: Partial<Container>, expected: Partial<Container>, rest: Partial<PodSpec> = {}) => {
    const defaulted = defaultPod(pod({ containers: [{ name: 'c', image: 'nginx', ...given }], ...rest }));
    expect(defaulted.spec.containers[0]).toEqual({ ...container, ...expected });
    expect(defaultPod(deepFreeze(defaulted))).toBe(defaulted);
  };
  check({ image: 'nginx:1.27' }, { image: 'nginx:1.27', imagePullPolicy: 'IfNotPresent' });
  check({ image: 'Bad Name' }, { image: 'Bad Name', imagePullPolicy: 'IfNotPresent' });
  check(
    { resources: { limits: { cpu: '1000m', memory: '64Mi' }, requests: { cpu: '0.0001' } } },
    { resources: { limits: { cpu: '1', memory: '64Mi' }, requests: { cpu: '1m', memory: '64Mi' } } },
  );
  check({ ports: [{ containerPort: 80 }] }, { ports: [{ containerPort: 80, protocol: 'TCP' }] });
  check(
    { ports: [{ containerPort: 80, hostPort: 81 }, { containerPort: 82 }] },
    {
      ports: [
        { containerPort: 80, hostPort: 81, protocol: 'TCP' },
        { containerPort: 82, hostPort: 82, protocol: 'TCP' },
      ],
    },
    { hostNetwork: true },
  );
  check(
    {
      env: [
        { name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        { name: 'B', value: 'b' },
      ],
    },
    {
      env: [
        { name: 'A', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
        { name: 'B', value: 'b' },
      ],
    },
  );
  check(
    { env: [{ name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } }] },
    { env: [{ name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '0' } } }] },
  );
  const thresholds = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };
  check(
    { livenessProbe: { httpGet: { port: 80 } }, readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: 5 } },
    {
      livenessProbe: { httpGet: { path: '/', port: 80, scheme: 'HTTP' }, ...thresholds },
      readinessProbe: { tcpSocket: { port: 80 }, ...thresholds, periodSeconds: 5 },
    },
  );
  check(
    { startupProbe: { grpc: { port: 80 } }, lifecycle: { preStop: { httpGet: { port: 'a', path: '/x' } } } },
    {
      startupProbe: { grpc: { port: 80, service: '' }, ...thresholds },
      lifecycle: { preStop: { httpGet: { port: 'a', path: '/x', scheme: 'HTTP' } } },
    },
  );
});

test('volumes', () => {
  type Volume = NonNullable<PodSpec['volumes']>[number];
  const check = (given: Omit<Volume, 'name'>, expected: Omit<Volume, 'name'>) => {
    const defaulted = defaultPod(pod({ volumes: [{ name: 'v', ...given }] }));
    expect(defaulted.spec.volumes).toEqual([{ name: 'v', ...expected }]);
    expect(defaultPod(deepFreeze(defaulted))).toBe(defaulted);
  };
  check({}, { emptyDir: {} });
  check({ emptyDir: { medium: 'Memory' } }, { emptyDir: { medium: 'Memory' } });
  check({ secret: { secretName: 's' } }, { secret: { secretName: 's', defaultMode: 420 } });
  check({ configMap: { name: 'c', defaultMode: 0 } }, { configMap: { name: 'c', defaultMode: 0 } });
  check({ hostPath: { path: '/' } }, { hostPath: { path: '/', type: '' } });
  check(
    { projected: { sources: [{ serviceAccountToken: { path: 'token' } }, { configMap: { name: 'c' } }] } },
    {
      projected: {
        defaultMode: 420,
        sources: [{ serviceAccountToken: { path: 'token', expirationSeconds: 3600 } }, { configMap: { name: 'c' } }],
      },
    },
  );
  check(
    { downwardAPI: { items: [{ path: 'l', fieldRef: { fieldPath: 'metadata.labels' } }] } },
    {
      downwardAPI: {
        defaultMode: 420,
        items: [{ path: 'l', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.labels' } }],
      },
    },
  );
});

test('status', () => {
  const check = (given: PodStatus, expected: object) => {
    const defaulted = defaultPod(pod({}, given));
    expect(defaulted.status).toEqual(expected);
    expect(defaultPod(deepFreeze(defaulted))).toBe(defaulted);
  };
  check({ podIP: '10.0.0.1' }, { podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }] });
  check({ podIPs: [{ ip: '10.0.0.1' }] }, { podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }] });
  check({ podIP: '10.0.0.2', podIPs: [{ ip: '10.0.0.1' }] }, { podIP: '10.0.0.2', podIPs: [{ ip: '10.0.0.2' }] });
  check(
    { conditions: [{ type: 'Ready', status: 'True' }] },
    { conditions: [{ type: 'Ready', status: 'True', lastProbeTime: null, lastTransitionTime: null }] },
  );
});
