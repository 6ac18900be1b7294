import type {
  Container,
  ObjectMeta,
  PodSecurityContext,
  PodSpec,
  SecurityContext,
  Volume,
} from '#api/generated/types.ts';
import { goQuote } from '#apimachinery/validation.ts';
import type { LevelVersion } from './pod-security-policy.ts';

/** Why a Pod is not allowed: in short, and with what it has that it may not have. */
export interface PodSecurityViolation {
  readonly reason: string;
  readonly detail: string;
}

interface Pod {
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: PodSpec;
  readonly containers: readonly Container[];
}

type Check = (pod: Pod, minor: number) => PodSecurityViolation | undefined;

const plural = (word: string, count: number): string => (count === 1 ? word : `${word}s`);
const quoted = (items: readonly string[]): string => items.map((item) => `"${item}"`).join(', ');
const sorted = (items: readonly string[]): string[] => [...new Set(items)].sort();
const names = (containers: readonly Container[]): string =>
  `${plural('container', containers.length)} ${quoted(containers.map(({ name }) => name))}`;

/** `pod and containers "a", "b"`; empty when nobody does it. */
function setters(pod: boolean, containers: readonly Container[]): string {
  return [...(pod ? ['pod'] : []), ...(containers.length ? [names(containers)] : [])].join(' and ');
}

/** The values of a field of the Pod's and its containers' security contexts that are not allowed, and who has them. */
function bad<V>(
  { spec, containers }: Pod,
  get: (context: PodSecurityContext | SecurityContext) => V | undefined,
  isBad: (value: V) => boolean,
): { readonly who: string; readonly values: readonly V[] } {
  const values: V[] = [];
  const does = (context: PodSecurityContext | SecurityContext | undefined) => {
    const value = context && get(context);
    if (value === undefined || !isBad(value)) return false;
    values.push(value);
    return true;
  };
  const pod = does(spec.securityContext);
  return {
    who: setters(
      pod,
      containers.filter(({ securityContext }) => does(securityContext)),
    ),
    values,
  };
}

const isWindows = ({ spec }: Pod): boolean => spec.os?.name === 'windows';

const APP_ARMOR = 'container.apparmor.security.beta.kubernetes.io/';
const CONFINED: readonly string[] = ['RuntimeDefault', 'Localhost'];

const appArmorProfile: Check = (pod) => {
  const { who, values } = bad(
    pod,
    ({ appArmorProfile }) => appArmorProfile?.type,
    (type) => !CONFINED.includes(type),
  );
  const annotations = Object.entries(pod.annotations)
    .filter(([key, value]) => key.startsWith(APP_ARMOR) && !/^(|runtime\/default|localhost\/.*)$/s.test(value))
    .map(([key, value]) => `${key}=${goQuote(value)}`)
    .sort();
  if (!who && annotations.length === 0) return undefined;
  const all = [...sorted(values), ...annotations];
  const setBy = [...(who ? [who] : []), ...(annotations.length ? [plural('annotation', annotations.length)] : [])];
  return {
    reason: plural('forbidden AppArmor profile', all.length),
    detail: `${setBy.join(' and ')} must not set AppArmor profile type to ${quoted(all)}`,
  };
};

const DEFAULT_CAPABILITIES: readonly string[] = [
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
];

/** Says who adds capabilities beyond those. */
function addedBeyond({ containers }: Pod, allowed: readonly string[]): string {
  const beyond = ({ securityContext }: Container) =>
    (securityContext?.capabilities?.add ?? []).filter((capability) => !allowed.includes(capability));
  const adding = containers.filter((container) => beyond(container).length > 0);
  if (adding.length === 0) return '';
  return `${names(adding)} must not include ${quoted(sorted(adding.flatMap(beyond)))} in securityContext.capabilities.add`;
}

const capabilitiesBaseline: Check = (pod) => {
  const detail = addedBeyond(pod, DEFAULT_CAPABILITIES);
  return detail ? { reason: 'non-default capabilities', detail } : undefined;
};

const hostNamespaces: Check = ({ spec }) => {
  const shared = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((field) => spec[field]);
  if (shared.length === 0) return undefined;
  return { reason: 'host namespaces', detail: shared.map((field) => `${field}=true`).join(', ') };
};

const hostPathVolumes: Check = ({ spec: { volumes = [] } }) => {
  const found = volumes.filter(({ hostPath }) => hostPath).map(({ name }) => name);
  if (found.length === 0) return undefined;
  return { reason: 'hostPath volumes', detail: `${plural('volume', found.length)} ${quoted(found)}` };
};

const hostPorts: Check = ({ containers }) => {
  const portsOf = ({ ports = [] }: Container) => ports.flatMap(({ hostPort }) => (hostPort ? [String(hostPort)] : []));
  const using = containers.filter((container) => portsOf(container).length > 0);
  if (using.length === 0) return undefined;
  const ports = sorted(using.flatMap(portsOf));
  const verb = using.length === 1 ? 'uses' : 'use';
  return {
    reason: 'hostPort',
    detail: `${names(using)} ${verb} ${plural('hostPort', ports.length)} ${ports.join(', ')}`,
  };
};

const privileged: Check = ({ containers }) => {
  const found = containers.filter(({ securityContext }) => securityContext?.privileged);
  if (found.length === 0) return undefined;
  return { reason: 'privileged', detail: `${names(found)} must not set securityContext.privileged=true` };
};

const procMount: Check = ({ containers }) => {
  const mountOf = ({ securityContext }: Container) => securityContext?.procMount ?? 'Default';
  const found = containers.filter((container) => mountOf(container) !== 'Default');
  if (found.length === 0) return undefined;
  const types = quoted(sorted(found.map(mountOf)));
  return { reason: 'procMount', detail: `${names(found)} must not set securityContext.procMount to ${types}` };
};

const seLinuxOptions: Check = (pod, minor) => {
  const types = [
    '',
    'container_t',
    'container_init_t',
    'container_kvm_t',
    ...(minor < 31 ? [] : ['container_engine_t']),
  ];
  const isBadType = (type = '') => !types.includes(type);
  const { who, values } = bad(
    pod,
    (context) => context.seLinuxOptions,
    ({ type, user, role }) => isBadType(type) || !!user || !!role,
  );
  if (!who) return undefined;
  const badTypes = sorted(values.map(({ type = '' }) => type).filter(isBadType));
  const data = [
    ...(badTypes.length ? [`${plural('type', badTypes.length)} ${quoted(badTypes)}`] : []),
    ...(values.some(({ user }) => user) ? ['user may not be set'] : []),
    ...(values.some(({ role }) => role) ? ['role may not be set'] : []),
  ];
  return {
    reason: 'seLinuxOptions',
    detail: `${who} set forbidden securityContext.seLinuxOptions: ${data.join('; ')}`,
  };
};

const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod';
const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/';

/** Until 1.19 profiles were annotations. */
function seccompAnnotations({ annotations, containers }: Pod): PodSecurityViolation | undefined {
  const keys = [SECCOMP_POD, ...containers.map(({ name }) => SECCOMP_CONTAINER + name)];
  const found = sorted(
    keys.flatMap((key) => {
      const value = annotations[key];
      return value === undefined || /^(runtime\/default|docker\/default|localhost\/.*)$/s.test(value)
        ? []
        : [`${key}=${goQuote(value)}`];
    }),
  );
  if (found.length === 0) return undefined;
  return { reason: 'seccompProfile', detail: `forbidden ${plural('annotation', found.length)} ${found.join(', ')}` };
}

const seccompBaseline: Check = (pod, minor) => {
  if (minor < 19) return seccompAnnotations(pod);
  const { who, values } = bad(
    pod,
    ({ seccompProfile }) => seccompProfile?.type,
    (type) => !CONFINED.includes(type),
  );
  if (!who) return undefined;
  return {
    reason: 'seccompProfile',
    detail: `${who} must not set securityContext.seccompProfile.type to ${quoted(sorted(values))}`,
  };
};

/** Since which minor version each sysctl is safe. */
const SAFE_SYSCTLS: Readonly<Record<string, number>> = {
  'kernel.shm_rmid_forced': 0,
  'net.ipv4.ip_local_port_range': 0,
  'net.ipv4.tcp_syncookies': 0,
  'net.ipv4.ping_group_range': 0,
  'net.ipv4.ip_unprivileged_port_start': 0,
  'net.ipv4.ip_local_reserved_ports': 27,
  'net.ipv4.tcp_keepalive_time': 29,
  'net.ipv4.tcp_fin_timeout': 29,
  'net.ipv4.tcp_keepalive_intvl': 29,
  'net.ipv4.tcp_keepalive_probes': 29,
  'net.ipv4.tcp_rmem': 32,
  'net.ipv4.tcp_wmem': 32,
};

const sysctls: Check = ({ spec }, minor) => {
  const isSafe = (name: string) => Object.hasOwn(SAFE_SYSCTLS, name) && (SAFE_SYSCTLS[name] as number) <= minor;
  const found = (spec.securityContext?.sysctls ?? []).map(({ name }) => name).filter((name) => !isSafe(name));
  return found.length ? { reason: 'forbidden sysctls', detail: found.join(', ') } : undefined;
};

const windowsHostProcess: Check = (pod) => {
  const { who } = bad(
    pod,
    ({ windowsOptions }) => windowsOptions?.hostProcess,
    (hostProcess) => hostProcess,
  );
  if (!who) return undefined;
  return { reason: 'hostProcess', detail: `${who} must not set securityContext.windowsOptions.hostProcess=true` };
};

const allowPrivilegeEscalation: Check = (pod, minor) => {
  if (minor >= 25 && isWindows(pod)) return undefined;
  const found = pod.containers.filter(({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false);
  if (found.length === 0) return undefined;
  return {
    reason: 'allowPrivilegeEscalation != false',
    detail: `${names(found)} must set securityContext.allowPrivilegeEscalation=false`,
  };
};

const capabilitiesRestricted: Check = (pod, minor) => {
  if (minor >= 25 && isWindows(pod)) return undefined;
  const keeping = pod.containers.filter(({ securityContext }) => !securityContext?.capabilities?.drop?.includes('ALL'));
  const added = addedBeyond(pod, ['NET_BIND_SERVICE']);
  const details = [
    ...(keeping.length ? [`${names(keeping)} must set securityContext.capabilities.drop=["ALL"]`] : []),
    ...(added ? [added] : []),
  ];
  return details.length ? { reason: 'unrestricted capabilities', detail: details.join('; ') } : undefined;
};

const ALLOWED_VOLUMES: readonly (keyof Volume)[] = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

const restrictedVolumes: Check = ({ spec: { volumes = [] } }) => {
  const found = volumes.filter((volume) => !ALLOWED_VOLUMES.some((type) => volume[type]));
  if (found.length === 0) return undefined;
  const typeOf = (volume: Volume) =>
    Object.entries(volume).find(([field, source]) => field !== 'name' && source)?.[0] ?? 'unknown';
  const types = sorted(found.map(typeOf));
  const verb = found.length === 1 ? 'uses' : 'use';
  return {
    reason: 'restricted volume types',
    detail: `${plural('volume', found.length)} ${quoted(found.map(({ name }) => name))} ${verb} ${plural('restricted volume type', types.length)} ${quoted(types)}`,
  };
};

const runAsNonRoot: Check = (pod) => {
  const { who } = bad(
    pod,
    (context) => context.runAsNonRoot,
    (value) => !value,
  );
  const reason = 'runAsNonRoot != true';
  if (who) return { reason, detail: `${who} must not set securityContext.runAsNonRoot=false` };
  if (pod.spec.securityContext?.runAsNonRoot) return undefined;
  const silent = pod.containers.filter(({ securityContext }) => securityContext?.runAsNonRoot === undefined);
  if (silent.length === 0) return undefined;
  return { reason, detail: `pod or ${names(silent)} must set securityContext.runAsNonRoot=true` };
};

const runAsUser: Check = (pod) => {
  const { who } = bad(
    pod,
    (context) => context.runAsUser,
    (user) => Number(user) === 0,
  );
  return who ? { reason: 'runAsUser=0', detail: `${who} must not set runAsUser=0` } : undefined;
};

const seccompRestricted: Check = (pod, minor) => {
  if (minor >= 25 && isWindows(pod)) return undefined;
  const explicit = seccompBaseline(pod, minor);
  if (explicit || pod.spec.securityContext?.seccompProfile) return explicit;
  const silent = pod.containers.filter(({ securityContext }) => !securityContext?.seccompProfile);
  if (silent.length === 0) return undefined;
  return {
    reason: 'seccompProfile',
    detail: `pod or ${names(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
  };
};

/** By name. `until`: from this minor version on a restricted check takes the place of the baseline one. */
const BASELINE: readonly { readonly check: Check; readonly until?: number }[] = [
  { check: appArmorProfile },
  { check: capabilitiesBaseline, until: 22 },
  { check: hostNamespaces },
  { check: hostPathVolumes, until: 0 },
  { check: hostPorts },
  { check: privileged },
  { check: procMount },
  { check: seLinuxOptions },
  { check: seccompBaseline, until: 19 },
  { check: sysctls },
  { check: windowsHostProcess },
];
const RESTRICTED: readonly { readonly check: Check; readonly since: number }[] = [
  { check: allowPrivilegeEscalation, since: 8 },
  { check: capabilitiesRestricted, since: 22 },
  { check: restrictedVolumes, since: 0 },
  { check: runAsNonRoot, since: 0 },
  { check: runAsUser, since: 23 },
  { check: seccompRestricted, since: 19 },
];

/** What a Pod has that a level forbids: baseline first, in the order of messages. Follows pod-security-admission/policy, v1.33. */
export function podSecurityViolations(
  { level, minor }: LevelVersion,
  { annotations = {} }: Pick<ObjectMeta, 'annotations'>,
  spec: PodSpec,
): readonly PodSecurityViolation[] {
  if (level === 'privileged') return [];
  const containers = [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])];
  const pod: Pod = { annotations, spec, containers };
  const checks = [
    ...BASELINE.filter(({ until = Infinity }) => level === 'baseline' || minor < until),
    ...RESTRICTED.filter(({ since }) => level === 'restricted' && minor >= since),
  ];
  return checks.flatMap(({ check }) => check(pod, minor) ?? []);
}

/** All reasons with their details, as messages have them. */
export function violationsText(violations: readonly PodSecurityViolation[]): string {
  return violations.map(({ reason, detail }) => (detail ? `${reason} (${detail})` : reason)).join(', ');
}
