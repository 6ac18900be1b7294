import { expect, test } from 'vitest';
import { schemas } from '#api/schemas.ts';
import type { PodCondition, PodStatus } from '#api/generated/types.ts';
import type { JsonObject } from '#apimachinery/json.ts';
import { createTwoWayMergePatch } from '#apimachinery/patch-create.ts';
import { applyStrategicMergePatch } from '#apimachinery/patch-strategic.ts';
import type { Schema } from '#apimachinery/schema.ts';
import { Rng } from '#base/rng.ts';
import { podStatusDiff } from './pod-status-diff.ts';

const schema = schemas.lookup('io.k8s.api.core.v1.Pod') as Schema;

/** A status as chance has it. */
function anyStatus(rng: Rng): PodStatus {
  const conditions = ['Ready', 'Initialized', 'PodScheduled', 'gate']
    .filter(() => rng.int(4) > 0)
    .map(
      (type): PodCondition => ({
        type,
        status: rng.pick(['True', 'False']),
        ...(rng.int(2) ? { reason: rng.pick(['A', 'B']) } : {}),
      }),
    );
  const ips = rng.pick([[], ['10.0.0.1'], ['10.0.0.2'], ['10.0.0.1', '10.0.0.2']]).map((ip) => ({ ip }));
  return {
    conditions,
    ...(rng.int(2) ? { phase: rng.pick(['Pending', 'Running']) } : {}),
    ...(rng.int(3) ? { podIPs: ips } : {}),
    ...(rng.int(3)
      ? {
          containerStatuses: [
            {
              name: 'c',
              image: 'i',
              imageID: '',
              ready: rng.int(2) === 0,
              restartCount: rng.int(2),
              state: rng.pick([{ running: {} }, { waiting: { reason: 'X' } }]),
            },
          ],
        }
      : {}),
  };
}

test('the patch is the general one, and brings the server to what is wanted', () => {
  const rng = new Rng(1);
  for (let i = 0; i < 500; i++) {
    const [before, after] = [anyStatus(rng), anyStatus(rng)];
    const patch = podStatusDiff(before, after);
    const general = createTwoWayMergePatch({ status: before as JsonObject }, { status: after as JsonObject }, schema);
    expect(patch === undefined).toBe(general.status === undefined);
    if (!patch) continue;
    const apply = (one: JsonObject) =>
      applyStrategicMergePatch({ status: before as JsonObject }, one, schema) as unknown as { status: PodStatus };
    expect(apply({ status: patch })).toEqual(apply(general));
  }
});
