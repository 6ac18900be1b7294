import type { JsonObject } from '#apimachinery/json.ts';
import { quantityMilliValue, quantityValue } from '#apimachinery/quantity.ts';
import { goQuote } from '#apimachinery/validation.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import { at, isObject, list, number, object, objects, text } from '../fields.ts';
import { byCodeUnit, formatValue } from '#apimachinery/go-format.ts';
import type { Description } from './writer.ts';
import { formatBool, formatDate, formatQuantityAt, orNone } from './writer.ts';

/** Gives the value of a field of the Pod, for an environment variable. */
export type FieldResolver = (fieldPath: string) => string;

/** The containers of a Pod or of a template (which has no statuses, and is further to the right). */
export function writeContainers(
  w: Description,
  label: string,
  containers: readonly JsonObject[],
  statuses: readonly JsonObject[],
  resolve: FieldResolver | undefined,
  indent = '',
): void {
  w.line(0, `${indent}${label}:${containers.length === 0 ? ' <none>' : ''}`);
  for (const container of containers) {
    const status = statuses.findLast((candidate) => text(candidate, 'name') === text(container, 'name'));
    writeBasics(w, container, status, indent === '' ? '' : ' ');
    writeWords(w, 'Command', container['command']);
    writeWords(w, 'Args', container['args']);
    if (status) writeStatus(w, status);
    writeResources(w, 2, object(container, 'resources'));
    for (const kind of ['Liveness', 'Readiness', 'Startup']) {
      const probe = at(container, `${kind.toLowerCase()}Probe`);
      if (isObject(probe)) w.line(2, `${kind}:\t${formatProbe(probe)}`);
    }
    writeEnvFrom(w, container);
    writeEnvironment(w, container, resolve);
    writeMounts(w, container);
  }
}

function writeBasics(w: Description, container: JsonObject, status: JsonObject | undefined, indent: string): void {
  w.line(1, `${indent}${text(container, 'name')}:`);
  if (status) w.line(2, `Container ID:\t${text(status, 'containerID')}`);
  w.line(2, `Image:\t${text(container, 'image')}`);
  if (status) w.line(2, `Image ID:\t${text(status, 'imageID')}`);
  const ports = objects(container, 'ports');
  const format = (field: string) => ports.map((port) => `${number(port, field)}/${text(port, 'protocol')}`).join(', ');
  const [containerPorts, hostPorts] = [format('containerPort'), format('hostPort')];
  w.line(2, containerPorts.includes(',') ? `Ports:\t${containerPorts}` : `Port:\t${orNone(containerPorts)}`);
  w.line(2, hostPorts.includes(',') ? `Host Ports:\t${hostPorts}` : `Host Port:\t${orNone(hostPorts)}`);
  writeSeccomp(w, 2, 3, object(container, 'securityContext'));
}

export function writeSeccomp(w: Description, level: number, fileLevel: number, context: JsonObject): void {
  const profile = at(context, 'seccompProfile');
  if (!isObject(profile)) return;
  w.line(level, `SeccompProfile:\t${text(profile, 'type')}`);
  if (text(profile, 'type') === 'Localhost')
    w.line(fileLevel, `LocalhostProfile:\t${text(profile, 'localhostProfile')}`);
}

function writeWords(w: Description, title: string, words: JsonObject[string] | undefined): void {
  if (list(words).length === 0) return;
  w.line(2, `${title}:`);
  for (const word of list(words)) for (const line of String(word as string).split('\n')) w.line(3, line);
}

/** Limits and requests. */
export function writeResources(w: Description, level: number, resources: JsonObject): void {
  for (const title of ['Limits', 'Requests']) {
    const amounts = object(resources, title.toLowerCase());
    const names = Object.keys(amounts).sort(byCodeUnit);
    if (names.length > 0) w.line(level, `${title}:`);
    for (const name of names) w.line(level + 1, `${name}:\t${formatQuantityAt(amounts, name)}`);
  }
}

function writeStatus(w: Description, status: JsonObject): void {
  writeState(w, 'State', object(status, 'state'));
  if (at(status, 'lastState', 'terminated')) writeState(w, 'Last State', object(status, 'lastState'));
  w.line(2, `Ready:\t${formatBool(at(status, 'ready') === true)}`);
  w.line(2, `Restart Count:\t${number(status, 'restartCount')}`);
}

function writeState(w: Description, name: string, state: JsonObject): void {
  const { running, terminated } = state;
  if (isObject(running)) {
    w.line(2, `${name}:\tRunning`);
    w.line(3, `Started:\t${formatDate(text(running, 'startedAt'))}`);
  } else if (isObject(terminated) && !at(state, 'waiting')) {
    w.line(2, `${name}:\tTerminated`);
    if (text(terminated, 'reason') !== '') w.line(3, `Reason:\t${text(terminated, 'reason')}`);
    if (text(terminated, 'message') !== '') w.line(3, `Message:\t${text(terminated, 'message')}`);
    w.line(3, `Exit Code:\t${number(terminated, 'exitCode')}`);
    if (number(terminated, 'signal') > 0) w.line(3, `Signal:\t${number(terminated, 'signal')}`);
    w.line(3, `Started:\t${formatDate(text(terminated, 'startedAt'))}`);
    w.line(3, `Finished:\t${formatDate(text(terminated, 'finishedAt'))}`);
  } else {
    w.line(2, `${name}:\tWaiting`);
    const reason = text(state, 'waiting', 'reason');
    if (reason !== '') w.line(3, `Reason:\t${reason}`);
  }
}

export function formatProbe(probe: JsonObject): string {
  const seconds = (field: string) => `${number(probe, field)}s`;
  const attributes = `delay=${seconds('initialDelaySeconds')} timeout=${seconds('timeoutSeconds')} period=${seconds('periodSeconds')} #success=${number(probe, 'successThreshold')} #failure=${number(probe, 'failureThreshold')}`;
  if (at(probe, 'exec')) return `exec ${formatValue(list(probe, 'exec', 'command'))} ${attributes}`;
  const http = at(probe, 'httpGet');
  if (isObject(http)) return `http-get ${probeUrl(http)} ${attributes}`;
  if (at(probe, 'tcpSocket'))
    return `tcp-socket ${text(probe, 'tcpSocket', 'host')}:${text(probe, 'tcpSocket', 'port')} ${attributes}`;
  if (at(probe, 'grpc'))
    return `grpc <pod>:${number(probe, 'grpc', 'port')} ${text(probe, 'grpc', 'service')} ${attributes}`;
  return `unknown ${attributes}`;
}

/** As Go's url.URL prints it. */
function probeUrl(get: JsonObject): string {
  const [host, port, path] = [text(get, 'host'), text(get, 'port'), text(get, 'path')];
  const authority = port === '' ? host : `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const slash = path !== '' && !path.startsWith('/') ? '/' : '';
  const escaped = Array.from(encodeUtf8(path), (byte) => {
    const letter = String.fromCharCode(byte);
    return /[A-Za-z0-9\-_.~$&+,/:;=@]/.test(letter) ? letter : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
  return `${text(get, 'scheme').toLowerCase()}://${authority}${slash}${escaped}`;
}

function writeEnvFrom(w: Description, container: JsonObject): void {
  const sources = objects(container, 'envFrom');
  if (sources.length === 0) return;
  w.line(2, 'Environment Variables from:');
  for (const source of sources) {
    const field = at(source, 'configMapRef') ? 'configMapRef' : 'secretRef';
    const from = at(source, 'configMapRef') ? 'ConfigMap' : at(source, 'secretRef') ? 'Secret' : '';
    const prefix = text(source, 'prefix');
    const optional = at(source, field, 'optional') === true;
    w.line(
      3,
      `${text(source, field, 'name')}\t${from}${prefix === '' ? '' : ` with prefix '${prefix}'`}\tOptional: ${optional}`,
    );
  }
}

function writeEnvironment(w: Description, container: JsonObject, resolve: FieldResolver | undefined): void {
  const variables = objects(container, 'env');
  w.line(2, `Environment:${variables.length === 0 ? '\t<none>' : ''}`);
  for (const variable of variables) {
    const name = text(variable, 'name');
    const from = at(variable, 'valueFrom');
    if (!isObject(from)) {
      text(variable, 'value')
        .split('\n')
        .forEach((line, index) => w.line(3, index === 0 ? `${name}:\t${line}` : `\t${line}`));
    } else if (at(from, 'fieldRef')) {
      const path = text(from, 'fieldRef', 'fieldPath');
      w.line(3, `${name}:\t${resolve?.(path) ?? ''} (${text(from, 'fieldRef', 'apiVersion')}:${path})`);
    } else if (at(from, 'resourceFieldRef')) {
      const resource = text(from, 'resourceFieldRef', 'resource');
      const value = resourceValue(container, resource, text(from, 'resourceFieldRef', 'divisor'));
      const shown =
        value === '0' && (resource === 'limits.cpu' || resource === 'limits.memory') ? 'node allocatable' : value;
      w.line(3, `${name}:\t${shown} (${resource})`);
    } else {
      for (const [field, words] of [
        ['secretKeyRef', 'in secret'],
        ['configMapKeyRef', 'of config map'],
      ] as const) {
        const reference = at(from, field);
        if (!isObject(reference)) continue;
        const target = `<set to the key '${text(reference, 'key')}' ${words} '${text(reference, 'name')}'>`;
        w.line(3, `${name}:\t${target}\tOptional: ${at(reference, 'optional') === true}`);
        break;
      }
    }
  }
}

/** The amount that `limits.cpu` and the like stand for, in units of the divisor. */
function resourceValue(container: JsonObject, resource: string, divisor: string): string {
  const match = /^(limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-.*)$/.exec(resource);
  if (!match) return '';
  const amount = text(container, 'resources', match[1] as string, match[2] as string) || '0';
  const measure = match[2] === 'cpu' ? quantityMilliValue : quantityValue;
  return String(Math.ceil(measure(amount) / measure(divisor === '' || divisor === '0' ? '1' : divisor)));
}

function writeMounts(w: Description, container: JsonObject): void {
  const mounts = [...objects(container, 'volumeMounts')];
  w.line(2, `Mounts:${mounts.length === 0 ? '\t<none>' : ''}`);
  for (const mount of mounts.sort((a, b) => byCodeUnit(text(a, 'mountPath'), text(b, 'mountPath')))) {
    const flags = [at(mount, 'readOnly') === true ? 'ro' : 'rw'];
    if (text(mount, 'subPath') !== '') flags.push(`path=${goQuote(text(mount, 'subPath'))}`);
    w.line(3, `${text(mount, 'mountPath')} from ${text(mount, 'name')} (${flags.join(',')})`);
  }
  const devices = [...objects(container, 'volumeDevices')];
  if (devices.length === 0) return;
  w.line(2, `Devices:${mounts.length === 0 ? '\t<none>' : ''}`);
  for (const device of devices.sort((a, b) => byCodeUnit(text(a, 'devicePath'), text(b, 'devicePath'))))
    w.line(3, `${text(device, 'devicePath')} from ${text(device, 'name')}`);
}
