import type { JsonObject } from '#apimachinery/json.ts';
import { isStatus } from '#apimachinery/status-error.ts';
import { objects, text } from '../fields.ts';
import type { DescribeContext } from './context.ts';
import type { Describer } from './describer.ts';
import { writeLimitRanges, writeQuotas } from './limits.ts';
import type { Description } from './writer.ts';
import { formatDate, writeMetadata } from './writer.ts';

export const namespace: Describer = {
  kinds: ['Namespace'],

  async describe(w, object, context) {
    const name = text(object, 'metadata', 'name');
    const quotas = await listIfServed(context, 'resourcequotas', name);
    const ranges = await listIfServed(context, 'limitranges', name);
    writeMetadata(w, object, false);
    w.line(0, `Status:\t${text(object, 'status', 'phase')}`);
    writeDatedConditions(w, objects(object, 'status', 'conditions'));
    if (quotas) {
      w.line(0, '');
      writeQuotas(w, quotas);
    }
    if (ranges) {
      w.line(0, '');
      writeLimitRanges(w, ranges);
    }
  },
};

async function listIfServed(
  context: DescribeContext,
  name: 'resourcequotas' | 'limitranges',
  namespace: string,
): Promise<readonly JsonObject[] | undefined> {
  try {
    return await context.list(name, namespace);
  } catch (error) {
    if (isStatus(error, 'NotFound')) return undefined;
    throw error;
  }
}

export function writeDatedConditions(w: Description, conditions: readonly JsonObject[]): void {
  if (conditions.length === 0) return;
  w.line(0, 'Conditions:');
  w.line(1, 'Type\tStatus\tLastTransitionTime\tReason\tMessage');
  w.line(1, '----\t------\t------------------\t------\t-------');
  for (const condition of conditions) {
    const time = formatDate(text(condition, 'lastTransitionTime'));
    w.line(
      1,
      `${text(condition, 'type')}\t${text(condition, 'status')}\t${time}\t${text(condition, 'reason')}\t${text(condition, 'message')}`,
    );
  }
}
