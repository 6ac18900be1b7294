import type { JsonObject } from '#apimachinery/json.ts';
import { at, list, number, object, objects, text } from '../fields.ts';
import type { Describer } from './describer.ts';
import type { Description } from './writer.ts';
import { formatSelector, orNone, writeAnnotations, writeLabels } from './writer.ts';
import { strings } from '../fields.ts';

export const networkPolicy: Describer = {
  kinds: ['NetworkPolicy.networking.k8s.io'],
  describe(w, value) {
    const spec = object(value, 'spec');
    w.line(0, `Name:\t${text(value, 'metadata', 'name')}`);
    w.line(0, `Namespace:\t${text(value, 'metadata', 'namespace')}`);
    const created = text(value, 'metadata', 'creationTimestamp');
    w.line(0, `Created on:\t${created.replace('T', ' ').replace('Z', ' +0000 UTC')}`);
    writeLabels(w, 'Labels', strings(value, 'metadata', 'labels'));
    writeAnnotations(w, 'Annotations', strings(value, 'metadata', 'annotations'));
    w.line(0, 'Spec:');
    w.write(1, 'PodSelector: ');
    const selector = formatSelector(object(spec, 'podSelector'));
    w.line(2, selector || '<none> (Allowing the specific traffic to all pods in this namespace)');
    const types = list(spec, 'policyTypes').map(String);
    if (types.includes('Ingress')) {
      w.line(1, 'Allowing ingress traffic:');
      writeRules(w, objects(spec, 'ingress'), INGRESS);
    } else w.line(1, 'Not affecting ingress traffic');
    if (types.includes('Egress')) {
      w.line(1, 'Allowing egress traffic:');
      writeRules(w, objects(spec, 'egress'), EGRESS);
    } else w.line(1, 'Not affecting egress traffic');
    w.line(1, `Policy Types: ${orNone(types.join(', '))}`);
  },
};

interface Direction {
  readonly field: string;
  readonly heading: string;
  readonly anyone: string;
  readonly isolated: string;
}

const INGRESS: Direction = {
  field: 'from',
  heading: 'From',
  anyone: 'traffic not restricted by source',
  isolated: 'ingress',
};
const EGRESS: Direction = {
  field: 'to',
  heading: 'To',
  anyone: 'traffic not restricted by destination',
  isolated: 'egress',
};

const INDENT = '    ';

function writeRules(w: Description, rules: readonly JsonObject[], direction: Direction): void {
  if (rules.length === 0)
    return w.line(0, `${INDENT}<none> (Selected pods are isolated for ${direction.isolated} connectivity)`);
  rules.forEach((rule, index) => {
    const ports = objects(rule, 'ports');
    if (ports.length === 0) w.line(0, `${INDENT}To Port: <any> (traffic allowed to all ports)`);
    for (const port of ports) {
      const protocol = text(port, 'protocol') || 'TCP';
      const end = at(port, 'endPort');
      const from = text(port, 'port') || '<nil>';
      w.line(
        0,
        end === undefined
          ? `${INDENT}To Port: ${from}/${protocol}`
          : `${INDENT}To Port Range: ${from}-${number(port, 'endPort')}/${protocol}`,
      );
    }
    const peers = objects(rule, direction.field);
    if (peers.length === 0) w.line(0, `${INDENT}${direction.heading}: <any> (${direction.anyone})`);
    for (const peer of peers) {
      w.line(0, `${INDENT}${direction.heading}:`);
      writePeer(w, peer);
    }
    if (index < rules.length - 1) w.line(0, `${INDENT}----------`);
  });
}

function writePeer(w: Description, peer: JsonObject): void {
  const namespaces = at(peer, 'namespaceSelector');
  const pods = at(peer, 'podSelector');
  if (namespaces) w.line(1, `${INDENT}NamespaceSelector: ${orNone(formatSelector(namespaces))}`);
  if (pods) w.line(1, `${INDENT}PodSelector: ${orNone(formatSelector(pods))}`);
  if (namespaces || pods || !at(peer, 'ipBlock')) return;
  w.line(1, `${INDENT}IPBlock:`);
  w.line(2, `${INDENT}CIDR: ${text(peer, 'ipBlock', 'cidr')}`);
  w.line(2, `${INDENT}Except: ${list(peer, 'ipBlock', 'except').map(String).join(', ')}`);
}
