import type { JsonObject } from '#apimachinery/json.ts';
import { formatQuantity, parseQuantity } from '#apimachinery/quantity.ts';
import { at, list, object, objects, text } from '../fields.ts';
import { byCodeUnit } from '#apimachinery/go-format.ts';
import type { Describer } from './describer.ts';
import type { Description } from './writer.ts';
import { formatQuantityAt } from './writer.ts';

const HEADINGS = 'Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio';
const LINES = '----\t--------\t---\t---\t---------------\t-------------\t-----------------------';

export const limitRange: Describer = {
  kinds: ['LimitRange'],
  describe(w, object) {
    w.line(0, `Name:\t${text(object, 'metadata', 'name')}`);
    w.line(0, `Namespace:\t${text(object, 'metadata', 'namespace')}`);
    w.line(0, HEADINGS);
    w.line(0, LINES);
    writeLimits(w, object, '');
  },
};

export const resourceQuota: Describer = {
  kinds: ['ResourceQuota'],
  describe(w, object) {
    w.line(0, `Name:\t${text(object, 'metadata', 'name')}`);
    w.line(0, `Namespace:\t${text(object, 'metadata', 'namespace')}`);
    writeScopes(w, 0, object, ' * ');
    w.line(0, 'Resource\tUsed\tHard');
    w.line(0, '--------\t----\t----');
    writeQuota(w, 0, object, true);
  },
};

/** All limits of a namespace. */
export function writeLimitRanges(w: Description, ranges: readonly JsonObject[]): void {
  if (ranges.length === 0) return w.line(0, 'No LimitRange resource.');
  w.line(0, `Resource Limits\n ${HEADINGS}`);
  w.line(0, ` ${LINES}`);
  for (const range of ranges) writeLimits(w, range, ' ');
}

/** All quotas of a namespace. */
export function writeQuotas(w: Description, quotas: readonly JsonObject[]): void {
  if (quotas.length === 0) return w.line(0, 'No resource quota.');
  w.line(0, 'Resource Quotas');
  const name = (quota: JsonObject) => text(quota, 'metadata', 'name');
  for (const quota of [...quotas].sort((a, b) => byCodeUnit(name(a), name(b)))) {
    w.line(1, `Name:\t${name(quota)}`);
    writeScopes(w, 1, quota, '* ');
    w.line(1, 'Resource\tUsed\tHard');
    w.line(1, '--------\t---\t---');
    writeQuota(w, 1, quota, false);
  }
}

function writeLimits(w: Description, range: JsonObject, indent: string): void {
  for (const limit of objects(range, 'spec', 'limits')) {
    const fields = ['min', 'max', 'defaultRequest', 'default', 'maxLimitRequestRatio'];
    const names = new Set(fields.flatMap((field) => Object.keys(object(limit, field))));
    for (const name of [...names].sort(byCodeUnit)) {
      const amounts = fields.map((field) =>
        at(limit, field, name) === undefined ? '-' : formatQuantityAt(limit, field, name),
      );
      w.line(0, `${indent}${text(limit, 'type')}\t${name}\t${amounts.join('\t')}`);
    }
  }
}

const SCOPES: Readonly<Record<string, string>> = {
  Terminating:
    'Matches all pods that have an active deadline. These pods have a limited lifespan on a node before being actively terminated by the system.',
  NotTerminating:
    'Matches all pods that do not have an active deadline. These pods usually include long running pods whose container command is not expected to terminate.',
  BestEffort:
    'Matches all pods that do not have resource requirements set. These pods have a best effort quality of service.',
  NotBestEffort:
    'Matches all pods that have at least one resource requirement set. These pods have a burstable or guaranteed quality of service.',
};

function writeScopes(w: Description, level: number, quota: JsonObject, bullet: string): void {
  const scopes = list(quota, 'spec', 'scopes').map(String).sort(byCodeUnit);
  if (scopes.length === 0) return;
  w.line(level, `Scopes:\t${scopes.join(', ')}`);
  for (const scope of scopes) if (SCOPES[scope]) w.line(level, `${bullet}${SCOPES[scope]}`);
}

/** `alike`: what is used in the format of what is allowed. */
function writeQuota(w: Description, level: number, quota: JsonObject, alike: boolean): void {
  const hard = object(quota, 'status', 'hard');
  for (const name of Object.keys(hard).sort(byCodeUnit)) {
    const allowed = parseQuantity(text(hard, name));
    const used = parseQuantity(text(quota, 'status', 'used', name) || '0');
    const units = 1_000_000_000n;
    const shown =
      alike && used.format !== allowed.format
        ? { nanos: ((used.nanos + units - 1n) / units) * units, format: allowed.format }
        : used;
    w.line(level, `${name}\t${formatQuantity(shown)}\t${formatQuantity(allowed)}`);
  }
}
