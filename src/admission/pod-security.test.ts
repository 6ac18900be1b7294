import { expect, test } from 'vitest';
import { namespaces } from '#api/core/v1/namespace.ts';
import { pods } from '#api/core/v1/pod.ts';
import { deployments } from '#api/apps/v1/deployment.ts';
import type { Namespace, Pod } from '#api/generated/types.ts';
import { TestApi } from '#testing/test-api.ts';
import { decoded } from '#testing/kind.ts';
import { podSecurity } from './pod-security.ts';
import { podsThatViolate } from './pod-security.ts';
import { podSecurityViolations, violationsText } from './pod-security-checks.ts';
import { levelText, podSecurityPolicy } from './pod-security-policy.ts';

const spec = (yaml: string, metadata = '') =>
  decoded(pods, `metadata: {name: web, namespace: default${metadata}}\nspec: {${yaml}}`);
const GOOD =
  'securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}, runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}';

test('what each level forbids', () => {
  const check = (level: 'baseline' | 'restricted', yaml: string, text: string, minor = Infinity, metadata = '') => {
    const pod = spec(yaml, metadata);
    expect(violationsText(podSecurityViolations({ level, minor }, pod.metadata, pod.spec))).toBe(text);
  };
  const plain = 'containers: [{name: a, image: x}]';
  const one = (fields: string) => `containers: [{name: a, image: x, ${fields}}]`;
  const two = (fields: string) => `containers: [{name: a, image: x, ${fields}}, {name: b, image: x, ${fields}}]`;
  check('baseline', plain, '');
  check('baseline', `hostNetwork: true, hostIPC: true, ${plain}`, 'host namespaces (hostNetwork=true, hostIPC=true)');
  check('baseline', `volumes: [{name: v, hostPath: {path: /}}], ${plain}`, 'hostPath volumes (volume "v")');
  check(
    'baseline',
    one('ports: [{containerPort: 1, hostPort: 80}, {containerPort: 2, hostPort: 443}]'),
    'hostPort (container "a" uses hostPorts 443, 80)',
  );
  check(
    'baseline',
    two('securityContext: {privileged: true}'),
    'privileged (containers "a", "b" must not set securityContext.privileged=true)',
  );
  check(
    'baseline',
    one('securityContext: {capabilities: {add: [NET_RAW, CHOWN]}}'),
    'non-default capabilities (container "a" must not include "NET_RAW" in securityContext.capabilities.add)',
  );
  check(
    'baseline',
    one('securityContext: {procMount: Unmasked}'),
    'procMount (container "a" must not set securityContext.procMount to "Unmasked")',
  );
  check(
    'baseline',
    `securityContext: {seLinuxOptions: {type: spc_t, user: u, role: r}}, ${plain}`,
    'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set; role may not be set)',
  );
  check('baseline', `securityContext: {seLinuxOptions: {type: container_engine_t}}, ${plain}`, '');
  check(
    'baseline',
    `securityContext: {seLinuxOptions: {type: container_engine_t}}, ${plain}`,
    'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "container_engine_t")',
    30,
  );
  check(
    'baseline',
    `securityContext: {seccompProfile: {type: Unconfined}}, ${one('securityContext: {seccompProfile: {type: Unconfined}}')}`,
    'seccompProfile (pod and container "a" must not set securityContext.seccompProfile.type to "Unconfined")',
  );
  check(
    'baseline',
    `securityContext: {appArmorProfile: {type: Unconfined}}, ${plain}`,
    'forbidden AppArmor profile (pod must not set AppArmor profile type to "Unconfined")',
  );
  check(
    'baseline',
    plain,
    'forbidden AppArmor profile (annotation must not set AppArmor profile type to "container.apparmor.security.beta.kubernetes.io/a="unconfined"")',
    Infinity,
    ', annotations: {container.apparmor.security.beta.kubernetes.io/a: unconfined}',
  );
  check(
    'baseline',
    plain,
    'seccompProfile (forbidden annotation seccomp.security.alpha.kubernetes.io/pod="unconfined")',
    18,
    ', annotations: {seccomp.security.alpha.kubernetes.io/pod: unconfined}',
  );
  check(
    'baseline',
    `securityContext: {sysctls: [{name: kernel.msgmax, value: "1"}, {name: net.ipv4.tcp_rmem, value: "1"}]}, ${plain}`,
    'forbidden sysctls (kernel.msgmax)',
  );
  check(
    'baseline',
    `securityContext: {sysctls: [{name: net.ipv4.tcp_rmem, value: "1"}]}, ${plain}`,
    'forbidden sysctls (net.ipv4.tcp_rmem)',
    31,
  );
  check(
    'baseline',
    `securityContext: {windowsOptions: {hostProcess: true}}, ${plain}`,
    'hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)',
  );
  check(
    'restricted',
    plain,
    'allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "a" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  );
  check(
    'restricted',
    plain,
    'runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true)',
    7,
  );
  check(
    'restricted',
    `os: {name: windows}, ${plain}`,
    'runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true)',
  );
  check('restricted', one(GOOD), '');
  check(
    'restricted',
    `securityContext: {runAsUser: 0, runAsNonRoot: false}, ${one(GOOD)}`,
    'runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false), runAsUser=0 (pod must not set runAsUser=0)',
  );
  check(
    'restricted',
    one(GOOD.replace('drop: [ALL]', 'add: [SYS_TIME]')),
    'unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]; container "a" must not include "SYS_TIME" in securityContext.capabilities.add)',
  );
  check(
    'restricted',
    `volumes: [{name: v, hostPath: {path: /}}, {name: w, nfs: {server: s, path: /}}, {name: e, emptyDir: {}}], ${one(GOOD)}`,
    'restricted volume types (volumes "v", "w" use restricted volume types "hostPath", "nfs")',
  );
});

test('labels', () => {
  const check = (labels: Record<string, string>, text: string, errors: readonly string[] = []) => {
    const full = Object.fromEntries(Object.entries(labels).map(([k, v]) => [`pod-security.kubernetes.io/${k}`, v]));
    const found = podSecurityPolicy(full);
    const { enforce, audit, warn } = found.policy;
    expect([enforce, audit, warn].map(levelText).join(' ')).toBe(text);
    expect(found.errors.map((error) => `${error.field}: ${error.text}`)).toEqual(errors);
  };
  check({}, 'privileged:latest privileged:latest privileged:latest');
  check({ enforce: 'baseline', 'enforce-version': 'v1.20' }, 'baseline:v1.20 privileged:latest baseline:v1.20');
  check({ enforce: 'restricted', warn: 'baseline' }, 'restricted:latest privileged:latest baseline:latest');
  check({ enforce: 'restricted', 'warn-version': 'v1.1' }, 'restricted:latest privileged:latest restricted:v1.1');
  check({ enforce: 'strict', 'audit-version': '1.2' }, 'restricted:latest privileged:latest privileged:latest', [
    'metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted',
    'metadata.labels[pod-security.kubernetes.io/audit-version]: Invalid value: "1.2": must be "latest" or "v1.x"',
  ]);
});

test('Pods that a namespace would not take anymore', () => {
  const pod = (name: string, uid?: string): Pod => {
    const { metadata, spec: body } = spec('hostNetwork: true, containers: [{name: a, image: x}]');
    const owner = { apiVersion: 'v1', kind: 'X', name: 'x', uid: uid ?? '', controller: true };
    return { metadata: { ...metadata, name, ...(uid ? { ownerReferences: [owner] } : {}) }, spec: body };
  };
  const check = (all: readonly Pod[], line: string) =>
    expect(podsThatViolate(all, 'ns', { level: 'baseline', minor: Infinity })).toEqual([
      'existing pods in namespace "ns" violate the new PodSecurity enforce level "baseline:latest"',
      line,
    ]);
  check([pod('b')], 'b: host namespaces');
  check([pod('b'), pod('a')], 'a (and 1 other pod): host namespaces');
  check([pod('b', '1'), pod('a', '1'), pod('c')], 'a (and 2 other pods): host namespaces');
});

test('refusals and warnings', async () => {
  const api = new TestApi('none', false, { admission: [podSecurity] });
  const warnings: string[] = [];
  const request = {
    verb: 'create',
    group: '',
    version: 'v1',
    options: {},
    user: { name: 'u', groups: [] },
    userAgent: 't',
    cause: 0,
    warn: (text: string) => void warnings.push(text),
  } as const;
  const namespace = (labels: Record<string, string>): Namespace => ({ metadata: { name: 'team', labels }, spec: {} });
  const enforce = 'pod-security.kubernetes.io/enforce';
  await expect(api.do((client) => client.create(namespaces, namespace({ [enforce]: 'high' })))).rejects.toThrow(
    'Namespace "team" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "high": must be one of privileged, baseline, restricted',
  );
  const host = (name: string): Pod => {
    const { spec: body } = spec('hostNetwork: true, containers: [{name: a, image: x}]');
    return { metadata: { name, namespace: 'team' }, spec: body };
  };
  await api.do((client) => client.create(namespaces, namespace({})));
  await api.do((client) => client.create(pods, host('old')));
  await api.do(async (client) => {
    const { metadata } = await client.get(namespaces, { name: 'team' });
    const object = { ...namespace({ [enforce]: 'baseline' }), apiVersion: 'v1', kind: 'Namespace' };
    return api.backend.request({
      ...request,
      verb: 'update',
      resource: 'namespaces',
      name: 'team',
      object: { ...object, metadata: { ...metadata, ...object.metadata } },
    });
  });
  expect(warnings.splice(0)).toEqual([
    'existing pods in namespace "team" violate the new PodSecurity enforce level "baseline:latest"',
    'old: host namespaces',
  ]);
  await expect(api.do((client) => client.create(pods, host('web')))).rejects.toThrow(
    'pods "web" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)',
  );
  const template = { metadata: { labels: { a: 'b' } }, spec: host('x').spec };
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd', namespace: 'team' },
    spec: { selector: { matchLabels: { a: 'b' } }, template },
  };
  await api.do(() =>
    api.backend.request({
      ...request,
      group: deployments.group,
      resource: 'deployments',
      namespace: 'team',
      object: deployment,
    }),
  );
  expect(warnings).toEqual(['would violate PodSecurity "baseline:latest": host namespaces (hostNetwork=true)']);
});
