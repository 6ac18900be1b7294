import type { FieldError } from '#apimachinery/field-error.ts';
import {
  byteLength,
  duplicate,
  forbiddenField,
  GoValue,
  goQuote,
  inclusiveRangeError,
  invalidField,
  isDNS1123Subdomain,
  notSupported,
  required,
  tooLong,
} from '#apimachinery/validation.ts';
import type {
  AppArmorProfile,
  Container,
  PodSecurityContext,
  PodSpec,
  SeccompProfile,
  SecurityContext,
  WindowsSecurityContextOptions,
} from '../../generated/types.ts';
import { validateLocalDescendingPath } from './pod-validation-volumes.ts';

// Security contexts and what a Pod's operating system forbids. Follows pkg/apis/core/validation, v1.33.

type ContainerWithPath = readonly [Container, string];

/** Users and groups are 31-bit numbers. */
export function validateId(id: number | undefined, path: string, errors: FieldError[]): void {
  if (id !== undefined && (id < 0 || id > 2147483647)) {
    errors.push(invalidField(path, id, inclusiveRangeError(0, 2147483647)));
  }
}

const PROC_MOUNTS = ['Default', 'Unmasked'];

/** A container's own security context; `hostUsers` is whether the Pod shares the node's user namespace. */
export function validateSecurityContext(
  context: SecurityContext | undefined,
  path: string,
  hostUsers: boolean,
  errors: FieldError[],
): void {
  if (!context) return;
  const { privileged, procMount, allowPrivilegeEscalation, capabilities } = context;
  validateId(context.runAsUser, `${path}.runAsUser`, errors);
  validateId(context.runAsGroup, `${path}.runAsGroup`, errors);
  if (procMount !== undefined) {
    if (!PROC_MOUNTS.includes(procMount)) errors.push(notSupported(`${path}.procMount`, procMount, PROC_MOUNTS));
    if (hostUsers && procMount === 'Unmasked') {
      errors.push(invalidField(`${path}.procMount`, procMount, '`hostUsers` must be false to use `Unmasked`'));
    }
  }
  validateSeccompProfile(context.seccompProfile, `${path}.seccompProfile`, errors);
  if (allowPrivilegeEscalation === false) {
    const contradiction = (why: string) =>
      errors.push(
        invalidField(path, goSecurityContext(context), `cannot set \`allowPrivilegeEscalation\` to false and ${why}`),
      );
    if (privileged) contradiction('`privileged` to true');
    for (const capability of capabilities?.add ?? []) {
      if (capability === 'CAP_SYS_ADMIN') contradiction('`capabilities.Add` CAP_SYS_ADMIN');
    }
  }
  validateWindowsOptions(context.windowsOptions, `${path}.windowsOptions`, errors);
  validateAppArmorProfile(context.appArmorProfile, `${path}.appArmorProfile`, errors);
}

/** The structure in Go notation, pointers as addresses: what upstream prints differs from run to run. */
function goSecurityContext(context: SecurityContext): GoValue {
  const pointer = (type: string, value: unknown) =>
    value === undefined ? `(*${type})(nil)` : `(*${type})(0xc000000000)`;
  const fields = [
    ['Capabilities', pointer('core.Capabilities', context.capabilities)],
    ['Privileged', pointer('bool', context.privileged)],
    ['SELinuxOptions', pointer('core.SELinuxOptions', context.seLinuxOptions)],
    ['WindowsOptions', pointer('core.WindowsSecurityContextOptions', context.windowsOptions)],
    ['RunAsUser', pointer('int64', context.runAsUser)],
    ['RunAsGroup', pointer('int64', context.runAsGroup)],
    ['RunAsNonRoot', pointer('bool', context.runAsNonRoot)],
    ['ReadOnlyRootFilesystem', pointer('bool', context.readOnlyRootFilesystem)],
    ['AllowPrivilegeEscalation', pointer('bool', context.allowPrivilegeEscalation)],
    ['ProcMount', pointer('core.ProcMountType', context.procMount)],
    ['SeccompProfile', pointer('core.SeccompProfile', context.seccompProfile)],
    ['AppArmorProfile', pointer('core.AppArmorProfile', context.appArmorProfile)],
  ];
  return new GoValue(`core.SecurityContext{${fields.map(([name, value]) => `${name}:${value}`).join(', ')}}`);
}

const PROFILE_TYPES = ['Localhost', 'RuntimeDefault', 'Unconfined'];

function validateSeccompProfile(profile: SeccompProfile | undefined, path: string, errors: FieldError[]): void {
  if (!profile) return;
  const { type, localhostProfile } = profile;
  if (!type) errors.push(required(`${path}.type`, 'type is required when seccompProfile is set'));
  else if (!PROFILE_TYPES.includes(type)) errors.push(notSupported(`${path}.type`, type, PROFILE_TYPES));
  const at = `${path}.localhostProfile`;
  if (type === 'Localhost') {
    if (localhostProfile === undefined) errors.push(required(at, 'must be set when seccomp type is Localhost'));
    else validateLocalDescendingPath(localhostProfile, at, errors);
  } else if (localhostProfile !== undefined) {
    const go = new GoValue(
      `core.SeccompProfile{Type:${goQuote(type ?? '')}, LocalhostProfile:(*string)(0xc000000000)}`,
    );
    errors.push(invalidField(at, go, 'can only be set when seccomp type is Localhost'));
  }
}

function validateAppArmorProfile(profile: AppArmorProfile | undefined, path: string, errors: FieldError[]): void {
  if (!profile) return;
  const { type, localhostProfile } = profile;
  const at = `${path}.localhostProfile`;
  if (type === 'Localhost') {
    const text = localhostProfile ?? '';
    if (text !== text.trim()) errors.push(invalidField(at, text, 'must not be padded with whitespace'));
    else if (text === '') errors.push(required(at, 'must be set when AppArmor type is Localhost'));
    if (byteLength(text) > 4095) errors.push(tooLong(at, 4095));
  } else if (!type) {
    errors.push(required(`${path}.type`, 'type is required when appArmorProfile is set'));
  } else if (!PROFILE_TYPES.includes(type)) {
    errors.push(notSupported(`${path}.type`, type, PROFILE_TYPES));
  } else if (localhostProfile !== undefined) {
    errors.push(invalidField(at, localhostProfile, 'can only be set when AppArmor type is Localhost'));
  }
}

function validateWindowsOptions(
  options: WindowsSecurityContextOptions | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (!options) return;
  const { gmsaCredentialSpecName, gmsaCredentialSpec, runAsUserName } = options;
  if (gmsaCredentialSpecName !== undefined) {
    for (const message of isDNS1123Subdomain(gmsaCredentialSpecName)) {
      errors.push(invalidField(`${path}.gmsaCredentialSpecName`, gmsaCredentialSpecName, message));
    }
  }
  if (gmsaCredentialSpec !== undefined) {
    const at = `${path}.gmsaCredentialSpec`;
    if (gmsaCredentialSpec === '') {
      errors.push(invalidField(at, gmsaCredentialSpec, 'gmsaCredentialSpec cannot be an empty string'));
    } else if (byteLength(gmsaCredentialSpec) > 64 * 1024) {
      errors.push(invalidField(at, gmsaCredentialSpec, 'gmsaCredentialSpec size must be under 64 KiB'));
    }
  }
  if (runAsUserName !== undefined) {
    for (const message of windowsUserProblems(runAsUserName)) {
      errors.push(invalidField(`${path}.runAsUserName`, runAsUserName, `runAsUserName${message}`));
    }
  }
}

const NET_BIOS = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const DNS_LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?';
const WINDOWS_DOMAIN = new RegExp(`^${DNS_LABEL}(?:\\.${DNS_LABEL})*$`);

function windowsUserProblems(name: string): string[] {
  if (name === '') return [' cannot be an empty string'];
  if (/\p{Cc}/u.test(name)) return [' cannot contain control characters'];
  const parts = name.split('\\');
  if (parts.length > 2) return [' cannot contain more than one backslash'];
  const user = parts.at(-1) as string;
  const domain = parts.length === 2 ? (parts[0] as string) : undefined;
  const problems: string[] = [];
  if (domain !== undefined && domain.length >= 256) problems.push("'s Domain length must be under 256 characters");
  if (domain !== undefined && !NET_BIOS.test(domain) && !WINDOWS_DOMAIN.test(domain)) {
    problems.push("'s Domain doesn't match the NetBios nor the DNS format");
  }
  if (user === '') problems.push("'s User cannot be empty");
  else if (user.length > 104) problems.push("'s User length must not be longer than 104 characters");
  if (/^[. ]+$/.test(user)) problems.push("'s User cannot contain only periods or spaces");
  if (/["/\\:;|=,+*?<>@[\]]/.test(user)) {
    problems.push('\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]');
  }
  return problems;
}

const SYSCTL_SEGMENT = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const SYSCTL = `^(${SYSCTL_SEGMENT}[\\./])*${SYSCTL_SEGMENT}$`;
const sysctl = new RegExp(SYSCTL);
const IPC_SYSCTLS =
  /^(?:kernel\.(?:sem|shmall|shmmax|shmmni|shm_rmid_forced|shm|msgmax|msgmnb|msgmni|msg)$|fs\.mqueue\.)/;

/** The Pod's security context, which also carries what the specification says of the host's namespaces. */
export function validatePodSecurityContext(spec: PodSpec, path: string, errors: FieldError[]): void {
  const context = spec.securityContext;
  if (!context) return;
  const at = `${path}.securityContext`;
  validateId(context.fsGroup, `${at}.fsGroup`, errors);
  validateId(context.runAsUser, `${at}.runAsUser`, errors);
  validateId(context.runAsGroup, `${at}.runAsGroup`, errors);
  context.supplementalGroups?.forEach((gid, i) => validateId(gid, `${at}.supplementalGroups[${i}]`, errors));
  if (spec.shareProcessNamespace && spec.hostPID) {
    const message = 'ShareProcessNamespace and HostPID cannot both be enabled';
    errors.push(invalidField(`${at}.shareProcessNamespace`, true, message));
  }
  validateSysctls(context, spec, `${at}.sysctls`, errors);
  const oneOf = (field: keyof PodSecurityContext & string, supported: readonly string[]) => {
    const value = context[field];
    if (typeof value === 'string' && !supported.includes(value)) {
      errors.push(notSupported(`${at}.${field}`, value, supported));
    }
  };
  oneOf('fsGroupChangePolicy', ['Always', 'OnRootMismatch']);
  validateSeccompProfile(context.seccompProfile, `${at}.seccompProfile`, errors);
  validateWindowsOptions(context.windowsOptions, `${at}.windowsOptions`, errors);
  validateAppArmorProfile(context.appArmorProfile, `${at}.appArmorProfile`, errors);
  oneOf('supplementalGroupsPolicy', ['Merge', 'Strict']);
  oneOf('seLinuxChangePolicy', ['Recursive']);
}

function validateSysctls(
  { sysctls = [] }: PodSecurityContext,
  { hostNetwork, hostIPC }: PodSpec,
  path: string,
  errors: FieldError[],
): void {
  const seen = new Set<string>();
  sysctls.forEach(({ name }, i) => {
    const at = `${path}[${i}].name`;
    if (!name) errors.push(required(at));
    else if (byteLength(name) > 253 || !sysctl.test(name)) {
      errors.push(invalidField(at, name, `must have at most 253 characters and match regex ${SYSCTL}`));
    } else if (seen.has(name)) errors.push(duplicate(at, name));
    seen.add(name);
    const normal = normalSysctl(name);
    if (hostNetwork && normal.startsWith('net.')) {
      errors.push(invalidField(at, name, "may not be specified when 'hostNetwork' is true"));
    } else if (hostIPC && IPC_SYSCTLS.test(normal)) {
      errors.push(invalidField(at, name, "may not be specified when 'hostIPC' is true"));
    }
  });
}

/** Slashes may stand for the dots, where the first separator is one. */
function normalSysctl(name: string): string {
  const first = /[./]/.exec(name)?.[0];
  if (first !== '/') return name;
  return name.replace(/[./]/g, (char) => (char === '/' ? '.' : '/'));
}

/** Host-process containers of Windows come all or none. */
export function validateWindowsHostProcess(
  spec: PodSpec,
  containers: readonly ContainerWithPath[],
  path: string,
  errors: FieldError[],
): void {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess;
  let count = 0;
  for (const [container, at] of containers) {
    const own = container.securityContext?.windowsOptions?.hostProcess;
    if (ofPod !== undefined && own !== undefined && ofPod !== own) {
      const message = `pod hostProcess value must be identical if both are specified, was ${ofPod}`;
      errors.push(invalidField(`${at}.securityContext.windowsOptions.hostProcess`, own, message));
    }
    if (own ?? ofPod) count++;
  }
  if (count === 0) return;
  if (count !== containers.length) {
    const message = 'If pod contains any hostProcess containers then all containers must be HostProcess containers';
    errors.push(invalidField(path, '', message));
  }
  if (!spec.hostNetwork) {
    const message = 'hostNetwork must be true if pod contains any hostProcess containers';
    errors.push(invalidField(`${path}.hostNetwork`, false, message));
  }
}

/** A user namespace of its own does not go with the host's other namespaces. */
export function validateHostUsers(spec: PodSpec, path: string, errors: FieldError[]): void {
  if (spec.hostUsers !== false) return;
  const forbidden = (field: string) =>
    errors.push(forbiddenField(`${path}.${field}`, 'when `pod.Spec.HostUsers` is false'));
  if (spec.hostNetwork) forbidden('hostNetwork');
  if (spec.hostPID) forbidden('HostPID');
  if (spec.hostIPC) forbidden('HostIPC');
}

/** What `spec.os` forbids. */
export function validateOS(
  spec: PodSpec,
  containers: readonly ContainerWithPath[],
  path: string,
  errors: FieldError[],
): void {
  if (!spec.os) return;
  const { name } = spec.os;
  if (!name) errors.push(required(`${path}.os.name`, 'cannot be empty'));
  else if (name === 'linux') validateLinux(spec, containers, path, errors);
  else if (name === 'windows') validateWindows(spec, containers, path, errors);
  else errors.push(notSupported(`${path}.os`, name, ['linux', 'windows']));
}

function validateLinux(
  spec: PodSpec,
  containers: readonly ContainerWithPath[],
  path: string,
  errors: FieldError[],
): void {
  for (const [{ securityContext }, at] of [[spec, path] as const, ...containers]) {
    if (securityContext?.windowsOptions) {
      errors.push(
        forbiddenField(`${at}.securityContext.windowsOptions`, 'windows options cannot be set for a linux pod'),
      );
    }
  }
}

const NOT_FOR_WINDOWS_CONTAINERS = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
] as const;

function validateWindows(
  spec: PodSpec,
  containers: readonly ContainerWithPath[],
  path: string,
  errors: FieldError[],
): void {
  const forbidden = (at: string) => errors.push(forbiddenField(at, 'cannot be set for a windows pod'));
  const context = spec.securityContext ?? {};
  const ofContext = (...fields: readonly (keyof PodSecurityContext & string)[]) => {
    for (const field of fields) if (context[field] !== undefined) forbidden(`${path}.securityContext.${field}`);
  };
  ofContext('appArmorProfile', 'seLinuxOptions');
  if (spec.hostUsers !== undefined) forbidden(`${path}.hostUsers`);
  if (spec.hostPID) forbidden(`${path}.hostPID`);
  if (spec.hostIPC) forbidden(`${path}.hostIPC`);
  ofContext('seccompProfile', 'fsGroup', 'fsGroupChangePolicy');
  if (context.sysctls?.length) forbidden(`${path}.securityContext.sysctls`);
  if (spec.shareProcessNamespace !== undefined) forbidden(`${path}.shareProcessNamespace`);
  ofContext('runAsUser', 'runAsGroup', 'supplementalGroups', 'supplementalGroupsPolicy', 'seLinuxChangePolicy');
  for (const [{ securityContext }, at] of containers) {
    for (const field of NOT_FOR_WINDOWS_CONTAINERS) {
      if (securityContext?.[field] !== undefined) forbidden(`${at}.securityContext.${field}`);
    }
  }
}

/** Where an old annotation and the field both name a profile, they must name the same. For creation only. */
export function validateProfileAnnotations(
  spec: PodSpec,
  containers: readonly ContainerWithPath[],
  annotations: Readonly<Record<string, string>> | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (!annotations) return;
  const match = (profile: SeccompProfile | undefined, key: string, kind: 'seccomp' | 'apparmor', at: string) => {
    const annotation = Object.hasOwn(annotations, key) ? annotations[key] : undefined;
    if (!profile || annotation === undefined) return;
    const { type, localhostProfile } = profile;
    const differs =
      (type === 'Unconfined' && annotation !== 'unconfined') ||
      (type === 'RuntimeDefault' &&
        annotation !== 'runtime/default' &&
        !(kind === 'seccomp' && annotation === 'docker/default')) ||
      (type === 'Localhost' && !annotation.startsWith('localhost/'));
    if (differs) errors.push(forbiddenField(`${at}.type`, `${kind} type in annotation and field must match`));
    else if (type === 'Localhost' && annotation.slice('localhost/'.length) !== localhostProfile) {
      errors.push(forbiddenField(`${at}.localhostProfile`, `${kind} profile in annotation and field must match`));
    }
  };
  const ofPod = spec.securityContext;
  const podPath = `${path}.securityContext.seccompProfile`;
  match(ofPod?.seccompProfile, 'seccomp.security.alpha.kubernetes.io/pod', 'seccomp', podPath);
  for (const [{ name, securityContext }, at] of containers) {
    const key = `container.seccomp.security.alpha.kubernetes.io/${name}`;
    match(securityContext?.seccompProfile, key, 'seccomp', `${at}.securityContext.seccompProfile`);
  }
  if (spec.os?.name === 'windows') return;
  for (const [{ name, securityContext }, at] of containers) {
    const profile = securityContext?.appArmorProfile ?? ofPod?.appArmorProfile;
    const key = `container.apparmor.security.beta.kubernetes.io/${name}`;
    match(profile, key, 'apparmor', `${at}.securityContext.appArmorProfile`);
  }
}
