import type { JsonObject } from '#apimachinery/json.ts';
import { at, list, number, object, objects, strings, text } from '../fields.ts';
import { formatLabels } from '../printers/table-printer.ts';
import type { Describer } from './describer.ts';
import { writeEvents } from './events.ts';
import type { Description } from './writer.ts';
import { orNone, writeMetadata } from './writer.ts';

export const service: Describer = {
  kinds: ['Service'],
  async describe(w, value, context) {
    const slices = await context
      .list('endpointslices', text(value, 'metadata', 'namespace'), {
        labelSelector: `kubernetes.io/service-name=${text(value, 'metadata', 'name')}`,
      })
      .catch(() => []);
    const events = await context.events(value);
    const spec = object(value, 'spec');
    const joined = (field: string) => list(spec, field).map(String).join(',');
    const optional = (title: string, shown: string) => {
      if (shown !== '') w.line(0, `${title}:\t${shown}`);
    };
    writeMetadata(w, value);
    w.line(0, `Selector:\t${formatLabels(strings(spec, 'selector'))}`);
    w.line(0, `Type:\t${text(spec, 'type')}`);
    optional('IP Family Policy', text(spec, 'ipFamilyPolicy'));
    w.line(0, `IP Families:\t${orNone(joined('ipFamilies'))}`);
    w.line(0, `IP:\t${text(spec, 'clusterIP')}`);
    w.line(0, `IPs:\t${orNone(joined('clusterIPs'))}`);
    optional('External IPs', joined('externalIPs'));
    optional('Desired LoadBalancer IP', text(spec, 'loadBalancerIP'));
    optional('External Name', text(spec, 'externalName'));
    optional(
      'LoadBalancer Ingress',
      objects(value, 'status', 'loadBalancer', 'ingress').map(formatIngressPoint).join(', '),
    );
    for (const port of objects(spec, 'ports')) writePort(w, port, slices);
    w.line(0, `Session Affinity:\t${text(spec, 'sessionAffinity')}`);
    optional('External Traffic Policy', text(spec, 'externalTrafficPolicy'));
    optional('Internal Traffic Policy', text(spec, 'internalTrafficPolicy'));
    const health = number(spec, 'healthCheckNodePort');
    optional('HealthCheck NodePort', health === 0 ? '' : String(health));
    optional('LoadBalancer Source Ranges', joined('loadBalancerSourceRanges'));
    writeEvents(w, events, context);
  },
};

function formatIngressPoint(point: JsonObject): string {
  const ip = text(point, 'ip');
  if (ip === '') return text(point, 'hostname');
  const mode = text(point, 'ipMode');
  return mode === '' ? ip : `${ip} (${mode})`;
}

function writePort(w: Description, port: JsonObject, slices: readonly JsonObject[]): void {
  const name = text(port, 'name') || '<unset>';
  const protocol = text(port, 'protocol');
  w.line(0, `Port:\t${name}\t${number(port, 'port')}/${protocol}`);
  w.line(0, `TargetPort:\t${text(port, 'targetPort') || '0'}/${protocol}`);
  if (number(port, 'nodePort') !== 0) w.line(0, `NodePort:\t${name}\t${number(port, 'nodePort')}/${protocol}`);
  w.line(0, `Endpoints:\t${formatSlices(slices, text(port, 'name'))}`);
}

/** The first three ready addresses for a port, and how many more there are. */
export function formatSlices(slices: readonly JsonObject[], portName: string): string {
  if (slices.length === 0) return '<none>';
  const shown: string[] = [];
  let count = 0;
  let more = false;
  const visit = (slice: JsonObject, port: JsonObject | undefined) => {
    for (const endpoint of objects(slice, 'endpoints')) {
      // Upstream counts the one that is not shown even if it is not ready.
      if (shown.length === 3) more = true;
      if (at(endpoint, 'conditions', 'ready') === false) continue;
      const address = text(endpoint, 'addresses', 0);
      if (!more)
        shown.push(port ? `${address.includes(':') ? `[${address}]` : address}:${number(port, 'port')}` : address);
      count++;
    }
  };
  for (const slice of slices) {
    const ports = objects(slice, 'ports');
    if (ports.length === 0) visit(slice, undefined);
    for (const port of ports) if (text(port, 'name') === portName) visit(slice, port);
  }
  return more ? `${shown.join(',')} + ${count - 3} more...` : shown.join(',');
}

export const endpoints: Describer = {
  kinds: ['Endpoints'],
  async describe(w, value, context) {
    const events = await context.events(value);
    writeMetadata(w, value);
    w.line(0, 'Subsets:');
    for (const subset of objects(value, 'subsets')) {
      const addresses = (field: string) =>
        orNone(
          objects(subset, field)
            .map((address) => text(address, 'ip'))
            .join(','),
        );
      w.line(1, `Addresses:\t${addresses('addresses')}`);
      w.line(1, `NotReadyAddresses:\t${addresses('notReadyAddresses')}`);
      const ports = objects(subset, 'ports');
      if (ports.length > 0) w.line(1, 'Ports:');
      writePorts(w, 2, ports);
      w.line(0, '');
    }
    writeEvents(w, events, context);
  },
};

function writePorts(w: Description, level: number, ports: readonly JsonObject[]): void {
  if (ports.length === 0) return;
  w.line(level, 'Name\tPort\tProtocol');
  w.line(level, '----\t----\t--------');
  for (const port of ports)
    w.line(level, `${text(port, 'name') || '<unset>'}\t${text(port, 'port') || '<unset>'}\t${text(port, 'protocol')}`);
}

export const endpointSlice: Describer = {
  kinds: ['EndpointSlice.discovery.k8s.io'],
  async describe(w, value, context) {
    const events = await context.events(value);
    const orUnset = (found: string) => found || '<unset>';
    writeMetadata(w, value);
    w.line(0, `AddressType:\t${text(value, 'addressType')}`);
    const ports = objects(value, 'ports');
    w.line(0, ports.length === 0 ? 'Ports: <unset>' : 'Ports:');
    writePorts(w, 1, ports);
    const all = objects(value, 'endpoints');
    w.line(0, all.length === 0 ? 'Endpoints: <none>' : 'Endpoints:');
    for (const endpoint of all) {
      w.line(1, `- Addresses:\t${orNone(list(endpoint, 'addresses').map(String).join(', '))}`);
      w.line(2, 'Conditions:');
      w.line(3, `Ready:\t${orUnset(text(endpoint, 'conditions', 'ready'))}`);
      w.line(2, `Hostname:\t${orUnset(text(endpoint, 'hostname'))}`);
      const target = at(endpoint, 'targetRef');
      if (target) w.line(2, `TargetRef:\t${text(target, 'kind')}/${text(target, 'name')}`);
      w.line(2, `NodeName:\t${orUnset(text(endpoint, 'nodeName'))}`);
      w.line(2, `Zone:\t${orUnset(text(endpoint, 'zone'))}`);
    }
    writeEvents(w, events, context);
  },
};
