import { expect, test } from 'vitest';
import { createErrors, updateErrors } from '#testing/kind.ts';
import { pods } from './pod.ts';

/** A manifest in which `spec` is given with the indentation of its own fields. */
const manifest = (spec: string, metadata = '') =>
  `metadata: {name: p, namespace: default, ${metadata}}\nspec:\n${spec}`;
const one = (container: string) => `  containers:\n  - {name: a, image: nginx, ${container}}`;
const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

const check = (spec: string, ...errors: string[]) => expect(createErrors(pods, manifest(spec)), spec).toEqual(errors);
const container = (fields: string, ...errors: string[]) =>
  check(one(fields), ...errors.map((error) => `spec.containers[0].${error}`));

test('what a real cluster said', () => {
  check('  containers: []', 'spec.containers: Required value');
  expect(createErrors(pods, 'metadata: {name: p}')).toEqual(['spec.containers: Required value']);
  check(
    `  restartPolicy: Sometimes
  containers:
  - {name: a, image: nginx, ports: [{containerPort: 80, name: http}, {containerPort: 81, name: http}]}
  - {name: a, image: nginx, ports: [{containerPort: 70000}]}`,
    'spec.containers[0].ports[1].name: Duplicate value: "http"',
    'spec.containers[1].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
    'spec.containers[1].name: Duplicate value: "a"',
    'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
  );
  container(
    'resources: {requests: {cpu: "2", memory: 1Gi}, limits: {cpu: "1", memory: 1Gi}}, volumeMounts: [{name: missing, mountPath: /data}]',
    'volumeMounts[0].name: Not found: "missing"',
    'resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
  );
  check(
    '  containers:\n  - {name: a, image: "", livenessProbe: {httpGet: {path: /, port: 0}, periodSeconds: -1}}',
    'spec.containers[0].image: Required value',
    'spec.containers[0].livenessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive',
    'spec.containers[0].livenessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0',
  );
});

test('names, images, ports', () => {
  check(
    '  containers:\n  - {name: A, image: " nginx"}',
    `spec.containers[0].name: Invalid value: "A": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`,
    'spec.containers[0].image: Invalid value: " nginx": must not have leading or trailing whitespace',
  );
  container(
    'ports: [{hostPort: 80, containerPort: 0}, {containerPort: 1, name: "-a", protocol: X}]',
    'ports[0].containerPort: Required value',
    'ports[1].name: Invalid value: "-a": must not begin or end with a hyphen',
    'ports[1].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
  );
  container(
    'ports: [{containerPort: 80, hostPort: 80}, {containerPort: 81, hostPort: 80}]',
    'ports[1].hostPort: Duplicate value: "TCP//80"',
  );
  container(
    'imagePullPolicy: Maybe, terminationMessagePolicy: Never',
    'terminationMessagePolicy: Unsupported value: "Never": supported values: "File", "FallbackToLogsOnError"',
    'imagePullPolicy: Unsupported value: "Maybe": supported values: "Always", "IfNotPresent", "Never"',
  );
  container('restartPolicy: Always', 'restartPolicy: Forbidden: may not be set for non-init containers');
});

test('environment', () => {
  container('env: [{name: "a.b-c d"}, {name: A, valueFrom: {fieldRef: {fieldPath: "metadata.labels[\'a\']"}}}]');
  container(
    'env: [{name: ""}, {name: "a=b"}, {name: B, valueFrom: {}}, {name: C, value: x, valueFrom: {secretKeyRef: {name: s, key: k}}}]',
    'env[0].name: Required value',
    'env[1].name: Invalid value: "a=b": a valid environment variable name must consist only of printable ASCII characters other than \'=\'',
    'env[2].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`',
    'env[3].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
  );
  container(
    'env: [{name: A, valueFrom: {fieldRef: {fieldPath: status.phase}}}, {name: B, valueFrom: {fieldRef: {fieldPath: spec.x}}}, {name: C, valueFrom: {fieldRef: {fieldPath: "spec.nodeName[\'a\']"}}}]',
    'env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "status.phase": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"',
    'env[1].valueFrom.fieldRef.fieldPath: Invalid value: "spec.x": error converting fieldPath: field label not supported: spec.x',
    "env[2].valueFrom.fieldRef.fieldPath: Invalid value: \"spec.nodeName['a']\": error converting fieldPath: field label does not support subscript: spec.nodeName['a']",
  );
  container(
    'env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.gpu}}}, {name: B, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 2}}}]',
    'env[0].valueFrom.resourceFieldRef.resource: Unsupported value: "limits.gpu": supported values: "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"',
    'env[1].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor\'s values 1m and 1 are supported with the cpu resource',
  );
  container(
    'envFrom: [{prefix: "=", configMapRef: {name: ""}}, {}, {configMapRef: {name: a}, secretRef: {name: b-}}]',
    'envFrom[0].prefix: Invalid value: "=": a valid environment variable name must consist only of printable ASCII characters other than \'=\'',
    'envFrom[0].configMapRef.name: Required value',
    'envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`',
    'envFrom: Invalid value: "": may not have more than one field specified at a time',
  );
});

test('probes and hooks', () => {
  container(
    'livenessProbe: {exec: {command: []}, successThreshold: 2}, readinessProbe: {tcpSocket: {port: Big_Port}, terminationGracePeriodSeconds: 3}, startupProbe: {}',
    'livenessProbe.exec.command: Required value',
    'livenessProbe.successThreshold: Invalid value: 2: must be 1',
    'readinessProbe.tcpSocket.port: Invalid value: "Big_Port": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
    'readinessProbe.terminationGracePeriodSeconds: Invalid value: 3: must not be set for readinessProbes',
    'startupProbe: Required value: must specify a handler type',
  );
  container(
    'lifecycle: {preStop: {sleep: {seconds: 31}}, postStart: {exec: {command: [a]}, httpGet: {port: 80}}}',
    'lifecycle.postStart.httpGet: Forbidden: may not specify more than 1 handler type',
    'lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)',
  );
  container(
    'livenessProbe: {httpGet: {port: 80, scheme: FTP, httpHeaders: [{name: "a b", value: c}]}, terminationGracePeriodSeconds: 0}',
    'livenessProbe.httpGet.scheme: Unsupported value: "FTP": supported values: "HTTP", "HTTPS"',
    "livenessProbe.httpGet.httpHeaders: Invalid value: \"a b\": a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')",
    'livenessProbe.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0',
  );
});

test('resources', () => {
  container('resources: {limits: {"example.com/gpu": 2, cpu: 500m, "hugepages-2Mi": 4Mi}}');
  container(
    'resources: {requests: {gpu: 1}, limits: {memory: "-1"}}',
    'resources.limits[memory]: Invalid value: "-1": must be greater than or equal to 0',
    'resources.requests[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified',
    'resources.requests[gpu]: Invalid value: "gpu": must be a standard resource for containers',
    'resources.requests[memory]: Invalid value: "-1": must be greater than or equal to 0',
  );
  container(
    'resources: {requests: {"example.com/gpu": 1}}',
    'resources.limits: Required value: Limit must be set for non overcommitable resources',
  );
  container(
    'resources: {requests: {"example.com/gpu": 1}, limits: {"example.com/gpu": 2}}',
    'resources.requests: Invalid value: "1": must be equal to example.com/gpu limit of 2',
  );
  container(
    'resources: {limits: {"hugepages-2Mi": 3Mi}}',
    'resources.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi',
    'resources.requests[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi',
    'resources: Forbidden: HugePages require cpu or memory',
  );
  check(
    `  restartPolicy: Never\n${one('resizePolicy: [{resourceName: cpu, restartPolicy: RestartContainer}, {resourceName: cpu, restartPolicy: NotRequired}]')}`,
    "spec.containers[0].resizePolicy: Invalid value: \"RestartContainer\": must be 'NotRequired' when `restartPolicy` is 'Never'",
    'spec.containers[0].resizePolicy[1]: Duplicate value: "cpu"',
  );
});

test('volumes and mounts', () => {
  const volumes = (list: string, ...errors: string[]) =>
    check(`  volumes: [${list}]\n${one('')}`, ...errors.map((error) => `spec.volumes${error}`));
  volumes(
    '{name: a}, {name: b, configMap: {name: c, items: [{key: k, path: a/b, mode: 0}]}}, {name: d, hostPath: {path: /}}',
  );
  volumes('{name: a}, {name: a}', '[1].name: Duplicate value: "a"');
  volumes('{name: ""}', '[0].name: Required value');
  volumes(
    '{name: a, emptyDir: {}, hostPath: {path: /x/../y}, downwardAPI: {}}',
    '[0].hostPath: Forbidden: may not specify more than 1 volume type',
    '[0].downwarAPI: Forbidden: may not specify more than 1 volume type',
  );
  volumes(
    '{name: a, hostPath: {path: /x/../y, type: Odd}}',
    '[0].hostPath.path: Invalid value: "/x/../y": must not contain \'..\'',
    '[0].hostPath.type: Unsupported value: "Odd": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"',
  );
  volumes(
    '{name: a, emptyDir: {sizeLimit: "-1"}}',
    '[0].emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity',
  );
  volumes(
    '{name: a, secret: {defaultMode: 512, items: [{key: "", path: /x}, {key: k, path: ..x}]}}',
    '[0].secret.secretName: Required value',
    '[0].secret.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive',
    '[0].secret.items[0].key: Required value',
    '[0].secret.items[0].path: Invalid value: "/x": must be a relative path',
    '[0].secret.items[1].path: Invalid value: "..x": must not start with \'..\'',
  );
  volumes(
    '{name: a, projected: {sources: [{configMap: {name: c, items: [{key: k, path: p}]}}, {secret: {name: s, items: [{key: k, path: p}]}}, {serviceAccountToken: {path: "", expirationSeconds: 5}}]}}',
    '[0].projected: Invalid value: "s": conflicting duplicate paths',
    '[0].projected.sources[2].serviceAccountToken.expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes',
    '[0].projected.path: Required value',
    '[0].projected.sources[2].serviceAccountToken: Forbidden: must not be specified when serviceAccountName is not set',
  );
  volumes(
    '{name: a, nfs: {server: s, path: rel}}, {name: b, persistentVolumeClaim: {claimName: ""}}, {name: c, csi: {driver: ""}}',
    '[0].nfs.path: Invalid value: "rel": must be an absolute path',
    '[1].persistentVolumeClaim.claimName: Required value',
    '[2].csi.driver: Required value',
    `[2].csi.driver: Invalid value: "": ${SUBDOMAIN}`,
  );
  volumes(
    '{name: a, ephemeral: {volumeClaimTemplate: {spec: {accessModes: [Odd], resources: {requests: {storage: "0"}}}}}}, {name: b, persistentVolumeClaim: {claimName: p-a}}',
    '[0].ephemeral.volumeClaimTemplate.spec.accessModes: Unsupported value: "Odd": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
    '[0].ephemeral.volumeClaimTemplate.spec.resources[storage]: Invalid value: "0": must be greater than zero',
    '[1].persistentVolumeClaim.claimName: Invalid value: "p-a": must not reference a PVC that gets created for an ephemeral volume',
  );
  check(
    `  volumes: [{name: v}]\n${one('volumeMounts: [{name: v, mountPath: /a, subPath: /x, mountPropagation: Bidirectional}, {name: v, mountPath: /a, recursiveReadOnly: Enabled}], volumeDevices: [{name: v, devicePath: /a/..}]')}`,
    'spec.containers[0].volumeMounts[0].name: Invalid value: "v": must not already exist in volumeDevices',
    'spec.containers[0].volumeMounts.subPath: Invalid value: "/x": must be a relative path',
    'spec.containers[0].volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers',
    'spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/a": must be unique',
    'spec.containers[0].volumeMounts[1].name: Invalid value: "v": must not already exist in volumeDevices',
    'spec.containers[0].volumeMounts.recursiveReadOnly: Forbidden: may only be specified when readOnly is true',
    'spec.containers[0].volumeDevices[0].name: Invalid value: "v": can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode',
    'spec.containers[0].volumeDevices[0].devicePath: Invalid value: "/a/..": can not contain backsteps (\'..\')',
    'spec.containers[0].volumeDevices[0].name: Invalid value: "v": must not already exist in volumeMounts',
  );
});

test('init containers and sidecars', () => {
  const init = (list: string, ...errors: string[]) =>
    check(`  initContainers: [${list}]\n${one('')}`, ...errors.map((error) => `spec.initContainers${error}`));
  init('{name: i, image: x}, {name: j, image: x, restartPolicy: Always, readinessProbe: {tcpSocket: {port: 1}}}');
  init(
    '{name: a, image: x, livenessProbe: {tcpSocket: {port: 1}}, lifecycle: {}}, {name: j, image: x, restartPolicy: Never}',
    '[0].name: Duplicate value: "a"',
    '[0].lifecycle: Forbidden: may not be set for init containers without restartPolicy=Always',
    '[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
    '[1].restartPolicy: Unsupported value: "Never": supported values: "Always"',
  );
});

test('security', () => {
  container(
    'securityContext: {runAsUser: -1, procMount: Odd, privileged: true, allowPrivilegeEscalation: false}',
    'securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive',
    'securityContext.procMount: Unsupported value: "Odd": supported values: "Default", "Unmasked"',
    'securityContext: Invalid value: core.SecurityContext{Capabilities:(*core.Capabilities)(nil), Privileged:(*bool)(0xc000000000), SELinuxOptions:(*core.SELinuxOptions)(nil), WindowsOptions:(*core.WindowsSecurityContextOptions)(nil), RunAsUser:(*int64)(0xc000000000), RunAsGroup:(*int64)(nil), RunAsNonRoot:(*bool)(nil), ReadOnlyRootFilesystem:(*bool)(nil), AllowPrivilegeEscalation:(*bool)(0xc000000000), ProcMount:(*core.ProcMountType)(0xc000000000), SeccompProfile:(*core.SeccompProfile)(nil), AppArmorProfile:(*core.AppArmorProfile)(nil)}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
  );
  container(
    'securityContext: {seccompProfile: {type: Localhost}, appArmorProfile: {type: Odd}}',
    'securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost',
    'securityContext.appArmorProfile.type: Unsupported value: "Odd": supported values: "Localhost", "RuntimeDefault", "Unconfined"',
  );
  check(
    `  hostPID: true\n  shareProcessNamespace: true\n  hostNetwork: true\n  securityContext: {fsGroup: -2, sysctls: [{name: net.a, value: b}, {name: "A!", value: c}], fsGroupChangePolicy: Odd}\n${one('')}`,
    'spec.securityContext.fsGroup: Invalid value: -2: must be between 0 and 2147483647, inclusive',
    'spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled',
    'spec.securityContext.sysctls[0].name: Invalid value: "net.a": may not be specified when \'hostNetwork\' is true',
    'spec.securityContext.sysctls[1].name: Invalid value: "A!": must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$',
    'spec.securityContext.fsGroupChangePolicy: Unsupported value: "Odd": supported values: "Always", "OnRootMismatch"',
  );
  check(
    `  os: {name: windows}\n  hostPID: true\n  securityContext: {runAsUser: 1}\n${one('securityContext: {privileged: true}')}`,
    'spec.hostPID: Forbidden: cannot be set for a windows pod',
    'spec.securityContext.runAsUser: Forbidden: cannot be set for a windows pod',
    'spec.containers[0].securityContext.privileged: Forbidden: cannot be set for a windows pod',
  );
  check(`  os: {name: plan9}\n${one('')}`, 'spec.os: Unsupported value: "plan9": supported values: "linux", "windows"');
  check(
    `  hostUsers: false\n  hostNetwork: true\n${one('')}`,
    'spec.hostNetwork: Forbidden: when `pod.Spec.HostUsers` is false',
  );
});

test('where it may run', () => {
  const LABEL_VALUE =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
  check(
    `  nodeSelector: {a: "b c"}\n  nodeName: A_B\n  priorityClassName: ""\n${one('')}`,
    `spec.nodeSelector: Invalid value: "b c": ${LABEL_VALUE}`,
    `spec.nodeName: Invalid value: "A_B": ${SUBDOMAIN}`,
  );
  check(
    `  tolerations: [{operator: Equal}, {key: a, tolerationSeconds: 1, effect: NoSchedule}, {key: a, operator: Exists, value: b}, {key: a, operator: In, effect: Odd}]\n${one('')}`,
    'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
    'spec.tolerations[1].effect: Invalid value: "NoSchedule": effect must be \'NoExecute\' when `tolerationSeconds` is set',
    'spec.tolerations[2].operator: Invalid value: "b": value must be empty when `operator` is \'Exists\'',
    'spec.tolerations[3].operator: Unsupported value: "In": supported values: "Equal", "Exists"',
    'spec.tolerations[3].effect: Unsupported value: "Odd": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
  );
  const required = 'requiredDuringSchedulingIgnoredDuringExecution';
  const preferred = 'preferredDuringSchedulingIgnoredDuringExecution';
  check(
    `  affinity: {nodeAffinity: {${required}: {nodeSelectorTerms: []}, ${preferred}: [{weight: 0, preference: {matchExpressions: [{key: a, operator: Gt}, {key: a, operator: Odd}], matchFields: [{key: x, operator: In, values: []}]}}]}}\n${one('')}`,
    `spec.affinity.nodeAffinity.${required}.nodeSelectorTerms: Required value: must have at least one node selector term`,
    `spec.affinity.nodeAffinity.${preferred}[0].weight: Invalid value: 0: must be in the range 1-100`,
    `spec.affinity.nodeAffinity.${preferred}[0].preference.matchExpressions[0].values: Required value: must be specified single value when \`operator\` is 'Lt' or 'Gt'`,
    `spec.affinity.nodeAffinity.${preferred}[0].preference.matchExpressions[1].operator: Invalid value: "Odd": not a valid selector operator`,
    `spec.affinity.nodeAffinity.${preferred}[0].preference.matchFields[0].values: Required value: must be only one value when \`operator\` is 'In' or 'NotIn' for node field selector`,
    `spec.affinity.nodeAffinity.${preferred}[0].preference.matchFields[0].key: Invalid value: "x": not a valid field selector key`,
  );
  check(
    `  affinity: {podAntiAffinity: {${required}: [{matchLabelKeys: [a]}]}}\n${one('')}`,
    `spec.affinity.podAntiAffinity.${required}[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set`,
    `spec.affinity.podAntiAffinity.${required}[0].topologyKey: Required value: can not be empty`,
    `spec.affinity.podAntiAffinity.${required}[0].topologyKey: Invalid value: "": name part must be non-empty`,
    `spec.affinity.podAntiAffinity.${required}[0].topologyKey: Invalid value: "": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
  );
  check(
    `  topologySpreadConstraints: [{maxSkew: 0, topologyKey: z, whenUnsatisfiable: ScheduleAnyway, minDomains: 1}, {maxSkew: 1, topologyKey: z, whenUnsatisfiable: ScheduleAnyway, nodeTaintsPolicy: Odd}]\n${one('')}`,
    'spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero',
    'spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "{z, ScheduleAnyway}"',
    'spec.topologySpreadConstraints[0].minDomains: Invalid value: 1: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway',
    'spec.topologySpreadConstraints[1].nodeTaintsPolicy: Unsupported value: "Odd": supported values: "Honor", "Ignore"',
  );
  check(
    `  nodeName: n1\n  schedulingGates: [{name: a}, {name: a}]\n${one('')}`,
    'spec.schedulingGates[1]: Duplicate value: "a"',
    'spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared',
  );
});

test('the rest of the specification', () => {
  check(
    `  dnsPolicy: None\n  hostAliases: [{ip: x, hostnames: [A]}]\n  hostname: a.b\n  activeDeadlineSeconds: 0\n  preemptionPolicy: Odd\n${one('')}`,
    'spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None',
    'spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive',
    'spec.hostname: Invalid value: "a.b": must not contain dots',
    'spec.hostAliases[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    `spec.hostAliases[0].hostnames[0]: Invalid value: "A": ${SUBDOMAIN}`,
    'spec.preemptionPolicy: Unsupported value: "Odd": supported values: "PreemptLowerPriority", "Never"',
  );
  check(
    `  dnsConfig: {nameservers: [1.1.1.1, 1.1.1.2, 1.1.1.3, x], searches: [".", a_b.c, "a b"], options: [{}]}\n${one('')}`,
    'spec.dnsConfig.nameservers: Invalid value: []string{"1.1.1.1", "1.1.1.2", "1.1.1.3", "x"}: must not have more than 3 nameservers',
    'spec.dnsConfig.nameservers[3]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    "spec.dnsConfig.searches[2]: Invalid value: \"a b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    'spec.dnsConfig.options[0]: Required value: must not be empty',
  );
  check(
    `  hostNetwork: true\n${one('ports: [{containerPort: 80, hostPort: 81}]')}`,
    'spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true',
  );
  check(
    `  ephemeralContainers: [{name: a, image: x, targetContainerName: b, ports: [{containerPort: 1}]}]\n${one('')}`,
    'spec.ephemeralContainers[0].name: Duplicate value: "a"',
    'spec.ephemeralContainers[0].targetContainerName: Not found: "b"',
    'spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container',
    'spec.ephemeralContainers: Forbidden: cannot be set on create',
  );
  // Fields of features that are off are dropped, not refused.
  check(
    `  resources: {requests: {gpu: 1}}\n  resourceClaims: [{name: "!"}]\n  volumes: [{name: i, image: {reference: x}}]\n${one('volumeMounts: [{name: i, mountPath: /i}], lifecycle: {stopSignal: SIGTERM}, resources: {claims: [{name: x}]}')}`,
  );
});

test('annotations', () => {
  const annotated = (annotations: string, ...errors: string[]) =>
    expect(createErrors(pods, manifest(one(''), `annotations: {${annotations}}`))).toEqual(
      errors.map((error) => `metadata.annotations${error}`),
    );
  annotated('controller.kubernetes.io/pod-deletion-cost: "-10"');
  annotated(
    'controller.kubernetes.io/pod-deletion-cost: "+1"',
    '[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "+1": must be a 32bit integer',
  );
  annotated(
    'kubernetes.io/config.mirror: x',
    '[kubernetes.io/config.mirror]: Invalid value: "x": must set spec.nodeName if mirror pod annotation is set',
  );
  annotated(
    'container.apparmor.security.beta.kubernetes.io/b: odd, seccomp.security.alpha.kubernetes.io/pod: odd',
    '.seccomp.security.alpha.kubernetes.io/pod: Invalid value: "odd": must be a valid seccomp profile',
    '[container.apparmor.security.beta.kubernetes.io/b]: Invalid value: "b": container not found',
    '[container.apparmor.security.beta.kubernetes.io/b]: Invalid value: "odd": invalid AppArmor profile name: "odd"',
  );
});

test('updates', () => {
  const update = (from: string, to: string, ...errors: string[]) => {
    const found = updateErrors(pods, manifest(from), manifest(to)).map((error) => error.split('\n')[0]);
    expect(found).toEqual(errors);
  };
  const FORBIDDEN =
    'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';
  update(one(''), one(''));
  update(
    one(''),
    `  activeDeadlineSeconds: 5\n  tolerations: [{key: a, operator: Exists}]\n  containers: [{name: a, image: other}]`.replace(
      'other}',
      'other, imagePullPolicy: Always}',
    ),
  );
  update(one('ports: [{containerPort: 80}]'), one('ports: [{containerPort: 8080}]'), FORBIDDEN);
  update(one(''), `  nodeSelector: {a: b}\n${one('')}`, FORBIDDEN);
  update(
    one(''),
    `${one('')}\n  - {name: b, image: x}`,
    'spec.containers: Forbidden: pod updates may not add or remove containers',
  );
  update(
    `  activeDeadlineSeconds: 5\n${one('')}`,
    `  activeDeadlineSeconds: 6\n${one('')}`,
    'spec.activeDeadlineSeconds: Invalid value: 6: must be less than or equal to previous value',
  );
  update(
    `  activeDeadlineSeconds: 5\n${one('')}`,
    one(''),
    'spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value',
  );
  update(
    `  tolerations: [{key: a, operator: Exists, effect: NoExecute, tolerationSeconds: 5}]\n${one('')}`,
    `  tolerations: [{key: a, operator: Exists, effect: NoExecute}]\n${one('')}`,
  );
  update(
    `  tolerations: [{key: a, operator: Exists}]\n${one('')}`,
    `  tolerations: [{key: b, operator: Exists}]\n${one('')}`,
    'spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds',
  );
  const gated = `  schedulingGates: [{name: a}]\n${one('')}`;
  update(gated, `  nodeSelector: {a: b}\n${one('')}`);
  update(
    gated,
    `  schedulingGates: [{name: b}]\n${one('')}`,
    "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'b'",
  );
  update(
    `  nodeSelector: {a: b}\n${gated}`,
    `  nodeSelector: {a: c}\n${gated}`,
    'spec.nodeSelector: Invalid value: map[string]string{"a":"c"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)',
  );
});

test('the diff in the message reads like upstream’s', () => {
  const [error] = updateErrors(
    pods,
    manifest(one('ports: [{containerPort: 80}]')),
    manifest(one('ports: [{containerPort: 8080}]')),
  );
  expect(error?.split('\n').slice(1).join('\n')).toBe(`  core.PodSpec{
  	Containers: {
  		{
  			Ports: {
  				{
- 					ContainerPort: 80,
+ 					ContainerPort: 8080,
  					... // 1 identical field
  				},
  			},
  			... // 6 identical fields
  		},
  	},
  	... // 6 identical fields
  }
`);
});
