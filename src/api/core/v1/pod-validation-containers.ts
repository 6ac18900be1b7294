import type { FieldError } from '#apimachinery/field-error.ts';
import { compareQuantities } from '#apimachinery/quantity.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import {
  duplicate,
  forbiddenField,
  invalidField,
  isDNS1123Label,
  isHTTPHeaderName,
  notFoundField,
  notSupported,
  required,
} from '#apimachinery/validation.ts';
import type {
  Container,
  ContainerResizePolicy,
  EphemeralContainer,
  HTTPGetAction,
  LifecycleHandler,
  PodSpec,
  Probe,
  ResourceRequirements,
  Volume,
  VolumeDevice,
  VolumeMount,
} from '../../generated/types.ts';
import {
  validateContainerPorts,
  validateEnv,
  validateEnvFrom,
  validatePortNumOrName,
} from './pod-validation-environment.ts';
import { validateSecurityContext } from './pod-validation-security.ts';
import { validateLocalDescendingPath, validatePathNoBacksteps } from './pod-validation-volumes.ts';
import {
  isHugePageMultiple,
  isHugePageResource,
  isOvercommitAllowed,
  validateContainerResourceName,
  validateResourceQuantity,
} from './resource-names.ts';

// Containers of all three sorts. Follows pkg/apis/core/validation, v1.33.

type Volumes = ReadonlyMap<string, Volume>;

/** The containers of a specification. */
export function validateAllContainers(spec: PodSpec, volumes: Volumes, path: string, errors: FieldError[]): void {
  const validation = new ContainerValidation(spec, volumes, errors);
  validation.containers(`${path}.containers`);
  validation.initContainers(`${path}.initContainers`);
  validation.ephemeralContainers(`${path}.ephemeralContainers`);
}

const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];
const MESSAGE_POLICIES = ['File', 'FallbackToLogsOnError'];

class ContainerValidation {
  readonly #spec: PodSpec;
  readonly #volumes: Volumes;
  readonly #errors: FieldError[];

  constructor(spec: PodSpec, volumes: Volumes, errors: FieldError[]) {
    this.#spec = spec;
    this.#volumes = volumes;
    this.#errors = errors;
  }

  containers(path: string): void {
    const errors = this.#errors;
    const { containers } = this.#spec;
    if (containers.length === 0) {
      errors.push(required(path));
      return;
    }
    const names = new Set<string>();
    containers.forEach((container, i) => {
      const at = `${path}[${i}]`;
      this.#common(container, at);
      if (names.has(container.name)) errors.push(duplicate(`${at}.name`, container.name));
      names.add(container.name);
      this.#life(container, at);
      if (container.restartPolicy !== undefined) {
        errors.push(forbiddenField(`${at}.restartPolicy`, 'may not be set for non-init containers'));
      }
    });
    validateHostPorts(containers, path, errors);
  }

  initContainers(path: string): void {
    const errors = this.#errors;
    const names = new Set(this.#spec.containers.map(({ name }) => name));
    this.#spec.initContainers?.forEach((container, i) => {
      const at = `${path}[${i}]`;
      this.#common(container, at);
      const { name, restartPolicy } = container;
      if (restartPolicy !== undefined && restartPolicy !== 'Always') {
        errors.push(notSupported(`${at}.restartPolicy`, restartPolicy, ['Always']));
      }
      if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
      else if (name) names.add(name);
      validateHostPorts([container], path, errors);
      if (restartPolicy === 'Always') {
        this.#life(container, at);
        return;
      }
      for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
        if (!container[field]) continue;
        const message = 'may not be set for init containers without restartPolicy=Always';
        errors.push(forbiddenField(`${at}.${field}`, message));
      }
    });
  }

  ephemeralContainers(path: string): void {
    const errors = this.#errors;
    const { containers, initContainers = [], ephemeralContainers = [] } = this.#spec;
    if (ephemeralContainers.length === 0) return;
    const others = new Set([...containers, ...initContainers].map(({ name }) => name));
    const names = new Set(others);
    ephemeralContainers.forEach((container, i) => {
      const at = `${path}[${i}]`;
      this.#common(container, at);
      validateImageWhitespace(container, at, errors);
      if (names.has(container.name)) errors.push(duplicate(`${at}.name`, container.name));
      names.add(container.name);
      const target = container.targetContainerName;
      if (target && !others.has(target)) errors.push(notFoundField(`${at}.targetContainerName`, target));
      validateEphemeralFields(container, at, errors);
    });
  }

  #common(container: Container, path: string): void {
    const errors = this.#errors;
    const { name, image, terminationMessagePolicy: messages, imagePullPolicy } = container;
    if (!name) errors.push(required(`${path}.name`));
    else for (const message of isDNS1123Label(name)) errors.push(invalidField(`${path}.name`, name, message));
    if (!image) errors.push(required(`${path}.image`));
    if (!messages) errors.push(required(`${path}.terminationMessagePolicy`));
    else if (!MESSAGE_POLICIES.includes(messages)) {
      errors.push(notSupported(`${path}.terminationMessagePolicy`, messages, MESSAGE_POLICIES));
    }
    validateContainerPorts(container.ports, `${path}.ports`, errors);
    validateEnv(container.env, `${path}.env`, errors);
    validateEnvFrom(container.envFrom, `${path}.envFrom`, errors);
    this.#mounts(container, `${path}.volumeMounts`);
    this.#devices(container, `${path}.volumeDevices`);
    if (!imagePullPolicy) errors.push(required(`${path}.imagePullPolicy`));
    else if (!PULL_POLICIES.includes(imagePullPolicy)) {
      errors.push(notSupported(`${path}.imagePullPolicy`, imagePullPolicy, PULL_POLICIES));
    }
    validateResources(container.resources, `${path}.resources`, errors);
    this.#resizePolicy(container.resizePolicy, `${path}.resizePolicy`);
    const hostUsers = this.#spec.hostUsers ?? true;
    validateSecurityContext(container.securityContext, `${path}.securityContext`, hostUsers, errors);
  }

  #life({ lifecycle, livenessProbe, readinessProbe, startupProbe }: Container, path: string): void {
    const errors = this.#errors;
    for (const hook of ['postStart', 'preStop'] as const) {
      const handler = lifecycle?.[hook];
      if (handler) this.#handler(handler, `${path}.lifecycle.${hook}`);
    }
    const once = (probe: Probe | undefined, field: string) => {
      if (!probe) return;
      const at = `${path}.${field}`;
      this.#probe(probe, at);
      const { successThreshold = 0 } = probe;
      if (successThreshold !== 1) {
        errors.push(invalidField(`${at}.successThreshold`, successThreshold, 'must be 1'));
      }
    };
    once(livenessProbe, 'livenessProbe');
    if (readinessProbe) {
      const at = `${path}.readinessProbe`;
      this.#probe(readinessProbe, at);
      const seconds = readinessProbe.terminationGracePeriodSeconds;
      if (seconds !== undefined) {
        const message = 'must not be set for readinessProbes';
        errors.push(invalidField(`${at}.terminationGracePeriodSeconds`, seconds, message));
      }
    }
    once(startupProbe, 'startupProbe');
  }

  #probe(probe: Probe, path: string): void {
    const errors = this.#errors;
    this.#handler(probe, path);
    for (const field of [
      'initialDelaySeconds',
      'timeoutSeconds',
      'periodSeconds',
      'successThreshold',
      'failureThreshold',
    ] as const) {
      const value = probe[field] ?? 0;
      if (value < 0) errors.push(invalidField(`${path}.${field}`, value, 'must be greater than or equal to 0'));
    }
    const seconds = probe.terminationGracePeriodSeconds;
    if (seconds !== undefined && seconds <= 0) {
      errors.push(invalidField(`${path}.terminationGracePeriodSeconds`, seconds, 'must be greater than 0'));
    }
  }

  #handler(handler: Probe & LifecycleHandler, path: string): void {
    const errors = this.#errors;
    const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
    let count = 0;
    const only = (field: string): boolean => {
      if (count++ === 0) return true;
      errors.push(forbiddenField(`${path}.${field}`, 'may not specify more than 1 handler type'));
      return false;
    };
    if (exec && only('exec') && !exec.command?.length) errors.push(required(`${path}.exec.command`));
    if (httpGet && only('httpGet')) validateHttpGet(httpGet, `${path}.httpGet`, errors);
    if (tcpSocket && only('tcpSocket')) validatePortNumOrName(tcpSocket.port, `${path}.tcpSocket.port`, errors);
    if (grpc && only('grpc')) validatePortNumOrName(grpc.port, `${path}.grpc.port`, errors);
    if (sleep && only('sleep')) {
      const grace = this.#spec.terminationGracePeriodSeconds;
      const { seconds } = sleep;
      if (grace !== undefined && (seconds < 0 || seconds > grace)) {
        const message = `must be non-negative and less than terminationGracePeriodSeconds (${grace})`;
        errors.push(invalidField(`${path}.sleep`, seconds, message));
      }
    }
    if (count === 0) errors.push(required(path, 'must specify a handler type'));
  }

  #mounts(container: Container, path: string): void {
    const errors = this.#errors;
    const { volumeMounts, volumeDevices = [] } = container;
    if (!volumeMounts) return;
    const paths = new Set<string>();
    volumeMounts.forEach((mount, i) => {
      const at = `${path}[${i}]`;
      const { name, mountPath, subPath, subPathExpr } = mount;
      if (!name) errors.push(required(`${at}.name`));
      if (!this.#volumes.has(name)) errors.push(notFoundField(`${at}.name`, name));
      if (!mountPath) errors.push(required(`${at}.mountPath`));
      if (paths.has(mountPath)) errors.push(invalidField(`${at}.mountPath`, mountPath, 'must be unique'));
      paths.add(mountPath);
      if (volumeDevices.some((device) => device.name === name)) {
        errors.push(invalidField(`${at}.name`, name, 'must not already exist in volumeDevices'));
      }
      if (volumeDevices.some((device) => device.devicePath === mountPath)) {
        const message = 'must not already exist as a path in volumeDevices';
        errors.push(invalidField(`${at}.mountPath`, mountPath, message));
      }
      // Upstream leaves the index out of the paths below.
      if (subPath) validateLocalDescendingPath(subPath, `${path}.subPath`, errors);
      if (subPathExpr) {
        if (subPath) {
          const message = 'subPathExpr and subPath are mutually exclusive';
          errors.push(invalidField(`${at}.subPathExpr`, subPathExpr, message));
        }
        validateLocalDescendingPath(subPathExpr, `${path}.subPathExpr`, errors);
      }
      validateMountPropagation(mount, container, `${path}.mountPropagation`, errors);
      validateRecursiveReadOnly(mount, `${path}.recursiveReadOnly`, errors);
    });
  }

  #devices({ volumeDevices, volumeMounts = [] }: Container, path: string): void {
    const errors = this.#errors;
    const names = new Set<string>();
    const paths = new Set<string>();
    volumeDevices?.forEach(({ name, devicePath }: VolumeDevice, i: number) => {
      const at = `${path}[${i}]`;
      const volume = this.#volumes.get(name);
      if (!name) errors.push(required(`${at}.name`));
      if (names.has(name)) errors.push(invalidField(`${at}.name`, name, 'must be unique'));
      if (!volume) errors.push(notFoundField(`${at}.name`, name));
      else if (!volume.persistentVolumeClaim && !volume.ephemeral) {
        const message = 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode';
        errors.push(invalidField(`${at}.name`, name, message));
      }
      if (!devicePath) errors.push(required(`${at}.devicePath`));
      if (paths.has(devicePath)) errors.push(invalidField(`${at}.devicePath`, devicePath, 'must be unique'));
      if (devicePath && !validatePathNoBacksteps(devicePath, at, [])) {
        errors.push(invalidField(`${at}.devicePath`, devicePath, "can not contain backsteps ('..')"));
      } else paths.add(devicePath);
      if (volumeMounts.some((mount) => mount.name === name)) {
        errors.push(invalidField(`${at}.name`, name, 'must not already exist in volumeMounts'));
      }
      if (volumeMounts.some((mount) => mount.mountPath === devicePath)) {
        const message = 'must not already exist as a path in volumeMounts';
        errors.push(invalidField(`${at}.devicePath`, devicePath, message));
      }
      if (name) names.add(name);
    });
  }

  #resizePolicy(policies: readonly ContainerResizePolicy[] | undefined, path: string): void {
    const errors = this.#errors;
    const resources = new Set<string>();
    policies?.forEach(({ resourceName, restartPolicy }, i) => {
      if (resources.has(resourceName)) errors.push(duplicate(`${path}[${i}]`, resourceName));
      resources.add(resourceName);
      if (!resourceName) errors.push(required(path));
      else if (resourceName !== 'cpu' && resourceName !== 'memory') {
        errors.push(notSupported(path, resourceName, ['cpu', 'memory']));
      }
      if (!restartPolicy) errors.push(required(path));
      else if (restartPolicy !== 'NotRequired' && restartPolicy !== 'RestartContainer') {
        errors.push(notSupported(path, restartPolicy, ['NotRequired', 'RestartContainer']));
      }
      if (this.#spec.restartPolicy === 'Never' && restartPolicy !== 'NotRequired') {
        errors.push(invalidField(path, restartPolicy, "must be 'NotRequired' when `restartPolicy` is 'Never'"));
      }
    });
  }
}

/** Blanks around an image's name are an error where a Pod would really pull it. */
export function validateImageWhitespace({ image = '' }: Container, path: string, errors: FieldError[]): void {
  if (image !== image.trim()) {
    errors.push(invalidField(`${path}.image`, image, 'must not have leading or trailing whitespace'));
  }
}

function validateHostPorts(containers: readonly Container[], path: string, errors: FieldError[]): void {
  const seen = new Set<string>();
  containers.forEach(({ ports }, i) => {
    ports?.forEach(({ hostPort, hostIP = '', protocol = '' }, j) => {
      if (!hostPort) return;
      const text = `${protocol}/${hostIP}/${hostPort}`;
      if (seen.has(text)) errors.push(duplicate(`${path}[${i}].ports[${j}].hostPort`, text));
      seen.add(text);
    });
  });
}

function validateHttpGet(
  { path: url, port, scheme = '', httpHeaders = [] }: HTTPGetAction,
  path: string,
  errors: FieldError[],
): void {
  if (!url) errors.push(required(`${path}.path`));
  validatePortNumOrName(port, `${path}.port`, errors);
  if (scheme !== 'HTTP' && scheme !== 'HTTPS') errors.push(notSupported(`${path}.scheme`, scheme, ['HTTP', 'HTTPS']));
  for (const { name } of httpHeaders) {
    for (const message of isHTTPHeaderName(name)) errors.push(invalidField(`${path}.httpHeaders`, name, message));
  }
}

const MOUNT_PROPAGATIONS = ['Bidirectional', 'HostToContainer', 'None'];
const RECURSIVE_READ_ONLY = ['Disabled', 'Enabled', 'IfPossible'];

function validateMountPropagation(mount: VolumeMount, container: Container, path: string, errors: FieldError[]): void {
  const { mountPropagation } = mount;
  if (mountPropagation === undefined) return;
  if (!MOUNT_PROPAGATIONS.includes(mountPropagation)) {
    errors.push(notSupported(path, mountPropagation, MOUNT_PROPAGATIONS));
  }
  if (mountPropagation === 'Bidirectional' && !container.securityContext?.privileged) {
    errors.push(forbiddenField(path, 'Bidirectional mount propagation is available only to privileged containers'));
  }
}

function validateRecursiveReadOnly(mount: VolumeMount, path: string, errors: FieldError[]): void {
  const { recursiveReadOnly, readOnly, mountPropagation = 'None' } = mount;
  if (recursiveReadOnly === undefined || recursiveReadOnly === 'Disabled') return;
  if (!RECURSIVE_READ_ONLY.includes(recursiveReadOnly)) {
    errors.push(notSupported(path, recursiveReadOnly, RECURSIVE_READ_ONLY));
    return;
  }
  if (!readOnly) errors.push(forbiddenField(path, 'may only be specified when readOnly is true'));
  if (mountPropagation !== 'None') {
    errors.push(forbiddenField(path, 'may only be specified when mountPropagation is None or not specified'));
  }
}

/** Requests and limits of a container. */
export function validateResources(
  resources: ResourceRequirements | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (!resources) return;
  const { limits = {}, requests = {}, claims = [] } = resources;
  const limitNames = Object.keys(limits).sort();
  const requestNames = Object.keys(requests).sort();
  const hugePages = (name: string, quantity: string, at: string) => {
    if (isHugePageResource(name) && !isHugePageMultiple(name, quantity)) {
      errors.push(invalidField(at, quantity, `${quantity} is not positive integer multiple of ${name}`));
    }
  };
  for (const name of limitNames) {
    const at = `${path}.limits[${name}]`;
    const quantity = limits[name] as string;
    validateContainerResourceName(name, at, errors);
    validateResourceQuantity(name, quantity, at, errors);
    hugePages(name, quantity, at);
  }
  for (const name of requestNames) {
    const at = `${path}.requests[${name}]`;
    const quantity = requests[name] as string;
    validateContainerResourceName(name, at, errors);
    validateResourceQuantity(name, quantity, at, errors);
    const limit = Object.hasOwn(limits, name) ? limits[name] : undefined;
    if (limit === undefined) {
      if (!isOvercommitAllowed(name)) {
        errors.push(required(`${path}.limits`, 'Limit must be set for non overcommitable resources'));
      }
    } else if (!isOvercommitAllowed(name) && compareQuantities(quantity, limit) !== 0) {
      errors.push(invalidField(`${path}.requests`, quantity, `must be equal to ${name} limit of ${limit}`));
    } else if (compareQuantities(quantity, limit) > 0) {
      const message = `must be less than or equal to ${name} limit of ${limit}`;
      errors.push(invalidField(`${path}.requests`, quantity, message));
    }
    hugePages(name, quantity, at);
  }
  const all = [...limitNames, ...requestNames];
  if (all.some(isHugePageResource) && !all.includes('cpu') && !all.includes('memory')) {
    errors.push(forbiddenField(path, 'HugePages require cpu or memory'));
  }
  // Claims exist in Pod templates only: the Pod strategy drops them while DynamicResourceAllocation is off.
  claims.forEach(({ name }, i) => {
    const error = notFoundField(`${path}.claims[${i}]`, name);
    const text = `${error.text}: must be one of the names in pod.spec.resourceClaims which is empty`;
    errors.push(name ? { ...error, text } : required(`${path}.claims[${i}]`));
  });
}

/** In the order in which Go declares the fields. */
const NOT_FOR_EPHEMERAL = [
  'ports',
  'resources',
  'resizePolicy',
  'restartPolicy',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
] as const;

function validateEphemeralFields(container: EphemeralContainer, path: string, errors: FieldError[]): void {
  const message = 'cannot be set for an Ephemeral Container';
  for (const field of NOT_FOR_EPHEMERAL) {
    if (!semanticEqual(container[field], undefined)) errors.push(forbiddenField(`${path}.${field}`, message));
  }
  container.volumeMounts?.forEach(({ subPath, subPathExpr }, i) => {
    if (subPath) errors.push(forbiddenField(`${path}.volumeMounts[${i}].subPath`, message));
    if (subPathExpr) errors.push(forbiddenField(`${path}.volumeMounts[${i}].subPathExpr`, message));
  });
}
