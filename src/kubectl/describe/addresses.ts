import { list, object, objects, text } from '../fields.ts';
import type { Describer } from './describer.ts';
import { writeEvents } from './events.ts';
import { writeDatedConditions } from './namespace.ts';
import { writeMetadata } from './writer.ts';

export const serviceCidr: Describer = {
  kinds: ['ServiceCIDR.networking.k8s.io'],
  async describe(w, value, context) {
    const events = await context.events(value);
    writeMetadata(w, value, false);
    w.line(0, `CIDRs:\t${list(value, 'spec', 'cidrs').map(String).join(', ')}`);
    const conditions = objects(value, 'status', 'conditions');
    if (conditions.length > 0) w.line(0, 'Status:');
    writeDatedConditions(w, conditions);
    writeEvents(w, events, context);
  },
};

export const ipAddress: Describer = {
  kinds: ['IPAddress.networking.k8s.io'],
  async describe(w, value, context) {
    const events = await context.events(value);
    const parent = object(value, 'spec', 'parentRef');
    writeMetadata(w, value, false);
    if (Object.keys(parent).length > 0) w.line(0, 'Parent Reference:');
    for (const field of Object.keys(parent).length > 0 ? ['group', 'resource', 'namespace', 'name'] : [])
      w.line(1, `${field[0]?.toUpperCase()}${field.slice(1)}:\t${text(parent, field)}`);
    writeEvents(w, events, context);
  },
};
