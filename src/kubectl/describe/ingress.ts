import type { JsonObject } from '#apimachinery/json.ts';
import { asError } from '../errors.ts';
import { at, list, number, object, objects, strings, text } from '../fields.ts';
import { byCodeUnit } from '#apimachinery/go-format.ts';
import type { DescribeContext } from './context.ts';
import type { Describer } from './describer.ts';
import { writeEvents } from './events.ts';
import { formatSlices } from './services.ts';
import { writeAnnotations, writeLabels, writeMetadata } from './writer.ts';

export const ingress: Describer = {
  kinds: ['Ingress.networking.k8s.io'],
  async describe(w, value, context) {
    const events = await context.events(value);
    const spec = object(value, 'spec');
    const namespace = text(value, 'metadata', 'namespace');
    w.line(0, `Name:\t${text(value, 'metadata', 'name')}`);
    writeLabels(w, 'Labels', strings(value, 'metadata', 'labels'));
    w.line(0, `Namespace:\t${namespace}`);
    const addresses = objects(value, 'status', 'loadBalancer', 'ingress')
      .map((point) => text(point, 'ip') || text(point, 'hostname'))
      .filter((address) => address !== '');
    w.line(0, `Address:\t${[...new Set(addresses)].sort(byCodeUnit).join(',')}`);
    w.line(0, `Ingress Class:\t${text(spec, 'ingressClassName') || '<none>'}`);
    const fallback = at(spec, 'defaultBackend')
      ? await formatBackend(object(spec, 'defaultBackend'), namespace, context)
      : '<default>';
    w.line(0, `Default backend:\t${fallback}`);
    const tls = objects(spec, 'tls');
    if (tls.length > 0) w.line(0, 'TLS:');
    for (const entry of tls) {
      const hosts = list(entry, 'hosts').map(String).join(',');
      const secret = text(entry, 'secretName');
      w.line(1, secret === '' ? `SNI routes ${hosts}` : `${secret} terminates ${hosts}`);
    }
    w.line(0, 'Rules:\n  Host\tPath\tBackends');
    w.line(1, '----\t----\t--------');
    const rules = objects(spec, 'rules').filter((rule) => at(rule, 'http'));
    for (const rule of rules) {
      w.line(1, `${text(rule, 'host') || '*'}\t`);
      for (const path of objects(rule, 'http', 'paths')) {
        const backend = await formatBackend(object(path, 'backend'), namespace, context);
        w.line(2, `\t${text(path, 'path')} \t${backend}`);
      }
    }
    if (rules.length === 0) w.line(1, `*\t*\t${fallback}`);
    writeAnnotations(w, 'Annotations', strings(value, 'metadata', 'annotations'));
    writeEvents(w, events, context);
  },
};

async function formatBackend(backend: JsonObject, namespace: string, context: DescribeContext): Promise<string> {
  const resource = at(backend, 'resource');
  if (!at(backend, 'service')) {
    if (!resource) return '';
    return `APIGroup: ${text(resource, 'apiGroup') || '<none>'}, Kind: ${text(resource, 'kind')}, Name: ${text(resource, 'name')}`;
  }
  const name = text(backend, 'service', 'name');
  const port = object(backend, 'service', 'port');
  const shown = `${name}:${number(port, 'number') || text(port, 'name')}`;
  try {
    const slices = await context.list('endpointslices', namespace, {
      labelSelector: `kubernetes.io/service-name=${name}`,
    });
    const service = await (await context.client('services', namespace)).get(name);
    const target = objects(service, 'spec', 'ports').findLast((candidate) =>
      number(port, 'number') !== 0
        ? number(candidate, 'port') === number(port, 'number')
        : text(port, 'name') !== '' && text(candidate, 'name') === text(port, 'name'),
    );
    return `${shown} (${formatSlices(slices, text(target, 'name'))})`;
  } catch (error) {
    return `${shown} (<error: ${asError(error).message}>)`;
  }
}

export const ingressClass: Describer = {
  kinds: ['IngressClass.networking.k8s.io'],
  async describe(w, value, context) {
    const events = await context.events(value);
    writeMetadata(w, value, false);
    w.line(0, `Controller:\t${text(value, 'spec', 'controller')}`);
    const parameters = object(value, 'spec', 'parameters');
    if (Object.keys(parameters).length > 0) {
      w.line(0, 'Parameters:');
      if (at(parameters, 'apiGroup') !== undefined) w.line(1, `APIGroup:\t${text(parameters, 'apiGroup')}`);
      w.line(1, `Kind:\t${text(parameters, 'kind')}`);
      w.line(1, `Name:\t${text(parameters, 'name')}`);
    }
    writeEvents(w, events, context);
  },
};
